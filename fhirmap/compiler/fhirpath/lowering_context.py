"""What the lowerings of one expression share: its types, the assignments before it, and the wrapping of a value as
items.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from fhirmap.analysis.expression import Inferred
from fhirmap.analysis.static import StaticType
from fhirmap.compiler import python as py
from fhirmap.compiler.fhirpath.scope import ExprScope
from fhirmap.compiler.fhirpath.streams import NONE, held, whole
from fhirmap.compiler.fhirpath.tables import elements_read_of, leading_types, table_code, table_key
from fhirmap.compiler.fhirpath.typed_values import TypedValue, ValueKind
from fhirmap.compiler.runtime_functions import fp_call
from fhirmap.language import nodes as n
from fhirmap.language.visit import walk
from fhirmap.model.definition import TypeRef

ITEM = py.Name("item")


class LoweringContext:
    """One expression being lowered.

    ``statements``: assignments that must come before it. ``defined``: variables of `defineVariable` that the node at
    hand sees.
    """

    def __init__(self, expression: n.FPExpr, inferred: Inferred, scope: ExprScope) -> None:
        self.expression = expression
        self.inferred = inferred
        self.scope = scope
        self.definitions = scope.definitions
        self.fresh = scope.fresh
        self.statements: list[py.Assign] = []
        self.defined: Mapping[str, py.Expr] = {}
        self.asks_items = False
        """Does a part of the expression ask items whether something holds?"""
        self._table: py.Name | None = None
        self._environment = scope.environment
        self._variables: py.Name | None = None

    # --- what the scope holds -----------------------------------------------------------------------------------------

    @contextmanager
    def own_variables(self) -> Iterator[None]:
        """For a part whose `defineVariable` is not seen beside it: `a.where(defineVariable('x').exists()) and %x`."""
        before = self.defined
        try:
            yield
        finally:
            self.defined = before

    def focus(self) -> TypedValue | None:
        """`$this` of the whole expression, `%context`."""
        return held(self.scope.focus_name, self.scope.focus, self.fresh) if self.scope.focus is not None else None

    def root(self) -> TypedValue | None:
        """`%resource`."""
        return held(*self.scope.resource, self.fresh) if self.scope.resource else self.focus()

    def variable(self, name: str) -> TypedValue:
        """A variable of the scope."""
        return held(*self.scope.variables[name], self.fresh)

    # --- what is assigned before the expression -----------------------------------------------------------------------

    def assigned(self, hint: str, value: py.Expr) -> py.Name:
        """A name for a value that is computed before the expression."""
        name = self.fresh(hint)
        self.statements.append(py.Assign(None, (name,), value))
        return name

    def environment(self) -> py.Expr:
        """The `fp.EvaluationContext` in which this expression runs."""
        if self._environment is None:
            name = self.fresh("environment")
            self._environment = name
            resource = self.root()
            first = NONE if resource is None else py.builtin("next", py.builtin("iter", self.as_items(resource)), NONE)
            self.statements.append(py.Assign(None, (name,), fp_call("EvaluationContext", first)))
        return self._environment

    def variables(self) -> py.Name:
        """The dict that holds what `defineVariable` defines."""
        if self._variables is None:
            self._variables = self.assigned("defined", py.DictOf())
        return self._variables

    def table(self) -> py.Name:
        """The constant that holds the types this expression needs."""
        if self._table is None:
            scope = self.scope
            statics: list[StaticType] = [static for _, static in scope.variables.values()]
            statics += [scope.focus] if scope.focus else []
            statics += [scope.resource[1]] if scope.resource else []
            roots: set[TypeRef] = {ref for static in statics for ref in static.types}
            roots.update(leading_types(self.expression, scope.definitions))
            roots.update(ref for static in self.inferred.nodes.values() for ref in static.types)
            read = elements_read_of(walk(self.expression)) | scope.elements_read
            code = table_code(read, roots, scope.definitions, scope.functions)
            self._table = scope.constants.add("TYPES", code)
        return self._table

    def source_types(self) -> py.Expr:
        """The constant that holds the types of what the record's own FHIR JSON holds."""
        return self.scope.source_types() if self.scope.source_types is not None else self.table()

    def raw_element(self, owner: TypeRef, name: str) -> py.Name:
        """The constant that knows an element of an object of the record's own FHIR JSON."""
        return self.scope.constants.raw_element(owner, name, self.source_types())

    # --- items --------------------------------------------------------------------------------------------------------

    def as_items(self, value: TypedValue) -> py.Expr:
        """A value as a list of items."""
        if value.kind is ValueKind.ITEMS:
            return value.code
        if value.kind is ValueKind.ITEM:
            return py.ListOf((value.code,))
        if value.choice is not None:
            return self._choice_items(value)
        code = whole(value, self.fresh)
        ref = value.static.type
        if ref is None or ref.name.startswith("System."):
            # A System value is an item itself; a bare Long is Python's int, of which an Integer is one.
            if ref is not None and ref.name == "System.Long":
                return fp_call("longs", code)
            return py.ListOf((code,)) if value.is_one else code if value.is_stream else fp_call("items", code)
        if value.raw is not None and value.kind is ValueKind.SCALAR:
            return fp_call("items_at", value.raw.owner, value.raw.element)
        if value.sibling is not None:
            key, name = py.Literal(value.sibling.key), py.Literal(ref.name)
            return fp_call("primitive", value.sibling.owner, key, name, self.table())
        if self.definitions.is_primitive(ref.name):
            return fp_call("nodes", code, py.Literal(ref.name))
        table = self.source_types() if value.static.is_raw else self.table()
        return fp_call("nodes", code, py.Literal(table_key(ref)), table)

    def _choice_items(self, value: TypedValue) -> py.Expr:
        """The runtime finds out under which key a choice is held: `value` of a Parameters.parameter."""
        choice = value.choice
        assert choice is not None
        owner = fp_call("nodes", choice.owner, py.Literal(table_key(choice.owner_type)), self.table())
        found = fp_call("member", owner, py.Literal(choice.element.name))
        if value.kind is not ValueKind.STREAM:
            return found
        return py.Comprehension(py.Container.LIST, ITEM, (*value.clauses, py.ForClause((ITEM,), found)))
