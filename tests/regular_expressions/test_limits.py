"""Which patterns Python's own matcher may take for any text, and which are none."""

from __future__ import annotations

import re

import pytest

from fhirmap.regular_expressions import LongPattern, is_plain, read_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"^[0-9]{13}$", r"^[A-Za-z0-9\-\.]{1,64}$", r"^\S+( \S+)*$", r"^urn:oid:[0-2](\.(0|[1-9][0-9]*))+$"),
        *(
            r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$",
            r"^[A-Z]([A-Za-z0-9_]){1,254}$",
            r"^[^|# ]+$",
            r"[0-9]{5}",
        ),
        r"^([1278]\d{2}(0[1-9]|1[0-2]|[2-9]\d)(\d{2}|2[AB])\d{6})(\d{2})$",
        r"^[^\s.,:;\'\"\/|?!@#$%&*()\[\]{}]{1,64}(\.[^\s.,:;\'\"\/|?!@#$%&*()\[\]{}]{1,64}(\[x\])?(\:[^\s\.]+)?)*$",
    ],
)
def test_patterns_of_fhir_and_of_registries_are_quick_with_any_text(pattern: str) -> None:
    assert is_plain(pattern, everywhere=True)


@pytest.mark.parametrize("pattern", ["(a+)+$", r"\s+$", ".*.*x", "a" * 200 + "?" * 0 + "(b|b)*$"])
def test_others_are_not(pattern: str) -> None:
    assert not is_plain(pattern, everywhere=True)


def test_a_text_that_is_surely_quick_is_short_where_the_work_grows_fast() -> None:
    assert read_pattern("(a+)+$").longest(everywhere=True) == -1
    assert 2_000 < read_pattern(r"\s+$").longest(everywhere=True) < 20_000
    assert read_pattern(r"\s+$").longest(everywhere=False) > 1_000_000


@pytest.mark.parametrize(
    "pattern", ["a" * 20_001, "(" * 3_000 + ")" * 3_000, r"\p{L}" * 200, "a{99999999999999999999}"]
)
def test_a_pattern_that_is_too_long_or_too_deep_is_none(pattern: str) -> None:
    with pytest.raises(LongPattern):
        read_pattern(pattern)


def test_ranges_that_are_looked_up_one_by_one_are_counted() -> None:
    with pytest.raises(LongPattern):
        read_pattern("[\0-\U0010ffff]" * 3, re.IGNORECASE)
