"""Regular expressions that a map writes as constants."""

from __future__ import annotations

import re

from fhirmap.regular_expressions import python_pattern

PATTERN_FUNCTIONS = frozenset(("matches", "matchesFull", "replaceMatches"))
"""The functions whose first argument is a regular expression."""


_GROUPS = re.compile(r"(?:\$\d+|\$\{\w+\})+")


def is_group_alone(substitution: object) -> bool:
    """Does a substitution hold nothing but groups of its pattern, `$1`? Then a part of the text is wanted."""
    return isinstance(substitution, str) and _GROUPS.fullmatch(substitution) is not None


def is_pattern(text: str) -> bool:
    """Can it be compiled?"""
    try:
        re.compile(python_pattern(text), re.DOTALL | re.ASCII)
    except re.error:
        return False
    return True
