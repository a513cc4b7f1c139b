"""Regular expressions that a map writes as constants."""

from __future__ import annotations

import re

from fhirmap.regular_expressions import LongPattern, read_pattern

PATTERN_FUNCTIONS = frozenset(("matches", "matchesFull", "replaceMatches"))
"""The functions whose first argument is a regular expression."""


_GROUPS = re.compile(r"(?:\$\d+|\$\{\w+\})+")


def is_group_alone(substitution: object) -> bool:
    """Does a substitution hold nothing but groups of its pattern, `$1`? Then a part of the text is wanted."""
    return isinstance(substitution, str) and _GROUPS.fullmatch(substitution) is not None


def fault_of_pattern(text: str) -> str:
    """The variant of FM433 that says why it cannot be compiled; empty where it can."""
    try:
        read_pattern(text)
    except re.error:
        return "pattern"
    except LongPattern:
        return "long"
    return ""
