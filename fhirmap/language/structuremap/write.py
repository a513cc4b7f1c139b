"""The tree of a map → a StructureMap resource in the shape of R4, R4B or R5.

What the resource has no place for is put as its own means allow (a nested rule for a path, a computed variable for an
expression among parameters, an extension for a constant in R4), and told where others may not follow.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.language import nodes as n
from fhirmap.language.expression_text import expression_to_text
from fhirmap.language.format import format_map
from fhirmap.language.parser import parse
from fhirmap.language.structuremap.comments import Documentation
from fhirmap.language.structuremap.concept_maps import concept_map_resource
from fhirmap.language.structuremap.metadata import header_of
from fhirmap.language.structuremap.names import FreshNames, RuleNames, ids_for, map_id, renamed_map, rule_id
from fhirmap.language.structuremap.shapes import (
    AUTO_VARIABLE,
    BATCH_PREFIX,
    CONST_EXTENSION,
    DATE_TRANSFORMS,
    DEFAULT_EXTENSION,
    FHIR_TRANSFORMS,
    HEADER_ORDER,
    MODEL_EXTENSION,
    PARAMETER_SLOTS,
    SEARCH_CONTEXT,
    FhirVersion,
)
from fhirmap.language.visit import walk

_STRING = re.compile(r"[ \r\n\t\S]+\Z")
_WHOLE_TIME = re.compile(r"T\d\d:\d\d:\d\d(?:\.\d+)?\Z")
_WHOLE_DATE_TIME = re.compile(
    r"\d{4}(?:-\d\d(?:-\d\d)?)?T\Z|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)\Z"
)
_TYPE_MODES = {"types": "types", "type+": "type-and-types"}


@dataclass(frozen=True, slots=True)
class WrittenMap:
    """A StructureMap resource, and what it could not say as the text does.

    ``model_base`` is the beginning of the URLs by which it names the models of the map.
    """

    resource: dict[str, Any]
    diagnostics: tuple[Diagnostic, ...]
    model_base: str


def write_structure_map(
    tree: n.Map,
    version: FhirVersion,
    *,
    tables: Mapping[str, Sequence[n.ConceptMapCode]] | None = None,
    functions: Collection[str] = (),
) -> WrittenMap:
    """The StructureMap resource of a map that parsed without errors.

    ``tables``: the codes of concept maps that lie in CSV files, by the concept map's id. ``functions``: names that
    plug-ins give a meaning, which other engines lack.
    """
    return _Writer(tree, version, tables or {}, functions).map()


class _Writer:
    def __init__(
        self,
        tree: n.Map,
        version: FhirVersion,
        tables: Mapping[str, Sequence[n.ConceptMapCode]],
        functions: Collection[str],
    ) -> None:
        names, self._foreign = ids_for(tree)
        self._names = names
        self._tree = renamed_map(tree, names)
        self._version = version
        self._slots = PARAMETER_SLOTS["R5" if version == "R5" else "R4"]
        self._tables = tables
        self._functions = functions
        self._told: list[Diagnostic] = []
        self._documentation = Documentation(tree)
        self._fresh = FreshNames(self._tree)
        self._declared: set[str] = set()
        for node in walk(self._tree):
            if isinstance(node, n.Let | n.Parameter):
                self._declared.add(node.name)
            elif isinstance(node, n.RuleSource | n.RuleTarget) and node.variable is not None:
                self._declared.add(node.variable)

    def _tell(self, code: str, span: Span, variant: str = "", **args: object) -> None:
        self._told.append(Diagnostic(code, span, args, variant=variant))

    # --- header -------------------------------------------------------------------------------------------------------

    def map(self) -> WrittenMap:
        tree = self._tree
        for name, node in self._foreign:
            written = self._names.get(name)
            self._tell("FM041", node.span, "" if written else "kept", name=name, written=written)
        header, told = header_of(tree.metadata, self._version)
        self._told += told
        name = tree.name or (tree.url or "").rstrip("/").rpartition("/")[2] or "map"
        url = tree.url or f"urn:fhirmap:map:{map_id(name) or 'map'}"
        for element, value in (("url", tree.url), ("name", tree.name)):
            if not value:
                self._tell("FM046", self._start(), element, written=url if element == "url" else name)
        place, found, _ = url.rpartition("/StructureMap/")
        base = f"{place}/StructureDefinition/" if found else f"{url}#"
        resource = {"status": "draft", "id": map_id(name), **header, "url": url, "name": name}
        resource["contained"] = [self._concept_map(entry, resource["status"]) for entry in tree.concept_maps]
        resource["structure"] = [self._uses(entry) for entry in tree.uses]
        resource["structure"] += [self._model(entry, base) for entry in tree.models]
        resource["import"] = [entry.url for entry in tree.imports]
        self._constants(resource)
        resource["group"] = [self._group(entry) for entry in tree.groups]
        if not tree.groups:
            self._tell("FM046", self._start(), "group")
        self._unknown_functions()
        if left := self._documentation.left:
            self._tell("FM044", left[0].span, count=len(left))
        kept = {name: resource[name] for name in HEADER_ORDER if resource.get(name) not in (None, [])}
        kept.update({name: value for name, value in resource.items() if name not in HEADER_ORDER and value})
        return WrittenMap({"resourceType": "StructureMap", **kept}, tuple(self._told), base)

    def _start(self) -> Span:
        return Span(self._tree.span.text, 0, 0)

    def _concept_map(self, declaration: n.ConceptMapDeclaration, status: object) -> dict[str, Any]:
        original = next((old for old, new in self._names.items() if new == declaration.id), declaration.id)
        table = self._tables.get(original) if declaration.table is not None else None
        resource, told = concept_map_resource(declaration, table, status, self._version)
        self._told += told
        documentation = self._documentation.of(declaration)
        group = resource.pop("group", None)
        if documentation is not None:
            resource["description"] = documentation
        return {**resource, "group": group} if group else resource

    def _uses(self, uses: n.Uses) -> dict[str, Any]:
        structure = {"url": uses.url, "mode": uses.mode}
        if uses.alias is not None:
            structure["alias"] = uses.alias
        return self._documented(structure, uses)

    def _model(self, model: n.Model, base: str) -> dict[str, Any]:
        """A structure that carries the model's own text; its logical StructureDefinition goes beside."""
        self._tell("FM043", model.name_span, "store" if model.store is not None else "", name=model.name)
        entry = self._tree.groups[0].parameters if self._tree.groups else ()
        modes = {parameter.type: parameter.mode for parameter in reversed(entry)}
        structure = {
            "extension": [{"url": MODEL_EXTENSION, "valueString": _model_text(model)}],
            "url": base + model.name,
            "mode": modes.get(model.name, "queried"),
            "alias": model.name,
        }
        return self._documented(structure, model)

    def _documented(self, element: dict[str, Any], node: n.Uses | n.Model | n.Group | n.Rule) -> dict[str, Any]:
        documentation = self._documentation.of(node)
        if documentation is not None:
            element["documentation"] = documentation
        return element

    def _constants(self, resource: dict[str, Any]) -> None:
        lets = self._tree.lets
        if self._version == "R5":
            resource["const"] = [{"name": let.name, "value": _text(let.expression)} for let in lets]
            return
        for let in lets:
            self._tell("FM040", let.span, "newer", what=f"let {let.name}")
            parts = [
                {"url": "name", "valueId": let.name},
                {"url": "value", "valueString": _text(let.expression)},
            ]
            resource.setdefault("extension", []).append({"url": CONST_EXTENSION, "extension": parts})

    def _unknown_functions(self) -> None:
        """Functions of plug-ins in expressions; transforms are told where they are written."""
        told = set[str]()
        for node in walk(self._tree):
            if isinstance(node, n.FPCall) and node.name in self._functions and node.name not in told:
                told.add(node.name)
                self._tell("FM042", node.name_span, "expression", name=node.name)

    # --- groups and rules ---------------------------------------------------------------------------------------------

    def _group(self, group: n.Group) -> dict[str, Any]:
        written: dict[str, Any] = {"name": group.name}
        if group.extends is not None:
            written["extends"] = group.extends
        if group.type_mode is not None:
            written["typeMode"] = _TYPE_MODES[group.type_mode]
        elif self._version != "R5":
            written["typeMode"] = "none"
        self._documented(written, group)
        written["input"] = [
            {"name": entry.name, **({"type": entry.type} if entry.type is not None else {}), "mode": entry.mode}
            for entry in group.parameters
        ]
        if rules := self._rules(group.rules, RuleNames()):
            written["rule"] = rules
        return written

    def _rules(self, rules: Sequence[n.Rule], names: RuleNames) -> list[dict[str, Any]]:
        written: list[dict[str, Any]] = []
        for rule in rules:
            documentation = self._documentation.of(rule)
            for entry in _batch_items(rule):
                written.append(self._rule(entry, names, documentation))
                documentation = None
        return written

    def _rule(self, rule: n.Rule, names: RuleNames, documentation: str | None = None) -> dict[str, Any]:
        sources, inner = self._without_path(rule)
        first = sources[0]
        given = rule_id(rule.name) if rule.name else None
        if rule.name and given != rule.name:
            self._tell("FM041", rule.span, "rule", name=rule.name, written=given)
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
        """The sources up to the first step of the first path; the rest of the rule, to stand inside."""
        for rank, source in enumerate(rule.sources):
            if len(source.elements) > 1:
                variable = self._fresh()
                head = n.RuleSource(
                    source.context, source.elements[:1], source.span, source.context_span, variable=variable
                )
                tail = replace(source, context=variable, elements=source.elements[1:])
                rest = replace(rule, sources=(tail, *rule.sources[rank + 1 :]), name=None)
                return (*rule.sources[:rank], head), rest
        return rule.sources, None

    def _targets_and_dependents(self, rule: n.Rule, written: dict[str, Any], names: RuleNames) -> None:
        if _is_default(rule):
            written["source"][0]["variable"] = AUTO_VARIABLE
            written["target"] = [self._default_target(rule.targets[0])]
            return
        targets = [part for target in rule.targets for part in self._target(target)]
        dependent = rule.dependent
        calls = [self._call(call, targets) for call in dependent.calls] if dependent is not None else []
        if targets:
            written["target"] = targets
        if dependent is not None and (rules := self._rules(dependent.rules or (), names)):
            written["rule"] = rules
        if calls:
            written["dependent"] = calls

    # --- sources ------------------------------------------------------------------------------------------------------

    def _source(self, source: n.RuleSource) -> dict[str, Any]:
        written: dict[str, Any] = {}
        if source.default is not None:
            self._default(source.default, written)
        written["context"] = source.context
        if source.minimum is not None:
            written["min"] = source.minimum
            written["max"] = "*" if source.maximum in (-1, None) else str(source.maximum)
        if source.type is not None:
            written["type"] = source.type
        if source.search is not None:
            self._tell("FM041", source.span, "search", name=SEARCH_CONTEXT)
            written["element"] = _text(source.search)
        elif source.elements:
            written["element"] = source.elements[0]
        if source.list_mode is not None:
            written["listMode"] = source.list_mode
        if source.variable is not None:
            written["variable"] = source.variable
        for name, expression in (("condition", source.where), ("check", source.check), ("logMessage", source.log)):
            if expression is not None:
                written[name] = _text(expression)
        return written

    def _default(self, default: n.FHIRPath, written: dict[str, Any]) -> None:
        """R5 holds the expression, R4 a value: what is none goes in FHIR's own extension."""
        if self._version == "R5":
            written["defaultValue"] = _text(default)
            return
        slot = _slot(default.expression, PARAMETER_SLOTS["R5"])
        if slot is not None:
            name, value = slot
            written[f"defaultV{name[1:]}"] = value
            return
        self._tell("FM040", default.span, "newer", what=f"default ({_text(default)})")
        written["extension"] = [{"url": DEFAULT_EXTENSION, "valueString": _text(default)}]

    # --- targets ------------------------------------------------------------------------------------------------------

    def _default_target(self, target: n.RuleTarget) -> dict[str, Any]:
        if len(target.elements) > 1:
            self._tell("FM040", target.span, "path", what=".".join(target.elements))
        written = self._place(target.context, ".".join(target.elements))
        written["variable"] = AUTO_VARIABLE
        self._list_modes(target, written)
        return {**written, "transform": "create"}

    def _place(self, context: str | None, element: str | None = None) -> dict[str, Any]:
        place: dict[str, Any] = {}
        if context is not None:
            place["context"] = context
            if self._version != "R5":
                place["contextType"] = "variable"
        if element is not None:
            place["element"] = element
        return place

    def _target(self, target: n.RuleTarget) -> Iterator[dict[str, Any]]:
        """The target as the resource has it: paths step by step, expressions among parameters before it."""
        context = target.context
        for name in target.elements[:-1]:
            variable = self._fresh()
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
        single = {"collate": "single"} if self._version == "R5" else {"single": "collate"}
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
            parameters = [*focus, {"valueString": _text(arguments[-1])}]
        else:
            parameters = [self._parameter(entry, lifted) for entry in arguments]
        if parameters:
            written["parameter"] = parameters
        if name not in FHIR_TRANSFORMS:
            variant = "date" if name in DATE_TRANSFORMS else "function" if name in self._functions else ""
            self._tell("FM042", call.name_span, variant, name=name)

    def _direct(self, expression: n.FPExpr) -> dict[str, Any] | None:
        """A variable or literal as a parameter; None for what has no slot."""
        if isinstance(expression, n.FPMember) and expression.focus is None:
            return {"valueId": expression.name}
        if isinstance(expression, n.FPVariable) and expression.name in self._declared:
            return {"valueId": expression.name}
        slot = _slot(expression, self._slots)
        return dict([slot]) if slot is not None else None

    def _parameter(self, argument: n.FHIRPath, lifted: list[dict[str, Any]]) -> dict[str, Any]:
        direct = self._direct(argument.expression)
        return direct if direct is not None else {"valueId": self._lift(argument, lifted)}

    def _lift(self, argument: n.FHIRPath, lifted: list[dict[str, Any]]) -> str:
        """A variable computed before, for an expression that no parameter can hold."""
        variable = self._fresh()
        parameters = [{"valueString": _text(argument)}]
        lifted.append({"variable": variable, "transform": "evaluate", "parameter": parameters})
        return variable

    def _call(self, call: n.GroupCall, targets: list[dict[str, Any]]) -> dict[str, Any]:
        if not call.arguments:
            self._tell("FM046", call.span, "argument", name=call.name)
            return {"name": call.name}
        if self._version == "R5":
            return {"name": call.name, "parameter": [self._parameter(entry, targets) for entry in call.arguments]}
        variables = []
        for entry in call.arguments:
            expression = entry.expression
            literal = expression.operand if isinstance(expression, n.FPUnary) else expression
            direct = self._direct(expression) or {}
            if "valueId" in direct:
                variables.append(direct["valueId"])
            elif isinstance(literal, n.FPLiteral):
                variables.append(_text(entry))
            else:
                variables.append(self._lift(entry, targets))
        return {"name": call.name, "variable": variables}


