"""What goes into the lowering of an expression, `ExprScope`, what comes out, `PythonExpr`, and a module's constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fhirmap.analysis.expression import ExpressionScope
from fhirmap.analysis.static import UNKNOWN, StaticType
from fhirmap.compiler import python as py
from fhirmap.compiler.explanation import CodeCause
from fhirmap.compiler.fhirpath.tables import ElementsRead, table_key
from fhirmap.compiler.runtime_functions import fp_call
from fhirmap.language.nodes import FPExpr
from fhirmap.model.definition import Definitions, TypeRef
from fhirmap.signatures import FunctionSignature

KeySet = tuple[FPExpr, tuple[str, ...]]
"""A list, and the children by which its items are looked for."""


@dataclass(frozen=True, slots=True)
class PythonExpr:
    """Python of a value: one expression, what is known of it, and the assignments that must come before it.

    Where ``static.plain``, the code gives a bare value (None when absent) or, for cardinality `many`, a list of them;
    otherwise a list of items (`fhirmap.runtime.fhirpath.item`). ``by_items``: why it, or a condition in it, goes
    through items; None where it does not. ``bare``: code of their one bare value, None where
    there may be several.
    """

    code: py.Expr
    static: StaticType = UNKNOWN
    statements: tuple[py.Assign, ...] = ()
    by_items: CodeCause | None = None
    bare: py.Expr | None = None

    @property
    def may_raise(self) -> bool:
        """Can it raise for some record, its assignments included?"""
        return self.code.may_raise or any(statement.may_raise for statement in self.statements)


@dataclass(slots=True)
class Constants:
    """Constants of a module that expressions need, in the order in which they must be written."""

    prefix: str = ""
    has_functions: bool = False
    """Does code call functions of plug-ins?"""
    _names: dict[py.Expr, py.Name] = field(default_factory=dict)

    def add(self, hint: str, value: py.Expr) -> py.Name:
        """Name of the constant that holds ``value``; the same value is held once."""
        known = self._names.get(value)
        if known is None:
            known = py.Name(f"_{self.prefix}{hint}_{len(self._names) + 1}")
            self._names[value] = known
        return known

    def raw_element(self, owner: TypeRef, name: str, types: py.Expr) -> py.Name:
        """Name of the constant that knows an element of the objects of a type, as records have them."""
        hint = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)
        return self.add(hint, fp_call("RawElement", py.Literal(table_key(owner)), py.Literal(name), types))

    def function(self, module: str, name: str) -> py.Imported:
        """A plug-in's function, imported under a name that says its module."""
        self.has_functions = True
        return py.Imported(py.Import(module, name, f"_{module.replace('.', '_')}_{name}"))

    def entries(self) -> list[tuple[py.Name, py.Expr]]:
        """Name and value of each constant."""
        return [(name, value) for value, name in self._names.items()]


@dataclass(slots=True)
class NumberedNames:
    """Python names that nothing else uses: `coding_1`, `coding_2`."""

    taken: set[str] = field(default_factory=set)

    def __call__(self, hint: str) -> py.Name:
        """The next free name like ``hint``."""
        stem = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in hint) or "item"
        stem = stem if stem[0].isalpha() else f"item_{stem}"
        rank = 1
        while f"{stem}_{rank}" in self.taken:
            rank += 1
        self.taken.add(f"{stem}_{rank}")
        return py.Name(f"{stem}_{rank}")


@dataclass
class ExprScope:
    """What an expression sees.

    ``focus``: static view of `$this`, held in the Python name ``focus_name`` (a list of items where it is not plain);
    None where bare names are variables only. ``variables``: FHIR name → (Python, static view). ``resource``: what
    `%resource` is, default the focus. ``environment``: an `fp.EvaluationContext` where the caller has one. ``hoisted``:
    sub-expressions whose value a Python name already holds. ``key_sets``: list and children → name of the set of what
    its items hold there. ``elements_read``: what other expressions of the module may read of this one's items.
    ``constants`` and ``fresh`` are shared by all expressions of one generated module.
    ``index``: `$index`, where the focus is one of several. ``source_types``: the constant that holds the types of what
    the record's own FHIR JSON holds, where variables or the focus are objects of it. ``is_settled``: does a variable
    keep its value, down to the last element, for as long as rules are run?
    """

    definitions: Definitions
    focus: StaticType | None = None
    focus_name: py.Expr = field(default_factory=lambda: py.Name("focus"))
    variables: Mapping[str, tuple[py.Expr, StaticType]] = field(default_factory=dict)
    functions: Mapping[str, FunctionSignature] = field(default_factory=dict)
    constants: Constants = field(default_factory=Constants)
    fresh: Callable[[str], py.Name] = field(default_factory=NumberedNames)
    resource: tuple[py.Expr, StaticType] | None = None
    environment: py.Expr | None = None
    hoisted: dict[FPExpr, tuple[py.Name, StaticType]] = field(default_factory=dict)
    key_sets: dict[KeySet, py.Name] = field(default_factory=dict)
    is_strict: bool = False
    elements_read: ElementsRead = field(default_factory=ElementsRead)
    index: py.Expr | None = None
    source_types: Callable[[], py.Name] | None = None
    is_settled: Callable[[str], bool] | None = None

    def inference(self) -> ExpressionScope:
        """The same scope, as analysis sees it."""

        def lookup(name: str) -> StaticType | None:
            found = self.variables.get(name)
            return found[1] if found else None

        return ExpressionScope(
            self.definitions,
            self.focus,
            lookup,
            tuple(self.variables),
            self.functions,
            self.resource[1] if self.resource else None,
            self.is_strict,
        )
