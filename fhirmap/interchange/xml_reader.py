"""XML read into FHIR JSON shape, driven by definitions: FHIR resources, logical models (CDA), and unknown trees.

Which child repeats, which is a choice, which type a value has, and whether it is in an attribute, in the text or in
an element of its own is what the structure says (`representation`). What it does not know is kept: an attribute or a
child under its own name, a list where it occurs twice, text alone as a string.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from fhirmap.data import JsonValue
from fhirmap.fhir_types import ANY_RESOURCE, INTEGERS
from fhirmap.model.definition import Definitions, Element, Structure, TypeRef

FHIR_NAMESPACE = "http://hl7.org/fhir"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_XSI_TYPE = f"{{{XSI}}}type"
_XML = "http://www.w3.org/XML/1998/namespace"
_XHTML = "http://www.w3.org/1999/xhtml"
MIXED = "xmlMixed"
"""Where an element has text between its children: texts, and children by their names, in the order of the document."""
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)


def read_xml(text: str | bytes, definitions: Definitions) -> dict[str, Any]:
    """The document as FHIR JSON has it; decimals digit for digit.

    A root in FHIR's name space is a resource; another is found by name space and name among the logical models.

    Raises:
        ElementTree.ParseError: the text is no XML.
        DocumentTypeError: it has a document type declaration, which could define entities.
    Spec: FHIR R4, xml.html and json.html; ElementDefinition.representation.
    """
    _refuse_document_type(text)
    root = ElementTree.fromstring(text)  # noqa: S314 - without a document type there are no entities to expand
    namespace, name = split_tag(root.tag)
    reader = StructureXmlReader(definitions)
    structure = root_structure(namespace, name, definitions)
    if namespace == FHIR_NAMESPACE or (structure is not None and structure.kind == "resource"):
        return reader.resource(root)
    return reader.complex(root, structure.root if structure else None)


class DocumentTypeError(ValueError):
    """A document that declares a document type. ``line``, from 1, and ``column``, from 0, of the declaration."""

    def __init__(self, line: int, column: int) -> None:
        self.line = line
        self.column = column
        super().__init__(f"line {line}, column {column}")


def _refuse_document_type(text: str | bytes) -> None:
    """Stop at a document type declaration, before anything that it declares is read.

    No FHIR or CDA document has one; entities that it defines can name files and grow without bound.
    """
    parser = expat.ParserCreate()

    def found(*_: object) -> None:
        raise DocumentTypeError(parser.CurrentLineNumber, parser.CurrentColumnNumber)

    parser.StartDoctypeDeclHandler = found
    # What is no XML is reported by the reader proper, with its place.
    with suppress(expat.ExpatError):
        parser.Parse(text, True)


def root_structure(namespace: str, name: str, definitions: Definitions) -> Structure | None:
    """The structure whose documents have such a root."""
    if namespace != FHIR_NAMESPACE:
        for entry in definitions.structures():
            if entry.kind == "logical" and entry.namespace == namespace and name in (entry.xml_name, entry.type):
                return entry
    return definitions.structure(name) if namespace in (FHIR_NAMESPACE, "") else None


def split_tag(tag: str) -> tuple[str, str]:
    """Name space and local name."""
    namespace, _, name = tag.rpartition("}")
    return namespace.removeprefix("{"), name


class StructureXmlReader:
    """Reads one document."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions

    def resource(self, node: ElementTree.Element) -> dict[str, Any]:
        """A resource, called by its type."""
        name = split_tag(node.tag)[1]
        structure = self.definitions.structure(name)
        return {"resourceType": name, **self.complex(node, structure.root if structure else None)}

    def complex(
        self, node: ElementTree.Element, ref: TypeRef | None, declared: TypeRef | None = None
    ) -> dict[str, Any]:
        """Attributes, children and text of one element that is no primitive, in the structure's order."""
        views = self.definitions.children(ref) if ref is not None else {}
        held: dict[str, Any] = {}
        named = node.attrib.get(_XSI_TYPE, "").rpartition(":")[2]
        if named and (declared is None or named != declared.name):
            held["resourceType"] = named
        for tag, value in node.attrib.items():
            namespace, name = split_tag(tag)
            if namespace != XSI:
                key, type_name = _attribute(views, namespace, name)
                held[key] = primitive_of(value, type_name)
        pieces: list[JsonValue] = [node.text or ""]
        for child in node:
            if isinstance(child.tag, str):
                pieces.append(self._child(held, node, child, ref))
            pieces.append(child.tail or "")
        texts = [piece for piece in pieces if isinstance(piece, str)]
        text = "".join(texts).strip()
        if text:
            key, type_name = _text_slot(views)
            held[key] = primitive_of(text, type_name)
        order = [name for view in views.values() for stem in view.json_names() for name in (stem, f"_{stem}")]
        found = {name: held[name] for name in [*(name for name in order if name in held), *held]}
        if len(pieces) > len(texts) and any(tail.strip() for tail in texts[1:]):
            found[MIXED] = [piece for piece in pieces if piece != ""]
        return found

    def _child(
        self, held: dict[str, Any], parent: ElementTree.Element, child: ElementTree.Element, ref: TypeRef | None
    ) -> dict[str, JsonValue]:
        """Put a child where it belongs; the name it has in JSON, and whether it holds nothing."""
        view, chosen = self._view(child, ref)
        named = child.attrib.get(_XSI_TYPE, "").rpartition(":")[2]
        declared = view.types[0] if view is not None and len(view.types) == 1 and not view.is_choice else None
        found = chosen or (self.definitions.type_ref(named) if named else None) or declared
        name = view.name if view is not None and chosen is None else split_tag(child.tag)[1]
        if view is not None and view.is_choice and chosen is None and (named or view.types):
            name = view.json_name(named or view.types[0].name)
            found = found or view.types[0]
        if _is_markup(child, view, found):
            value: JsonValue = "".join(_xhtml(child, outermost=True))
            sibling: dict[str, Any] = {}
        else:
            value, sibling = self._value(child, found, declared or (found if chosen else None))
        repeats = view.is_repeating if view is not None else _occurs_twice(parent, child)
        _put(held, name, value, sibling, repeats=repeats or name in held)
        return {"element": name} if value is not None or sibling else {"element": name, "empty": True}

    def _view(self, child: ElementTree.Element, ref: TypeRef | None) -> tuple[Element | None, TypeRef | None]:
        """The element that a child is, and its type where the child's name says which of a choice it is."""
        if ref is None:
            return None, None
        namespace, name = split_tag(child.tag)
        for view in self.definitions.children(ref).values():
            if name == (view.xml_name or view.name) and (not view.namespace or view.namespace == namespace):
                return view, None
        return self.definitions.element(ref, name) or (None, None)

    def _value(
        self, node: ElementTree.Element, ref: TypeRef | None, declared: TypeRef | None
    ) -> tuple[Any, dict[str, Any]]:
        """The value of an element, and the `_x` object of a primitive."""
        if ref is not None and (ref.name in ANY_RESOURCE or self._holds_resource(node, ref)):
            inner = next((child for child in node if isinstance(child.tag, str)), None)
            return (self.resource(inner) if inner is not None else None), {}
        if ref is None:
            return self._unknown(node)
        if not self.definitions.is_primitive(ref.name):
            return self.complex(node, ref, declared) or None, {}
        sibling = self.complex(node, ref)
        value = node.attrib.get("value")
        sibling.pop("value", None)
        text = sibling.pop("xmlText", None)
        return primitive_of(text if value is None else value, ref.name), sibling

    def _holds_resource(self, node: ElementTree.Element, ref: TypeRef) -> bool:
        """Is it an element of a resource's type that holds the resource as an element of its own?"""
        inside = [split_tag(child.tag) for child in node if isinstance(child.tag, str)]
        return inside == [(FHIR_NAMESPACE, ref.name)]

    def _unknown(self, node: ElementTree.Element) -> tuple[Any, dict[str, Any]]:
        """An element of no known type: text alone, or FHIR's `value`, is a string, all else an object."""
        inside = [split_tag(child.tag)[1] for child in node if isinstance(child.tag, str)]
        if split_tag(node.tag)[0] == FHIR_NAMESPACE and "value" in node.attrib and not set(inside) - {"extension"}:
            sibling = self.complex(node, None)
            return sibling.pop("value"), sibling
        if not inside and not node.attrib:
            return (node.text or "").strip() or None, {}
        return self.complex(node, None) or None, {}


