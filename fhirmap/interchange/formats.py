"""Documents as bytes: JSON and XML read into trees of FHIR JSON shape, and trees written.

The text itself shows its format, a byte order mark is skipped, decimals keep their digits. What cannot be read is
one fault with file, line and column.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from fhirmap.data import JsonValue
from fhirmap.diagnostics import Diagnostic, MapText, Span
from fhirmap.fhir_types import ANY_RESOURCE
from fhirmap.model.definition import Definitions, Structure, TypeRef
from fhirmap.texts import Text

Format = Literal["json", "xml"]


def read_document(content: bytes, name: str, definitions: Definitions) -> dict[str, Any] | Diagnostic:
    """The tree of a JSON or XML document, or what is wrong with its text (FM351, or FM350 for bytes that are no text).

    ``name``: what the document is called in a diagnostic.
    """
    found = read_value(content, name, definitions)
    if isinstance(found, dict | Diagnostic):
        return found
    return _at(MapText(name, ""), 0, Text("words.not_an_object"))


def read_value(content: bytes, name: str, definitions: Definitions) -> JsonValue:
    """As `read_document`, and JSON that is no object as the value it is."""
    try:
        text = _decoded(content)
    except UnicodeDecodeError as error:
        return Diagnostic(
            "FM350",
            None,
            {"file": name, "reason": Text("words.not_encoded", {"byte": error.start, "encoding": error.encoding})},
        )
    source = MapText(name, text)
    if text.lstrip().startswith("<"):
        return _xml(content, source, definitions)
    return _json(source)


def json_text(node: Mapping[str, Any]) -> str:
    """A tree as JSON text; a decimal keeps its digits."""
    return "".join(_written(node, "\n")) + "\n"


def text_of(
    node: Mapping[str, Any], wanted: Format, definitions: Definitions, structure: Structure | None = None
) -> str:
    """A tree in the format ``wanted``, its elements in the order of the structure."""
    if wanted == "xml":
        from fhirmap.interchange.xml_writer import write_xml

        return write_xml(node, definitions, structure)
    return json_text(in_order(node, definitions, structure.root if structure is not None else None))


def in_order(node: Mapping[str, Any], definitions: Definitions, ref: TypeRef | None) -> dict[str, Any]:
    """``node`` as JSON holds it: the elements of each object in the order its structure gives them, unknown ones last;
    an integer64 as a text."""
    return _ordered(node, definitions, ref, {})


_Kinds = dict[str, TypeRef | None]
"""JSON names of a type's elements in order, each with the type it has."""


def _ordered(
    node: Mapping[str, Any], definitions: Definitions, ref: TypeRef | None, known: dict[TypeRef | None, _Kinds]
) -> dict[str, Any]:
    named = node.get("resourceType")
    if isinstance(named, str) and (ref is None or ref.name in ANY_RESOURCE or named != ref.name):
        ref = definitions.type_ref(named) or ref
    kinds = known.get(ref)
    if kinds is None:
        kinds = known[ref] = _kinds(definitions, ref)
    names = [name for name in kinds if name in node]
    return {
        name: _value_ordered(node[name], definitions, kinds.get(name), known) for name in dict.fromkeys((*names, *node))
    }


def _value_ordered(
    value: JsonValue, definitions: Definitions, ref: TypeRef | None, known: dict[TypeRef | None, _Kinds]
) -> JsonValue:
    if isinstance(value, Mapping):
        return _ordered(value, definitions, ref, known)
    if isinstance(value, list):
        return [_value_ordered(entry, definitions, ref, known) for entry in value]
    if ref is not None and ref.name == "integer64" and isinstance(value, int):
        return str(value)  # FHIR R5, JSON: a number of 64 bits is a text.
    return value


