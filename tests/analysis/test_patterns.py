"""Which texts are regular expressions."""

from __future__ import annotations

import pytest

from fhirmap.analysis.patterns import is_pattern


@pytest.mark.parametrize("text", ["", "^a$", "(NE|NF)", r"\d{13}", "[^a]"])
def test_a_pattern(text: str) -> None:
    assert is_pattern(text)


@pytest.mark.parametrize("text", ["(a", "[a", "*", r"(a)\2"])
def test_none(text: str) -> None:
    assert not is_pattern(text)
