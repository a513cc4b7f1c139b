"""Expressions are written as Python reads them: the same tree, whatever is inside what."""

from __future__ import annotations

import ast
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhirmap.compiler import python as py

NAMES = st.sampled_from("abc").map(py.Name)
TEXTS = st.sampled_from(("", "x", "it's", 'a"b', "a\\b", "é\u2028", "{}", "\n"))
CONSTANTS = st.one_of(
    st.none(), st.booleans(), st.integers(0, 9), TEXTS, st.sampled_from((Decimal("1.50"), Decimal("-2E+3")))
)
LEAVES = st.one_of(NAMES, CONSTANTS.map(py.Literal), st.tuples(CONSTANTS).map(py.Literal))


def several(inner: st.SearchStrategy[py.Expr], least: int = 0) -> st.SearchStrategy[tuple[py.Expr, ...]]:
    return st.lists(inner, min_size=least, max_size=3).map(tuple)


def clauses(inner: st.SearchStrategy[py.Expr]) -> st.SearchStrategy[tuple[py.Clause, ...]]:
    loops = st.builds(py.ForClause, st.lists(NAMES, min_size=1, max_size=2).map(tuple), inner)
    return st.tuples(loops, st.one_of(loops, st.builds(py.IfClause, inner)))


def larger(inner: st.SearchStrategy[py.Expr]) -> st.SearchStrategy[py.Expr]:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        st.builds(py.Attribute, inner, st.just("text")),
        st.builds(py.Get, inner, TEXTS, st.one_of(st.none(), inner)),
        st.builds(py.Item, inner, inner),
        st.builds(py.ListSlice, inner, st.sampled_from((None, 1, -1)), st.sampled_from((None, 2, -1))),
        st.builds(py.Call, inner, several(inner), st.lists(st.tuples(st.just("key"), inner), max_size=1).map(tuple)),
        st.builds(py.Compare, inner, st.lists(st.tuples(st.sampled_from(py.Comparison), inner), min_size=1).map(tuple)),
        st.builds(py.Logic, st.sampled_from(py.Connective), several(inner, 2)),
        st.builds(py.Not, inner),
        st.builds(py.Conditional, inner, inner, inner),
        st.builds(py.Arithmetic, inner, st.sampled_from(py.Operator), inner),
        st.builds(py.Negative, inner),
        st.builds(py.ListOf, several(inner)),
        st.builds(py.TupleOf, several(inner), st.booleans()),
        st.builds(py.SetOf, several(inner), st.booleans()),
        st.builds(py.DictOf, st.lists(pairs, max_size=2).map(tuple), st.booleans()),
        st.builds(py.Comprehension, st.sampled_from(py.Container), inner, clauses(inner)),
        st.builds(py.Lambda, st.lists(NAMES, max_size=2, unique=True).map(tuple), inner),
    )


EXPRESSIONS = st.recursive(LEAVES, larger, max_leaves=12)


def constant(value: py.Constant) -> ast.expr:
    """What Python makes of a constant."""
    if isinstance(value, Decimal):
        return ast.Call(ast.Name("Decimal", ast.Load()), [ast.Constant(str(value))], [])
    if isinstance(value, tuple):
        return ast.Tuple([constant(entry) for entry in value], ast.Load())
    return ast.Constant(value)


def number(value: int) -> ast.expr:
    return ast.Constant(value) if value >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-value))


OPERATORS: dict[str, Any] = {
    "==": ast.Eq, "!=": ast.NotEq, "is": ast.Is, "is not": ast.IsNot, "in": ast.In, "not in": ast.NotIn,
    "<": ast.Lt, "<=": ast.LtE, ">": ast.Gt, ">=": ast.GtE,
    "+": ast.Add, "-": ast.Sub, "*": ast.Mult, "|": ast.BitOr, "and": ast.And, "or": ast.Or,
}  # fmt: skip