def _attribute(views: Mapping[str, Element], namespace: str, name: str) -> tuple[str, str]:
    """JSON name and type of an attribute; one without a name space is its element's own."""
    for view in views.values():
        if "xmlAttr" in view.representation and name == (view.xml_name or view.name) and view.namespace == namespace:
            kind = view.types[0].name if view.types else "string"
            return view.json_name(kind), kind
    return name, "string"


def _text_slot(views: Mapping[str, Element]) -> tuple[str, str]:
    slot = next((view for view in views.values() if "xmlText" in view.representation), None)
    if slot is None:
        return "xmlText", "string"
    kind = slot.types[0].name if slot.types else "string"
    return slot.json_name(kind), kind


def _is_markup(node: ElementTree.Element, view: Element | None, ref: TypeRef | None) -> bool:
    """Is it narrative, or another element whose content is markup, that JSON holds as a text?"""
    if node.tag == f"{{{_XHTML}}}div":
        return True
    held = (ref is not None and ref.name == "xhtml") or (
        view is not None and bool({"xhtml", "cdaText"}.intersection(view.representation))
    )
    return held and "value" not in node.attrib


def _put(held: dict[str, Any], name: str, value: JsonValue, sibling: dict[str, Any], *, repeats: bool) -> None:
    if not repeats:
        if value is not None:
            held[name] = value
        if sibling:
            held[f"_{name}"] = sibling
        return
    values = held.setdefault(name, [])
    if not isinstance(values, list):
        # It occurs twice, against what its structure says: nothing is lost.
        values = held[name] = [values]
    if value is None and not sibling:
        if not values:
            del held[name]
        return
    values.append(value)
    siblings = held.get(f"_{name}")
    if sibling or siblings is not None:
        siblings = siblings if isinstance(siblings, list) else [None] * (len(values) - 1)
        held[f"_{name}"] = [*siblings, sibling or None]


