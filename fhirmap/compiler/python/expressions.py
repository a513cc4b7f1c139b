"""Expressions of generated code: names, constants, access and calls."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import cached_property
from typing import TypeAlias

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Constant: TypeAlias = "bool | int | str | Decimal | tuple[Constant, ...] | None"


@dataclass(frozen=True, slots=True, order=True)
class Import:
    """`from module import name [as alias]`; `import module` where there is no name."""

    module: str
    name: str = ""
    alias: str = ""

    @property
    def local(self) -> str:
        """The name that code writes."""
        return self.alias or self.name or self.module

    @property
    def line(self) -> str:
        """The import as a line of Python."""
        if not self.name:
            return f"import {self.module}"
        return f"from {self.module} import {self.name}" + (f" as {self.alias}" if self.alias else "")


DECIMAL = Import("decimal", "Decimal")


class Precedence:
    """How tightly operators bind, loosest first (The Python Language Reference, 6.17)."""

    LAMBDA, CONDITIONAL, OR, AND, NOT, COMPARE, BITS, PLUS, TIMES, UNARY, ATOM = range(11)


@dataclass(frozen=True)
class Expr:
    """An expression. Nodes are equal where they say the same.

    ``may_raise``: can evaluating it raise for some record? ``uses``: everything it imports.
    """

    @property
    def children(self) -> tuple[Expr, ...]:
        """The expressions that it is made of."""
        return expressions_in(self)

    @cached_property
    def may_raise(self) -> bool:
        """Can evaluating it raise?"""
        return self.raises_itself or any(child.may_raise for child in self.children)

    @property
    def raises_itself(self) -> bool:
        """Can it raise although its parts do not?"""
        return False

    @property
    def uses(self) -> frozenset[Import]:
        """Imports that it needs."""
        found: set[Import] = set()
        waiting: list[Expr] = [self]
        while waiting:
            node = waiting.pop()
            found |= node.own_imports
            if part_names(type(node)):
                waiting += node.children
        return frozenset(found)

    @property
    def own_imports(self) -> frozenset[Import]:
        """Imports that its parts do not name."""
        return frozenset()

    @property
    def precedence(self) -> int:
        """How tightly its outermost operator binds."""
        return Precedence.ATOM

    def inside(self, precedence: int) -> str:
        """As an operand, in parentheses where it binds less than ``precedence``."""
        return f"({self})" if self.precedence < precedence else str(self)

    def as_only_argument(self) -> str:
        """As the only argument of a call."""
        return str(self)

    def as_owner(self) -> str:
        """As what comes before a dot, a bracket or a call."""
        return self.inside(Precedence.ATOM)


def expressions_in(node: object) -> tuple[Expr, ...]:
    """The expressions that the fields of a node hold, alone or in tuples."""
    found: list[Expr] = []
    for name in part_names(type(node)):
        _collect(getattr(node, name), found)
    return tuple(found)


_FIELD_NAMES: dict[type, tuple[str, ...]] = {}
_PART_NAMES: dict[type, tuple[str, ...]] = {}
_NO_PARTS = frozenset(("str", "int", "int | None", "bool", "Constant", "Import", "Span | None"))
"""How fields are annotated that hold no node."""


def field_names(kind: type) -> tuple[str, ...]:
    """The names of a dataclass's fields, looked up once: trees are walked often."""
    known = _FIELD_NAMES.get(kind)
    if known is None:
        known = _FIELD_NAMES[kind] = tuple(entry.name for entry in fields(kind))
    return known


def part_names(kind: type) -> tuple[str, ...]:
    """The names of those fields that may hold nodes."""
    known = _PART_NAMES.get(kind)
    if known is None:
        known = _PART_NAMES[kind] = tuple(entry.name for entry in fields(kind) if entry.type not in _NO_PARTS)
    return known


def _collect(value: object, found: list[Expr]) -> None:
    if isinstance(value, Expr):
        found.append(value)
    elif isinstance(value, tuple):
        for entry in value:
            _collect(entry, found)


