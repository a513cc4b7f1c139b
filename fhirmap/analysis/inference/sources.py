"""Sources of rules: what each element of a path is, and what is bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fhirmap.analysis.expression_types import is_object
from fhirmap.analysis.inference.unknown import PRIMITIVE_PARTS, unknown_element, unknown_type, unknown_variable
from fhirmap.analysis.inference.values import ValueTypes
from fhirmap.analysis.scope import Scope
from fhirmap.analysis.static import UNKNOWN, StaticType, fhir_type, primitive
from fhirmap.analysis.typed import Expression, NameScope, SourceStep, TypedSource, Unit, Variable
from fhirmap.diagnostics import Span
from fhirmap.fhir_types import ANY_RESOURCE
from fhirmap.language import nodes
from fhirmap.model.definition import TypeRef


@dataclass(frozen=True)
class Sources:
    """Types the sources of one program's rules."""

    _scope: Scope
    _values: ValueTypes

    def source(self, unit: Unit, node: nodes.RuleSource, environment: NameScope) -> TypedSource | None:
        """One source, or None where its context is unknown."""
        if node.search is not None:
            search = self._values.expression(node.search, environment, None)
            context = Variable("@search", "source", UNKNOWN, node.context_span)
            variable = Variable(node.variable or "", "source", UNKNOWN.as_one(), node.variable_span or node.span)
            return self._filtered(node, environment, context, (), UNKNOWN.as_one(), variable, search)
        found = environment.lookup(node.context)
        if found is None:
            names = [*environment.sources, *environment.constants]
            unknown_variable(self._scope, node.context, node.context_span, names)
            # Reported: the rest of the rule is looked at all the same.
            found = Variable(node.context, "source", UNKNOWN, node.context_span)
        steps: list[SourceStep] = []
        static = found.static.as_one()
        for index, name in enumerate(node.elements):
            span = node.element_spans[index] if index < len(node.element_spans) else node.span
            step = self.source_step(static, name, span)
            steps.append(step)
            static = step.static
        types = self._filter_types(unit, node)
        has_list = bool(node.list_mode) or node.minimum is not None or node.maximum is not None
        if types and node.default is None and not has_list and self._chooses_object(steps, found.static, types):
            static = StaticType(types, "one", plain=True, is_raw=True)
            steps[-1] = replace(steps[-1], static=static)
        if static.is_raw and (node.default is not None or (types and types != static.types)):
            # Its items are looked at one by one, and may be of another type.
            static = static.as_item()
            steps[-1:] = [replace(entry, static=static) for entry in steps[-1:]]
        item = static.with_types(types) if types else static
        variable = Variable(node.variable or "", "source", item, node.variable_span or node.span)
        if steps:
            variable.element = self._model_element(steps[-2].static if len(steps) > 1 else found.static, steps[-1].name)
        return self._filtered(node, environment, found, tuple(steps), item, variable, None, types)

    def _chooses_object(self, steps: Sequence[SourceStep], context: StaticType, types: frozenset[TypeRef]) -> bool:
        """Is an object of one type asked for, of a choice in the record's FHIR JSON or of an element that holds any
        resource?"""
        element = steps[-1].element if steps else None
        owner = steps[-2].static if len(steps) > 1 else context
        (wanted,) = types
        definitions = self._scope.definitions
        if element is None or not owner.is_raw or not is_object(wanted, definitions):
            return False
        if element.is_choice:
            return wanted in element.types
        structure = definitions.structure(wanted.structure)
        holds_any = [ref.name in ANY_RESOURCE for ref in element.types] == [True]
        return holds_any and structure is not None and structure.kind == "resource" and "." not in wanted.name

    def _filtered(  # noqa: PLR0913 - the parts of the node it builds
        self,
        node: nodes.RuleSource,
        environment: NameScope,
        context: Variable,
        steps: tuple[SourceStep, ...],
        item: StaticType,
        variable: Variable,
        search: Expression | None,
        types: frozenset[TypeRef] | None = None,
    ) -> TypedSource:
        inner = environment.with_source(variable) if variable.name else environment
        default = self._values.expression(node.default, environment, None) if node.default else None
        if default is not None and not item.is_known:
            variable.static = item = item.with_types(default.static.types)
        return TypedSource(
            node,
            context,
            steps,
            item,
            variable,
            types,
            default,
            self._values.expression(node.where, inner, variable) if node.where else None,
            self._values.expression(node.check, inner, variable) if node.check else None,
            self._values.expression(node.log, inner, variable) if node.log else None,
            search,
        )

    def source_step(self, static: StaticType, name: str, span: Span) -> SourceStep:
        """The child ``name`` of a source item; reported where its type has none of that name."""
        ref = static.type
        if ref is None:
            return SourceStep(name, span, None, UNKNOWN.as_one(), True)
        if name in PRIMITIVE_PARTS and self._scope.definitions.is_primitive(ref.name):
            if name == "value":
                return SourceStep(name, span, None, static, False)
            child = fhir_type("Extension", plain=False) if name == "extension" else primitive("string", plain=False)
            return SourceStep(name, span, None, child, name == "extension")
        found = self._values.element(ref, name)
        if found is None:
            unknown_element(self._scope, ref, name, span, self._values.children(ref))
            return SourceStep(name, span, None, UNKNOWN.as_one(), True)
        element, chosen = found
        types = frozenset((chosen,)) if chosen else frozenset(element.types)
        item = StaticType(types, "one", static.plain)
        if static.is_raw:
            has_key = chosen is not None or not element.is_choice
            is_raw = has_key and item.type is not None and is_object(item.type, self._scope.definitions)
            item = replace(item, plain=is_raw, is_raw=is_raw)
        return SourceStep(name, span, element, item, element.is_repeating)

    def _filter_types(self, unit: Unit, node: nodes.RuleSource) -> frozenset[TypeRef] | None:
        if node.type is None:
            return None
        name = node.type.removeprefix("FHIR.").removeprefix("System.")
        ref = self._scope.type_ref(unit, name)
        if ref is None and node.type.startswith("System."):
            ref = self._scope.type_ref(unit, name[:1].lower() + name[1:])
        if ref is None:
            unknown_type(self._scope, unit, node.type, node.type_span or node.span)
            return frozenset((TypeRef(name),))
        return frozenset((ref,))

    def _model_element(self, owner: StaticType, name: str) -> nodes.ModelElement | None:
        """The declaration of a model's element, where ``owner`` is a model."""
        use = self._scope.models.get(owner.type.structure) if owner.type else None
        return next((entry for entry in use.node.elements if entry.name == name), None) if use else None