def primitive_of(text: str | None, type_name: str) -> JsonValue:
    """A value's text as JSON holds that type; text that says no such value stays as it is, for the map to check."""
    if text is None:
        return None
    if type_name == "boolean" and text in ("true", "false"):
        return text == "true"
    if type_name in INTEGERS and type_name != "integer64" and _WHOLE.fullmatch(text):
        return int(text)
    if type_name == "decimal":
        try:
            return Decimal(text)
        except InvalidOperation:
            return text
    return text


def _attribute_name(tag: str) -> str:
    namespace, name = split_tag(tag)
    return f"xml:{name}" if namespace == _XML else name


def _xhtml(node: ElementTree.Element, *, outermost: bool = False) -> Iterator[str]:
    """Narrative as it is, without prefixes."""
    name = split_tag(node.tag)[1]
    space = "" if not outermost else _XHTML if name == "div" else split_tag(node.tag)[0]
    declared = f" xmlns={quoteattr(space)}" if space else ""
    attributes = "".join(f" {_attribute_name(tag)}={quoteattr(value)}" for tag, value in node.attrib.items())
    children = [child for child in node if isinstance(child.tag, str)]
    if not children and not node.text:
        yield f"<{name}{declared}{attributes} />"
    else:
        yield f"<{name}{declared}{attributes}>{escape(node.text or '')}"
        for child in children:
            yield from _xhtml(child)
            yield escape(child.tail or "")
        yield f"</{name}>"


def _occurs_twice(parent: ElementTree.Element, child: ElementTree.Element) -> bool:
    return sum(entry.tag == child.tag for entry in parent) > 1
