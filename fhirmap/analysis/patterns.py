"""Regular expressions that a map writes as constants."""

from __future__ import annotations

import re

PATTERN_FUNCTIONS = frozenset(("matches", "matchesFull", "replaceMatches"))
"""The functions whose first argument is a regular expression."""


def is_pattern(text: str) -> bool:
    """Can it be compiled? `$` means another place at run time, which changes nothing here."""
    try:
        re.compile(text, re.DOTALL | re.ASCII)
    except re.error:
        return False
    return True
