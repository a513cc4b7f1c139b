"""Typed lowering: bare values, None where there is none."""

from __future__ import annotations

import re
from decimal import Decimal, DecimalException
from typing import Any

import pytest

from fhirmap.analysis.static import StaticType, primitive
from fhirmap.compiler import python as py
from fhirmap.compiler.fhirpath import (
    ExprScope,
    function_of,
    lower_condition,
    lower_expression,
    lower_value,
    lower_values,
)
from fhirmap.errors import TransformFailed
from tests.compiler.fhirpath.operations import FOCUS, KNOWN, RECORDS, tree


def test_text_of_an_expression_cannot_become_code() -> None:
    record = {"side": "'); raise SystemExit(1) #"}
    scope = ExprScope(KNOWN, FOCUS)
    test = function_of(lower_condition(tree("side = '\\'); raise SystemExit(1) #'"), scope), scope)
    assert test(record)
    names = ExprScope(KNOWN, None, variables={"it": (py.Name("value"), primitive("string"))})
    assert lower_expression(tree("%`it`"), names).code == py.Name("value")


def test_value_is_one_or_a_fault() -> None:
    scope = ExprScope(KNOWN, FOCUS)
    one = function_of(lower_value(tree("notes"), scope), scope)
    assert one({}) is None
    assert one({"notes": ["a"]}) == "a"
    with pytest.raises(TransformFailed, match="FM430"):
        one({"notes": ["a", "b"]})


def test_values_are_bare_lists() -> None:
    scope = ExprScope(KNOWN, FOCUS)
    assert function_of(lower_values(tree("poses.lot | 'x'"), scope), scope)(RECORDS[3]) == ["L1", "x"]
    assert function_of(lower_values(tree("day"), scope), scope)(RECORDS[1]) == ["2025-03-15"]
    assert function_of(lower_values(tree("day + 1 month"), scope), scope)(RECORDS[1]) == ["2025-04-15"]


def test_a_boolean_that_is_never_absent_is_a_bare_one() -> None:
    scope = ExprScope(KNOWN, FOCUS)
    found = lower_expression(tree("poses.lot.isDistinct()"), scope)
    assert found.static.plain and found.static.cardinality == "one"
    doubled = {"poses": [{"lot": "L"}, {"lot": "L"}]}
    assert [function_of(found, scope)(record) for record in ({}, doubled, {"poses": [{"lot": "L"}]})] == [
        True,
        False,
        True,
    ]


def test_decimals_stay_as_written() -> None:
    scope = ExprScope(KNOWN, FOCUS)
    (found,) = function_of(lower_values(tree("iif(weight = 1.5, weight, weight)"), scope), scope)(RECORDS[1])
    assert str(found) == "1.50"


def test_a_choice_is_read_under_the_key_that_the_next_step_allows() -> None:
    ref = KNOWN.type_ref("Parameters")
    assert ref is not None
    scope = ExprScope(KNOWN, StaticType(frozenset((ref,)), "one", True), py.Name("resource"))
    found = lower_expression(tree("parameter.where(name = 'typeProcedure').value.coding.code"), scope)
    assert "valueCodeableConcept" in str(found.code)
    assert not found.code.uses
    assert found.static.plain and found.static.cardinality == "many"
    assert len(re.findall("value[A-Z]", str(found.code))) == 1


def test_the_first_child_of_filtered_items() -> None:
    scope = ExprScope(KNOWN, FOCUS)
    once = lower_expression(tree("poses.where(lot = 'L1').rank.first()"), scope)
    twice = lower_expression(tree("poses.where(lot = 'L1').where(lot = 'L1').rank.first()"), scope)
    assert str(once.code) == "fp.first_where(focus.get('poses', ()), 'lot', 'L1', 'rank')"
    for found in (once, twice):
        assert function_of(found, scope)(RECORDS[3]) == 1
        assert function_of(found, scope)(RECORDS[0]) is None


HUGE = Decimal("9E999999")
BEYOND = Decimal("9E9999999")


def number_scope(*, is_typed: bool) -> ExprScope:
    name = py.Name("number")
    static = primitive("decimal")
    if is_typed:
        return ExprScope(KNOWN, None, focus_name=name, variables={"n": (name, static)})
    return ExprScope(KNOWN, None, focus_name=name, variables={"n": (name, StaticType(static.types, "many", False))})


@pytest.mark.parametrize("is_typed", [True, False])
@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("%n + %n", HUGE),
        ("%n - (0 - %n)", HUGE),
        ("%n * %n", HUGE),
        ("%n / 0.1", HUGE),
        ("-%n", BEYOND),
        ("%n * %n > 1.0", HUGE),
        ("%n + %n = %n", HUGE),
        ("iif(%n * %n > 1.0, 1, 2)", HUGE),
        ("(1 | 2).where(%n * %n > 1.0)", HUGE),
        ("(1 | 2).select(%n * %n)", HUGE),
        ("(%n * 2.0).toString()", HUGE),
    ],
)
def test_an_overflow_is_foreseen(text: str, number: Decimal, is_typed: bool) -> None:
    scope = number_scope(is_typed=is_typed)
    for lower in (lower_expression, lower_value, lower_values):
        found = lower(tree(text), scope)
        assert found.may_raise, f"{lower.__name__}: {found.code}"
    given: Any = number if is_typed else [number]
    with pytest.raises(DecimalException):
        function_of(lower_values(tree(text), scope), scope)(given)


def test_a_condition_may_overflow() -> None:
    assert lower_condition(tree("%n * %n > 1.0"), number_scope(is_typed=True)).may_raise


@pytest.mark.parametrize(
    "text",
    [
        "side",
        "poses.where(used).lot",
        "poses.where(lot = 'L1').rank.first()",
        "notes.count()",
        "id & side",
        "'a' + 'b'",
        "-1",
        "iif(urgent, side, id)",
        "(side | id).first()",
        "id.substring(0, 1)",
    ],
)
def test_a_value_that_cannot_raise(text: str) -> None:
    found = lower_expression(tree(text), ExprScope(KNOWN, FOCUS))
    assert not found.may_raise, str(found.code)


@pytest.mark.parametrize(
    "text",
    [
        "side = 'D'",
        "side in ('D' | 'G')",
        "weight = 1.5",
        "poses.exists(lot = 'L1')",
        "poses.all(lot.exists() implies used)",
        "side.matches('^[DG]$')",
        "side ~ id",
        "urgent.exists() xor side.exists()",
    ],
)
def test_a_condition_that_cannot_raise(text: str) -> None:
    found = lower_condition(tree(text), ExprScope(KNOWN, FOCUS))
    assert not found.may_raise, str(found.code)
