"""Expressions and arguments: what a value is before the map runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fhirmap.analysis.expression import expression_static, out_of_range
from fhirmap.analysis.expression_types import FUNCTION_URL, children_of
from fhirmap.analysis.hints import variable_hint
from fhirmap.analysis.inference.unknown import unknown_variable
from fhirmap.analysis.qualify import qualified
from fhirmap.analysis.scope import Scope
from fhirmap.analysis.static import UNKNOWN, fhir_type, primitive
from fhirmap.analysis.typed import Expression, NameScope, Variable
from fhirmap.diagnostics import suggestion
from fhirmap.language import nodes
from fhirmap.model.definition import Element, TypeRef
from fhirmap.signatures import FunctionSignature

_LITERALS = {
    "string": "string",
    "integer": "integer",
    "long": "integer64",
    "decimal": "decimal",
    "boolean": "boolean",
    "date": "date",
    "dateTime": "dateTime",
    "time": "time",
    "quantity": "Quantity",
}


@dataclass(frozen=True)
class ValueTypes:
    """Types the expressions of one program."""

    _scope: Scope
    _functions: Mapping[str, FunctionSignature]

    def element(self, ref: TypeRef, name: str) -> tuple[Element, TypeRef | None] | None:
        """The element ``name`` of a type, or of what a plug-in's function gives; with it the type that a choice's JSON
        name says.
        """
        if not ref.structure.startswith(FUNCTION_URL):
            return self._scope.definitions.element(ref, name)
        found = self.children(ref).get(name)
        return (found, None) if found is not None else None

    def children(self, ref: TypeRef) -> Mapping[str, Element]:
        """The elements of a type, or of what a plug-in's function gives."""
        return children_of(ref, self._scope.definitions, self._functions)

    def expression(self, node: nodes.FHIRPath, environment: NameScope, focus: Variable | None) -> Expression:
        """A FHIRPath expression, typed; a bare name of a variable is that variable."""
        body = node.expression
        if isinstance(body, nodes.FPLiteral):
            self._scope.diagnostics += out_of_range(body)
            name = _LITERALS.get(body.kind)
            static = UNKNOWN.with_cardinality("optional") if name is None else primitive(name)
            return Expression(node, environment, focus, fhir_type("Quantity") if name == "Quantity" else static)
        variable = None
        if isinstance(body, nodes.FPVariable) and not body.name.startswith("$"):
            variable = environment.lookup(body.name)
        if isinstance(body, nodes.FPVariable) and body.name == "$this" and focus is not None:
            variable = focus
        if variable is not None:
            return Expression(node, environment, focus, variable.static, variable)
        static, diagnostics = expression_static(body, environment, focus, self._scope.definitions, self._functions)
        self._scope.diagnostics += diagnostics
        # What an expression finds in raw JSON are items: only a variable holds an object as it came.
        return Expression(node, environment, focus, static.as_item() if static.is_raw else static)

    def argument(self, node: nodes.FHIRPath, environment: NameScope) -> Expression:
        """A transform's or a call's parameter: a bare identifier is a variable or a constant before all else."""
        body = node.expression
        if isinstance(body, nodes.FPMember) and body.focus is None:
            variable = environment.lookup(body.name)
            if variable is None:
                names = [*environment.sources, *environment.constants, *environment.targets]
                unknown_variable(
                    self._scope, body.name, node.span, names, variable_hint(body.name, suggestion(body.name, names))
                )
                variable = Variable(body.name, "source", UNKNOWN, node.span)
            return Expression(node, environment, None, variable.static, variable)
        # `a.b`, `a.where(…)`: the leading name is a variable, never a child of the focus.
        return self.expression(qualified(node, environment), environment, None)