@dataclass(frozen=True)
class Name(Expr):
    """An identifier of the compiler's choosing.

    Raises:
        ValueError: the text is no identifier of Python.
    """

    text: str

    def __post_init__(self) -> None:
        if not _IDENTIFIER.fullmatch(self.text) or keyword.iskeyword(self.text):
            raise ValueError(f"not an identifier: {self.text!r}")

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Imported(Expr):
    """What an import brings, by its local name."""

    imported: Import

    @property
    def own_imports(self) -> frozenset[Import]:
        """The import itself."""
        return frozenset((self.imported,))

    def __str__(self) -> str:
        return self.imported.local


@dataclass(frozen=True, eq=False)
class Literal(Expr):
    """A constant: None, a boolean, an integer, a text, a `Decimal`, or a tuple of these.

    Literals are equal where they are written the same: `1`, `True`, `Decimal('1')` and `Decimal('1.0')` are four.
    """

    value: Constant

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and repr(self.value) == repr(other.value)

    def __hash__(self) -> int:
        return hash(repr(self.value))

    @property
    def own_imports(self) -> frozenset[Import]:
        """`Decimal`, where the constant holds one."""
        return frozenset((DECIMAL,)) if _holds_decimal(self.value) else frozenset()

    def as_owner(self) -> str:
        """A number, in parentheses."""
        return f"({self})" if isinstance(self.value, int) else str(self)

    def __str__(self) -> str:
        return _written(self.value)


def _written(value: Constant) -> str:
    """A constant, as Python writes it."""
    if isinstance(value, Decimal):
        return f"Decimal({str(value)!r})"
    if isinstance(value, tuple):
        return f"({', '.join(map(_written, value))}{',' if len(value) == 1 else ''})"
    return repr(value)


def _holds_decimal(value: Constant) -> bool:
    return isinstance(value, Decimal) or (isinstance(value, tuple) and any(_holds_decimal(entry) for entry in value))


@dataclass(frozen=True)
class Attribute(Expr):
    """`owner.name`, of an object that is known to have it."""

    owner: Expr
    name: str

    def __str__(self) -> str:
        return f"{self.owner.as_owner()}.{self.name}"


@dataclass(frozen=True)
class Get(Expr):
    """`owner.get('key')`, or `owner.get('key', default)`: an element of a dict."""

    owner: Expr
    key: str
    default: Expr | None = None

    def __str__(self) -> str:
        default = f", {self.default.inside(Precedence.CONDITIONAL)}" if self.default is not None else ""
        return f"{self.owner.as_owner()}.get({self.key!r}{default})"


@dataclass(frozen=True)
class Item(Expr):
    """`owner[index]`."""

    owner: Expr
    index: Expr

    @property
    def raises_itself(self) -> bool:
        """There may be no such item."""
        return True

    def __str__(self) -> str:
        return f"{self.owner.as_owner()}[{self.index}]"


@dataclass(frozen=True)
class ListSlice(Expr):
    """`owner[start:stop]`, of a list."""

    owner: Expr
    start: int | None = None
    stop: int | None = None

    def __str__(self) -> str:
        start, stop = ("" if end is None else str(end) for end in (self.start, self.stop))
        return f"{self.owner.as_owner()}[{start}:{stop}]"


@dataclass(frozen=True)
class Call(Expr):
    """`function(arguments, name=value)`. ``raises``: may the function raise for some record?"""

    function: Expr
    arguments: tuple[Expr, ...] = ()
    keywords: tuple[tuple[str, Expr], ...] = ()
    raises: bool = True

    @property
    def raises_itself(self) -> bool:
        """As the function does."""
        return self.raises

    def __str__(self) -> str:
        if len(self.arguments) == 1 and not self.keywords:
            return f"{self.function.as_owner()}({self.arguments[0].as_only_argument()})"
        parts = [*map(str, self.arguments), *(f"{name}={value}" for name, value in self.keywords)]
        return f"{self.function.as_owner()}({', '.join(parts)})"
