"""Names that are bound anew, kept apart: each binding of a name that holds a row has a name of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from fhirmap.compiler.names import Names
from fhirmap.compiler.python import (
    Assign,
    Clause,
    Comprehension,
    Expr,
    For,
    ForClause,
    If,
    Lambda,
    Name,
    Statement,
    Try,
)
from fhirmap.compiler.python.rewriting import rewritten

_Known = dict[str, Name]


class Rebinding:
    """Gives each binding its own name. ``bases``: name -> the name that new ones are made of.

    ``original``: new name -> the one that it takes the place of.
    """

    def __init__(self, names: Names, bases: Mapping[str, str]) -> None:
        self.names = names
        self.bases = bases
        self.original: dict[str, Name] = {}

    def block(self, statements: Iterable[Statement], outer: _Known) -> tuple[tuple[Statement, ...], _Known]:
        """Statements under their new names, and the names known after them."""
        known = dict(outer)
        found: list[Statement] = []
        for statement in statements:
            found.append(self._statement(statement, known, outer))
        return tuple(found), known

    def _statement(self, statement: Statement, known: _Known, outer: _Known) -> Statement:
        if isinstance(statement, Assign):
            value = self._renamed(statement.value, known)
            targets = tuple(self._bound(name, known, outer) for name in statement.targets)
            return replace(statement, targets=targets, value=value)
        if isinstance(statement, For):
            items = self._renamed(statement.items, known)
            inner = {**known, **{name.text: self._fresh(name, known) for name in statement.targets}}
            targets = tuple(inner[name.text] for name in statement.targets)
            body, after = self.block(statement.body, inner)
            _keep_first(known, after)
            return replace(statement, targets=targets, items=items, body=body)
        if isinstance(statement, If):
            test = self._renamed(statement.test, known)
            body = self._inner(statement.body, known)
            return replace(statement, test=test, body=body, otherwise=self._inner(statement.otherwise, known))
        if isinstance(statement, Try):
            body, caught = self._inner(statement.body, known), self._renamed(statement.caught, known)
            handler = self._inner(statement.handler, known)
            return replace(statement, body=body, caught=caught, handler=handler)
        return rewritten(statement, lambda node: self._change(node, known))

    def _inner(self, statements: Sequence[Statement], known: _Known) -> tuple[Statement, ...]:
        body, after = self.block(statements, known)
        _keep_first(known, after)
        return body

    def _bound(self, name: Name, known: _Known, outer: _Known) -> Name:
        """The name of a binding: a new one where the same block has bound it before, and none around it."""
        if name.text in known and name.text not in outer:
            known[name.text] = self._fresh(name, known)
        else:
            known.setdefault(name.text, name)
        return known[name.text]

    def _fresh(self, name: Name, known: _Known) -> Name:
        if name.text not in known:
            return name
        fresh = self.names.take(self.bases.get(name.text, name.text))
        self.original[fresh.text] = self.original.get(name.text, name)
        return fresh

    def _renamed(self, expression: Expr, known: _Known) -> Expr:
        return rewritten(expression, lambda node: self._change(node, known))

    def _change(self, node: Expr, known: _Known) -> Expr | None:
        if isinstance(node, Name):
            return known.get(node.text)
        if isinstance(node, Lambda):
            inner = {**known, **{name.text: name for name in node.parameters}}
            return replace(node, body=self._renamed(node.body, inner))
        if isinstance(node, Comprehension):
            return self._comprehension(node, dict(known))
        return None

    def _comprehension(self, node: Comprehension, known: _Known) -> Comprehension:
        clauses: list[Clause] = []
        for clause in node.clauses:
            if isinstance(clause, ForClause):
                items = self._renamed(clause.items, known)
                known |= {name.text: name for name in clause.targets}
                clauses.append(replace(clause, items=items))
            else:
                clauses.append(replace(clause, test=self._renamed(clause.test, known)))
        return replace(node, clauses=tuple(clauses), element=self._renamed(node.element, known))


def _keep_first(known: _Known, after: _Known) -> None:
    """What a block was the first to bind is known after it."""
    for text, name in after.items():
        known.setdefault(text, name)
