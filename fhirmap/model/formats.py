"""FHIR XML read into FHIR JSON shape, driven by definitions: which child repeats, which is a choice, which type a
value has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

from fhirmap.model.definition import Definitions, Element, TypeRef

FHIR_NAMESPACE = "http://hl7.org/fhir"
_XHTML = "http://www.w3.org/1999/xhtml"
_RESOURCE_TYPES = frozenset(("Resource", "DomainResource"))
_INTEGERS = frozenset(("integer", "positiveInt", "unsignedInt", "integer64"))
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)


def fhir_xml_to_json(text: str | bytes, definitions: Definitions) -> dict[str, Any]:
    """The resource that FHIR XML writes, as FHIR JSON has it; decimals digit for digit.

    Elements that the definitions do not know are kept: as text or object, repeating if they stand twice.

    Raises: ``xml.etree.ElementTree.ParseError`` for text that is no XML.
    Spec: FHIR R4, xml.html and json.html.
    """
    return _resource(ElementTree.fromstring(text), definitions)


def _resource(node: ElementTree.Element, definitions: Definitions) -> dict[str, Any]:
    name = _local(node)
    structure = definitions.structure(name)
    held: dict[str, Any] = {"resourceType": name}
    _fill(held, node, structure.root if structure else None, definitions)
    return held


def _fill(held: dict[str, Any], node: ElementTree.Element, ref: TypeRef | None, definitions: Definitions) -> None:
    children: Mapping[str, Element] = definitions.children(ref) if ref else {}
    for attribute in ("id", "url"):
        if attribute in node.attrib:
            held[attribute] = node.attrib[attribute]
    for child in node:
        if not isinstance(child.tag, str):
            continue
        name = _local(child)
        found = definitions.element(ref, name) if ref else None
        element, chosen = found if found else (None, None)
        child_ref = chosen or (element.types[0] if element and element.types else None)
        repeats = element.is_repeating if element else _stands_twice(node, child)
        _put(held, name, child, child_ref, definitions, repeats=repeats)
    known = [key for key in children if key in held]
    for key in known:
        held[key] = held.pop(key)


def _put(
    held: dict[str, Any],
    name: str,
    child: ElementTree.Element,
    ref: TypeRef | None,
    definitions: Definitions,
    *,
    repeats: bool,
) -> None:
    value, sibling = _value(child, ref, definitions)
    if not repeats:
        if value is not None:
            held[name] = value
        if sibling:
            held[f"_{name}"] = sibling
        return
    values = held.setdefault(name, [])
    values.append(value)
    siblings = held.get(f"_{name}")
    if sibling or siblings is not None:
        siblings = held.setdefault(f"_{name}", [None] * (len(values) - 1))
        siblings.append(sibling or None)


def _value(node: ElementTree.Element, ref: TypeRef | None, definitions: Definitions) -> tuple[Any, dict[str, Any]]:
    """The value of an element, and the `_x` object beside a primitive."""
    if node.tag == f"{{{_XHTML}}}div":
        ElementTree.register_namespace("", _XHTML)
        copied = ElementTree.tostring(node, encoding="unicode").strip()
        return copied, {}
    if ref is not None and ref.name in _RESOURCE_TYPES:
        inner = next((child for child in node if isinstance(child.tag, str)), None)
        return (_resource(inner, definitions) if inner is not None else None), {}
    is_primitive = definitions.is_primitive(ref.name) if ref else "value" in node.attrib and not _has_others(node)
    if not is_primitive:
        held: dict[str, Any] = {}
        _fill(held, node, ref, definitions)
        return held or None, {}
    sibling: dict[str, Any] = {}
    _fill(sibling, node, ref, definitions)
    return _primitive(node.attrib.get("value"), ref.name if ref else "string"), sibling


def _primitive(text: str | None, type_name: str) -> Any:
    if text is None:
        return None
    if type_name == "boolean" and text in ("true", "false"):
        return text == "true"
    if type_name in _INTEGERS and _WHOLE.fullmatch(text):
        return int(text)
    if type_name == "decimal":
        try:
            return Decimal(text)
        except ArithmeticError:
            return text
    return text


def _has_others(node: ElementTree.Element) -> bool:
    return any(_local(child) != "extension" for child in node if isinstance(child.tag, str))


def _stands_twice(node: ElementTree.Element, child: ElementTree.Element) -> bool:
    return sum(entry.tag == child.tag for entry in node) > 1


def _local(node: ElementTree.Element) -> str:
    return node.tag.rpartition("}")[2]
