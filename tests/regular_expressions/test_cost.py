"""How much work a pattern may be."""

from __future__ import annotations

import re

import pytest

from fhirmap.regular_expressions.cost import cost_of
from fhirmap.regular_expressions.parsed import items_of


def _steps(pattern: str, length: int, *, everywhere: bool = False) -> float:
    cost = cost_of(*items_of(pattern, re.DOTALL | re.ASCII))
    return cost.steps(length, everywhere=everywhere) if cost is not None else float("inf")


@pytest.mark.parametrize(
    "pattern",
    [
        *("(a+)+$", "(a*)*", "(a|a)*b", "(a|aa)+$", r"^(\w+\s?)*$", "(.*a){200}", "(x+x+)+y", "(?:a{1,3})*$", "(a?)*"),
        *(r"(a*)\1b", "(?=(a+)+$)b", "(?!(a+)+$)b", "(?>(a+)+)$", "(a++)+$", "(?i:(?:a|[A-C])+)+$", "(a)?(?(1)b|c)"),
        *("((a{0,1000}){0,1000}){0,1000}b", r"(?u:\w)+$", "(?:(?:ab|a)(?:b|))*c", "(?:a*b*)*c", "(?:.|\\n)*x"),
    ],
)
def test_patterns_that_some_text_keeps_busy_for_ever(pattern: str) -> None:
    assert _steps(pattern, 1_000) == float("inf")


@pytest.mark.parametrize(
    ("pattern", "degree"),
    [
        (r"[0-9]{13}", 0),
        (r"[0-9]+", 1),
        (r"\S+(?: \S+)*", 1),
        (r"(\d{1,3})(,\d{3})*", 1),
        (r"[^/]+/[^/]+/.*", 1),
        (r"(?:[a-z]+;)*", 1),
        (r"\d+\w*x", 2),
        (r".*.*x", 2),
        (r"a*a*a*b", 3),
    ],
)
def test_the_work_grows_by_a_power_of_the_length(pattern: str, degree: int) -> None:
    growth = _steps(pattern, 2_000_000) / _steps(pattern, 1_000_000)
    assert growth == pytest.approx(2**degree, rel=0.05)


def test_a_search_begins_at_each_character_unless_it_is_anchored() -> None:
    assert _steps(r"\s+$", 1_000, everywhere=True) > 1_000_000
    assert _steps(r"^\s+$", 1_000, everywhere=True) < 10_000
    assert _steps(r"(^\s+$)", 1_000, everywhere=True) < 10_000


@pytest.mark.parametrize("pattern", ["(a|a)" * 40 + "b", "a?" * 30 + "a" * 30])
def test_choices_that_are_not_repeated_multiply(pattern: str) -> None:
    assert _steps(pattern, 40) > 2**25
