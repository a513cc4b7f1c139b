"""A StructureMap resource → the text of the map, and its tree.

The resource is said as text first, and the text parsed: so a map that runs from its resource is the very map that
`fhirmap import` writes, and places in it can be shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from fhirmap.diagnostics import Diagnostic, MapText, Span
from fhirmap.language import node_text as t
from fhirmap.language import nodes as n
from fhirmap.language.expression_text import expression_to_text, quote
from fhirmap.language.format import format_map
from fhirmap.language.parser import parse, parse_expression
from fhirmap.language.structuremap.comments import comment_lines
from fhirmap.language.structuremap.concept_maps import concept_map_declaration
from fhirmap.language.structuremap.metadata import metadata_of
from fhirmap.language.structuremap.names import RuleNames, map_id
from fhirmap.language.structuremap.part import Part
from fhirmap.language.structuremap.shapes import (
    AUTO_VARIABLE,
    BATCH_PREFIX,
    CONST_EXTENSION,
    DEFAULT_EXTENSION,
    LIST_MODES,
    MODEL_EXTENSION,
    SEARCH_CONTEXT,
)

_NOWHERE = Span(MapText("", ""), 0, 0)
_INDENT = "  "
_HEADER = ("url", "name", "title", "status")
_OWN = ("structure", "import", "contained", "const", "group", "resourceType")
_TARGET_MODES = frozenset(("first", "last", "share", "collate", "single"))


def read_structure_map(resource: Mapping[str, Any], name: str) -> tuple[n.Map, tuple[Diagnostic, ...]]:
    """The map that a StructureMap resource says (R4, R4B, R5 or R6), and what is wrong or cannot be said in it.

    ``name``: what diagnostics call the resource. Places in the tree are places in the text that says it.
    """
    text, told = structure_map_to_text(resource, name)
    tree, found = parse(text, f"{name} (as text)")
    return tree, (*told, *found)


def structure_map_to_text(resource: Mapping[str, Any], name: str) -> tuple[str, tuple[Diagnostic, ...]]:
    """The canonical text of a StructureMap resource, and what is wrong or cannot be said in it."""
    reader = _Reader(name)
    text = reader.text(Part(resource, "", reader.told, name))
    tree, _ = parse(text, name)
    return format_map(tree, text), tuple(reader.told)


class _Reader:
    def __init__(self, name: str) -> None:
        self.told: list[Diagnostic] = []
        self._name = name
        self._lines: list[str] = []
        self._derived_id: str | None = None

    def text(self, resource: Part) -> str:
        if resource.take("resourceType") != "StructureMap":
            resource.wrong("resourceType", "type")
        self._header(resource)
        for rank, held in enumerate(resource.parts("contained")):
            if held.value.get("resourceType") != "ConceptMap":
                held.lost()
                continue
            declaration, description = concept_map_declaration(held, _NOWHERE)
            if not declaration.id:
                held.wrong("id", "missing")
                declaration = replace(declaration, id=f"concept-map-{rank + 1}")
            self._concept_map(declaration, description)
        models = [entry for part in resource.parts("structure") if (entry := self._structure(part))]
        for url in resource.texts("import"):
            self._lines.append(f"imports {t.url_to_text(url)}")
        self._constants(resource)
        self._lines += models
        groups = resource.parts("group")
        if not groups:
            resource.wrong("group", "missing")
        for group in groups:
            self._group(group)
        resource.report_unread()
        return "\n".join(self._lines) + "\n"

    # --- header -------------------------------------------------------------------------------------------------------

    def _header(self, resource: Part) -> None:
        value = dict(resource.value)
        extensions = value.get("extension")
        if isinstance(extensions, list):
            rest = [entry for entry in extensions if not _is_extension(entry, CONST_EXTENSION)]
            value = {**value, "extension": rest}
        if value.get("id") == map_id(value.get("name")):
            value.pop("id", None)
        header = {name: value[name] for name in dict.fromkeys((*_HEADER, *value)) if name in value}
        lines, lost = metadata_of({name: entry for name, entry in header.items() if name not in _OWN}, _NOWHERE)
        self._lines += [t.metadata_to_text(line) for line in lines]
        for path in lost:
            resource.lose(path)
        resource.ignore(*(name for name in value if name not in _OWN), "id")

    def _concept_map(self, declaration: n.ConceptMapDeclaration, description: str | None) -> None:
        self._comment(description, 0)
        self._lines.append(t.concept_map_head(declaration))
        for entries in (declaration.prefixes, declaration.unmapped, declaration.codes):
            self._lines += [_INDENT + t.concept_map_entry(entry) for entry in entries]
        self._lines.append("}")

    def _structure(self, structure: Part) -> str | None:
        """A `uses` line; for a model, its own text, to stand behind the header."""
        url, mode = structure.required("url"), structure.required("mode")
        alias, documentation = structure.text("alias"), structure.text("documentation")
        model = None
        for extension in structure.parts("extension"):
            if extension.take("url") == MODEL_EXTENSION:
                model = extension.text("valueString")
            else:
                extension.lost()
        if model is not None:
            return "\n".join((*(comment_lines(documentation) if documentation else ()), model))
        if mode not in ("source", "queried", "target", "produced"):
            if mode:
                structure.wrong("mode", "code")
            mode = "source"
        self._comment(documentation, 0)
        self._lines.append(t.uses_to_text(n.Uses(url, alias, mode, _NOWHERE, _NOWHERE)))  # type: ignore[arg-type]
        return None

    def _constants(self, resource: Part) -> None:
        found = [(part, part.required("name"), part.take("value"), "value") for part in resource.parts("const")]
        for extension in resource.parts("extension"):
            if extension.take("url") != CONST_EXTENSION:
                extension.ignore_all()  # a metadata line says it
                continue
            inner = {part.take("url"): part for part in extension.parts("extension")}
            if "name" in inner and "value" in inner:
                name, value = inner["name"].required("valueId"), inner["value"].take("valueString")
                found.append((inner["value"], name, value, "valueString"))
            else:
                extension.lost()
        for part, name, value, element in found:
            expression = self._fhirpath(part, element, value)
            self._lines.append(t.let_to_text(n.Let(name, expression, _NOWHERE)))

    # --- groups -------------------------------------------------------------------------------------------------------

    def _group(self, group: Part) -> None:
        name = group.required("name") or "group"
        mode = group.text("typeMode")
        if mode not in (None, "none", "types", "type-and-types"):
            group.wrong("typeMode", "code")
        parameters = tuple(self._input(entry) for entry in group.parts("input"))
        if not parameters:
            group.wrong("input", "missing")
            parameters = (n.Parameter("source", "src", None, _NOWHERE),)
        modes = {"types": "types", "type-and-types": "type+"}
        head = n.Group(name, parameters, group.text("extends"), modes.get(mode or ""), (), _NOWHERE, _NOWHERE)
        self._lines.append("")
        self._comment(group.text("documentation"), 0)
        self._lines.append(t.group_head(head))
        self._rules(group.parts("rule"), RuleNames(), 1)
        self._lines.append("}")

    def _input(self, part: Part) -> n.Parameter:
        mode = part.required("mode")
        if mode not in ("source", "target", ""):
            part.wrong("mode", "code")
        return n.Parameter(
            "target" if mode == "target" else "source", part.required("name") or "src", part.text("type"), _NOWHERE
        )

    def _rules(self, rules: list[Part], names: RuleNames, depth: int) -> None:
        at = 0
        while at < len(rules):
            batch = _batch_at(rules, at)
            if batch is not None:
                prefix, context, target, elements = batch
                for rank, element in enumerate(elements):
                    part = rules[at + rank]
                    names.name_of(element, None, f"{prefix}{element}")
                    self._comment(part.text("documentation"), depth)
                    part.ignore_all()
                sources = (n.RuleSource(context, (), _NOWHERE, _NOWHERE),)
                targets = (n.RuleTarget(target, (), _NOWHERE),)
                given = None if prefix == BATCH_PREFIX else prefix
                self._write(n.Rule(sources, targets, None, given, _NOWHERE, tuple(elements)), [], names, depth)
                at += len(elements)
                continue
            self._rule(rules[at], names, depth)
            at += 1

    def _rule(self, part: Part, names: RuleNames, depth: int) -> None:
        self._comment(part.text("documentation"), depth)
        given = part.text("name")
        parts, target_parts = part.parts("source"), part.parts("target")
        is_short = _is_short(part.value)
        sources = [self._source(entry) for entry in parts]
        if not sources:
            part.wrong("source", "missing")
            return
        element = sources[0].elements[0] if sources[0].elements else None
        name, generated = names.name_of(element, sources[0].type, given)
        targets = [entry for target in target_parts if (entry := self._target(target))]
        calls = tuple(self._call(entry) for entry in part.parts("dependent"))
        rules = part.parts("rule")
        dependent = n.Dependent(calls, () if rules else None, _NOWHERE) if calls or rules else None
        if is_short:
            path = tuple(targets[0].elements[0].split("."))
            sources = [replace(sources[0], variable=None)]
            targets = [replace(targets[0], variable=None, transform=None, elements=path)]
        elif dependent is None and len(sources) == len(targets) == 1:
            sources = [_not_short(sources[0], targets[0])]
        written = None if given is None or name == generated else given
        rule = n.Rule(tuple(sources), tuple(targets), dependent, written, _NOWHERE)
        self._write(rule, rules, names, depth)

    def _write(self, rule: n.Rule, inner: list[Part], names: RuleNames, depth: int) -> None:
        line = ", ".join(t.source_to_text(entry) for entry in rule.sources)
        if rule.batch:
            line += f" {t.batch_to_text(rule)}"
        elif rule.targets:
            line += f" -> {', '.join(t.target_to_text(entry) for entry in rule.targets)}"
        calls = rule.dependent.calls if rule.dependent is not None else ()
        if rule.dependent is not None:
            line += " then" + (f" {', '.join(t.group_call_to_text(call) for call in calls)}" if calls else "")
        indent, end = _INDENT * depth, f" {quote(rule.name, chr(34))};" if rule.name is not None else ";"
        if not inner:
            self._lines.append(f"{indent}{line}{end}")
            return
        self._lines.append(f"{indent}{line} {{")
        self._rules(inner, names, depth + 1)
        self._lines.append(f"{indent}}}{end}")

    def _comment(self, documentation: str | None, depth: int) -> None:
        if documentation:
            self._lines += [_INDENT * depth + line for line in comment_lines(documentation)]

    # --- sources ------------------------------------------------------------------------------------------------------

    def _source(self, part: Part) -> n.RuleSource:
        context, element = part.required("context") or "src", part.text("element")
        search = None
        if context == SEARCH_CONTEXT:
            search, element = self._fhirpath(part, "element", element), None
        minimum, maximum = part.number("min"), part.text("max")
        sized = minimum is not None or maximum is not None
        if maximum is not None and maximum != "*" and not maximum.isdigit():
            part.wrong("max", "number")
            maximum = "*"
        mode = part.text("listMode")
        if mode is not None and mode not in LIST_MODES:
            part.wrong("listMode", "code")
            mode = None
        return n.RuleSource(
            context,
            (element,) if element is not None else (),
            _NOWHERE,
            _NOWHERE,
            type=part.text("type"),
            minimum=(minimum or 0) if sized else None,
            maximum=None if not sized else -1 if maximum in (None, "*") else int(str(maximum)),
            default=self._default(part),
            list_mode=mode,
            variable=part.text("variable"),
            where=self._expression(part, "condition"),
            check=self._expression(part, "check"),
            log=self._expression(part, "logMessage"),
            search=search,
        )

    def _default(self, part: Part) -> n.FHIRPath | None:
        """R5 has an expression, R4 a value."""
        for extension in part.parts("extension"):
            if extension.take("url") == DEFAULT_EXTENSION:
                return self._fhirpath(extension, "valueString", extension.take("valueString"))
            extension.lost()
        if "defaultValue" in part.value:
            return self._expression(part, "defaultValue")
        name = next((name for name in part.value if name.startswith("defaultValue")), None)
        if name is None:
            return None
        value = part.take(name)
        literal = _literal(name.removeprefix("defaultValue"), value)
        if literal is None:
            part.lose(name)
            return None
        return _embedded(literal)

    # --- targets ------------------------------------------------------------------------------------------------------

    def _target(self, part: Part) -> n.RuleTarget | None:
        context, element, variable = part.text("context"), part.text("element"), part.text("variable")
        if part.text("contextType") == "type":
            part.lose("contextType")
        modes = tuple(part.texts("listMode"))
        if wrong := [mode for mode in modes if mode not in _TARGET_MODES]:
            part.wrong("listMode", "code", value=wrong[0])
        share = part.text("listRuleId")
        if ("share" in modes) != (share is not None):
            part.wrong("listRuleId", "share")
        kept = tuple("single" if mode == "collate" else mode for mode in modes if mode in _TARGET_MODES)
        kept = tuple(mode for mode in dict.fromkeys(kept) if mode != "share" or share is not None)
        transform = self._transform(part)
        if context is None and transform is None:
            part.lost()
            return None
        if context is None and element is not None:
            part.wrong("context", "missing")
            return None
        if context is None and transform is not None and transform.written in ("path", "literal"):
            transform = replace(transform, written="call")
        return n.RuleTarget(
            context,
            (element,) if element is not None else (),
            _NOWHERE,
            transform=transform,
            variable=variable,
            list_modes=kept,
            share=share if "share" in kept else None,
        )

    def _transform(self, part: Part) -> n.TransformCall | None:
        name, parameters = part.text("transform"), part.parts("parameter")
        if name is None:
            if parameters:
                part.wrong("transform", "missing")
            return None
        is_text = name == "evaluate" and len(parameters) in (1, 2)
        arguments = tuple(
            self._parameter(entry, is_expression=is_text and rank == len(parameters) - 1)
            for rank, entry in enumerate(parameters)
        )
        written: Any = "call"
        if name == "evaluate" and len(arguments) == 1:
            written = "expression"
        elif name == "copy" and len(arguments) == 1:
            is_name = isinstance(arguments[0].expression, n.FPMember)
            written = "path" if is_name else "literal"
            if is_name and "." in (dotted := arguments[0].expression.name):  # type: ignore[union-attr]
                arguments = (_embedded(_path(dotted.split("."))),)
        return n.TransformCall(name, arguments, written, _NOWHERE, _NOWHERE)

    def _parameter(self, part: Part, *, is_expression: bool = False) -> n.FHIRPath:
        names = [name for name in part.value if name.startswith("value")]
        if len(names) != 1:
            part.wrong("", "parameter")
            return _EMPTY
        kind, value = names[0].removeprefix("value"), part.take(names[0])
        if kind == "Id" and isinstance(value, str) and value:
            return _embedded(n.FPMember(None, value, _NOWHERE, _NOWHERE))
        if kind == "String" and is_expression:
            return self._fhirpath(part, names[0], value)
        literal = _literal(kind, value)
        if literal is None:
            part.wrong(names[0], "parameter")
            return _EMPTY
        return _embedded(literal)

    def _call(self, part: Part) -> n.GroupCall:
        """R5 has parameters, R4 the names of variables, among which the reference engine writes literals too."""
        arguments = [self._parameter(entry) for entry in part.parts("parameter")]
        for variable in part.texts("variable"):
            found, told = parse_expression(variable)
            literal = found.operand if isinstance(found, n.FPUnary) else found
            if told or not isinstance(literal, n.FPLiteral) or found is None:
                found = n.FPMember(None, variable, _NOWHERE, _NOWHERE)
            arguments.append(_embedded(found))
        return n.GroupCall(part.required("name") or "group", tuple(arguments), _NOWHERE, _NOWHERE)

    # --- expressions --------------------------------------------------------------------------------------------------

    def _expression(self, part: Part, name: str) -> n.FHIRPath | None:
        value = part.text(name)
        return self._fhirpath(part, name, value) if value is not None else None

    def _fhirpath(self, part: Part, name: str, value: object) -> n.FHIRPath:
        """An expression out of its text."""
        part.take(name)
        if not isinstance(value, str):
            part.wrong(name, "missing" if value is None else "text")
            return _EMPTY
        expression, told = parse_expression(value)
        errors = [entry for entry in told if entry.is_error]
        if expression is None or errors:
            part.wrong(name, "expression", why=errors[0].message if errors else "nothing is written")
            return _EMPTY
        return _embedded(expression)


def _embedded(expression: n.FPExpr) -> n.FHIRPath:
    return n.FHIRPath(expression, expression_to_text(expression), _NOWHERE)


def _path(names: Iterable[str]) -> n.FPExpr:
    node: n.FPExpr | None = None
    for name in names:
        node = n.FPMember(node, name, _NOWHERE, _NOWHERE)
    assert node is not None
    return node


_EMPTY = _embedded(n.FPLiteral("empty", None, _NOWHERE))
_TEXTS = frozenset(
    ("String", "Code", "Id", "Uri", "Url", "Canonical", "Oid", "Uuid", "Markdown", "Base64Binary"),
)
_DATES = frozenset(("Date", "DateTime", "Instant", "Time"))


def _literal(kind: str, value: object) -> n.FPExpr | None:
    """A primitive value of a resource as a literal; None for a complex one."""
    if isinstance(value, bool):
        return n.FPLiteral("boolean", value, _NOWHERE) if kind == "Boolean" else None
    if isinstance(value, int | float | Decimal):
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        whole = isinstance(value, int) and kind != "Decimal"
        literal = n.FPLiteral("integer" if whole else "decimal", int(abs(number)) if whole else abs(number), _NOWHERE)
        return n.FPUnary("-", literal, _NOWHERE) if number < 0 else literal
    if not isinstance(value, str):
        return None
    if kind in _DATES:
        stated = f"T{value}" if kind == "Time" else value if kind == "Date" or "T" in value else f"{value}T"
        found, told = parse_expression(f"@{stated}")
        if isinstance(found, n.FPLiteral) and not told:
            return found
        return None
    return n.FPLiteral("string", value, _NOWHERE) if kind in _TEXTS else None


def _is_extension(value: object, url: str) -> bool:
    return isinstance(value, Mapping) and value.get("url") == url


def _is_short(rule: Mapping[str, Any]) -> bool:
    """Is this the shape of `src.a -> tgt.b;`?"""
    sources, targets = rule.get("source"), rule.get("target")
    if not (isinstance(sources, list) and isinstance(targets, list) and len(sources) == len(targets) == 1):
        return False
    source, target = sources[0], targets[0]
    if not (isinstance(source, Mapping) and isinstance(target, Mapping)) or rule.get("rule") or rule.get("dependent"):
        return False
    both = source.get("variable") == target.get("variable") == AUTO_VARIABLE
    named = isinstance(source.get("element"), str) and isinstance(target.get("element"), str)
    plain = target.get("transform") == "create" and not target.get("parameter")
    return bool(both and named and plain and source.get("element") and target.get("element") and target.get("context"))


def _not_short(source: n.RuleSource, target: n.RuleTarget) -> n.RuleSource:
    """With a variable where the text would else be that of a default-mapped rule."""
    alike = source.elements and source.variable is None and target.context and target.elements
    if alike and target.transform is None and target.variable is None:
        return replace(source, variable=AUTO_VARIABLE)
    return source


def _batch_at(rules: list[Part], at: int) -> tuple[str, str, str, list[str]] | None:
    """The batch that begins at a rule: prefix of the names, both contexts, and the elements."""
    found = None
    elements: list[str] = []
    for rank in range(at, len(rules)):
        part = rules[rank]
        one = _batch_item(part.value)
        if one is None or (elements and "documentation" in part.value):
            break
        *key, element = one
        if found is not None and key != found:
            break
        found = key
        elements.append(element)
    if found is None or (len(elements) < 2 and found[0] != BATCH_PREFIX):
        return None
    prefix, context, target = found
    return prefix, context, target, elements


def _batch_item(rule: Mapping[str, Any]) -> tuple[str, str, str, str] | None:
    if not _is_short(rule) or rule.keys() - {"name", "source", "target", "documentation"}:
        return None
    source, target, name = rule["source"][0], rule["target"][0], rule.get("name")
    element = source["element"]
    if source.keys() != {"context", "element", "variable"} or target["element"] != element or "." in element:
        return None
    if target.keys() - {"context", "contextType", "element", "variable", "transform"}:
        return None
    if not isinstance(name, str) or not name.endswith(element) or len(name) == len(element):
        return None
    if target.get("contextType", "variable") != "variable":
        return None
    return name.removesuffix(element), source["context"], target["context"], element
