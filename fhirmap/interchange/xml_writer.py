"""FHIR JSON shape written as XML: FHIR resources and logical models, with name spaces, attributes, `xsi:type`, text.

A structure says how each element is written (`representation`): `xmlAttr` an attribute, `xmlText` the element's text,
`typeAttr` an element that names its type, `xhtml` and `cdaText` markup as it is. All else is an element; a primitive
keeps its value in `value`. A resource inside is an element of its own, in FHIR's name space.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from fhirmap.data import JsonValue
from fhirmap.errors import ConfigError
from fhirmap.fhir_types import ANY_RESOURCE
from fhirmap.interchange.xml_reader import FHIR_NAMESPACE, MIXED, XSI, split_tag
from fhirmap.model.definition import Definitions, Element, Structure, TypeRef
from fhirmap.xhtml import NarrativeError, xhtml_of

_MARKUP = frozenset(("xhtml", "cdaText"))
"""Representations of elements that hold markup: a text in JSON."""
_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def write_xml(node: Mapping[str, Any], definitions: Definitions, structure: Structure | None = None) -> str:
    """A resource, or an instance of a logical model, as an XML document; elements in the structure's order.

    Shape: ``structure`` may be left out where ``node`` names its ``resourceType``; a node of an unknown type becomes
    plain XML without name space, its root called ``resourceType`` or `root`.
    Raises: ``ConfigError`` FM351 for a narrative that is no XHTML.
    Spec: FHIR R4, xml.html; ElementDefinition.representation.
    """
    named = str(node.get("resourceType", ""))
    found = structure or (definitions.structure(named) if named else None)
    name = (found.xml_name or found.type) if found is not None else named or "root"
    namespace = (found.namespace or ("" if found.kind == "logical" else FHIR_NAMESPACE)) if found is not None else ""
    writer = XmlWriter(definitions, namespace)
    body = "".join(writer.element(name, node, found.root if found else None, None, 0))
    declared = f" xmlns={quoteattr(namespace)}" if namespace else ""
    for prefix, url in writer.prefixes.items():
        declared += f" xmlns:{prefix}={quoteattr(url)}"
    head, tail = f"<{name}", body[len(name) + 1 :]
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{declared}{tail}'


@dataclass(slots=True)
class _XmlChild:
    """One element of a node that holds something: its view, the JSON name and type it is under, values and siblings."""

    element: Element | None
    name: str
    ref: TypeRef | None
    values: list[Any]
    siblings: list[Any]


class XmlWriter:
    """Writes one document; gathers the prefixes it needs."""

    def __init__(self, definitions: Definitions, namespace: str) -> None:
        self.definitions = definitions
        self.namespace = namespace
        self.prefixes: dict[str, str] = {}

    def element(
        self, name: str, node: JsonValue, ref: TypeRef | None, view: Element | None, depth: int
    ) -> Iterator[str]:
        """The lines of one element that is no primitive."""
        if not isinstance(node, Mapping):
            yield from self._wrapped(name, "", [], escape(_text(node)), depth)
            return
        if ref is not None and (ref.name in ANY_RESOURCE or (view is not None and self._is_resource(ref))):
            yield from self._wrapped(name, "", list(self._resource(node, ref, depth + 1)), "", depth)
            return
        attributes, text = "", ""
        lines: list[str] = []
        inside: dict[str, list[str]] = {}
        named = str(node.get("resourceType", "")) if depth and view is not None else ""
        if named and (ref is None or named != ref.name):
            # What it was made as, where the element takes more than that.
            ref = self.definitions.type_ref(named) or ref
        if view is not None and ref is not None and ("typeAttr" in view.representation or named):
            self.prefixes["xsi"] = XSI
            attributes += f" xsi:type={quoteattr(self._type_name(node, ref))}"
        for child in self._children(node, ref):
            representation = child.element.representation if child.element else ()
            if "xmlAttr" in representation and child.values[0] is not None:
                attributes += f" {self._name(child)}={quoteattr(_text(child.values[0]))}"
            elif "xmlText" in representation or (child.element is None and child.name == "xmlText"):
                text += escape(_text(child.values[0]))
            else:
                written = [
                    list(self._one(child, value, sibling, depth + 1))
                    for value, sibling in zip(child.values, child.siblings, strict=True)
                    if value is not None or _says_something(sibling)
                ]
                lines += [line for entry in written for line in entry]
                inside[child.name] = ["".join(entry).strip() for entry in written]
        mixed = _mixed_content(node, text, inside)
        if mixed is not None:
            text, lines = mixed, []
        yield from self._wrapped(name, attributes, lines, text, depth)

    def _is_resource(self, ref: TypeRef) -> bool:
        structure = self.definitions.structure(ref.structure or ref.name)
        return structure is not None and structure.kind == "resource" and "." not in ref.name

    def _resource(self, node: Mapping[str, Any], ref: TypeRef, depth: int) -> Iterator[str]:
        """A resource inside a document; where that is no resource itself, with FHIR's name space."""
        kind = str(node.get("resourceType", "")) or ref.name
        inner = self.definitions.structure(kind) if kind not in ANY_RESOURCE else None
        writer, declared = self, ""
        if self.namespace != FHIR_NAMESPACE:
            writer = XmlWriter(self.definitions, FHIR_NAMESPACE)
            writer.prefixes = self.prefixes
            declared = f" xmlns={quoteattr(FHIR_NAMESPACE)}"
        opening = f"{'  ' * depth}<{kind}"
        for line in writer.element(kind, node, inner.root if inner else None, None, depth):
            yield opening + declared + line.removeprefix(opening) if line.startswith(opening) else line

    def _one(self, child: _XmlChild, value: JsonValue, sibling: JsonValue, depth: int) -> Iterator[str]:
        name = self._name(child)
        representation = child.element.representation if child.element is not None else ()
        if isinstance(value, str) and child.ref is not None and child.ref.name == "xhtml" and name == "div":
            yield f"{'  ' * depth}{_narrative(value)}\n"
        elif isinstance(value, str) and (_MARKUP.intersection(representation) or _is_xhtml(child.ref)):
            yield f"{'  ' * depth}{_markup(name, value)}\n"
        elif isinstance(value, Mapping):
            yield from self.element(name, value, child.ref, child.element, depth)
        elif child.element is None and self.namespace != FHIR_NAMESPACE:
            yield from self._wrapped(name, "", [], escape(_text(value)), depth)
        else:
            attributes = "" if value is None else f" value={quoteattr(_text(value))}"
            held = sibling if isinstance(sibling, Mapping) else {}
            if "id" in held:
                attributes = f" id={quoteattr(str(held['id']))}" + attributes
            extension = self.definitions.type_ref("Extension")
            lines = [
                line
                for entry in _as_list(held.get("extension"))
                for line in self.element("extension", entry, extension, None, depth + 1)
            ]
            yield from self._wrapped(name, attributes, lines, "", depth)

    def _wrapped(self, name: str, attributes: str, lines: list[str], text: str, depth: int) -> Iterator[str]:
        indent = "" if depth == 0 else "  " * depth
        if not lines and not text:
            yield f"{indent}<{name}{attributes}/>\n"
        elif not lines:
            yield f"{indent}<{name}{attributes}>{text}</{name}>\n"
        else:
            yield f"{indent}<{name}{attributes}>{text}\n"
            yield from lines
            yield f"{indent}</{name}>\n"

    def _children(self, node: Mapping[str, Any], ref: TypeRef | None) -> Iterator[_XmlChild]:
        """What a node holds, in the structure's order; what the structure does not know comes last."""
        views = self.definitions.children(ref) if ref is not None else {}
        names = {name: (view, kind) for view in views.values() for name, kind in view.json_names().items()}
        order = [*names, *(key for key in node if key not in names and key.removeprefix("_") not in names)]
        for name in order:
            if (name not in node and f"_{name}" not in node) or name in ("resourceType", MIXED):
                continue
            view, kind = names.get(name, (None, None))
            values, siblings = _as_list(node.get(name)), _as_list(node.get(f"_{name}"))
            length = max(len(values), len(siblings))
            if not length:
                continue
            values += [None] * (length - len(values))
            siblings += [None] * (length - len(siblings))
            if kind is None and view is not None and view.types:
                kind = view.types[0]
            yield _XmlChild(view, name, kind, values, siblings)

    def _name(self, child: _XmlChild) -> str:
        view = child.element
        # Where an attribute names the type, a choice goes by its one name.
        stem = view.name if view is not None and "typeAttr" in view.representation else child.name
        name = view.xml_name if view is not None and view.xml_name else stem
        if view is not None and view.namespace and view.namespace != self.namespace:
            prefix = view.namespace.rpartition(":")[2] if view.namespace.startswith("urn:") else "n"
            prefix = prefix if prefix.isidentifier() else f"n{len(self.prefixes)}"
            self.prefixes[prefix] = view.namespace
            return f"{prefix}:{name}"
        return name

    def _type_name(self, node: JsonValue, ref: TypeRef) -> str:
        named = node.get("resourceType") if isinstance(node, Mapping) else None
        structure = self.definitions.structure(ref.structure)
        return str(named or (structure.xml_name or structure.name if structure else ref.name))


