"""Patterns: compiled once, and `$` is the very end of a text."""

from __future__ import annotations

from fhirmap.analysis.static import primitive
from fhirmap.compiler.fhirpath import ExprScope, function_of, lower_condition
from tests.compiler.fhirpath.operations import KNOWN, tree


def test_patterns_are_constants_and_end_at_the_very_end() -> None:
    scope = ExprScope(KNOWN, primitive("string"))
    found = lower_condition(tree("$this.matches('^[0-9]{11}$')"), scope)
    assert str(found.code) == "_PATTERN_1.fullmatch(focus) is not None"
    test = function_of(found, scope)
    assert test("12345678901")
    assert not test("12345678901\n")
    assert not test("1234567890١")


def test_dollar_in_an_alternative_is_the_very_end() -> None:
    scope = ExprScope(KNOWN, primitive("string"))
    test = function_of(lower_condition(tree("$this.matches('^a$|^b$')"), scope), scope)
    assert [bool(test(text)) for text in ("a", "b", "b\n", "ab")] == [True, True, False, False]
