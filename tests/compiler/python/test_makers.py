"""Small makers of expressions, and what is cheap enough to be written twice."""

from __future__ import annotations

from fhirmap.compiler import python as py

A, B = py.Name("a"), py.Name("b")


def test_a_name_and_one_look_into_a_dict_are_cheap() -> None:
    assert py.is_cheap(A)
    assert py.is_cheap(py.Get(A, "x"))
    assert not py.is_cheap(py.Get(py.Get(A, "x"), "y"))
    assert not py.is_cheap(py.Get(A, "x", py.ListOf()))
    assert not py.is_cheap(py.Call(A))


def test_a_default_goes_into_the_look_up_where_there_is_one() -> None:
    assert str(py.or_default(py.Get(A, "x"), py.TupleOf())) == "a.get('x', ())"
    assert str(py.or_default(A, py.TupleOf())) == "a or ()"


def test_logic_of_one_is_that_one() -> None:
    assert py.all_of(A) is A
    assert py.any_of(A) is A
    assert str(py.all_of(A, py.any_of(A, B))) == "a and (a or b)"


def test_tests_calls_and_displays() -> None:
    assert str(py.is_none(A)) == "a is None"
    assert str(py.is_not_none(py.Get(A, "x"))) == "a.get('x') is not None"
    assert str(py.method(A, "append", B)) == "a.append(b)"
    assert str(py.literal_dict({"k": "it's"})) == "{'k': \"it's\"}"
    assert not py.builtin("len", A).may_raise
