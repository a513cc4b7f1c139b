"""Steps of a record that are counted: of rules that may multiply, so that one record cannot keep a run busy for ever.

Most loops and calls go down the record: together they are no more than the record has parts. Counted are the others:
calls of groups that call themselves, and loops inside a loop that go through something else than what it found; those
of expressions, too (`counted_expressions`). So are texts that rules may double (`counted_texts`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from fhirmap.analysis.typed import TypedGroup
from fhirmap.compiler.counted_expressions import with_counted_loops
from fhirmap.compiler.counted_texts import read_names, with_counted_texts
from fhirmap.compiler.python import Do, Expr, For, Name, Statement, method
from fhirmap.compiler.python.expressions import field_names
from fhirmap.compiler.python.rewriting import bound_by, every_expression, statements_in
from fhirmap.compiler.runtime_functions import RUN

__all__ = ["with_counted_steps"]


def with_counted_steps(group: TypedGroup, body: Iterable[Statement]) -> tuple[Statement, ...]:
    """The statements of a group's function, with those that count its steps."""
    statements = tuple(body)
    read = read_names(statements)
    found = tuple(with_counted_texts(statement, read) for statement in _counted(statements, None))
    return (_step(), *found) if _calls_itself(group) else found


def _step() -> Do:
    return Do(None, method(RUN, "spend", raises=False))


def _calls_itself(group: TypedGroup) -> bool:
    """Does a group call itself, or another that does in the end?"""
    seen: set[TypedGroup] = set()
    waiting = list(group.calls)
    while waiting:
        called = waiting.pop()
        if called is group:
            return True
        if called not in seen:
            seen.add(called)
            waiting += called.calls
    return False


def _counted(block: tuple[Statement, ...], found: frozenset[str] | None) -> tuple[Statement, ...]:
    """Statements with their loops counted. ``found``: the names of what the loop around them found; None outside."""
    return tuple(_with_step(statement, found) for statement in block)


def _with_step(statement: Statement, found: frozenset[str] | None) -> Statement:
    blocks = statement.named_blocks
    if not blocks:
        return with_counted_loops(statement, found)
    changed: dict[str, Any] = {}
    if isinstance(statement, For):
        is_step = found is not None and not _uses(statement.items, found)
        body = _counted(statement.body, _derived(statement))
        changed["body"] = (_step(), *body) if is_step else body
    else:
        changed.update((name, _counted(held, found)) for name, held in blocks)
    for name in field_names(type(statement)):
        held = getattr(statement, name)
        if isinstance(held, Expr):
            changed[name] = with_counted_loops(held, found)
    return replace(statement, **changed)


def _derived(loop: For) -> frozenset[str]:
    """The names of what a loop goes through, and of what comes from it."""
    names = {name.text for name in loop.targets}
    for statement in statements_in(loop.body):
        if any(_uses(entry, names) for entry in statement.expressions):
            names.update(name.text for name in bound_by(statement))
    return frozenset(names)


def _uses(expression: Expr, names: Iterable[str]) -> bool:
    wanted = frozenset(names)
    return any(isinstance(node, Name) and node.text in wanted for node in every_expression((Do(None, expression),)))
