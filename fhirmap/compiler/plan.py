"""What templates see: a module of functions, each a flat list of frozen steps with an indentation depth.

Every name is chosen and every expression written (`Code`) before a plan exists; a template never decides anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from fhirmap.compiler.names import Code, Name
from fhirmap.diagnostics import MapText, Span


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a function. ``span``: the place in the map that it comes from."""

    depth: int
    span: Span | None

    @property
    def kind(self) -> str:
        """Which template prints it."""
        return type(self).__name__.lower()


@dataclass(frozen=True, slots=True)
class Comment(Step):
    """`# text`."""

    text: str


@dataclass(frozen=True, slots=True)
class Blank(Step):
    """An empty line."""


@dataclass(frozen=True, slots=True)
class Assign(Step):
    """`name = value`."""

    name: Name
    value: Code


@dataclass(frozen=True, slots=True)
class Store(Step):
    """`node[key] = value`."""

    node: Name
    key: str
    value: Code


@dataclass(frozen=True, slots=True)
class Append(Step):
    """`items.append(value)`."""

    items: Code
    value: Code


@dataclass(frozen=True, slots=True)
class Do(Step):
    """An expression for its effect."""

    value: Code


@dataclass(frozen=True, slots=True)
class If(Step):
    """`if test:`."""

    test: Code


@dataclass(frozen=True, slots=True)
class Else(Step):
    """`else:`."""


@dataclass(frozen=True, slots=True)
class For(Step):
    """`for name in items:`; ``name`` may be two names."""

    name: Code
    items: Code


@dataclass(frozen=True, slots=True)
class Try(Step):
    """`try:`."""


@dataclass(frozen=True, slots=True)
class Catch(Step):
    """`except run.caught as error:` and what becomes of it: this rule's fault, while the others go on."""

    run: Name


@dataclass(frozen=True, slots=True)
class Return(Step):
    """`return value`."""

    value: Code


@dataclass(frozen=True, slots=True)
class Pass(Step):
    """`pass`."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function. ``text``: the map it comes from, whose name its code object bears; ``span``: its heading there.

    ``flags``: parameters that are False unless given.
    """

    name: Name
    parameters: tuple[Name, ...]
    doc: str
    steps: tuple[Step, ...]
    text: MapText | None = None
    span: Span | None = None
    flags: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A module constant. ``comment``: what it is, where that is not plain."""

    name: Name
    value: Code
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Module:
    """A whole generated module. ``extra``: Python that another part of the compiler wrote (the validator)."""

    title: str
    digest: str
    version: str
    imports: tuple[Code, ...]
    tables: tuple[Table, ...]
    functions: tuple[Function, ...]
    extra: Code
