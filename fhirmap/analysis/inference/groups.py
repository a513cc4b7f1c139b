"""Types of everything a map names: variables, sources, targets, values. Rules become `TypedRule`s; faults are reported.

A group is typed for the arguments it is called with.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fhirmap.analysis.expression_types import is_object
from fhirmap.analysis.inference.batches import RuleNames
from fhirmap.analysis.inference.constants import ConstantTypes
from fhirmap.analysis.inference.defaults import Defaults
from fhirmap.analysis.inference.rules import Rules
from fhirmap.analysis.inference.sources import Sources
from fhirmap.analysis.inference.targets import Targets
from fhirmap.analysis.inference.transforms import Transforms
from fhirmap.analysis.inference.unknown import unknown_type
from fhirmap.analysis.inference.values import ValueTypes
from fhirmap.analysis.scope import Scope
from fhirmap.analysis.static import StaticType
from fhirmap.analysis.typed import DefaultGroup, NameScope, Stage, TypedGroup, TypedRule, Unit, Variable
from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.language import nodes
from fhirmap.model.definition import TypeRef
from fhirmap.signatures import FunctionSignature

_MOST_TYPINGS = 1_000
"""With how many combinations of types one group is looked at: with its parameters in ever other orders, a group of a
dozen parameters has millions."""


@dataclass
class Inference:
    """Types the groups of maps as they are called."""

    scope: Scope
    functions: Mapping[str, FunctionSignature] = field(default_factory=dict)
    _known: dict[tuple[object, ...], TypedGroup] = field(default_factory=dict)
    _typings: dict[int, list[TypedGroup]] = field(default_factory=dict)
    """Identity of a group's node -> the group as it is typed for each combination of types."""
    _waiting: deque[TypedGroup] = field(default_factory=deque)
    _is_typing: bool = False

    def __post_init__(self) -> None:
        values = ValueTypes(self.scope, self.functions)
        targets = Targets(self.scope, self.functions, Transforms(self.scope, self.functions, values))
        defaults = Defaults(self.scope, targets, self.group)
        self._constants = ConstantTypes(self.scope, values)
        self._rules = Rules(self.scope, values, Sources(self.scope, values), targets, defaults, self.group)

    def stage(self, unit: Unit, previous: Stage | None, *, is_alone: bool) -> Stage | None:
        """The stage that ``unit`` is: its first group, typed for the source it is given."""
        if not unit.tree.groups:
            # A file of models or concept maps alone is made to be imported; a stage has something to do.
            if not is_alone or not (unit.tree.models or unit.tree.concept_maps):
                self.scope.report("FM114", Span(unit.text, 0, 0), variant="empty")
            return None
        group = unit.tree.groups[0]
        modes = [parameter.mode for parameter in group.parameters]
        if modes.count("source") < 1 or modes.count("target") < 1:
            self.scope.report("FM114", group.name_span, name=group.name)
            return None
        arguments: list[StaticType | None] = [None] * len(group.parameters)
        if previous is not None and previous.target is not None:
            arguments[modes.index("source")] = StaticType(frozenset((previous.target,)), "one", plain=True)
            self._fits_stage(unit, group.parameters[modes.index("source")], previous)
        typed = self.group(unit, group, arguments)
        source = typed.parameters[modes.index("source")].static.type
        target = typed.parameters[modes.index("target")].static.type
        return Stage(unit, typed, source, target)

    def _fits_stage(self, unit: Unit, parameter: nodes.Parameter, previous: Stage) -> None:
        declared = self.scope.type_ref(unit, parameter.type) if parameter.type else None
        if declared and previous.target and declared != previous.target:
            self.scope.report(
                "FM115",
                parameter.type_span or parameter.span,
                name=parameter.type,
                given=previous.target.name,
                stage=previous.unit.name,
            )

    def group(self, unit: Unit, node: nodes.Group, arguments: Sequence[StaticType | None]) -> TypedGroup:
        """``node`` typed for ``arguments`` (None: only what it declares is known)."""
        found: list[Diagnostic] = []
        with self.scope.noting(found):
            variables = self._parameters(unit, node, arguments)
        statics = (entry.static for entry in variables)
        key = (id(node), *((entry.types, entry.plain, entry.may_be_empty, entry.is_raw) for entry in statics))
        known = self._known.get(key)
        if known is not None:
            return known
        typings = self._typings.setdefault(id(node), [])
        if len(typings) >= _MOST_TYPINGS:
            if len(typings) == _MOST_TYPINGS:
                typings.append(typings[0])
                with self.scope.noting(typings[0].found):
                    self.scope.report("FM242", node.name_span, variant="types", group=node.name, limit=_MOST_TYPINGS)
            return typings[0]
        typed = TypedGroup(node, unit, tuple(variables), found=found)
        typings.append(typed)
        self._known[key] = typed
        self._waiting.append(typed)
        if not self._is_typing:
            self._is_typing = True
            while self._waiting:
                self._type_rules(self._waiting.popleft())
            self._is_typing = False
        return typed

    def _type_rules(self, typed: TypedGroup) -> None:
        """Type the rules of a group. Groups that they call wait their turn: no chain of calls is too long."""
        variables = typed.parameters
        environment = NameScope(
            {entry.name: entry for entry in variables if entry.mode == "source"},
            {entry.name: entry for entry in variables if entry.mode == "target"},
        )
        parts: list[list[TypedRule]] = []
        names = RuleNames()
        with self.scope.noting(typed.found):
            typed.parts = tuple(self._with_bases(typed.unit, typed.node))
            for place, part in typed.parts:
                inner = NameScope(environment.sources, environment.targets, self._constants.of(place))
                parts.append([entry for rule in part.rules for entry in self._rules.rule(place, rule, inner, names)])
        typed.rules = tuple(rule for part in parts for rule in part)
        typed.inherited = tuple(map(len, parts[:-1]))
        typed.calls = tuple(_calls(typed.rules))
        tables = (rule.default.table for rule in typed.walk() if rule.default is not None)
        typed.tables = tuple(dict.fromkeys(table for table in tables if table is not None))

    def _parameters(self, unit: Unit, node: nodes.Group, arguments: Sequence[StaticType | None]) -> list[Variable]:
        variables = []
        for parameter, argument in zip(node.parameters, arguments, strict=True):
            static = self._parameter_static(unit, parameter, argument)
            variables.append(
                Variable(parameter.name, parameter.mode, static, parameter.span, is_parameter=True, unit=unit)
            )
        return variables

    def default(self, choice: DefaultGroup) -> TypedGroup:
        """A group that the type of an item may call for, typed for the types that it declares."""
        return self.group(choice.unit, choice.node, [None, None])

    def _with_bases(self, unit: Unit, node: nodes.Group) -> list[tuple[Unit, nodes.Group]]:
        """The group and those it extends, base first."""
        chain = [(unit, node)]
        while chain[0][1].extends:
            place, group = chain[0]
            assert group.extends is not None
            span = group.extends_span or group.name_span
            base = self.scope.group(place, group.extends, span)
            if base is None:
                break
            if any(base[1] is entry for _, entry in chain):
                self.scope.report("FM112", span, name=group.name)
                break
            self._shares_parameters(group, base[1], span)
            chain.insert(0, base)
        return chain

    def _shares_parameters(self, group: nodes.Group, base: nodes.Group, span: Span) -> None:
        own = {entry.name: entry.mode for entry in group.parameters}
        for entry in base.parameters:
            if own.get(entry.name) != entry.mode:
                self.scope.report(
                    "FM112", span, variant="parameter", name=group.name, base=base.name, parameter=entry.name
                )

    def _parameter_static(self, unit: Unit, parameter: nodes.Parameter, argument: StaticType | None) -> StaticType:
        declared = self._declared(unit, parameter)
        if argument is None:
            if declared is None:
                return StaticType(cardinality="one")
            is_model = declared.structure in self.scope.models
            is_raw = parameter.mode == "source" and not is_model and is_object(declared, self.scope.definitions)
            plain = parameter.mode == "target" or is_model or is_raw
            return StaticType(frozenset((declared,)), "one", plain, is_raw=is_raw)
        if not argument.is_known and declared is not None:
            return StaticType(frozenset((declared,)), "one", argument.plain)
        return argument.as_one()

    def _declared(self, unit: Unit, parameter: nodes.Parameter) -> TypeRef | None:
        name = parameter.type
        if name is None:
            # Only the entry group reads and writes what the map is for; others may be handed any part of it.
            entries = unit.tree.groups[0].parameters
            is_entry = any(parameter is entry for entry in entries)
            urls = [entry for entry in unit.tree.uses if entry.mode == parameter.mode]
            is_only = [entry.mode for entry in entries].count("source") == 1 or parameter.mode == "target"
            alone = is_entry and is_only and len(urls) == 1
            name = urls[0].alias or urls[0].url if alone else None
        if name is None:
            return None
        ref = self.scope.type_ref(unit, name)
        if ref is None:
            unknown_type(self.scope, unit, name, parameter.type_span or parameter.span)
        return ref


def _calls(rules: Iterable[TypedRule]) -> Iterator[TypedGroup]:
    for rule in (inner for outer in rules for inner in outer.walk()):
        yield from (call.group for call in rule.calls)
        if rule.default is not None and rule.default.group is not None:
            yield rule.default.group