def tree(node: py.Expr) -> ast.expr:
    """The tree that the printed text must have, by the nodes alone."""
    load = ast.Load()
    match node:
        case py.Name(text):
            return ast.Name(text, load)
        case py.Literal(value):
            return constant(value)
        case py.Attribute(owner, name):
            return ast.Attribute(tree(owner), name, load)
        case py.Get(owner, key, default):
            arguments = [ast.Constant(key), *([tree(default)] if default is not None else [])]
            return ast.Call(ast.Attribute(tree(owner), "get", load), arguments, [])
        case py.Item(owner, index):
            return ast.Subscript(tree(owner), tree(index), load)
        case py.ListSlice(owner, start, stop):
            ends = [number(end) if end is not None else None for end in (start, stop)]
            return ast.Subscript(tree(owner), ast.Slice(*ends), load)
        case py.Call(function, arguments_, keywords):
            held = [ast.keyword(name, tree(value)) for name, value in keywords]
            return ast.Call(tree(function), [tree(argument) for argument in arguments_], held)
        case py.Compare(first, rest):
            return ast.Compare(tree(first), [OPERATORS[op]() for op, _ in rest], [tree(entry) for _, entry in rest])
        case py.Logic(operator, operands):
            return ast.BoolOp(OPERATORS[operator](), [tree(operand) for operand in operands])
        case py.Not(operand):
            return ast.UnaryOp(ast.Not(), tree(operand))
        case py.Negative(operand):
            return ast.UnaryOp(ast.USub(), tree(operand))
        case py.Conditional(value_, test, otherwise):
            return ast.IfExp(tree(test), tree(value_), tree(otherwise))
        case py.Arithmetic(left, operator_, right):
            return ast.BinOp(tree(left), OPERATORS[operator_](), tree(right))
        case py.ListOf(entries):
            return ast.List([tree(entry) for entry in entries], load)
        case py.TupleOf(entries):
            return ast.Tuple([tree(entry) for entry in entries], load)
        case py.SetOf(entries):
            held_: list[ast.expr] = [ast.Tuple([tree(entry) for entry in entries], load)] if entries else []
            return ast.Call(ast.Name("frozenset", load), held_, [])
        case py.DictOf(pairs):
            return ast.Dict([tree(key) for key, _ in pairs], [tree(value) for _, value in pairs])
        case py.Comprehension(container, element, parts):
            kinds = {"list": ast.ListComp, "set": ast.SetComp, "generator": ast.GeneratorExp}
            return kinds[container](tree(element), loops(parts))
        case py.Lambda(parameters, body):
            names = [ast.arg(parameter.text) for parameter in parameters]
            return ast.Lambda(ast.arguments([], names, None, [], [], None, []), tree(body))
    raise AssertionError(node)


def loops(parts: tuple[py.Clause, ...]) -> list[ast.comprehension]:
    found: list[ast.comprehension] = []
    for part in parts:
        if isinstance(part, py.IfClause):
            found[-1].ifs.append(tree(part.test))
            continue
        names: list[ast.expr] = [ast.Name(name.text, ast.Store()) for name in part.targets]
        target = names[0] if len(names) == 1 else ast.Tuple(names, ast.Store())
        found.append(ast.comprehension(target, tree(part.items), [], 0))
    return found


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS)
def test_what_is_written_is_what_was_meant(node: py.Expr) -> None:
    assert ast.dump(ast.parse(f"({node})", mode="eval").body) == ast.dump(tree(node))


def test_a_name_is_an_identifier() -> None:
    for text in ("a b", "1a", "class", "a;b", "", "é", "a\n"):
        with pytest.raises(ValueError, match="identifier"):
            py.Name(text)


def test_what_can_raise() -> None:
    a, one = py.Name("a"), py.Literal(1)
    assert py.Arithmetic(a, py.Operator.TIMES, a).may_raise
    assert py.compared(a, py.Comparison.LESS, one).may_raise
    assert py.Item(a, one).may_raise
    assert py.Call(a).may_raise
    assert py.Not(py.ListOf((py.Call(a),))).may_raise
    safe = (py.is_none(py.Get(a, "x")), py.Call(a, (one,), raises=False), py.Arithmetic(a, py.Operator.PLUS, a, False))
    assert not any(node.may_raise for node in safe)


def test_imports_come_from_the_whole_tree() -> None:
    one, two = py.Import("m", "f"), py.Import("m", "g", "_g")
    call = py.Call(py.Imported(one), (py.DictOf(((py.Literal("k"), py.Imported(two)),)), py.Literal((Decimal(1),))))
    assert call.uses == {one, two, py.DECIMAL}
    assert str(call) == "f({'k': _g}, (Decimal('1'),))"


def test_literals_are_equal_where_they_are_written_the_same() -> None:
    four = {py.Literal(value) for value in (1, True, Decimal(1), Decimal("1.0"))}
    assert len(four) == 4
