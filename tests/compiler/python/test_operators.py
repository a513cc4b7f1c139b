"""Operators: parentheses where they are needed, and where a reader wants them."""

from __future__ import annotations

from decimal import Decimal

from fhirmap.compiler import python as py

A, B, C = map(py.Name, "abc")


def test_an_and_inside_an_or_is_in_parentheses() -> None:
    assert str(py.any_of(A, py.all_of(B, C))) == "a or (b and c)"
    assert str(py.Not(py.any_of(A, B))) == "not (a or b)"
    assert str(py.Not(py.is_none(A))) == "not a is None"


def test_signs_and_sums() -> None:
    less = py.Arithmetic(A, py.Operator.MINUS, py.Arithmetic(B, py.Operator.MINUS, C))
    assert str(less) == "a - (b - c)"
    assert (
        str(py.Arithmetic(py.Negative(A), py.Operator.TIMES, py.Arithmetic(A, py.Operator.PLUS, B))) == "-a * (a + b)"
    )


def test_decimals_have_an_order_only_where_they_are_numbers() -> None:
    number = py.Literal(Decimal("1.0"))
    assert py.compared(A, py.Comparison.GREATER, number).may_raise
    assert not py.compared(A, py.Comparison.EQUAL, number).may_raise
    assert not py.Arithmetic(A, py.Operator.PLUS, B, raises=False).may_raise
    assert py.Negative(A).may_raise


def test_a_chain_of_comparisons() -> None:
    chain = py.Compare(py.Literal(None), ((py.Comparison.IS_NOT, A), (py.Comparison.UNEQUAL, B)))
    assert str(chain) == "None is not a != b"
