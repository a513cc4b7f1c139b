"""Which texts are regular expressions."""

from __future__ import annotations

import pytest

from fhirmap.analysis.patterns import fault_of_pattern


@pytest.mark.parametrize("text", ["", "^a$", "(NE|NF)", r"\d{13}", "[^a]"])
def test_a_pattern(text: str) -> None:
    assert fault_of_pattern(text) == ""


@pytest.mark.parametrize("text", ["(a", "[a", "*", r"(a)\2"])
def test_none(text: str) -> None:
    assert fault_of_pattern(text) == "pattern"


def test_one_that_is_too_long() -> None:
    assert fault_of_pattern("a" * 20_001) == "long"
