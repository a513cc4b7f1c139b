"""Metadata lines (`/// path = value`) ↔ the header of a StructureMap, by element path, with their JSON types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from fhirmap.data import JsonValue
from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.interchange.structure_map.shapes import FhirVersion, HeaderElement, header_element
from fhirmap.language import nodes as n

NOWHERE_PATH = ("structure", "group", "import", "const", "contained", "resourceType")
"""Elements of the resource that the map says in words of its own."""

_PART = re.compile(r"(?P<name>[A-Za-z_][\w-]*)(?:\[(?P<index>\d+)\])?\Z")
_FARTHEST = 1000


def header_of(metadata: Iterable[n.Metadata], version: FhirVersion) -> tuple[dict[str, Any], tuple[Diagnostic, ...]]:
    """The header elements that the lines fill, and what no element of this shape can hold (FM045)."""
    header: dict[str, Any] = {}
    diagnostics: list[Diagnostic] = []
    for entry in metadata:
        variant = _put(header, entry, version)
        if variant is not None:
            diagnostics.append(
                Diagnostic("FM045", entry.span, {"path": entry.path, "version": version}, variant=variant)
            )
    return _pruned(header), tuple(diagnostics)


def _put(header: dict[str, Any], entry: n.Metadata, version: FhirVersion) -> str | None:
    """Fills one element; what is in the way of it, as the variant of the diagnostic."""
    parts = [found for part in entry.path.split(".") if (found := _PART.match(part))]
    if parts[0]["name"] in NOWHERE_PATH:
        return ""
    owner, elements = "StructureMap", []
    for part in parts:
        element = header_element(owner, part["name"])
        if element is None or (part["index"] and int(part["index"]) > _FARTHEST):
            return ""
        if element.since_r5 and version != "R5":
            return "version"
        elements.append(element)
        owner = element.type
    if entry.value is not None and _is_complex(elements[-1]):
        return ""
    steps = [(part["name"], int(part["index"]) if part["index"] else None) for part in parts]
    if entry.value in (None, "") and not _is_complex(elements[-1]):
        return "empty"
    value = None if entry.value is None else _typed(entry.value, elements[-1])
    return None if _write(header, steps, elements, value) else "twice"


def _is_complex(element: HeaderElement) -> bool:
    return element.type[0].isupper()


def _write(
    header: dict[str, Any], steps: list[tuple[str, int | None]], elements: list[HeaderElement], value: object
) -> bool:
    """Sets the leaf that ``steps`` lead to, in the last item of each list; a leaf already there begins a new item.

    False where it took the place of another value, since there is no list on the way.
    """
    places: list[tuple[dict[str, Any], str, HeaderElement, int | None]] = []
    node = header
    for (name, index), element in zip(steps[:-1], elements[:-1], strict=True):
        places.append((node, name, element, index))
        node = _item(node, name, element, index, new=False)
    name, index = steps[-1]
    if value is None:
        if _is_complex(elements[-1]):
            _item(node, name, elements[-1], index, new=True)
        return True
    if elements[-1].repeats:
        held = node.setdefault(name, [])
        if index is not None and index < len(held):
            held[index] = value
        else:
            held.append(value)
        return True
    is_free = name not in node
    if not is_free:
        # Said twice: the innermost list on the way gets another item.
        for depth in range(len(places) - 1, -1, -1):
            owner, step, element, at = places[depth]
            if element.repeats and at is None:
                node = _item(owner, step, element, None, new=True)
                for (inner, inner_index), inner_element in zip(
                    steps[depth + 1 : -1], elements[depth + 1 : -1], strict=True
                ):
                    node = _item(node, inner, inner_element, inner_index, new=False)
                is_free = True
                break
    node[name] = value
    return is_free


def _item(node: dict[str, Any], name: str, element: HeaderElement, index: int | None, *, new: bool) -> dict[str, Any]:
    if not element.repeats:
        found: dict[str, Any] = node.setdefault(name, {})
        return found
    items: list[dict[str, Any]] = node.setdefault(name, [])
    wanted = index if index is not None else len(items) - (0 if new else 1)
    while len(items) <= max(0, wanted):
        items.append({})
    return items[max(0, wanted)]


def _typed(value: str | int | Decimal | bool, element: HeaderElement) -> object:
    """The value in the JSON type of its element; where it cannot be that, as text."""
    if element.type == "literal":
        return value
    text = _text(value)
    if element.type == "boolean":
        return {"true": True, "false": False}.get(text, value)
    if element.type == "integer":
        return int(text) if re.fullmatch(r"-?\d{1,10}", text) else value
    if element.type == "decimal":
        return Decimal(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else value
    return text


def _text(value: str | int | Decimal | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _pruned(value: JsonValue) -> JsonValue:
    """Without empty texts, objects and list items, which FHIR has not."""
    if isinstance(value, dict):
        kept = {name: _pruned(entry) for name, entry in value.items()}
        return {name: entry for name, entry in kept.items() if entry not in ({}, [], "", None)}
    if isinstance(value, list):
        return [entry for entry in map(_pruned, value) if entry not in ({}, [], "", None)]
    return value


# --- resource → lines -------------------------------------------------------------------------------------------------


def metadata_of(header: Mapping[str, Any], span: Span) -> tuple[list[n.Metadata], list[str]]:
    """The lines that fill ``header`` again, and the paths of what no line can say."""
    lost: list[str] = []
    lines = [n.Metadata(path, value, span, *flags) for path, value, flags in _lines(header, "StructureMap", "", lost)]
    return lines, lost


def _lines(
    node: Mapping[str, Any], owner: str, prefix: str, lost: list[str]
) -> Iterator[tuple[str, Any, tuple[bool, bool]]]:
    for name, value in node.items():
        if not prefix and name in NOWHERE_PATH:
            continue
        path = f"{prefix}{name}"
        element = header_element(owner, name)
        if element is None or isinstance(value, list) != element.repeats or not _PART.match(name):
            lost.append(path)
            continue
        for rank, item in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(item, Mapping) and _is_complex(element):
                if rank:
                    yield path, None, (False, False)
                yield from _lines(item, element.type, f"{path}.", lost)
            elif isinstance(item, str | int | Decimal | bool) and not _is_complex(element):
                yield path, item, (_is_markdown(item), False)
            elif isinstance(item, float):
                yield path, Decimal(repr(item)), (False, False)
            else:
                lost.append(path)


def _is_markdown(value: object) -> bool:
    """Text of several lines that a triple string can hold."""
    return isinstance(value, str) and "\n" in value and "\r" not in value and '"""' not in value and value[-1] != '"'