def _kinds(definitions: Definitions, ref: TypeRef | None) -> _Kinds:
    element = definitions.type_ref("Element")
    kinds: _Kinds = {"resourceType": None}
    for view in definitions.children(ref).values() if ref is not None else ():
        for name, kind in view.json_names().items():
            kinds[name] = kind or (view.types[0] if view.types else None)
            kinds[f"_{name}"] = element
    return kinds


def _decoded(content: bytes) -> str:
    """Text of the bytes: UTF-8, or UTF-16 where a byte order mark says so."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    head = content[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"<?xml") and b"encoding" in head.partition(b"?>")[0]:
        # The document says what it is in; its own parser decodes it. Here the characters only serve to show a place.
        return content.decode("utf-8-sig", errors="replace")
    return content.decode("utf-8-sig")


def _xml(content: bytes, source: MapText, definitions: Definitions) -> dict[str, Any] | Diagnostic:
    # Here, not above: most runs read JSON alone, and the XML libraries are a good part of a cold start.
    from xml.etree import ElementTree
    from xml.parsers.expat import errors

    from fhirmap.interchange.xml_reader import DocumentTypeError, read_xml

    try:
        return read_xml(content, definitions)
    except ElementTree.ParseError as error:
        line, column = error.position
        offset = source.line_start(line) + column if 0 < line <= source.line_count else 0
        if error.code == errors.codes[errors.XML_ERROR_TAG_MISMATCH]:
            return _at(source, offset, Text("reasons.other_tag"))
        return _broken(source, offset)
    except DocumentTypeError as error:
        offset = source.line_start(error.line) + error.column if error.line <= source.line_count else 0
        return _at(source, offset, Text("reasons.document_type"))
    except (LookupError, ValueError):
        return _at(source, 0, Text("words.unknown_encoding"))
    except RecursionError:
        return _at(source, 0, Text("words.nested_too_deep"))


def _json(source: MapText) -> JsonValue:
    def no_number(text: str) -> None:
        raise LookupError(text)

    try:
        return json.loads(source.text, parse_float=Decimal, parse_constant=no_number)
    except json.JSONDecodeError as error:
        return _broken(source, error.pos)
    except RecursionError:
        return _at(source, 0, Text("words.nested_too_deep"))
    except LookupError:
        return _at(source, 0, Text("words.not_a_number"))
    except (ValueError, InvalidOperation):  # thousands of digits, or an exponent beyond what decimals hold
        return _at(source, 0, Text("words.number_too_large"))


def _broken(source: MapText, offset: int) -> Diagnostic:
    """A text that does not go on as it must. Not in the parsers' words, which are English in every language."""
    ends = not source.text[max(0, offset) :].strip()
    return _at(source, offset, Text("reasons.ends_early" if ends else "reasons.out_of_place"))


def _at(source: MapText, offset: int, reason: Text) -> Diagnostic:
    offset = max(0, min(offset, len(source.text)))
    span = Span(source, offset, min(offset + 1, len(source.text)))
    return Diagnostic("FM351", span, {"file": source.name, "reason": reason})


def _written(value: JsonValue, line: str) -> list[str]:
    """Pieces of JSON text; the standard library's encoder has no decimals."""
    if isinstance(value, Mapping | list | tuple) and not value:
        return ["{}" if isinstance(value, Mapping) else "[]"]
    if isinstance(value, Mapping):
        pieces = ["{"]
        for rank, (name, entry) in enumerate(value.items()):
            pieces += [",", line] if rank else [line]
            pieces += ["  ", json.dumps(name, ensure_ascii=False), ": ", *_written(entry, line + "  ")]
        return [*pieces, line, "}"]
    if isinstance(value, list | tuple):
        pieces = ["["]
        for rank, entry in enumerate(value):
            pieces += [",", line] if rank else [line]
            pieces += ["  ", *_written(entry, line + "  ")]
        return [*pieces, line, "]"]
    if isinstance(value, Decimal):
        return [format(value, "f") if abs(value.adjusted()) < 30 else str(value)]
    return [json.dumps(value, ensure_ascii=False)]
