"""Targets of rules: which element, or slice of it, gets which value, and whether the value fits.

A target's slice is known from the constants that its own rule writes (`tgt.parameter as p, p.name = 'ident'`), wherever
in the rule they are written, so that `p.value` is checked against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from fhirmap.analysis import conversions
from fhirmap.analysis.expression_types import FUNCTION_URL, children_of
from fhirmap.analysis.hints import type_hint
from fhirmap.analysis.inference.transforms import Transforms
from fhirmap.analysis.inference.unknown import PRIMITIVE_PARTS, unknown_element, unknown_variable
from fhirmap.analysis.scope import Scope
from fhirmap.analysis.static import UNKNOWN, StaticType, fhir_type, primitive
from fhirmap.analysis.typed import NameScope, TargetStep, Transform, TypedTarget, Unit, Variable
from fhirmap.diagnostics import Span
from fhirmap.diagnostics.nearest import listed
from fhirmap.fhir_types import OPEN_TYPES
from fhirmap.language import nodes
from fhirmap.model.definition import Element, TypeRef
from fhirmap.signatures import FunctionSignature


@dataclass(frozen=True)
class Targets:
    """Types the targets of one program's rules."""

    _scope: Scope
    _functions: Mapping[str, FunctionSignature]
    _transforms: Transforms
    _types: dict[tuple[TypeRef, ...], frozenset[TypeRef]] = field(default_factory=dict)
    _named: dict[frozenset[TypeRef], Mapping[str, TypeRef]] = field(default_factory=dict)

    def target(
        self, unit: Unit, rule: nodes.Rule, node: nodes.RuleTarget, environment: NameScope, focus: Variable | None
    ) -> TypedTarget | None:
        """One target, or None where its context is unknown."""
        if node.context is None:
            transform = self._transforms.transform(unit, node.transform, environment, focus, None)
            if transform is None:
                return None
            variable = self._bound(node, transform.result)
            return TypedTarget(node, None, (), transform, transform.result, variable)
        context = environment.targets.get(node.context)
        if context is None:
            self.no_target(node, environment)
            if node.transform is not None and node.transform.arguments:
                self._transforms.transform(unit, node.transform, environment, focus, None)
            return None
        static = context.static
        steps: list[TargetStep] = []
        for index, name in enumerate(node.elements):
            span = node.element_spans[index] if index < len(node.element_spans) else node.span
            step = self.target_step(static, name, span)
            steps.append(step)
            static = step.static
        if not node.elements:
            return self._whole(unit, node, environment, focus, context)
        transform = (
            self._transforms.transform(unit, node.transform, environment, focus, steps[-1]) if node.transform else None
        )
        if node.transform is not None and transform is None:
            return None
        value = transform.result if transform else static
        if transform is None or transform.name == "create":
            steps[-1] = self._narrowed(rule, node, steps[-1], value)
            value = steps[-1].static if transform is None or steps[-1].static.is_known else value
        if transform is not None:
            steps[-1] = self.assigned(steps[-1], transform, value)
            if transform.name != "create" and steps[-1].static.is_known:
                value = value.with_types(steps[-1].static.types) if not _is_many(steps[-1].static) else value
        elif steps[-1].element is not None and len(steps[-1].static.types) > 1:
            self._scope.report("FM201", steps[-1].span, name=node.elements[-1], types=steps[-1].static.text())
        variable = self._bound(node, value.as_one())
        return TypedTarget(node, context, tuple(steps), transform, transform.result if transform else value, variable)

    def _whole(
        self, unit: Unit, node: nodes.RuleTarget, environment: NameScope, focus: Variable | None, context: Variable
    ) -> TypedTarget | None:
        """`ctx as v`, or `ctx = value` for a primitive context."""
        if node.transform is None:
            return TypedTarget(node, context, (), None, context.static, self._bound(node, context.static))
        transform = self._transforms.transform(unit, node.transform, environment, focus, None)
        if transform is None:
            return None
        return TypedTarget(node, context, (), transform, transform.result, self._bound(node, context.static))

    def no_target(self, node: nodes.RuleTarget, environment: NameScope) -> None:
        """Report that a target\'s context is a source, or unknown."""
        assert node.context is not None
        span = node.context_span or node.span
        if node.context in environment.sources:
            self._scope.report("FM111", span, name=node.context)
            return
        unknown_variable(self._scope, node.context, span, environment.targets, variant="target")

    def _bound(self, node: nodes.RuleTarget, static: StaticType) -> Variable | None:
        if node.variable is None:
            return None
        return Variable(node.variable, "target", static, node.variable_span or node.span)

    def target_step(self, static: StaticType, name: str, span: Span) -> TargetStep:
        """The child ``name`` of a target; reported where its type has none of that name."""
        ref = static.type
        if ref is None:
            return TargetStep(name, span, None, "", UNKNOWN.as_one(), None)
        if name in PRIMITIVE_PARTS and self._scope.definitions.is_primitive(ref.name):
            parts = {"extension": fhir_type("Extension"), "id": primitive("string", plain=False)}
            child = parts.get(name) or replace(static, plain=False)
            return TargetStep(name, span, None, "", child, name == "extension")
        found = self._scope.definitions.element(ref, name)
        if found is None:
            unknown_element(self._scope, ref, name, span)
            return TargetStep(name, span, None, "", UNKNOWN.as_one(), None)
        element, chosen = found
        types = frozenset((chosen,)) if chosen else self._types_of(element)
        key = "" if element.is_choice else element.name
        if len(types) == 1 and element.is_choice:
            key = element.json_name(next(iter(types)).name)
        return TargetStep(name, span, element, key, StaticType(types, "one", plain=True), element.is_repeating)

    def _narrowed(self, rule: nodes.Rule, node: nodes.RuleTarget, step: TargetStep, value: StaticType) -> TargetStep:
        """The step as the slice that the rule's own constants choose."""
        element = step.element
        if element is not None and element.slices and node.variable:
            for path, literal in _constants_written(rule, node.variable):
                chosen = element.slice_with(path, literal)
                if chosen is not None:
                    types = frozenset(chosen.element.types) or step.static.types
                    return replace(step, element=chosen.element, static=step.static.with_types(types))
        if value.is_known and value.types != step.static.types and step.element is not None:
            names = {ref.name for ref in step.static.types}
            if len(names) != 1 or not ({ref.name for ref in value.types} & names):
                return replace(step, static=value.as_one())
        return step

    def assigned(self, step: TargetStep, transform: Transform, value: StaticType) -> TargetStep:
        """The step once the value's type is known: its JSON name; a fault where the type does not fit."""
        element = step.element
        if element is None or not value.is_known or not step.static.is_known:
            return step
        allowed = self._by_name(step.static.types)
        if transform.name == "create" or not OPEN_TYPES.isdisjoint(allowed):
            chosen = value.type
            if chosen is not None and element.is_choice:
                return replace(step, key=element.json_name(chosen.name), static=value.as_one())
            return replace(step, static=value.as_one()) if chosen is not None else step
        only = step.static.type
        if only is not None and value.type is not None and self._says_as_much(only, value.type):
            return step
        ways = {ref: conversions.best(ref.name, allowed) for ref in value.types}
        fitting = {way for way in ways.values() if way is not None}
        if not fitting and (names := self._names_in_both(step, value)):
            self._copied_by_name(step, transform, value, names)
            return replace(step, by_name=names)
        if not fitting or (element.is_choice and _loses(fitting, value)):
            self._does_not_fit(step, transform, value)
            return step
        if len(fitting) > 1 or None in ways.values():
            return step
        name = next(iter(fitting))
        key = element.json_name(name) if element.is_choice else step.key
        return replace(step, key=key, static=step.static.with_types((allowed[name],)))

    def _types_of(self, element: Element) -> frozenset[TypeRef]:
        """Those of an element, one set however many rules write to it: a `value[x]` has fifty."""
        found = self._types.get(element.types)
        if found is None:
            found = self._types[element.types] = frozenset(element.types)
        return found

    def _by_name(self, types: frozenset[TypeRef]) -> Mapping[str, TypeRef]:
        """Types by name, in its order; worked out once for the types of each element."""
        found = self._named.get(types)
        if found is None:
            found = self._named[types] = {ref.name: ref for ref in sorted(types, key=lambda ref: ref.name)}
        return found

    def _says_as_much(self, model: TypeRef, given: TypeRef) -> bool:
        """Is ``given`` the structure of a plug-in's function, all of whose elements the ``model`` has too?"""
        if not given.structure.startswith(FUNCTION_URL) or model.structure not in self._scope.models:
            return False
        wanted = self._scope.definitions.children(model)
        return all(
            name in wanted
            and (wanted[name].maximum is None) >= (element.maximum is None)
            and conversions.best(element.types[0].name, [ref.name for ref in wanted[name].types]) is not None
            for name, element in children_of(given, self._scope.definitions, self._functions).items()
        )

    def _names_in_both(self, step: TargetStep, value: StaticType) -> tuple[str, ...]:
        """JSON names of the elements that a value of another complex type has as the target's type has them.

        Empty where the two have no element in common but those that every element has.
        """
        given, wanted = value.type, step.static.type
        if given is None or wanted is None or step.element is None or step.element.is_choice:
            return ()
        both = _json_elements(self._scope.definitions.children(given))
        other = _json_elements(self._scope.definitions.children(wanted))
        names = tuple(name for name, entry in both.items() if other.get(name) == entry)
        return names if set(names) - _EVERYWHERE else ()

    def _copied_by_name(
        self, step: TargetStep, transform: Transform, value: StaticType, names: tuple[str, ...]
    ) -> None:
        """Say which elements of the value are written, and which have no place."""
        assert step.element is not None
        assert value.type is not None
        left = [name for name in _json_elements(self._scope.definitions.children(value.type)) if name not in names]
        self._scope.report(
            "FM270",
            transform.span,
            variant="" if left else "whole",
            place=_shown(step.element),
            allowed=step.static.text(),
            given=value.text(),
            names=listed([name for name in names if name not in _EVERYWHERE]),
            left=listed(left),
        )

    def _does_not_fit(self, step: TargetStep, transform: Transform, value: StaticType) -> None:
        element = step.element
        assert element is not None
        span = transform.span
        place = _shown(element)
        hint, related = type_hint(transform, step.static)
        self._scope.report(
            "FM203",
            span,
            hint,
            related=related,
            place=place,
            allowed=step.static.text(),
            given=value.text(),
            value=span.snippet,
        )


