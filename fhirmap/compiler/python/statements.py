"""Statements of generated code: a tree with blocks, each with the place in the map that it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from fhirmap.compiler.python.expressions import Expr, Import, Name, expressions_in, part_names
from fhirmap.diagnostics import Span


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement. ``span``: the place in the map that it comes from, None where it has none."""

    span: Span | None

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """Its own expressions, without those of its blocks."""
        return expressions_in(self)

    @property
    def blocks(self) -> tuple[tuple[Statement, ...], ...]:
        """The blocks of statements inside it."""
        return tuple(block for _, block in self.named_blocks)

    @property
    def named_blocks(self) -> tuple[tuple[str, tuple[Statement, ...]], ...]:
        """The blocks of statements inside it, each with the name of its field."""
        held = ((name, getattr(self, name)) for name in part_names(type(self)))
        return tuple(entry for entry in held if isinstance(entry[1], tuple) and entry[1] and _is_block(entry[1]))

    @property
    def may_raise(self) -> bool:
        """Can it raise for some record?"""
        return any(entry.may_raise for entry in self.expressions) or any(
            statement.may_raise for block in self.blocks for statement in block
        )

    @property
    def uses(self) -> frozenset[Import]:
        """Imports that it needs."""
        found: set[Import] = set()
        waiting: list[Statement] = [self]
        while waiting:
            statement = waiting.pop()
            for entry in statement.expressions:
                found |= entry.uses
            for block in statement.blocks:
                waiting += block
        return frozenset(found)


def _is_block(part: tuple[object, ...]) -> bool:
    return isinstance(part[0], Statement)


@dataclass(frozen=True, slots=True)
class CommentLine(Statement):
    """`# text`: one line."""

    text: str


@dataclass(frozen=True, slots=True)
class Blank(Statement):
    """An empty line."""


@dataclass(frozen=True, slots=True)
class Assign(Statement):
    """`target = value`; several targets: `a = b = value`."""

    targets: tuple[Name, ...]
    value: Expr


@dataclass(frozen=True, slots=True)
class Unpack(Statement):
    """`a, b = value`: the parts of a tuple of as many."""

    targets: tuple[Name, ...]
    value: Expr


@dataclass(frozen=True, slots=True)
class SetItem(Statement):
    """`node[key] = value`."""

    node: Expr
    key: str
    value: Expr


@dataclass(frozen=True, slots=True)
class SetAttribute(Statement):
    """`owner.name = value`."""

    owner: Expr
    name: str
    value: Expr


@dataclass(frozen=True, slots=True)
class Increment(Statement):
    """`name += 1`."""

    name: Name


@dataclass(frozen=True, slots=True)
class Do(Statement):
    """An expression for its effect."""

    value: Expr


@dataclass(frozen=True, slots=True)
class Raise(Statement):
    """`raise value`."""

    value: Expr

    @property
    def may_raise(self) -> bool:
        """Always."""
        return True


@dataclass(frozen=True, slots=True)
class Return(Statement):
    """`return value`, or `return`."""

    value: Expr | None = None


@dataclass(frozen=True, slots=True)
class If(Statement):
    """`if test:` with its block, `elif` and `else` where there are any."""

    test: Expr
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class For(Statement):
    """`for targets in items:`."""

    targets: tuple[Name, ...]
    items: Expr
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Try(Statement):
    """`try: body`, `except caught [as error]: handler`. What the body raises is caught, whatever ``caught`` is."""

    body: tuple[Statement, ...]
    caught: Expr
    error: Name | None
    handler: tuple[Statement, ...]

    @property
    def may_raise(self) -> bool:
        """Only what its handler raises leaves it."""
        return any(statement.may_raise for statement in self.handler)
