"""Types of everything a map names: variables, sources, targets, values. Rules become `TypedRule`s; faults are reported.

A group is typed for the arguments it is called with. A target's slice is known from the constants its own rule writes
(`tgt.parameter as p, p.name = 'nir'`), wherever in the rule they stand, so that `p.value` is checked against it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fhirmap.analysis import conversions
from fhirmap.analysis.expression import FUNCTION_URL, children_of, expression_static
from fhirmap.analysis.foreign_words import function_meant
from fhirmap.analysis.hints import number_of, variable_hint
from fhirmap.analysis.qualify import qualified
from fhirmap.analysis.scope import Scope
from fhirmap.analysis.static import UNKNOWN, Static, fhir_type, primitive
from fhirmap.analysis.transforms import TRANSFORMS, arity_fault, result_of
from fhirmap.analysis.typed import (
    Default,
    DefaultGroup,
    Environment,
    Expression,
    SourceStep,
    Stage,
    TargetStep,
    Transform,
    TypedCall,
    TypedGroup,
    TypedRule,
    TypedSource,
    TypedTarget,
    Unit,
    Variable,
)
from fhirmap.diagnostics import Related, Severity, Span, Subject, SubjectKind, Suggestion, nearest, suggestion
from fhirmap.fhir_types import DATES, OPEN_TYPES, PRIMITIVES
from fhirmap.language import nodes
from fhirmap.model.definition import FHIR_URL, ConceptMap, Element, TypeRef
from fhirmap.model.fhir import type_names
from fhirmap.signatures import FunctionSignature
from fhirmap.texts import Text

SPECIAL_MAP = "special-oid2uri"
"""The concept map that is built in: an OID as the URI that FHIR has for it."""
_DECLARED = (*sorted(DATES), "boolean", "decimal", "integer", "positiveInt", "unsignedInt")
"""Types that a column is read as by saying so in the model."""
_ELEMENT_NAME = re.compile(r"\w+")
_PSEUDO = frozenset(("value", "id", "extension"))
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


@dataclass
class Inference:
    """Types one program, group by group as they are called."""

    scope: Scope
    functions: Mapping[str, FunctionSignature] = field(default_factory=dict)
    groups: list[TypedGroup] = field(default_factory=list)
    _known: dict[tuple[object, ...], TypedGroup] = field(default_factory=dict)
    _constants: dict[str, dict[str, Variable]] = field(default_factory=dict)

    # --- stages and groups --------------------------------------------------------------------------------------------

    def stage(self, unit: Unit, previous: Stage | None) -> Stage | None:
        """The stage that ``unit`` is: its first group, typed for the source it is given."""
        if not unit.tree.groups:
            # A file of models or concept maps alone is made to be imported; a stage has something to do.
            if len(self.scope.program.stages) > 1 or not (unit.tree.models or unit.tree.concept_maps):
                self.scope.report("FM114", Span(unit.text, 0, 0), variant="empty")
            return None
        group = unit.tree.groups[0]
        modes = [parameter.mode for parameter in group.parameters]
        if modes.count("source") < 1 or modes.count("target") < 1:
            self.scope.report("FM114", group.name_span, name=group.name)
            return None
        arguments: list[Static | None] = [None] * len(group.parameters)
        if previous is not None and previous.target is not None:
            arguments[modes.index("source")] = Static(frozenset((previous.target,)), "one", plain=True)
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

    def group(self, unit: Unit, node: nodes.Group, arguments: Sequence[Static | None]) -> TypedGroup:
        """``node`` typed for ``arguments`` (None: only what it declares is known)."""
        variables = []
        for parameter, argument in zip(node.parameters, arguments, strict=True):
            static = self._parameter_static(unit, parameter, argument)
            variables.append(
                Variable(parameter.name, parameter.mode, static, parameter.span, is_parameter=True, unit=unit)
            )
        key = (id(node), *((entry.static.types, entry.static.plain) for entry in variables))
        known = self._known.get(key)
        if known is not None:
            return known
        typed = TypedGroup(node, unit, tuple(variables))
        self._known[key] = typed
        self.groups.append(typed)
        environment = Environment(
            {entry.name: entry for entry in variables if entry.mode == "source"},
            {entry.name: entry for entry in variables if entry.mode == "target"},
        )
        rules: list[TypedRule] = []
        names = _Names()
        for place, part in self._with_bases(unit, node):
            inner = Environment(environment.sources, environment.targets, self.constants(place))
            for rule in part.rules:
                rules += self.rule(place, rule, inner, names)
        typed.rules = tuple(rules)
        return typed

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

    def _parameter_static(self, unit: Unit, parameter: nodes.Parameter, argument: Static | None) -> Static:
        declared = self._declared(unit, parameter)
        plain = parameter.mode == "target" or bool(declared and declared.structure in self.scope.models)
        if argument is None:
            return Static(frozenset((declared,)) if declared else frozenset(), "one", plain and declared is not None)
        if not argument.is_known and declared is not None:
            return Static(frozenset((declared,)), "one", argument.plain)
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
            self.unknown_type(unit, name, parameter.type_span or parameter.span)
        return ref

    def unknown_type(self, unit: Unit, name: str, span: Span) -> None:
        """A type nobody knows: an error where it is but a name, a warning where a `uses` gives an unknown URL."""
        uses = next((entry for entry in unit.tree.uses if name in (entry.alias, entry.url)), None)
        if uses is not None:
            urls = [entry.url for entry in self.scope.definitions.structures() if entry.url.startswith("http")]
            found = _near_url(uses.url, (*urls, *(FHIR_URL + entry for entry in type_names())))
            # Nearly the address of a structure that is known: nothing at all would be checked against it.
            severity = Severity.ERROR if found else None
            if not any(entry.code == "FM117" and entry.span == uses.url_span for entry in self.scope.diagnostics):
                like = Suggestion(meant=found, known=())
                name = uses.alias or uses.url
                self.scope.report("FM117", uses.url_span, severity=severity, like=like, url=uses.url, name=name)
            return
        own = self.scope.type_names(unit)
        loaded = (entry.name for entry in self.scope.definitions.structures())
        known = (*own, *loaded, *sorted(PRIMITIVES), *type_names())
        found = nearest(name, own) or nearest(name, known)
        bare = [entry for entry in unit.tree.uses if entry.alias is None]
        hint = None
        if found is None and len(bare) == 1:
            args = {"line": bare[0].span.line, "name": name, "mode": bare[0].mode}
            hint = Text("hints.name_structure", args)
        about = Subject(SubjectKind.MODEL, name)
        like = Suggestion(meant=found, known=())
        self.scope.report("FM107", span, hint, about=about, like=like, name=name)

    # --- constants ----------------------------------------------------------------------------------------------------

    def constants(self, unit: Unit) -> dict[str, Variable]:
        """The `let` constants of ``unit``, each typed with those it uses; a cycle is reported."""
        known = self._constants.get(unit.name)
        if known is not None:
            return known
        constants: dict[str, Variable] = {}
        self._constants[unit.name] = constants
        lets = {entry.name: entry for entry in unit.tree.lets}
        for name in lets:
            self._constant(unit, name, lets, constants, [])
        return constants

    def _constant(
        self, unit: Unit, name: str, lets: Mapping[str, nodes.Let], constants: dict[str, Variable], path: list[str]
    ) -> None:
        if name in constants:
            return
        let = lets[name]
        if name in path:
            self.scope.report("FM113", let.span, name=name, cycle=" -> ".join([*path[path.index(name) :], name]))
            constants[name] = Variable(name, "constant", UNKNOWN, let.span, unit=unit)
            return
        for used in _names_in(let.expression.expression):
            if used in lets:
                self._constant(unit, used, lets, constants, [*path, name])
        if name not in constants:
            expression = self.expression(let.expression, Environment(constants=dict(constants)), None)
            constants[name] = Variable(name, "constant", expression.static, let.span, expression, unit=unit)

    # --- rules --------------------------------------------------------------------------------------------------------

    def rule(self, unit: Unit, node: nodes.Rule, environment: Environment, names: _Names) -> list[TypedRule]:
        """The typed rules that ``node`` stands for: one, or one an element of a batch."""
        if node.batch:
            return [self._one_rule(unit, item, environment, names) for item in _batch_items(node)]
        return [self._one_rule(unit, node, environment, names)]

    def _one_rule(self, unit: Unit, node: nodes.Rule, environment: Environment, names: _Names) -> TypedRule:
        name = names.name_of(node)
        sources: list[TypedSource] = []
        for source in node.sources:
            typed = self.source(unit, source, environment)
            if typed is None:
                return TypedRule(node, name, unit, tuple(sources), (), (), (), environment)
            sources.append(typed)
            if typed.variable.name:
                environment = environment.with_source(typed.variable)
        if _is_default(node):
            return self._default_rule(unit, node, name, sources[0], environment)
        focus = sources[0].variable if len(sources) == 1 else None
        targets: list[TypedTarget] = []
        for target in node.targets:
            typed_target = self.target(unit, node, target, environment, focus)
            if typed_target is None:
                # Told already: what its name stands for is unknown, but the name is there.
                if target.variable is not None:
                    span = target.variable_span or target.span
                    environment = environment.with_target(Variable(target.variable, "target", UNKNOWN.as_one(), span))
                continue
            targets.append(typed_target)
            if typed_target.variable is not None:
                environment = environment.with_target(typed_target.variable)
        calls, rules = self._dependents(unit, node, environment, _Names())
        return TypedRule(node, name, unit, tuple(sources), tuple(targets), calls, rules, environment)

    def _dependents(
        self, unit: Unit, node: nodes.Rule, environment: Environment, names: _Names
    ) -> tuple[tuple[TypedCall, ...], tuple[TypedRule, ...]]:
        if node.dependent is None:
            return (), ()
        calls = [self.call(unit, call, environment) for call in node.dependent.calls]
        rules = [typed for rule in node.dependent.rules or () for typed in self.rule(unit, rule, environment, names)]
        return tuple(call for call in calls if call is not None), tuple(rules)

    # --- sources ------------------------------------------------------------------------------------------------------

    def source(self, unit: Unit, node: nodes.RuleSource, environment: Environment) -> TypedSource | None:
        """One source, or None where its context is unknown."""
        if node.search is not None:
            search = self.expression(node.search, environment, None)
            context = Variable("@search", "source", UNKNOWN, node.context_span)
            variable = Variable(node.variable or "", "source", UNKNOWN.as_one(), node.variable_span or node.span)
            return self._filtered(node, environment, context, (), UNKNOWN.as_one(), variable, search)
        found = environment.lookup(node.context)
        if found is None:
            names = [*environment.sources, *environment.constants]
            self._unknown_variable(node.context, node.context_span, names)
            # Told: the rest of the rule is looked at all the same.
            found = Variable(node.context, "source", UNKNOWN, node.context_span)
        steps: list[SourceStep] = []
        static = found.static.as_one()
        for index, name in enumerate(node.elements):
            span = node.element_spans[index] if index < len(node.element_spans) else node.span
            step = self.source_step(static, name, span)
            steps.append(step)
            static = step.static
        types = self._filter_types(unit, node)
        item = static.with_types(types) if types else static
        variable = Variable(node.variable or "", "source", item, node.variable_span or node.span)
        if steps:
            variable.element = self._model_element(steps[-2].static if len(steps) > 1 else found.static, steps[-1].name)
        return self._filtered(node, environment, found, tuple(steps), item, variable, None, types)

    def _model_element(self, owner: Static, name: str) -> nodes.ModelElement | None:
        """The declaration of a model's element, where ``owner`` is a model."""
        use = self.scope.models.get(owner.type.structure) if owner.type else None
        return next((entry for entry in use.node.elements if entry.name == name), None) if use else None

    def _filtered(
        self,
        node: nodes.RuleSource,
        environment: Environment,
        context: Variable,
        steps: tuple[SourceStep, ...],
        item: Static,
        variable: Variable,
        search: Expression | None,
        types: frozenset[TypeRef] | None = None,
    ) -> TypedSource:
        inner = environment.with_source(variable) if variable.name else environment
        default = self.expression(node.default, environment, None) if node.default else None
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
            self.expression(node.where, inner, variable) if node.where else None,
            self.expression(node.check, inner, variable) if node.check else None,
            self.expression(node.log, inner, variable) if node.log else None,
            search,
        )

    def source_step(self, static: Static, name: str, span: Span) -> SourceStep:
        """The child ``name`` of a source item; reported where its type has none of that name."""
        ref = static.type
        if ref is None:
            return SourceStep(name, span, None, UNKNOWN.as_one(), True)
        if name in _PSEUDO and self.scope.definitions.is_primitive(ref.name):
            if name == "value":
                return SourceStep(name, span, None, static, False)
            child = fhir_type("Extension", plain=False) if name == "extension" else primitive("string", plain=False)
            return SourceStep(name, span, None, child, name == "extension")
        found = self.scope.definitions.element(ref, name)
        if found is None:
            self._unknown_element(ref, name, span)
            return SourceStep(name, span, None, UNKNOWN.as_one(), True)
        element, chosen = found
        types = frozenset((chosen,)) if chosen else frozenset(element.types)
        return SourceStep(name, span, element, Static(types, "one", static.plain), element.is_repeating)

    def _unknown_element(self, ref: TypeRef, name: str, span: Span) -> None:
        children = self.scope.definitions.children(ref)
        is_model = ref.structure in self.scope.models
        if not children and not is_model and not self.scope.definitions.is_primitive(ref.name):
            return
        structure = self.scope.definitions.structure(ref.structure or ref.name)
        if ref.name in OPEN_TYPES or (structure is not None and structure.abstract):
            return
        # No structure of FHIR can hold `group!` or `section4.5`: the map means others than those that are known.
        severity = None if _ELEMENT_NAME.fullmatch(name) else Severity.WARNING
        about = Subject(SubjectKind.ELEMENT, name, frozenset((ref.structure,)))
        like = suggestion(name, children)
        self.scope.report("FM204", span, severity=severity, about=about, like=like, type=ref.name, name=name)

    def _filter_types(self, unit: Unit, node: nodes.RuleSource) -> frozenset[TypeRef] | None:
        if node.type is None:
            return None
        name = node.type.removeprefix("FHIR.").removeprefix("System.")
        ref = self.scope.type_ref(unit, name)
        if ref is None and node.type.startswith("System."):
            ref = self.scope.type_ref(unit, name[:1].lower() + name[1:])
        if ref is None:
            self.unknown_type(unit, node.type, node.type_span or node.span)
            return frozenset((TypeRef(name),))
        return frozenset((ref,))

    # --- targets ------------------------------------------------------------------------------------------------------

    def target(
        self, unit: Unit, rule: nodes.Rule, node: nodes.RuleTarget, environment: Environment, focus: Variable | None
    ) -> TypedTarget | None:
        """One target, or None where its context is unknown."""
        if node.context is None:
            transform = self.transform(unit, node.transform, environment, focus, None)
            if transform is None:
                return None
            variable = self._bound(node, transform.result)
            return TypedTarget(node, None, (), transform, transform.result, variable)
        context = environment.targets.get(node.context)
        if context is None:
            self._no_target(node, environment)
            if node.transform is not None and node.transform.arguments:
                self.transform(unit, node.transform, environment, focus, None)
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
        transform = self.transform(unit, node.transform, environment, focus, steps[-1]) if node.transform else None
        if node.transform is not None and transform is None:
            return None
        value = transform.result if transform else static
        if transform is None or transform.name == "create":
            steps[-1] = self._narrowed(rule, node, steps[-1], value)
            value = steps[-1].static if transform is None or steps[-1].static.is_known else value
        if transform is not None:
            steps[-1] = self._assigned(steps[-1], transform, value)
            if transform.name != "create" and steps[-1].static.is_known:
                value = value.with_types(steps[-1].static.types) if not _is_many(steps[-1].static) else value
        elif steps[-1].element is not None and len(steps[-1].static.types) > 1:
            self.scope.report("FM201", steps[-1].span, name=node.elements[-1], types=steps[-1].static.text())
        variable = self._bound(node, value.as_one())
        return TypedTarget(node, context, tuple(steps), transform, transform.result if transform else value, variable)

    def _whole(
        self, unit: Unit, node: nodes.RuleTarget, environment: Environment, focus: Variable | None, context: Variable
    ) -> TypedTarget | None:
        """`ctx as v`, or `ctx = value` for a primitive context."""
        if node.transform is None:
            return TypedTarget(node, context, (), None, context.static, self._bound(node, context.static))
        transform = self.transform(unit, node.transform, environment, focus, None)
        if transform is None:
            return None
        return TypedTarget(node, context, (), transform, transform.result, self._bound(node, context.static))

    def _no_target(self, node: nodes.RuleTarget, environment: Environment) -> None:
        assert node.context is not None
        span = node.context_span or node.span
        if node.context in environment.sources:
            self.scope.report("FM111", span, name=node.context)
            return
        self._unknown_variable(node.context, span, environment.targets, variant="target")

    def _unknown_variable(
        self, name: str, span: Span, names: Iterable[str], hint: Text | None = None, variant: str = ""
    ) -> None:
        about, like = Subject(SubjectKind.VARIABLE, name), suggestion(name, names)
        self.scope.report("FM104", span, hint, variant=variant, about=about, like=like, name=name)

    def _bound(self, node: nodes.RuleTarget, static: Static) -> Variable | None:
        if node.variable is None:
            return None
        return Variable(node.variable, "target", static, node.variable_span or node.span)

    def target_step(self, static: Static, name: str, span: Span) -> TargetStep:
        """The child ``name`` of a target; reported where its type has none of that name."""
        ref = static.type
        if ref is None:
            return TargetStep(name, span, None, "", UNKNOWN.as_one(), None)
        if name in _PSEUDO and self.scope.definitions.is_primitive(ref.name):
            child = fhir_type("Extension") if name == "extension" else replace(static, plain=False)
            return TargetStep(name, span, None, "", child, name == "extension")
        found = self.scope.definitions.element(ref, name)
        if found is None:
            self._unknown_element(ref, name, span)
            return TargetStep(name, span, None, "", UNKNOWN.as_one(), None)
        element, chosen = found
        types = frozenset((chosen,)) if chosen else frozenset(element.types)
        key = "" if element.is_choice else element.name
        if len(types) == 1 and element.is_choice:
            key = element.json_name(next(iter(types)).name)
        return TargetStep(name, span, element, key, Static(types, "one", plain=True), element.is_repeating)

    def _narrowed(self, rule: nodes.Rule, node: nodes.RuleTarget, step: TargetStep, value: Static) -> TargetStep:
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

    def _assigned(self, step: TargetStep, transform: Transform, value: Static) -> TargetStep:
        """The step once the value's type is known: its JSON name; a fault where the type does not fit."""
        element = step.element
        if element is None or not value.is_known or not step.static.is_known:
            return step
        allowed = sorted(step.static.types, key=lambda ref: ref.name)
        if transform.name == "create" or any(ref.name in OPEN_TYPES for ref in allowed):
            chosen = value.type
            if chosen is not None and element.is_choice:
                return replace(step, key=element.json_name(chosen.name), static=value.as_one())
            return replace(step, static=value.as_one()) if chosen is not None else step
        if len(allowed) == 1 and value.type is not None and self._says_as_much(allowed[0], value.type):
            return step
        ways = {ref: conversions.best(ref.name, [given.name for given in allowed]) for ref in value.types}
        fitting = {way for way in ways.values() if way is not None}
        if not fitting or (element.is_choice and _loses(fitting, value)):
            self._does_not_fit(step, transform, value)
            return step
        if len(fitting) > 1 or None in ways.values():
            return step
        name = next(iter(fitting))
        chosen = next(ref for ref in allowed if ref.name == name)
        key = element.json_name(chosen.name) if element.is_choice else step.key
        return replace(step, key=key, static=step.static.with_types((chosen,)))

    def _says_as_much(self, model: TypeRef, given: TypeRef) -> bool:
        """Is ``given`` the structure of a plug-in's function, all of whose elements the ``model`` has too?"""
        if not given.structure.startswith(FUNCTION_URL) or model.structure not in self.scope.models:
            return False
        wanted = self.scope.definitions.children(model)
        return all(
            name in wanted
            and (wanted[name].maximum is None) >= (element.maximum is None)
            and conversions.best(element.types[0].name, [ref.name for ref in wanted[name].types]) is not None
            for name, element in children_of(given, self.scope.definitions, self.functions).items()
        )

    def _does_not_fit(self, step: TargetStep, transform: Transform, value: Static) -> None:
        element = step.element
        assert element is not None
        span = transform.span
        place = _shown(element)
        hint, related = _type_hint(transform, step.static)
        self.scope.report(
            "FM203",
            span,
            hint,
            related=related,
            place=place,
            allowed=step.static.text(),
            given=value.text(),
            value=span.snippet,
        )

    # --- values -------------------------------------------------------------------------------------------------------

    def expression(self, node: nodes.FHIRPath, environment: Environment, focus: Variable | None) -> Expression:
        """A FHIRPath expression, typed; a bare name of a variable is that variable."""
        body = node.expression
        if isinstance(body, nodes.FPLiteral):
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
        static, diagnostics = expression_static(body, environment, focus, self.scope.definitions, self.functions)
        self.scope.diagnostics += diagnostics
        return Expression(node, environment, focus, static)

    def argument(self, node: nodes.FHIRPath, environment: Environment) -> Expression:
        """A transform's or a call's parameter: a bare identifier is a variable or a constant before all else."""
        body = node.expression
        if isinstance(body, nodes.FPMember) and body.focus is None:
            variable = environment.lookup(body.name)
            if variable is None:
                names = [*environment.sources, *environment.constants, *environment.targets]
                self._unknown_variable(
                    body.name, node.span, names, variable_hint(body.name, suggestion(body.name, names))
                )
                variable = Variable(body.name, "source", UNKNOWN, node.span)
            return Expression(node, environment, None, variable.static, variable)
        # `a.b`, `a.where(…)`: the leading name is a variable, never a child of the focus.
        return self.expression(qualified(node, environment), environment, None)

    def transform(
        self,
        unit: Unit,
        node: nodes.TransformCall | None,
        environment: Environment,
        focus: Variable | None,
        step: TargetStep | None,
    ) -> Transform | None:
        """What computes a value; None where its function is unknown."""
        assert node is not None
        function = self.functions.get(node.name)
        if node.name not in TRANSFORMS and function is None:
            like = suggestion(node.name, [*TRANSFORMS, *self.functions])
            hint = self._function_hint(unit, node, like["meant"])
            self.scope.report("FM109", node.name_span, hint, like=like, name=node.name)
            return None
        if node.name == "evaluate":
            return self._evaluate(node, environment, focus)
        if self._bare_type(node, environment):
            return None
        arguments = tuple(self.argument(entry, environment) for entry in node.arguments)
        fault = arity_fault(node.name, len(arguments), function)
        if fault:
            self.scope.report("FM202", node.span, name=node.name, wanted=fault, given=len(arguments))
            return None
        transform = Transform(node.name, arguments, UNKNOWN, node.span, function)
        return self._with_result(unit, transform, step)

    def _function_hint(self, unit: Unit, node: nodes.TransformCall, near: str | None) -> Text | None:
        """What to write for an unknown function that is a group, or a function of FHIRPath."""
        arguments = [entry.text for entry in node.arguments]
        if any(group.name == node.name for place in unit.visible() for group in place.tree.groups):
            return Text("hints.call_after_then", {"name": node.name, "arguments": ", ".join(arguments)})
        function = function_meant(node.name)
        if near is not None or not arguments or function is None:
            return None
        focus = arguments[0] if arguments[0][:1] in "%('" else f"%{arguments[0]}"
        args = {"focus": focus, "function": function, "arguments": ", ".join(arguments[1:])}
        return Text("hints.function_in_parentheses", args)

    def _evaluate(
        self, node: nodes.TransformCall, environment: Environment, focus: Variable | None
    ) -> Transform | None:
        if node.written == "expression" or len(node.arguments) == 1:
            inner = self.expression(qualified(node.arguments[0], environment), environment, focus)
            return Transform("evaluate", (inner,), inner.static, node.span)
        if len(node.arguments) != 2:
            self.scope.report("FM202", node.span, name="evaluate", wanted=number_of(1, 2), given=len(node.arguments))
            return None
        context = self.argument(node.arguments[0], environment)
        variable = context.variable or Variable("", "source", context.static, context.span, context)
        inner = self.expression(node.arguments[1], environment, variable)
        return Transform("evaluate", (context, inner), inner.static, node.span)

    def _with_result(self, unit: Unit, transform: Transform, step: TargetStep | None) -> Transform | None:
        """The transform with the type of its result, and what it names (a type, a concept map) resolved."""
        name, arguments = transform.name, transform.arguments
        if name in ("create", "cast"):
            return self._typed_by_name(unit, transform, step)
        if name == "translate":
            transform = self._with_concept_map(unit, transform)
        if name == "copy" and arguments:
            return replace(transform, result=arguments[0].static)
        return replace(transform, result=result_of(transform))

    def _typed_by_name(self, unit: Unit, transform: Transform, step: TargetStep | None) -> Transform | None:
        """`create('T')`, `cast(x, 'T')`: the type is a literal, or the one the target element has."""
        position = 0 if transform.name == "create" else 1
        if len(transform.arguments) > position:
            literal = transform.arguments[position].literal
            if literal is None or not isinstance(literal.value, str):
                self.scope.report("FM202", transform.arguments[position].span, variant="literal", name=transform.name)
                return None
            ref = self.scope.type_ref(unit, literal.value)
            if ref is None:
                self.unknown_type(unit, literal.value, transform.arguments[position].span)
                return replace(transform, type=TypeRef(literal.value), result=Static(frozenset(), "one", plain=True))
        else:
            ref = step.static.type if step else None
            if ref is None:
                self.scope.report("FM201", transform.span, variant="create", name=transform.name)
                return None
        cardinality = "one" if transform.name == "create" else "optional"
        return replace(transform, type=ref, result=Static(frozenset((ref,)), cardinality, plain=True))  # type: ignore[arg-type]

    def _bare_type(self, node: nodes.TransformCall, environment: Environment) -> bool:
        """`create(Procedure)`: the name of a type without quotes, told as that."""
        position = {"create": 0, "cast": 1}.get(node.name)
        if position is None or len(node.arguments) <= position:
            return False
        body = node.arguments[position].expression
        if not isinstance(body, nodes.FPMember) or body.focus is not None or environment.lookup(body.name):
            return False
        hint = Text("hints.in_quotes", {"name": body.name})
        self.scope.report("FM202", node.arguments[position].span, hint, variant="literal", name=node.name)
        return True

    def _with_concept_map(self, unit: Unit, transform: Transform) -> Transform:
        if len(transform.arguments) < 2:
            return transform
        first = transform.arguments[0].literal
        if first is not None and isinstance(first.value, str) and first.value.startswith("#"):
            self.scope.report("FM202", transform.arguments[0].span, variant="order")
            return transform
        given = transform.arguments[1]
        if given.variable is not None and given.variable.mode == "constant" and given.variable.expression is not None:
            given = given.variable.expression
        literal = given.literal
        if literal is None or not isinstance(literal.value, str):
            self.scope.report("FM202", transform.arguments[1].span, variant="literal", name=transform.name)
            return transform
        found = self.scope.concept_map(unit, literal.value)
        if found is None and literal.value.endswith(SPECIAL_MAP):
            found = ConceptMap(literal.value, SPECIAL_MAP, ())
        if found is None:
            names = self.scope.concept_map_names(unit)
            about = Subject(SubjectKind.CONCEPT_MAP, literal.value.lstrip("#"))
            like = suggestion(literal.value, names)
            self.scope.report("FM108", transform.arguments[1].span, about=about, like=like, name=literal.value)
        return replace(transform, concept_map=found)

    # --- calls --------------------------------------------------------------------------------------------------------

    def call(self, unit: Unit, node: nodes.GroupCall, environment: Environment) -> TypedCall | None:
        """A group called behind `then`; None where it is unknown or its arguments do not fit."""
        found = self.scope.group(unit, node.name, node.name_span)
        if found is None:
            return None
        place, group = found
        if len(node.arguments) != len(group.parameters):
            self.scope.report(
                "FM106", node.span, name=node.name, wanted=len(group.parameters), given=len(node.arguments)
            )
            return None
        arguments = []
        for entry, parameter in zip(node.arguments, group.parameters, strict=True):
            typed = self._call_argument(entry, parameter, environment)
            if typed is None:
                return None
            arguments.append(typed)
        instance = self.group(place, group, self._as_declared(place, group, arguments))
        return TypedCall(node, instance, tuple(arguments))

    def _as_declared(self, place: Unit, group: nodes.Group, arguments: Sequence[Expression]) -> list[Static | None]:
        """Types of the arguments; one that is not the model that the group declares is told, and typed as declared."""
        given: list[Static | None] = []
        for entry, parameter in zip(arguments, group.parameters, strict=True):
            declared = self.scope.type_ref(place, parameter.type) if parameter.type else None
            types = entry.static.types
            models = declared is not None and declared.structure in self.scope.models
            if declared is None or not types or declared in types or not models:
                given.append(entry.static)
                continue
            if any(ref.structure.startswith(FUNCTION_URL) for ref in types):
                given.append(entry.static)
                continue
            self.scope.report(
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
        self, node: nodes.FHIRPath, parameter: nodes.Parameter, environment: Environment
    ) -> Expression | None:
        if parameter.mode == "source":
            return self.argument(node, environment)
        body = node.expression
        name = body.name if isinstance(body, nodes.FPMember | nodes.FPVariable) else ""
        variable = environment.targets.get(name)
        if variable is None or (isinstance(body, nodes.FPMember) and body.focus is not None):
            variant = "source" if name in environment.sources else ""
            like = suggestion(name, environment.targets) if not variant else None
            about = Subject(SubjectKind.VARIABLE, name)
            self.scope.report(
                "FM118", node.span, variant=variant, about=about, like=like, name=node.text, parameter=parameter.name
            )
            return None
        return Expression(node, environment, None, variable.static, variable)

    # --- default rules ------------------------------------------------------------------------------------------------

    def _default_rule(
        self, unit: Unit, node: nodes.Rule, name: str, source: TypedSource, environment: Environment
    ) -> TypedRule:
        """`src.a -> tgt.b;`: through a group marked for the two types, else a copy."""
        target = node.targets[0]
        context = environment.targets.get(target.context or "")
        if context is None:
            self._no_target(target, environment)
            return TypedRule(node, name, unit, (source,), (), (), (), environment)
        static = context.static
        steps: list[TargetStep] = []
        for index, element in enumerate(target.elements):
            span = target.element_spans[index] if index < len(target.element_spans) else target.span
            steps.append(self.target_step(static, element, span))
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
            instance = self.group(place, group, [item, step.static])
            default = Default(instance, step.static.type)
            created = self._created(target, context, steps)
            return TypedRule(node, name, unit, (source,), (created,), (), (), environment, default)
        value = Expression(_as_path(source.node.span), environment, None, item, source.variable)
        transform = Transform("copy", (value,), item, target.span)
        if item.type is None or step.static.type is None:
            pass  # Told already: the element is unknown.
        elif (
            item.type.name != step.static.type.name
            and conversions.best(item.type.name, [step.static.type.name]) is None
        ):
            self.scope.report("FM205", target.span, source=item.text(), target=step.static.text())
        else:
            steps[-1] = self._assigned(step, transform, item)
        copied = TypedTarget(target, context, tuple(steps), transform, item)
        return TypedRule(node, name, unit, (source,), (copied,), (), (), environment, Default())

    def _created(self, target: nodes.RuleTarget, context: Variable, steps: list[TargetStep]) -> TypedTarget:
        variable = Variable("", "target", steps[-1].static, target.span)
        return TypedTarget(target, context, tuple(steps), None, steps[-1].static, variable)

    def _default_group(
        self, unit: Unit, source: TypeRef | None, target: TypeRef | None
    ) -> tuple[Unit, nodes.Group] | None:
        for place, group in self.scope.typed_groups(unit):
            declared = [self._declared_name(place, entry) for entry in group.parameters]
            if source and target and declared == [source.name, target.name]:
                return place, group
        return None

    def _default_groups(self, unit: Unit) -> tuple[DefaultGroup, ...]:
        """Every group in reach that a default rule may choose at run time, typed for what it declares."""
        found = []
        for place, group in self.scope.typed_groups(unit):
            refs = [self.scope.type_ref(place, entry.type) if entry.type else None for entry in group.parameters[:2]]
            if len(refs) == 2 and refs[0] is not None and refs[1] is not None and len(group.parameters) == 2:
                typed = self.group(place, group, [None, None])
                found.append(DefaultGroup(typed, refs[0], refs[1], group.type_mode == "type+"))
        return tuple(found)

    def _declared_name(self, unit: Unit, parameter: nodes.Parameter) -> str:
        ref = self.scope.type_ref(unit, parameter.type) if parameter.type else None
        return ref.name if ref else parameter.type or ""


