"""The validator's section of a module while it is being written: its names, constants, functions and diagnostics."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from fhirmap.compiler.fhirpath import Constants
from fhirmap.compiler.names import Names
from fhirmap.compiler.plan import ModuleConstant, ModuleSection, PythonFunction
from fhirmap.compiler.python import Attribute, Call, DictOf, Expr, ListOf, Literal, Name, TupleOf
from fhirmap.compiler.runtime_functions import call
from fhirmap.diagnostics import Diagnostic
from fhirmap.model.definition import Definitions

ENTRY = Name("_validate")
"""`_validate(resource, faults)` reports everything that is wrong with a result."""
FOCUS, RESOURCE, FAULTS = Name("focus"), Name("resource"), Name("faults")
PATH, ELEMENT = Name("path"), Name("element")
ERROR = Name("error")

_TYPES = Name("_TYPES")
_RESERVED = ("TYPES", "validate", "transform", "read", "places", "marks", "points")


@dataclass(slots=True)
class SectionBuilder:
    """The section in the making. ``tables``: constants that come before all else; ``parts``: shapes and functions in
    the order in which they need each other. ``release``: whose types hold.
    """

    definitions: Definitions
    release: str
    constants: Constants = field(default_factory=lambda: Constants(prefix="RULE_"))
    diagnostics: list[Diagnostic] = field(default_factory=list)
    tables: list[ModuleConstant] = field(default_factory=list)
    parts: list[ModuleConstant | PythonFunction] = field(default_factory=list)
    _names: Names = field(default_factory=lambda: Names(_RESERVED))

    def name(self, wanted: str) -> Name:
        """A name of the module's own like ``wanted``."""
        return Name(f"_{self._names.take(wanted)}")

    def report(self, code: str, **args: object) -> None:
        """Report that something of the contract cannot be checked."""
        self.diagnostics.append(Diagnostic(code, None, args))

    def finished(self, title: str) -> ModuleSection:
        """The section."""
        types = ModuleConstant(_TYPES, call("types_of", Literal(self.release)))
        rules = (ModuleConstant(name, value) for name, value in self.constants.entries())
        return ModuleSection((types, *rules, *self.tables, *self.parts), f"Contract: {title}")


def base_shape(type_name: str) -> Call:
    """The shape of a base type."""
    return Call(Attribute(_TYPES, "shape"), (Literal(type_name),), raises=False)


def constrained_shape(type_name: str, rules: DictOf, invariants: Name | None = None) -> Call:
    """The shape of a type with what a contract adds."""
    further = () if invariants is None else (invariants,)
    return Call(Attribute(_TYPES, "constrained"), (Literal(type_name), rules, *further), raises=False)


def visit(path: Expr, element: Expr) -> Call:
    """Where the code is in the resource."""
    return call("Visit", FAULTS, path, element, RESOURCE)


def data(value: object) -> Expr:
    """A constant of the contract: JSON, or a tuple of it.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(value, dict):
        return DictOf(tuple((Literal(key), data(held)) for key, held in value.items()))
    if isinstance(value, list):
        return ListOf(tuple(map(data, value)))
    if isinstance(value, tuple):
        return TupleOf(tuple(map(data, value)))
    if value is None or isinstance(value, bool | int | str | Decimal):
        return Literal(value)
    if isinstance(value, float):
        return Literal(Decimal(repr(value)))
    raise TypeError(type(value).__name__)
