"""What templates see: a module of constants and functions, every name chosen and every statement a typed node."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fhirmap.compiler.python import Expr, Import, Name, Statement
from fhirmap.diagnostics import MapText, Span


@dataclass(frozen=True, slots=True)
class PythonFunction:
    """One function. ``text``: the map it comes from, whose name its code object bears; ``span``: its heading there.

    ``flags``: parameters that are False unless given.
    """

    name: Name
    parameters: tuple[Name, ...]
    doc: str
    body: tuple[Statement, ...]
    text: MapText | None = None
    span: Span | None = None
    flags: tuple[Name, ...] = ()

    @property
    def uses(self) -> frozenset[Import]:
        """Imports that it needs."""
        return frozenset[Import]().union(*(statement.uses for statement in self.body))


@dataclass(frozen=True, slots=True)
class ModuleConstant:
    """A constant of the module. ``comment``: what it is, where that is not plain."""

    name: Name
    value: Expr
    comment: str = ""

    @property
    def uses(self) -> frozenset[Import]:
        """Imports that it needs."""
        return self.value.uses


@dataclass(frozen=True, slots=True)
class ModuleSection:
    """Part of a module: ``parts`` in the order in which they need each other. ``title``: a comment that opens it."""

    parts: tuple[ModuleConstant | PythonFunction, ...] = ()
    title: str = ""

    @property
    def uses(self) -> frozenset[Import]:
        """Imports that it needs."""
        return uses_of(self.parts)


@dataclass(frozen=True, slots=True)
class Module:
    """A whole generated module.

    ``choices``: tables that hold its functions, and so come after them. ``validator``: what another part of the
    compiler made of the contract.
    """

    title: str
    digest: str
    version: str
    constants: tuple[ModuleConstant, ...]
    functions: tuple[PythonFunction, ...]
    validator: ModuleSection = ModuleSection()
    choices: tuple[ModuleConstant, ...] = ()

    @property
    def imports(self) -> frozenset[Import]:
        """Everything that its parts use."""
        return uses_of((*self.constants, *self.functions, *self.choices, self.validator))


def uses_of(parts: Iterable[ModuleConstant | PythonFunction | ModuleSection]) -> frozenset[Import]:
    """Imports that some parts of a module need."""
    return frozenset[Import]().union(*(part.uses for part in parts))