def _constants_written(rule: nodes.Rule, variable: str) -> Iterator[tuple[str, object]]:
    """(path, constant) that ``rule`` and its inline rules write through ``variable``."""
    for target in rule.targets:
        call = target.transform
        if target.context == variable and call is not None and call.written == "literal":
            body = call.arguments[0].expression
            if isinstance(body, nodes.FPLiteral):
                yield ".".join(target.elements), body.value
    for inner in (rule.dependent.rules or ()) if rule.dependent else ():
        yield from _constants_written(inner, variable)


_EVERYWHERE = frozenset(("id", "extension", "modifierExtension"))


def _json_elements(children: Mapping[str, Element]) -> dict[str, tuple[str, bool]]:
    """Type and whether it repeats by JSON name; an element of several types that has one name is not among them."""
    return {
        name: (ref.name, child.is_repeating)
        for child in children.values()
        for name, ref in child.json_names().items()
        if ref is not None
    }


def _loses(ways: Iterable[str], value: StaticType) -> bool:
    """Would a choice take the value only by changing what it says (text into a date)?"""
    return not any(conversions.keeps(ref.name, way) for ref in value.types for way in ways)


def _is_many(static: StaticType) -> bool:
    return len(static.types) != 1


def _shown(element: Element) -> str:
    """An element as messages name it: the slice where there is one, else its path."""
    path = element.path.removesuffix("[x]").removesuffix(".value")
    last = path.rpartition(".")[2]
    return last.partition(":")[2] or element.path