def _narrative(text: str) -> str:
    try:
        return xhtml_of(text)
    except NarrativeError:
        raise ConfigError("FM351", variant="narrative") from None


def _is_xhtml(ref: TypeRef | None) -> bool:
    return ref is not None and ref.name == "xhtml"


def _markup(name: str, value: str) -> str:
    """Markup of an element: the element itself, what is in it, or plain text."""
    root = _root_name(value)
    if root == name:
        return value
    return f"<{name}>{value if root else escape(_text(value))}</{name}>"


def _mixed_content(node: Mapping[str, Any], said: str, inside: Mapping[str, list[str]]) -> str | None:
    """Text and children in the order in which they were read; None where a map has changed the text since."""
    pieces = node.get(MIXED)
    if not isinstance(pieces, list) or not all(isinstance(piece, str | Mapping) for piece in pieces):
        return None
    if said != escape(_text("".join(piece for piece in pieces if isinstance(piece, str)).strip())):
        return None
    left = {name: list(written) for name, written in inside.items()}
    content = ""
    for piece in pieces:
        if isinstance(piece, str):
            content += escape(_text(piece))
        elif piece.get("empty"):
            content += f"<{piece.get('element')}/>"
        elif left.get(str(piece.get("element"))):
            content += left[str(piece["element"])].pop(0)
    return content + "".join(entry for written in left.values() for entry in written)


def _says_something(sibling: JsonValue) -> bool:
    return isinstance(sibling, Mapping) and any(entry not in (None, [], {}) for entry in sibling.values())


def _as_list(value: JsonValue) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() and abs(value.adjusted()) < 20 else str(value)
    # XML has no place for most control characters, not even escaped.
    return _NO_XML.sub("\ufffd", str(value))


def _root_name(text: str) -> str:
    """Local name of the root element of a text; empty where it is not well-formed."""
    if not text.startswith("<") or text.startswith(("<?", "<!")):
        return ""
    try:
        return split_tag(ElementTree.fromstring(text).tag)[1]  # noqa: S314 - without a document type
    except (ElementTree.ParseError, ValueError):
        return ""
