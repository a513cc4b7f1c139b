"""The rules of a StructureMap resource as nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from fhirmap.diagnostics import NO_SPAN
from fhirmap.interchange.structure_map.default_rules import Batch, batch_at, is_default_rule, with_variable
from fhirmap.interchange.structure_map.documentation import comment_lines
from fhirmap.interchange.structure_map.literals import (
    argument,
    embedded,
    expression_of,
    fhirpath,
    literal,
    path,
    variable_or_literal,
)
from fhirmap.interchange.structure_map.resource_names import ResourceRuleNames, rule_id
from fhirmap.interchange.structure_map.resource_part import ResourcePart
from fhirmap.interchange.structure_map.shapes import (
    BATCH_PREFIX,
    CHECK_EXTENSION,
    DEFAULT_EXTENSION,
    LIST_MODES,
    SEARCH_CONTEXT,
)
from fhirmap.language import nodes as n

__all__ = ["rules_of"]

_TARGET_MODES = frozenset(("first", "last", "share", "collate", "single"))


def rules_of(parts: Sequence[ResourcePart], names: ResourceRuleNames) -> tuple[n.Rule, ...]:
    """The rules of a group or of a rule. ``names``: those of the group's rules so far."""
    rules: list[n.Rule] = []
    at = 0
    while at < len(parts):
        batch = batch_at(parts, at)
        if batch is not None:
            rules.append(_batch_rule(batch, parts[at : at + len(batch.elements)], names))
            at += len(batch.elements)
            continue
        rule = _rule(parts[at], names)
        rules += [rule] if rule is not None else []
        at += 1
    return tuple(rules)


def _batch_rule(batch: Batch, parts: Sequence[ResourcePart], names: ResourceRuleNames) -> n.Rule:
    comments: list[str] = []
    for element, part in zip(batch.elements, parts, strict=True):
        names.name_of(element, None, f"{batch.prefix}{element}")
        comments += comment_lines(part.text("documentation"))
        part.ignore_all()
    sources = (n.RuleSource(batch.source, (), NO_SPAN, NO_SPAN),)
    targets = (n.RuleTarget(batch.target, (), NO_SPAN),)
    given = None if batch.prefix == BATCH_PREFIX else batch.prefix
    return n.Rule(sources, targets, None, given, NO_SPAN, batch.elements, documentation=tuple(comments))


def _rule(part: ResourcePart, names: ResourceRuleNames) -> n.Rule | None:
    documentation = comment_lines(part.text("documentation"))
    given = part.text("name")
    parts, target_parts = part.parts("source"), part.parts("target")
    sources = [_source(entry) for entry in parts]
    if not sources:
        part.wrong("source", "missing")
        return None
    element = sources[0].elements[0] if sources[0].elements else None
    name, generated = names.name_of(element, sources[0].type, given)
    targets = [entry for target in target_parts if (entry := _target(target))]
    calls = tuple(_call(entry) for entry in part.parts("dependent"))
    inner = part.parts("rule")
    if is_default_rule(part.value):
        sources = [replace(sources[0], variable=None)]
        steps = tuple(targets[0].elements[0].split("."))
        targets = [replace(targets[0], variable=None, transform=None, elements=steps)]
    elif not calls and not inner and len(sources) == len(targets) == 1:
        sources = [with_variable(sources[0], targets[0])]
    dependent = n.Dependent(calls, rules_of(inner, names) if inner else None, NO_SPAN) if calls or inner else None
    written = None if given is None or name == generated else given
    if not targets and dependent is None:
        written = _name_at_end(sources[-1], written, name)
    return n.Rule(tuple(sources), tuple(targets), dependent, written, NO_SPAN, documentation=documentation)


def _name_at_end(last: n.RuleSource, written: str | None, name: str) -> str | None:
    """The name of a rule that ends with its sources: after a `check`, a text of one word is read as the name, and any
    other as the message.
    """
    if last.check is None or last.log is not None:
        return written
    if last.message is not None:
        return written or (name if len(last.message.split()) == 1 else None)
    return rule_id(written) if written else None


# --- sources ----------------------------------------------------------------------------------------------------------


def _source(part: ResourcePart) -> n.RuleSource:
    context, element = part.required("context") or "src", part.text("element")
    search = None
    if context == SEARCH_CONTEXT:
        search, element = fhirpath(part, "element", element), None
    minimum, maximum = _cardinality(part)
    mode = part.text("listMode")
    if mode is not None and mode not in LIST_MODES:
        part.wrong("listMode", "code")
        mode = None
    message, extended = _extensions(part)
    check = expression_of(part, "check")
    return n.RuleSource(
        context,
        (element,) if element is not None else (),
        NO_SPAN,
        NO_SPAN,
        type=part.text("type"),
        minimum=minimum,
        maximum=maximum,
        default=extended or _default(part),
        list_mode=mode,
        variable=part.text("variable"),
        where=expression_of(part, "condition"),
        check=check,
        log=expression_of(part, "logMessage"),
        search=search,
        message=message,
    )


