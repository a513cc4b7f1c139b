"""The matcher that counts its steps finds what Python's own finds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhirmap.regular_expressions import Matcher, PatternMatch, TooManySteps
from fhirmap.regular_expressions.parsed import items_of

_FLAGS = re.DOTALL | re.ASCII


def _matcher(pattern: str, most: int = 50_000) -> Matcher:
    compiled = re.compile(pattern, _FLAGS)
    items, flags = items_of(pattern, _FLAGS)
    return Matcher(items, flags, compiled.groups, compiled.groupindex, most)


def _groups(found: re.Match[str] | PatternMatch | None, count: int) -> list[str | None] | None:
    return None if found is None else [found[number] for number in range(count + 1)]


_ATOMS = st.sampled_from(
    ["a", "b", ".", "[ab]", "[^a]", r"\w", r"\d", r"\b", r"\B", "^", r"\Z", "$", "(?:)", "A", "ab"]
)
_TIMES = st.sampled_from(["*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,2}", "{2,}", "{1,2}?"])


def _around(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(inner, _TIMES).map(lambda two: f"(?:{two[0]}){two[1]}"),
        st.tuples(st.sampled_from(["(", "(?>", "(?=", "(?!", "(?i:"]), inner).map(lambda two: f"{two[0]}{two[1]})"),
        inner.map(lambda text: f"({text})\\1?"),
        inner.map(lambda text: f"({text})?(?(1)a|b)"),
        inner.map(lambda text: f"(?<=a){text}(?<![b]a)"),
    )


@settings(max_examples=150, deadline=None)
@given(st.recursive(_ATOMS, _around, max_leaves=6), st.text("abA1\n", max_size=7))
def test_it_finds_what_re_finds(pattern: str, text: str) -> None:
    pattern = (
        re.sub(r"\\1\?|\(\?\(1\)a\|b\)", "", pattern) if pattern.count("\\1") + pattern.count("(?(1)") > 1 else pattern
    )
    try:
        compiled, matcher = re.compile(pattern, _FLAGS), _matcher(pattern)
    except re.error:
        return
    count = compiled.groups
    assert _groups(matcher.search(text), count) == _groups(compiled.search(text), count)
    assert _groups(matcher.fullmatch(text), count) == _groups(compiled.fullmatch(text), count)
    assert [found.span() for found in matcher.finditer(text)] == [found.span() for found in compiled.finditer(text)]


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*b", "(a|aa)+$", r"^(\w+\s?)*$", "(x+x+)+y", "(?:a{1,3})*!$", "(a*)*b", "(a++)+$"]
)
def test_the_work_grows_with_the_text_alone(pattern: str) -> None:
    assert _matcher(pattern, 20 * 2_000).fullmatch("a" * 2_000 + "!!") is None


@pytest.mark.parametrize("pattern", [r"(a*)*\1b", "((a{0,1000}){0,1000}){0,1000}b", "a?" * 40 + "a" * 40 + "b"])
def test_the_limit_holds_for_every_pattern(pattern: str) -> None:
    with pytest.raises(TooManySteps):
        _matcher(pattern).search("a" * 5_000 + "!")
