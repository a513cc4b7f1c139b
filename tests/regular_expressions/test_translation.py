"""Patterns of FHIRPath in the form that `re` reads."""

from __future__ import annotations

import re

import pytest

from fhirmap.regular_expressions import names_categories, python_pattern


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (r"^\p{L}+$", "Éa", True),
        (r"^\P{L}+$", "1é", False),
        (r"[\p{Lu}1]", "É", True),
        ("^a$", "a\n", False),
        ("[$]", "$", True),
        (r"(?<x>a)\k<x>", "aa", True),
    ],
)
def test_a_pattern_means_what_it_does_in_fhirpath(pattern: str, text: str, matches: bool) -> None:
    assert (re.search(python_pattern(pattern), text) is not None) == matches


def test_categories_are_seen() -> None:
    assert names_categories(r"a\p{L}")
    assert not names_categories(r"a\\p{L}")
