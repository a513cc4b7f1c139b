"""Models of the list of objects that a JSON document holds, one for each kind of object below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from typing import Any

from fhirmap.data import JsonValue
from fhirmap.diagnostics import NO_SPAN
from fhirmap.errors import ConfigError
from fhirmap.inspection.guess import TEXT, Guess, codes_of, guess, identifies_person
from fhirmap.inspection.names import UniqueNames, camel_case, is_identifier_name, is_revision_name, pascal_case
from fhirmap.inspection.sketch import ElementSketch, ModelSketch, child_element, column_element, store_clause
from fhirmap.language.nodes import OrderKey
from fhirmap.source_plan import RowLayout, SourceKind, SourcePlan, path_name
from fhirmap.sources.address import Address
from fhirmap.sources.files.json_reader import JsonReader
from fhirmap.sources.files.source_files import FileSet
from fhirmap.sources.keys import cell_text
from fhirmap.sources.shown_names import NO_NAMES, member_names
from fhirmap.texts import Text

__all__ = ["json_models", "object_models", "singular", "value_type"]

_SAMPLE = 2000
_LARGEST_INTEGER = 2**31
_Objects = Sequence[Mapping[str, Any]]


def json_models(
    address: Address, path: str | None, name: str | None, zone: str, names: UniqueNames
) -> list[ModelSketch]:
    """The record's model, then those of the objects below it. ``path``: of the list, by default the first one.

    Raises: ConfigError FM70x (cannot be read), FM750 (no list of objects).
    """
    found = path if path is not None else _list_path(_file(address, "").document())
    entries = [entry for entry in islice(_file(address, found).entries(), _SAMPLE) if isinstance(entry, Mapping)]
    if not entries:
        raise ConfigError("FM750", source=address.shown, reason=Text("reasons.no_list"))
    there = member_names(entries)
    if there.hidden and not there.shown:
        raise ConfigError("FM750", source=address.shown, reason=Text("reasons.names_are_values"))
    key, latest = _key_of(entries)
    store = store_clause(
        "json",
        found,
        key=(path_name(key),) if key else (),
        latest=OrderKey(path_name(latest), False, NO_SPAN) if latest else None,
    )
    stem = (found or (address.path.stem if address.path else "Record")).rpartition(".")[2]
    model = ModelSketch(names.take(name or pascal_case(singular(stem))), store)
    if not key:
        model.remark = Text("inspection.no_key")
    return object_models(model, entries, key, names, zone)


def _file(address: Address, path: str) -> JsonReader:
    return JsonReader(FileSet(address).listing().files[0], SourcePlan(SourceKind.JSON, path, (), RowLayout("", ())))


def _list_path(document: JsonValue) -> str:
    """The first list of objects, breadth first; empty where the document itself is one."""
    if isinstance(document, list):
        return ""
    level: list[tuple[str, Any]] = [("", document)]
    while level:
        below: list[tuple[str, Any]] = []
        for here, entry in level:
            for name in member_names([entry]).shown if isinstance(entry, Mapping) else ():
                value = entry[name]
                inner = f"{here}.{name}" if here else str(name)
                if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
                    return inner
                below.append((inner, value))
        level = below
    return ""


def _key_of(entries: _Objects) -> tuple[str, str]:
    """The member that is the key, and that of the revision where the key occurs several times. None that identifies a
    person."""
    texts = {name: [cell_text(entry.get(name)) for entry in entries] for name in member_names(entries).shown}
    texts = {name: held for name, held in texts.items() if not identifies_person(name, held)}
    filled = [name for name, held in texts.items() if all(held)]
    named = [name for name in filled if is_identifier_name(name)]
    revision = next((name for name in filled if is_revision_name(name)), "")
    if named and revision and len(entries) > len(set(texts[named[0]])) > len(entries) // 2:
        return named[0], revision
    for name in [*named, *filled]:
        if len(set(texts[name])) == len(entries) and name != revision:
            return name, ""
    return (named or filled or [""])[0], ""


def object_models(model: ModelSketch, entries: _Objects, key: str, names: UniqueNames, zone: str) -> list[ModelSketch]:
    """``model`` with the members of ``entries`` as its elements, then the models of the objects among them."""
    element_names = UniqueNames()
    there = member_names(entries)
    model.hidden = there.hidden
    found = [model]
    for name in there.shown:
        held = [entry[name] for entry in entries if entry.get(name) is not None]
        items = [item for value in held for item in (value if isinstance(value, list) else [value])]
        many = any(isinstance(value, list) for value in held)
        element_name = element_names.take(camel_case(name))
        are_objects = bool(items) and all(isinstance(item, Mapping) for item in items)
        inner = member_names(items) if are_objects else NO_NAMES
        if inner.hidden and not inner.shown:
            unread = Text("inspection.values_as_names", {"count": inner.hidden})
            model.elements.append(ElementSketch(column_element(element_name, TEXT, name, zone), unread, True))
            continue
        if are_objects:
            below = ModelSketch(names.take(pascal_case(singular(name) if many else name)))
            model.add(replace(child_element(element_name, below.name, repeats=many), column=path_name(name)))
            found += object_models(below, items, "", names, zone)
            continue
        kind = TEXT if name == key else value_type(items)
        element = column_element(element_name, kind, path_name(name), zone, required=name == key)
        is_mixed = any(isinstance(item, Mapping | list) for item in items)
        remark = Text("inspection.mixed") if is_mixed else None
        codes = codes_of(cell_text(item) for item in items)
        model.elements.append(ElementSketch(replace(element, maximum=None if many else 1), remark, is_mixed, codes))
    return found


def value_type(items: Sequence[Any]) -> Guess:
    """FHIR type of a member's values."""
    if not items:
        return TEXT
    if all(isinstance(item, bool) for item in items):
        return Guess("boolean")
    if any(isinstance(item, bool) for item in items):
        return TEXT
    if all(isinstance(item, int) and abs(item) < _LARGEST_INTEGER for item in items):
        return Guess("integer")
    if all(isinstance(item, int | Decimal) for item in items):
        return Guess("decimal") if any(isinstance(item, Decimal) for item in items) else TEXT
    texts = [item for item in items if isinstance(item, str)]
    if len(texts) < len(items):
        return TEXT
    kind = guess(texts)
    # A JSON text that looks like a number was written as text for a reason.
    return TEXT if kind.type in ("integer", "decimal", "boolean") else kind


def singular(name: str) -> str:
    """A name of several things, as that of one."""
    return name[:-1] if len(name) > 3 and name.endswith("s") and not name.endswith("ss") else name
