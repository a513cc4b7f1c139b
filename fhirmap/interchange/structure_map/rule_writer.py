"""The rules of a map as a StructureMap resource has them: one step per path, names or values as parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from fhirmap.interchange.structure_map.resource_names import ResourceRuleNames, rule_id
from fhirmap.interchange.structure_map.resource_values import literal_slot, text_of_expression
from fhirmap.interchange.structure_map.resource_writing import ResourceWriting
from fhirmap.interchange.structure_map.shapes import (
    AUTO_VARIABLE,
    BATCH_PREFIX,
    CHECK_EXTENSION,
    DATE_TRANSFORMS,
    DEFAULT_EXTENSION,
    FHIR_TRANSFORMS,
    PARAMETER_SLOTS,
    SEARCH_CONTEXT,
)
from fhirmap.language import nodes as n

__all__ = ["StructureMapRuleWriter"]


class StructureMapRuleWriter:
    """Writes the rules of one map's groups."""

    def __init__(self, resource: ResourceWriting) -> None:
        self._resource = resource
        self._slots = PARAMETER_SLOTS["R5" if resource.version == "R5" else "R4"]

    def rules(self, rules: Sequence[n.Rule], names: ResourceRuleNames) -> list[dict[str, Any]]:
        """The rules of a group or rule; ``names``: those of the group so far."""
        written: list[dict[str, Any]] = []
        for rule in rules:
            documentation = self._resource.documentation.of(rule)
            for entry in _batch_items(rule):
                written.append(self._rule(entry, names, documentation))
                documentation = None
        return written

    def _rule(self, rule: n.Rule, names: ResourceRuleNames, documentation: str | None = None) -> dict[str, Any]:
        sources, inner = self._without_path(rule)
        first = sources[0]
        given = rule_id(rule.name) if rule.name else None
        if rule.name and given != rule.name:
            self._resource.report("FM041", rule.span, "rule", name=rule.name, written=given)
        element = first.elements[0] if first.elements and first.search is None else None
        written: dict[str, Any] = {"name": names.name_of(element, first.type, given)[0]}
        written["source"] = [self._source(entry) for entry in sources]
        if inner is not None:
            written["rule"] = [self._rule(inner, names)]
        else:
            self._targets_and_dependents(rule, written, names)
        if documentation is not None:
            written["documentation"] = documentation
        return written

    def _without_path(self, rule: n.Rule) -> tuple[tuple[n.RuleSource, ...], n.Rule | None]:
        """The sources up to the first step of the first path; the rest of the rule, for a rule inside it."""
        for rank, source in enumerate(rule.sources):
            if len(source.elements) > 1:
                variable = self._resource.fresh()
                head = n.RuleSource(
                    source.context, source.elements[:1], source.span, source.context_span, variable=variable
                )
                tail = replace(source, context=variable, elements=source.elements[1:])
                rest = replace(rule, sources=(tail, *rule.sources[rank + 1 :]), name=None)
                return (*rule.sources[:rank], head), rest
        return rule.sources, None

    def _targets_and_dependents(self, rule: n.Rule, written: dict[str, Any], names: ResourceRuleNames) -> None:
        if _is_default(rule):
            written["source"][0]["variable"] = AUTO_VARIABLE
            written["target"] = [self._default_target(rule.targets[0])]
            return
        targets = [part for target in rule.targets for part in self._target(target)]
        dependent = rule.dependent
        calls = [self._call(call, targets) for call in dependent.calls] if dependent is not None else []
        if targets:
            written["target"] = targets
        if dependent is not None and (rules := self.rules(dependent.rules or (), names)):
            written["rule"] = rules
        if calls:
            written["dependent"] = calls

    # --- sources ------------------------------------------------------------------------------------------------------

    def _source(self, source: n.RuleSource) -> dict[str, Any]:
        written: dict[str, Any] = {}
        if source.message is not None:
            self._resource.report("FM040", source.message_span or source.span, "message")
            written["extension"] = [{"url": CHECK_EXTENSION, "valueString": source.message}]
        if source.default is not None:
            self._default(source.default, written)
        written["context"] = source.context
        if source.minimum is not None:
            written["min"] = source.minimum
            written["max"] = "*" if source.maximum in (-1, None) else str(source.maximum)
        if source.type is not None:
            written["type"] = source.type
        if source.search is not None:
            self._resource.report("FM041", source.span, "search", name=SEARCH_CONTEXT)
            written["element"] = text_of_expression(source.search)
        elif source.elements:
            written["element"] = source.elements[0]
        if source.list_mode is not None:
            written["listMode"] = source.list_mode
        if source.variable is not None:
            written["variable"] = source.variable
        for name, expression in (("condition", source.where), ("check", source.check), ("logMessage", source.log)):
            if expression is not None:
                written[name] = text_of_expression(expression)
        return written

    def _default(self, default: n.FHIRPath, written: dict[str, Any]) -> None:
        """R5 holds the expression, R4 a value: what is none goes in FHIR's own extension."""
        if self._resource.version == "R5":
            written["defaultValue"] = text_of_expression(default)
            return
        slot = literal_slot(default.expression, PARAMETER_SLOTS["R5"])
        if slot is not None:
            name, value = slot
            written[f"defaultV{name[1:]}"] = value
            return
        self._resource.report("FM040", default.span, "newer", what=f"default ({text_of_expression(default)})")
        held = {"url": DEFAULT_EXTENSION, "valueString": text_of_expression(default)}
        written.setdefault("extension", []).append(held)

    # --- targets ------------------------------------------------------------------------------------------------------

    def _default_target(self, target: n.RuleTarget) -> dict[str, Any]:
        if len(target.elements) > 1:
            self._resource.report("FM040", target.span, "path", what=".".join(target.elements))
        written = self._place(target.context, ".".join(target.elements))
        written["variable"] = AUTO_VARIABLE
        self._list_modes(target, written)
        return {**written, "transform": "create"}

    def _place(self, context: str | None, element: str | None = None) -> dict[str, Any]:
        place: dict[str, Any] = {}
        if context is not None:
            place["context"] = context
            if self._resource.version != "R5":
                place["contextType"] = "variable"
        if element is not None:
            place["element"] = element
        return place

    def _target(self, target: n.RuleTarget) -> Iterator[dict[str, Any]]:
        """The target as the resource has it: paths step by step, expressions among parameters before it."""
        context = target.context
        for name in target.elements[:-1]:
            variable = self._resource.fresh()
            yield {**self._place(context, name), "variable": variable}
            context = variable
        written = self._place(context, target.elements[-1] if target.elements else None)
        if target.variable is not None:
            written["variable"] = target.variable
        self._list_modes(target, written)
        if target.transform is not None:
            lifted: list[dict[str, Any]] = []
            self._transform(target.transform, written, lifted)
            yield from lifted
        yield written

    def _list_modes(self, target: n.RuleTarget, written: dict[str, Any]) -> None:
        single = {"collate": "single"} if self._resource.version == "R5" else {"single": "collate"}
        modes = [single.get(mode, mode) for mode in target.list_modes]
        if modes:
            written["listMode"] = list(dict.fromkeys(modes))
        if target.share is not None:
            written["listRuleId"] = target.share

    def _transform(self, call: n.TransformCall, written: dict[str, Any], lifted: list[dict[str, Any]]) -> None:
        arguments = call.arguments
        name = call.name
        if name == "copy" and len(arguments) == 1 and self._direct(arguments[0].expression) is None:
            name = "evaluate"  # a path, or a literal without a slot, is an expression like any other
        written["transform"] = name
        if name == "evaluate" and len(arguments) in (1, 2):
            focus = [self._parameter(arguments[0], lifted)] if len(arguments) == 2 else []
            parameters = [*focus, {"valueString": text_of_expression(arguments[-1])}]
        else:
            parameters = [self._parameter(entry, lifted) for entry in arguments]
        if parameters:
            written["parameter"] = parameters
        if name not in FHIR_TRANSFORMS:
            variant = "date" if name in DATE_TRANSFORMS else "function" if name in self._resource.functions else ""
            self._resource.report("FM042", call.name_span, variant, name=name)

    def _direct(self, expression: n.FPExpr) -> dict[str, Any] | None:
        """A variable or literal as a parameter; None for what has no slot."""
        if isinstance(expression, n.FPMember) and expression.focus is None:
            return {"valueId": expression.name}
        if isinstance(expression, n.FPVariable) and expression.name in self._resource.declared:
            return {"valueId": expression.name}
        slot = literal_slot(expression, self._slots)
        return dict([slot]) if slot is not None else None

    def _parameter(self, argument: n.FHIRPath, lifted: list[dict[str, Any]]) -> dict[str, Any]:
        direct = self._direct(argument.expression)
        return direct if direct is not None else {"valueId": self._lift(argument, lifted)}

    def _lift(self, argument: n.FHIRPath, lifted: list[dict[str, Any]]) -> str:
        """A variable computed before, for an expression that no parameter can hold."""
        variable = self._resource.fresh()
        parameters = [{"valueString": text_of_expression(argument)}]
        lifted.append({"variable": variable, "transform": "evaluate", "parameter": parameters})
        return variable

    def _call(self, call: n.GroupCall, targets: list[dict[str, Any]]) -> dict[str, Any]:
        if not call.arguments:
            self._resource.report("FM046", call.span, "argument", name=call.name)
            return {"name": call.name}
        if self._resource.version == "R5":
            return {"name": call.name, "parameter": [self._parameter(entry, targets) for entry in call.arguments]}
        variables = []
        for entry in call.arguments:
            expression = entry.expression
            literal = expression.operand if isinstance(expression, n.FPUnary) else expression
            direct = self._direct(expression) or {}
            if "valueId" in direct:
                variables.append(direct["valueId"])
            elif isinstance(literal, n.FPLiteral):
                variables.append(text_of_expression(entry))
            else:
                variables.append(self._lift(entry, targets))
        return {"name": call.name, "variable": variables}


def _batch_items(rule: n.Rule) -> list[n.Rule]:
    if not rule.batch:
        return [rule]
    source, target = rule.sources[0], rule.targets[0]
    return [
        replace(
            rule,
            sources=(replace(source, elements=(*source.elements, name)),),
            targets=(replace(target, elements=(*target.elements, name)),),
            name=f"{rule.name or BATCH_PREFIX}{name}",
            batch=(),
        )
        for name in rule.batch
    ]


def _is_default(rule: n.Rule) -> bool:
    """Is this `src.a -> tgt.b;`, which finds its group by type?"""
    if len(rule.sources) != 1 or len(rule.targets) != 1 or rule.dependent is not None:
        return False
    source, target = rule.sources[0], rule.targets[0]
    plain = target.transform is None and target.variable is None
    return bool(source.elements and source.variable is None and target.context and target.elements and plain)
