"""Trees of generated code changed as a whole: names renamed, expressions put in the place of others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from fhirmap.compiler.python.displays import Clause, Comprehension, ForClause, IfClause, Lambda
from fhirmap.compiler.python.expressions import Expr, Name, field_names
from fhirmap.compiler.python.statements import Assign, For, Increment, Statement, Try, Unpack

Change = Callable[[Expr], "Expr | None"]
"""What an expression becomes; None where its parts are looked at."""

_Node = TypeVar("_Node", bound="Expr | Statement | Clause")


def rewritten(node: _Node, change: Change) -> _Node:
    """``node`` with each expression in it changed, the outer ones first; itself where nothing changes."""
    new: _Node = _value(node, change)
    return new


def rewritten_block(statements: Iterable[Statement], change: Change) -> tuple[Statement, ...]:
    """Statements with each expression in them changed."""
    return tuple(rewritten(statement, change) for statement in statements)


def _with_fields(node: Any, change: Change) -> Any:  # noqa: ANN401 - a node of any type
    changed: dict[str, object] = {}
    for name in field_names(type(node)):
        value = getattr(node, name)
        if value is None or isinstance(value, str | int):
            continue
        new = _value(value, change)
        if new is not value:
            changed[name] = new
    return replace(node, **changed) if changed else node


def _value(value: Any, change: Change) -> Any:  # noqa: ANN401 - what a field of a node holds
    if isinstance(value, Expr):
        found = change(value)
        return _with_fields(value, change) if found is None else found
    if isinstance(value, Statement | ForClause | IfClause):
        return _with_fields(value, change)
    if isinstance(value, tuple):
        new = tuple(_value(entry, change) for entry in value)
        return value if all(one is other for one, other in zip(new, value, strict=True)) else new
    return value


def statements_in(block: Iterable[Statement]) -> Iterator[Statement]:
    """Statements and those of their blocks, in text order."""
    for statement in block:
        yield statement
        for inner in statement.blocks:
            yield from statements_in(inner)


def every_expression(block: Iterable[Statement]) -> Iterator[Expr]:
    """All expressions of statements, with those that they are made of."""
    for statement in statements_in(block):
        waiting = list(statement.expressions)
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.children


def bound_in(block: Iterable[Statement]) -> dict[str, None]:
    """The names that statements bind, in text order."""
    found: dict[str, None] = {}
    for statement in statements_in(block):
        found.update((name.text, None) for name in bound_by(statement))
    for node in every_expression(block):
        found.update((name.text, None) for name in _bound_inside(node))
    return found


def bound_by(statement: Statement) -> tuple[Name, ...]:
    """The names that a statement binds itself."""
    if isinstance(statement, Assign | Unpack | For):
        return statement.targets
    if isinstance(statement, Try) and statement.error is not None:
        return (statement.error,)
    return (statement.name,) if isinstance(statement, Increment) else ()


def _bound_inside(node: Expr) -> tuple[Name, ...]:
    """The names that an expression binds for its parts."""
    if isinstance(node, Lambda):
        return node.parameters
    if isinstance(node, Comprehension):
        return tuple(name for clause in node.clauses if isinstance(clause, ForClause) for name in clause.targets)
    return ()
