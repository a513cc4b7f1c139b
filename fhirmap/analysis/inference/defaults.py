"""Default rules: `src.a -> tgt.b;`, through a group marked for the two types, else a copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fhirmap.analysis import conversions
from fhirmap.analysis.inference.targets import Targets
from fhirmap.analysis.scope import Scope
from fhirmap.analysis.static import StaticType
from fhirmap.analysis.typed import (
    Default,
    DefaultGroup,
    Expression,
    NameScope,
    TargetStep,
    Transform,
    TypedGroup,
    TypedRule,
    TypedSource,
    TypedTarget,
    Unit,
    Variable,
)
from fhirmap.diagnostics import Span
from fhirmap.fhir_types import OPEN_TYPES
from fhirmap.language import nodes
from fhirmap.model.definition import TypeRef


class TypesGroup(Protocol):
    """Types a group for its arguments."""

    def __call__(self, unit: Unit, node: nodes.Group, arguments: Sequence[StaticType | None], /) -> TypedGroup:
        """``node`` of ``unit``; None for an argument of which nothing is known."""


@dataclass(frozen=True)
class Defaults:
    """Types the default rules of one program."""

    _scope: Scope
    _targets: Targets
    _typed_group: TypesGroup

    def rule(self, unit: Unit, node: nodes.Rule, name: str, source: TypedSource, environment: NameScope) -> TypedRule:
        """`src.a -> tgt.b;`: through a group marked for the two types, else a copy."""
        target = node.targets[0]
        context = environment.targets.get(target.context or "")
        if context is None:
            self._targets.no_target(target, environment)
            return TypedRule(node, name, unit, (source,), (), (), (), environment)
        static = context.static
        steps: list[TargetStep] = []
        for index, element in enumerate(target.elements):
            span = target.element_spans[index] if index < len(target.element_spans) else target.span
            steps.append(self._targets.target_step(static, element, span))
            static = steps[-1].static
        step, item = steps[-1], source.item
        is_open = any(ref.name in OPEN_TYPES for ref in (*item.types, *step.static.types))
        if not item.plain and (not item.is_known or len(item.types) > 1 or len(step.static.types) != 1 or is_open):
            default = Default(dynamic=True, groups=self._default_groups(unit))
            written = TypedTarget(target, context, tuple(steps), None, step.static)
            return TypedRule(node, name, unit, (source,), (written,), (), (), environment, default)
        found = self._default_group(unit, item.type, step.static.type)
        if found is not None:
            place, group = found
            instance = self._typed_group(place, group, [item, step.static])
            default = Default(instance, step.static.type)
            created = self._created(target, context, steps)
            return TypedRule(node, name, unit, (source,), (created,), (), (), environment, default)
        value = Expression(_as_path(source.node.span), environment, None, item, source.variable)
        transform = Transform("copy", (value,), item, target.span)
        if item.type is None or step.static.type is None:
            pass  # Reported already: the element is unknown.
        elif (
            item.type.name != step.static.type.name
            and conversions.best(item.type.name, [step.static.type.name]) is None
        ):
            self._scope.report("FM205", target.span, source=item.text(), target=step.static.text())
        else:
            steps[-1] = self._targets.assigned(step, transform, item)
        copied = TypedTarget(target, context, tuple(steps), transform, item)
        return TypedRule(node, name, unit, (source,), (copied,), (), (), environment, Default())

    def _created(self, target: nodes.RuleTarget, context: Variable, steps: list[TargetStep]) -> TypedTarget:
        variable = Variable("", "target", steps[-1].static, target.span)
        return TypedTarget(target, context, tuple(steps), None, steps[-1].static, variable)

    def _default_group(
        self, unit: Unit, source: TypeRef | None, target: TypeRef | None
    ) -> tuple[Unit, nodes.Group] | None:
        for place, group in self._scope.typed_groups(unit):
            declared = [self._declared_name(place, entry) for entry in group.parameters]
            if source and target and declared == [source.name, target.name]:
                return place, group
        return None

    def _default_groups(self, unit: Unit) -> tuple[DefaultGroup, ...]:
        """Every group in reach that a default rule may choose at run time, typed for what it declares."""
        found = []
        for place, group in self._scope.typed_groups(unit):
            refs = [self._scope.type_ref(place, entry.type) if entry.type else None for entry in group.parameters[:2]]
            if len(refs) == 2 and refs[0] is not None and refs[1] is not None and len(group.parameters) == 2:
                typed = self._typed_group(place, group, [None, None])
                found.append(DefaultGroup(typed, refs[0], refs[1], group.type_mode == "type+"))
        return tuple(found)

    def _declared_name(self, unit: Unit, parameter: nodes.Parameter) -> str:
        ref = self._scope.type_ref(unit, parameter.type) if parameter.type else None
        return ref.name if ref else parameter.type or ""


def _as_path(span: Span) -> nodes.FHIRPath:
    return nodes.FHIRPath(nodes.FPVariable("$this", span), "$this", span)