def _text(expression: n.FHIRPath) -> str:
    return expression_to_text(expression.expression)


def _model_text(model: n.Model) -> str:
    """The model as its map has it, comments and all, in canonical form."""
    text = model.span.snippet
    if text:
        tree, told = parse(text)
        if not told and len(tree.models) == 1 and tree.models[0] == model:
            return format_map(tree, text).rstrip("\n")
    alone = n.Map((), None, (), (), (), (), (model,), (), model.span)
    return format_map(alone).rstrip("\n")


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


def _slot(expression: n.FPExpr, slots: Collection[str]) -> tuple[str, Any] | None:
    """The `value[x]` that holds a literal, and the value; None where none of ``slots`` can."""
    literal = expression.operand if isinstance(expression, n.FPUnary) else expression
    if not isinstance(literal, n.FPLiteral):
        return None
    value: Any = literal.value
    signed = isinstance(expression, n.FPUnary)
    if signed and (literal.kind not in ("integer", "decimal") or expression.operator != "-"):  # type: ignore[union-attr]
        return None
    found: tuple[str, Any] | None = None
    match literal.kind:
        case "string" if _STRING.match(value):
            found = "valueString", value
        case "boolean":
            found = "valueBoolean", value
        case "integer" if value < 2**31:
            found = "valueInteger", -value if signed else value
        case "decimal":
            found = "valueDecimal", value.copy_negate() if signed else value
        case "date":
            found = "valueDate", value
        case "time" if _WHOLE_TIME.match(value):
            found = "valueTime", value[1:]
        case "dateTime" if _WHOLE_DATE_TIME.match(value):
            found = "valueDateTime", value.removesuffix("T")
    return found if found is not None and found[0] in slots else None
