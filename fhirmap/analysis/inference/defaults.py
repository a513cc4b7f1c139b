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
        if not item.is_clean and (not item.is_known or len(item.types) > 1 or len(step.static.types) != 1 or is_open):
            sources = () if is_open or any(ref.name.startswith("System.") for ref in item.types) else item.types
            default = Default(table=self._scope.default_table(unit, sources, list(step.static.types)))
            written = TypedTarget(target, context, tuple(steps), None, step.static)
            return TypedRule(node, name, unit, (source,), (written,), (), (), environment, default)
        given, wanted = item.type, step.static.type
        found = self._scope.default_group(unit, given, wanted, node.span) if given and wanted else None
        if found is not None:
            instance = self._typed_group(found.unit, found.node, [item, step.static])
            default = Default(instance, step.static.type)
            created = self._created(target, context, steps)
            return TypedRule(node, name, unit, (source,), (created,), (), (), environment, default)
        value = Expression(_as_path(source.node.span), environment, None, item, source.variable)
        item = item.as_copy()
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


def _as_path(span: Span) -> nodes.FHIRPath:
    return nodes.FHIRPath(nodes.FPVariable("$this", span), "$this", span)
