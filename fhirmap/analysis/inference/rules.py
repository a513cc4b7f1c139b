"""Rules: their sources, targets, calls and inner rules, in the order in which names become known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fhirmap.analysis.expression_types import FUNCTION_URL
from fhirmap.analysis.inference.batches import RuleNames, batch_items, is_default
from fhirmap.analysis.inference.defaults import Defaults, TypesGroup
from fhirmap.analysis.inference.sources import Sources
from fhirmap.analysis.inference.targets import Targets
from fhirmap.analysis.inference.values import ValueTypes
from fhirmap.analysis.scope import Scope
from fhirmap.analysis.static import UNKNOWN, StaticType
from fhirmap.analysis.typed import Expression, NameScope, TypedCall, TypedRule, TypedSource, TypedTarget, Unit, Variable
from fhirmap.diagnostics import Subject, SubjectKind, suggestion
from fhirmap.language import nodes


@dataclass(frozen=True)
class Rules:
    """Types the rules of one program."""

    _scope: Scope
    _values: ValueTypes
    _sources: Sources
    _targets: Targets
    _defaults: Defaults
    _typed_group: TypesGroup

    def rule(self, unit: Unit, node: nodes.Rule, environment: NameScope, names: RuleNames) -> list[TypedRule]:
        """The typed rules that ``node`` is: one, or one an element of a batch."""
        if node.batch:
            return [self._one_rule(unit, item, environment, names) for item in batch_items(node)]
        return [self._one_rule(unit, node, environment, names)]

    def _one_rule(self, unit: Unit, node: nodes.Rule, environment: NameScope, names: RuleNames) -> TypedRule:
        name = names.name_of(node)
        sources: list[TypedSource] = []
        for source in node.sources:
            typed = self._sources.source(unit, source, environment)
            if typed is None:
                return TypedRule(node, name, unit, tuple(sources), (), (), (), environment)
            sources.append(typed)
            if typed.variable.name:
                environment = environment.with_source(typed.variable)
        if is_default(node):
            return self._defaults.rule(unit, node, name, sources[0], environment)
        focus = sources[0].variable if len(sources) == 1 else None
        targets: list[TypedTarget] = []
        for target in node.targets:
            typed_target = self._targets.target(unit, node, target, environment, focus)
            if typed_target is None:
                # Reported already: what its name means is unknown, but the name is there.
                if target.variable is not None:
                    span = target.variable_span or target.span
                    environment = environment.with_target(Variable(target.variable, "target", UNKNOWN.as_one(), span))
                continue
            targets.append(typed_target)
            if typed_target.variable is not None:
                environment = environment.with_target(typed_target.variable)
        calls, rules = self._dependents(unit, node, environment, RuleNames())
        return TypedRule(node, name, unit, tuple(sources), tuple(targets), calls, rules, environment)

    def _dependents(
        self, unit: Unit, node: nodes.Rule, environment: NameScope, names: RuleNames
    ) -> tuple[tuple[TypedCall, ...], tuple[TypedRule, ...]]:
        if node.dependent is None:
            return (), ()
        calls = [self.call(unit, call, environment) for call in node.dependent.calls]
        rules = [typed for rule in node.dependent.rules or () for typed in self.rule(unit, rule, environment, names)]
        return tuple(call for call in calls if call is not None), tuple(rules)

    def call(self, unit: Unit, node: nodes.GroupCall, environment: NameScope) -> TypedCall | None:
        """A group called after `then`; None where it is unknown or its arguments do not fit."""
        found = self._scope.group(unit, node.name, node.name_span)
        if found is None:
            return None
        place, group = found
        if len(node.arguments) != len(group.parameters):
            self._scope.report(
                "FM106", node.span, name=node.name, wanted=len(group.parameters), given=len(node.arguments)
            )
            return None
        arguments = []
        for entry, parameter in zip(node.arguments, group.parameters, strict=True):
            typed = self._call_argument(entry, parameter, environment)
            if typed is None:
                return None
            arguments.append(typed)
        instance = self._typed_group(place, group, self._as_declared(place, group, arguments))
        return TypedCall(node, instance, tuple(arguments))

    def _as_declared(self, place: Unit, group: nodes.Group, arguments: Sequence[Expression]) -> list[StaticType | None]:
        """Types of the arguments; one that is not the declared model is reported and typed as declared."""
        given: list[StaticType | None] = []
        for entry, parameter in zip(arguments, group.parameters, strict=True):
            declared = self._scope.type_ref(place, parameter.type) if parameter.type else None
            types = entry.static.types
            models = declared is not None and declared.structure in self._scope.models
            if declared is None or not types or declared in types or not models:
                given.append(entry.static)
                continue
            if any(ref.structure.startswith(FUNCTION_URL) for ref in types):
                given.append(entry.static)
                continue
            self._scope.report(
                "FM119",
                entry.span,
                name=parameter.name,
                group=group.name,
                wanted=declared.name,
                given=entry.static.text(),
            )
            given.append(None)
        return given

    def _call_argument(
        self, node: nodes.FHIRPath, parameter: nodes.Parameter, environment: NameScope
    ) -> Expression | None:
        if parameter.mode == "source":
            return self._values.argument(node, environment)
        body = node.expression
        name = body.name if isinstance(body, nodes.FPMember | nodes.FPVariable) else ""
        variable = environment.targets.get(name)
        if variable is None or (isinstance(body, nodes.FPMember) and body.focus is not None):
            variant = "source" if name in environment.sources else ""
            like = suggestion(name, environment.targets) if not variant else None
            about = Subject(SubjectKind.VARIABLE, name)
            self._scope.report(
                "FM118", node.span, variant=variant, about=about, like=like, name=node.text, parameter=parameter.name
            )
            return None
        return Expression(node, environment, None, variable.static, variable)
