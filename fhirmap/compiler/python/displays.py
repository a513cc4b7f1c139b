"""Displays of generated code: lists, tuples, sets, dicts, comprehensions, functions without a name, f-strings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from textwrap import indent
from typing import TypeAlias

from fhirmap.compiler.python.expressions import Expr, Name, Precedence


@dataclass(frozen=True)
class ListOf(Expr):
    """`[a, b]`."""

    entries: tuple[Expr, ...] = ()

    def __str__(self) -> str:
        return f"[{', '.join(map(str, self.entries))}]"


@dataclass(frozen=True)
class TupleOf(Expr):
    """`(a, b)`. ``is_tall``: one entry a line (in a constant of a module)."""

    entries: tuple[Expr, ...] = ()
    is_tall: bool = False

    def __str__(self) -> str:
        if self.is_tall and self.entries:
            return _tall("(", map(str, self.entries), ")")
        return f"({', '.join(map(str, self.entries))}{',' if len(self.entries) == 1 else ''})"


@dataclass(frozen=True)
class SetOf(Expr):
    """`frozenset((a, b))`: a constant set, its entries in the order in which they are given."""

    entries: tuple[Expr, ...] = ()
    is_tall: bool = False

    def __str__(self) -> str:
        return f"frozenset({TupleOf(self.entries, self.is_tall)})" if self.entries else "frozenset()"


@dataclass(frozen=True)
class SetDisplay(Expr):
    """`{a, b}`, of at least one entry: what follows `in`, where Python makes a constant of one of literals."""

    entries: tuple[Expr, ...]

    def __str__(self) -> str:
        return f"{{{', '.join(map(str, self.entries))}}}"


@dataclass(frozen=True)
class DictOf(Expr):
    """`{key: value}`. ``is_tall``: one entry a line (in a constant of a module)."""

    entries: tuple[tuple[Expr, Expr], ...] = ()
    is_tall: bool = False

    def __str__(self) -> str:
        entries = [f"{key}: {value}" for key, value in self.entries]
        return _tall("{", entries, "}") if self.is_tall and entries else f"{{{', '.join(entries)}}}"


def _tall(opening: str, entries: Iterable[str], closing: str) -> str:
    """One entry a line."""
    return "\n".join((opening, *(indent(f"{entry},", "    ") for entry in entries), closing))


@dataclass(frozen=True)
class ForClause:
    """`for targets in items`, in a comprehension."""

    targets: tuple[Name, ...]
    items: Expr

    def __str__(self) -> str:
        return f"for {', '.join(map(str, self.targets))} in {self.items.inside(Precedence.OR)}"


@dataclass(frozen=True)
class IfClause:
    """`if test`, in a comprehension."""

    test: Expr

    def __str__(self) -> str:
        return f"if {self.test.inside(Precedence.OR)}"


Clause: TypeAlias = ForClause | IfClause


class Container(StrEnum):
    """What a comprehension makes."""

    LIST = "list"
    SET = "set"
    GENERATOR = "generator"


_BRACKETS = {Container.LIST: ("[", "]"), Container.SET: ("{", "}"), Container.GENERATOR: ("(", ")")}


@dataclass(frozen=True)
class Comprehension(Expr):
    """`[element for x in items if test]`, a set, or a generator."""

    container: Container
    element: Expr
    clauses: tuple[Clause, ...]

    @property
    def children(self) -> tuple[Expr, ...]:
        """Its element, and what its clauses hold."""
        held = (entry.items if isinstance(entry, ForClause) else entry.test for entry in self.clauses)
        return (self.element, *held)

    def as_only_argument(self) -> str:
        """A generator needs no parentheses of its own."""
        return self._inner() if self.container is Container.GENERATOR else str(self)

    def _inner(self) -> str:
        return " ".join((self.element.inside(Precedence.CONDITIONAL), *map(str, self.clauses)))

    def __str__(self) -> str:
        opening, closing = _BRACKETS[self.container]
        return f"{opening}{self._inner()}{closing}"


@dataclass(frozen=True)
class Lambda(Expr):
    """`lambda parameters: body`."""

    parameters: tuple[Name, ...]
    body: Expr

    @property
    def precedence(self) -> int:
        """The loosest."""
        return Precedence.LAMBDA

    def __str__(self) -> str:
        parameters = ", ".join(map(str, self.parameters))
        return f"lambda {parameters}: {self.body}" if parameters else f"lambda: {self.body}"


@dataclass(frozen=True)
class Formatted(Expr):
    """An f-string of texts and names: `f'Parameters.parameter[{index}]'`."""

    parts: tuple[str | Name, ...]

    def __str__(self) -> str:
        texts = [part for part in self.parts if isinstance(part, str)]
        if any("'" in text or "\\" in text for text in texts):
            return self._call_of_format()
        body = "".join(f"{{{part}}}" if isinstance(part, Name) else _braced(repr(part)[1:-1]) for part in self.parts)
        return f"f'{body}'"

    def _call_of_format(self) -> str:
        """Of texts with quotes and escapes, which `repr` writes in either kind of quotes."""
        template = "".join("{}" if isinstance(part, Name) else _braced(part) for part in self.parts)
        return f"{template!r}.format({', '.join(str(part) for part in self.parts if isinstance(part, Name))})"


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
