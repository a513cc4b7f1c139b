"""The table of FHIR's data types: whole, and of one piece."""

from __future__ import annotations

import doctest
import re

from fhirmap import fhir_types
from fhirmap.fhir_types import (
    DATES,
    INTEGER_RANGES,
    INTEGERS,
    NUMBERS,
    OPEN_TYPES,
    PARENTS,
    PATTERNS,
    PRIMITIVES,
    QUANTITIES,
    SYSTEM_TYPES,
    TEXTS,
)


def test_examples() -> None:
    assert doctest.testmod(fhir_types) == (0, 1)


def test_families_divide_the_primitives() -> None:
    assert len(PRIMITIVES) == len(TEXTS) + len(DATES) + len(NUMBERS) + 1 == 21
    assert PATTERNS.keys() | SYSTEM_TYPES.keys() | INTEGER_RANGES.keys() <= PRIMITIVES
    assert INTEGER_RANGES.keys() == INTEGERS


def test_parents_are_of_the_same_family_and_no_circle() -> None:
    for child, parent in PARENTS.items():
        assert parent not in PARENTS
        assert any(child in family and parent in family for family in (TEXTS, NUMBERS, QUANTITIES))
    assert not OPEN_TYPES & PRIMITIVES


def test_patterns_compile_and_take_no_empty_text() -> None:
    assert not any(re.fullmatch(pattern, "") for pattern in PATTERNS.values())
