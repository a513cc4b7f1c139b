"""Regular expressions as maps, definitions and records bring them: in the form that Python's `re` reads, and never more
work than a text is worth. Standard library only."""

from __future__ import annotations

from fhirmap.regular_expressions.limits import LongPattern, ReadPattern, is_plain, read_pattern
from fhirmap.regular_expressions.matcher import Matcher, PatternMatch, TooManySteps
from fhirmap.regular_expressions.translation import names_categories, python_pattern

__all__ = [
    "LongPattern",
    "Matcher",
    "PatternMatch",
    "ReadPattern",
    "TooManySteps",
    "is_plain",
    "names_categories",
    "python_pattern",
    "read_pattern",
]