def _cardinality(part: ResourcePart) -> tuple[int | None, int | None]:
    """Smallest and greatest number, -1 for `*`; None twice where the source has none."""
    minimum, maximum = part.number("min"), part.text("max")
    if maximum is not None and maximum != "*" and not maximum.isdigit():
        part.wrong("max", "number")
        maximum = "*"
    if minimum is None and maximum is None:
        return None, None
    return minimum or 0, -1 if maximum in (None, "*") else int(str(maximum))


def _extensions(part: ResourcePart) -> tuple[str | None, n.FHIRPath | None]:
    """The message of a source's check, and a default that R4 has no element for."""
    message: str | None = None
    default: n.FHIRPath | None = None
    for extension in part.parts("extension"):
        url = extension.take("url")
        if url == CHECK_EXTENSION and "check" in part.value and (text := extension.text("valueString")):
            message = text
        elif url == DEFAULT_EXTENSION:
            default = fhirpath(extension, "valueString", extension.take("valueString"))
        else:
            extension.lost()
    return message, default


def _default(part: ResourcePart) -> n.FHIRPath | None:
    """R5 has an expression, R4 a value."""
    if "defaultValue" in part.value:
        return expression_of(part, "defaultValue")
    name = next((name for name in part.value if name.startswith("defaultValue")), None)
    if name is None:
        return None
    found = literal(name.removeprefix("defaultValue"), part.take(name))
    if found is None:
        part.lose(name)
        return None
    return embedded(found)


# --- targets ----------------------------------------------------------------------------------------------------------


def _target(part: ResourcePart) -> n.RuleTarget | None:
    context, element, variable = part.text("context"), part.text("element"), part.text("variable")
    if part.text("contextType") == "type":
        part.lose("contextType")
    modes, share = _list_modes(part)
    transform = _transform(part)
    if context is None and transform is None:
        part.lost()
        return None
    if context is None and element is not None:
        part.wrong("context", "missing")
        return None
    if context is None and transform is not None and transform.written in ("path", "literal"):
        transform = replace(transform, written="call")
    elements = (element,) if element is not None else ()
    return n.RuleTarget(
        context, elements, NO_SPAN, transform=transform, variable=variable, list_modes=modes, share=share
    )


def _list_modes(part: ResourcePart) -> tuple[tuple[str, ...], str | None]:
    """The modes as the language writes them, and the rule that a shared one names."""
    modes = part.texts("listMode")
    if wrong := [mode for mode in modes if mode not in _TARGET_MODES]:
        part.wrong("listMode", "code", value=wrong[0])
    share = part.text("listRuleId")
    if ("share" in modes) != (share is not None):
        part.wrong("listRuleId", "share")
    kept = ["single" if mode == "collate" else mode for mode in modes if mode in _TARGET_MODES]
    distinct = tuple(mode for mode in dict.fromkeys(kept) if mode != "share" or share is not None)
    return distinct, share if "share" in distinct else None


def _transform(part: ResourcePart) -> n.TransformCall | None:
    name, parameters = part.text("transform"), part.parts("parameter")
    if name is None:
        if parameters:
            part.wrong("transform", "missing")
        return None
    is_text = name == "evaluate" and len(parameters) in (1, 2)
    arguments = tuple(
        argument(entry, is_expression=is_text and rank == len(parameters) - 1) for rank, entry in enumerate(parameters)
    )
    if name == "copy" and len(arguments) == 1:
        return _copied(arguments[0])
    written: Literal["call", "expression"] = "expression" if name == "evaluate" and len(arguments) == 1 else "call"
    return n.TransformCall(name, arguments, written, NO_SPAN, NO_SPAN)


def _copied(value: n.FHIRPath) -> n.TransformCall:
    """A literal, or a variable, whose name the reference engine lets hold a path."""
    expression = value.expression
    if not isinstance(expression, n.FPMember):
        return n.TransformCall("copy", (value,), "literal", NO_SPAN, NO_SPAN)
    if "." in expression.name:
        value = embedded(path(expression.name.split(".")))
    return n.TransformCall("copy", (value,), "path", NO_SPAN, NO_SPAN)


def _call(part: ResourcePart) -> n.GroupCall:
    """R5 has parameters, R4 the names of variables."""
    arguments = [argument(entry) for entry in part.parts("parameter")]
    arguments += [variable_or_literal(text) for text in part.texts("variable")]
    return n.GroupCall(part.required("name") or "group", tuple(arguments), NO_SPAN, NO_SPAN)
