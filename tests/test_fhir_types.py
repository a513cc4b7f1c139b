"""The table of FHIR's data types: whole, and of one piece."""

from __future__ import annotations

import doctest
import re

import pytest

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
    Family,
    family,
    number_type,
)


def test_examples() -> None:
    assert doctest.testmod(fhir_types) == (0, 3)


def test_families_divide_the_primitives() -> None:
    assert len(PRIMITIVES) == len(TEXTS) + len(DATES) + len(NUMBERS) + 1 == 21
    assert PATTERNS.keys() | SYSTEM_TYPES.keys() | INTEGER_RANGES.keys() <= PRIMITIVES
    assert INTEGER_RANGES.keys() == INTEGERS


def test_parents_are_of_the_same_family_and_no_circle() -> None:
    for child, parent in PARENTS.items():
        assert parent not in PARENTS
        assert any(child in alike and parent in alike for alike in (TEXTS, NUMBERS, QUANTITIES))
    assert not OPEN_TYPES & PRIMITIVES


def test_patterns_compile_and_take_no_empty_text() -> None:
    assert not any(re.fullmatch(pattern, "") for pattern in PATTERNS.values())


@pytest.mark.parametrize(
    ("names", "result"),
    [
        (["System.Integer", "integer"], "Integer"),
        (["System.Long", "System.Integer"], "Long"),
        (["integer64", "positiveInt"], "Long"),
        (["System.Long", "decimal"], "Decimal"),
        (["unsignedInt"], "Integer"),
    ],
)
def test_a_sum_has_the_widest_type(names: list[str], result: str) -> None:
    assert number_type(names) == result


def test_each_primitive_has_a_family() -> None:
    assert {family(name) for name in PRIMITIVES} == set(Family) - {Family.QUANTITY, Family.OTHER}
    assert family("System.Quantity") is family("Age") is Family.QUANTITY
    assert family("System.Patient") is family("Coding") is family("Integer") is Family.OTHER
