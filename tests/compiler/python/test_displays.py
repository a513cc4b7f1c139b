"""Displays: one entry a line where they are tall, generators without parentheses of their own, f-strings."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from fhirmap.compiler import python as py

A, X = py.Name("a"), py.Name("x")
NAMES = st.sampled_from("abc").map(py.Name)
TEXTS = st.sampled_from(("", "x", "it's", 'a"b', "a\\b", "é\u2028", "{}", "\n"))


def test_tall_displays_nest() -> None:
    inner = py.literal_dict({"k": "l\nm"}, is_tall=True)
    outer = py.TupleOf((inner, py.Literal(1)), is_tall=True)
    assert str(outer) == "(\n    {\n        'k': 'l\\nm',\n    },\n    1,\n)"
    assert str(py.TupleOf((), is_tall=True)) == "()"
    assert str(py.SetOf((py.Literal("b"), py.Literal("a")))) == "frozenset(('b', 'a'))"


def test_a_generator_that_is_the_only_argument() -> None:
    made = py.Comprehension(py.Container.GENERATOR, X, (py.ForClause((X,), A),))
    assert str(py.builtin("any", made)) == "any(x for x in a)"
    assert str(py.builtin("sum", made, A)) == "sum((x for x in a), a)"


def test_what_a_comprehension_holds_can_raise_too() -> None:
    item = py.Name("item")
    loop = py.ForClause((item,), py.Name("a"))
    test = py.IfClause(py.compared(item, py.Comparison.GREATER, py.Literal(Decimal("1.0"))))
    made = py.Comprehension(py.Container.LIST, item, (loop, test))
    assert made.may_raise
    assert made.uses == {py.DECIMAL}
    assert not py.Comprehension(py.Container.LIST, item, (loop,)).may_raise


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(TEXTS, NAMES), max_size=4).map(tuple))
def test_an_f_string_holds_its_texts_and_names(parts: tuple[str | py.Name, ...]) -> None:
    names = {"a": "1", "b": "{2}", "c": "'"}
    expected = "".join(part if isinstance(part, str) else names[part.text] for part in parts)
    assert eval(str(py.Formatted(parts)), {}, names) == expected