class _Names:
    """Names of rules, unique in their group."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}
        self._count = 0

    def name_of(self, node: nodes.Rule) -> str:
        """The written name, else one from the source's element and type, else `rule-N`."""
        self._count += 1
        source = node.sources[0] if node.sources else None
        name = node.name
        if name is None and source is not None and source.elements:
            kind = (source.type or "").rpartition(".")[2]
            name = source.elements[-1] + kind[:1].upper() + kind[1:]
        name = name or f"rule-{self._count}"
        times = self._used.get(name, 0)
        self._used[name] = times + 1
        return name if not times else f"{name}-{times + 1}"


def _is_default(node: nodes.Rule) -> bool:
    if len(node.sources) != 1 or len(node.targets) != 1 or node.dependent is not None:
        return False
    source, target = node.sources[0], node.targets[0]
    return bool(
        source.elements and source.variable is None and target.context and target.elements
        and target.transform is None and target.variable is None
    )  # fmt: skip


def _batch_items(node: nodes.Rule) -> Iterator[nodes.Rule]:
    source, target = node.sources[0], node.targets[0]
    for index, name in enumerate(node.batch):
        span = node.batch_spans[index] if index < len(node.batch_spans) else node.span
        yield replace(
            node,
            sources=(replace(source, elements=(*source.elements, name), element_spans=(*source.element_spans, span)),),
            targets=(
                replace(
                    target, elements=(*target.elements, name), element_spans=(*target.element_spans, span), span=span
                ),
            ),
            name=f"{node.name or 'unnamed'}{name}",
            batch=(),
            span=node.span,
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


def _names_in(node: object) -> Iterator[str]:
    """Leading names and variables of an expression."""
    if isinstance(node, nodes.FPVariable) or (isinstance(node, nodes.FPMember) and node.focus is None):
        yield node.name
    for child in _children(node):
        yield from _names_in(child)


def _children(node: object) -> Iterable[object]:
    if isinstance(node, nodes.FPMember):
        return (node.focus,) if node.focus else ()
    if isinstance(node, nodes.FPCall):
        return (*((node.focus,) if node.focus else ()), *node.arguments)
    if isinstance(node, nodes.SortKey):
        return (node.expression,)
    if isinstance(node, nodes.FPIndex):
        return (node.focus, node.index)
    if isinstance(node, nodes.FPUnary | nodes.FPType):
        return (node.operand,)
    if isinstance(node, nodes.FPBinary):
        return (node.left, node.right)
    return ()


def _loses(ways: Iterable[str], value: Static) -> bool:
    """Would a choice take the value only by changing what it says (text into a date)?"""
    return not any(conversions.keeps(ref.name, way) for ref in value.types for way in ways)


def _is_many(static: Static) -> bool:
    return len(static.types) != 1


def _shown(element: Element) -> str:
    """An element as messages name it: the slice where there is one, else its path."""
    path = element.path.removesuffix("[x]").removesuffix(".value")
    last = path.rpartition(".")[2]
    return last.partition(":")[2] or element.path


def _type_hint(transform: Transform, wanted: Static) -> tuple[Text | None, tuple[Related, ...]]:
    """What to do about a value of the wrong type: give the model's element, which is shown, another one."""
    variable = transform.arguments[0].variable if transform.name == "copy" and transform.arguments else None
    element = variable.element if variable is not None else None
    type_name = next((ref.name for ref in sorted(wanted.types, key=lambda ref: ref.name) if ref.name in _DECLARED), "")
    if element is None or not type_name:
        return None, ()
    column = f" from '{element.column}'" if element.column else ""
    form = " format 'yyyyMMdd'" if type_name in DATES and element.column and element.format is None else ""
    place = _place(element.span)
    args = {"element": element.name, "type": type_name, "column": column, "format": form, "place": place}
    related = Related(element.type_span, Text("labels.declared_as", {"type": element.type}))
    return Text("hints.element_type", args), (related,)


def _place(span: Span) -> str:
    return f"{span.name}:{span.line}"


def _as_path(span: Span) -> nodes.FHIRPath:
    return nodes.FHIRPath(nodes.FPVariable("$this", span), "$this", span)


def _near_url(url: str, known: Iterable[str]) -> str | None:
    """The known address that ``url`` nearly is: another name in the same folder, or the same name in another one."""
    folder, _, name = url.rpartition("/")
    names: dict[str, str] = {}
    for entry in known:
        place, _, last = entry.rpartition("/")
        if last == name and nearest(folder, (place,)) is not None:
            return entry
        if place == folder:
            names[last] = entry
    found = nearest(name, names)
    return names[found] if found else None
