"""FHIR JSON as a record has it, read without items: an object stays a dict, a primitive its bare value.

Each function takes the object that holds an element, and the element. Where the data has another shape than the type
says, the way over items is taken, which says so (`item.child`); null is absent, as it is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fhirmap.data import JsonValue
from fhirmap.runtime.fhirpath.item import FhirNode, TypeTable, child, root, type_of

_NO_TEXTS: list[str] = []


@dataclass(frozen=True, slots=True)
class RawElement:
    """An element of the objects of a type. ``keys``: what it may be under in JSON, extensions included."""

    type_name: str
    name: str
    table: TypeTable
    keys: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        shape = self.table.children.get(self.type_name, {}).get(self.name)
        own = (self.name, f"_{self.name}")
        found = own if shape is None else (entry for key in shape.keys for entry in key[:2])
        object.__setattr__(self, "keys", frozenset(found))


class RawLookup(NamedTuple):
    """The items of a list that are looked for by a text of theirs. ``texts``: all that rules look for."""

    element: RawElement
    key: RawElement
    texts: frozenset[str]


Lookups = dict[tuple[int, str], dict[str, list[dict[str, Any]]]]
"""Identity of a list, the element by which its items are looked for -> text -> the items that have it."""


def node(held: JsonValue, type_name: str, table: TypeTable) -> FhirNode:
    """An object of the record as an item."""
    return FhirNode(held, type_of(held, type_name), table)


def object_root(held: JsonValue, type_name: str, table: TypeTable, resource: str = "") -> dict[str, Any]:
    """The input of a map, once it is known to be an object of its type (`item.root`)."""
    value: dict[str, Any] = root(held, type_name, table, resource).value
    return value


def items_at(held: Mapping[str, Any], element: RawElement) -> list[Any]:
    """What is there as items, with their extensions and types."""
    if element.keys.isdisjoint(held):
        return []
    return child(node(held, element.type_name, element.table), element.name)


def text_at(held: Mapping[str, Any], element: RawElement) -> str | None:
    """A text, a code, a date: a primitive that does not repeat and is a text in JSON."""
    found = held.get(element.name)
    if found is not None and type(found) is not str:
        unlike(held, element)
    return found


def boolean_at(held: Mapping[str, Any], element: RawElement) -> bool | None:
    """A boolean that does not repeat."""
    found = held.get(element.name)
    if found is not None and type(found) is not bool:
        unlike(held, element)
    return found


def texts_at(held: Mapping[str, Any], element: RawElement) -> list[str]:
    """The values of a primitive that repeats and is a text in JSON, without those that have extensions alone."""
    found = held.get(element.name)
    if found is None:
        return []
    if type(found) is not list or any(type(entry) is not str for entry in found):
        unlike(held, element)
    return [entry for entry in found if entry is not None]


def object_at(held: Mapping[str, Any], element: RawElement) -> dict[str, Any] | None:
    """An element that is an object and does not repeat."""
    found = held.get(element.name)
    if found is not None and type(found) is not dict:
        unlike(held, element)
    return found


def object_of_choice(held: Mapping[str, Any], element: RawElement, key: str, wanted: str) -> dict[str, Any] | None:
    """A choice's value under ``key``, where it is an object and the only one; None where it is of another type."""
    found = held.get(key)
    if type(found) is dict and len(element.keys & held.keys()) == 1:
        return found
    items = items_at(held, element)
    return items[0].value if items and items[0].type == wanted and items[0].value is not None else None


def resource_at(held: Mapping[str, Any], element: RawElement, wanted: str) -> dict[str, Any] | None:
    """The resource of an element that holds any, where it is of the type ``wanted``; None where it is of another."""
    found = held.get(element.name)
    if found is not None and type(found) is not dict:
        unlike(held, element)
    return found if isinstance(found, dict) and found.get("resourceType") == wanted else None


def objects_at(held: Mapping[str, Any], element: RawElement) -> list[dict[str, Any]]:
    """The items of an element that repeats and is a list of objects."""
    found = held.get(element.name)
    if found is None:
        return []
    if type(found) is not list or any(type(entry) is not dict for entry in found):
        unlike(held, element)
        return [entry for entry in found if entry is not None]
    return found


def unlike(held: Mapping[str, Any], element: RawElement) -> bool:
    """Look closely at an element that is not quite of the JSON type that its own type has. False: nothing of it is
    there, or it will do.

    Raises: ``TransformFailed`` FM438 where it is of another shape than its type says.
    """
    items_at(held, element)
    return False


def look_down(held: Mapping[str, Any], elements: Sequence[RawElement]) -> None:
    """Look closely at an element, and at those below its objects: each of ``elements`` is of those of the one before.

    Raises: ``TransformFailed`` FM438 for the first that is of another shape than its type says.
    """
    element, *below = elements
    for item in items_at(held, element):
        if below and isinstance(item.value, dict):
            look_down(item.value, below)


def no_objects(held: Mapping[str, Any], element: RawElement) -> tuple[()]:
    """The items of an element that repeats and has none.

    Raises: ``TransformFailed`` FM438 where something is there that is no list.
    """
    found = held.get(element.name)
    if found is not None and type(found) is not list:
        unlike(held, element)
    return ()


def is_object(entry: JsonValue, held: Mapping[str, Any], element: RawElement) -> bool:
    """Is ``entry``, one of an element that repeats and is a list of objects, there?

    Raises: ``TransformFailed`` FM438 where the element is of another shape.
    """
    unlike(held, element)
    return isinstance(entry, dict)


def found(held: Mapping[str, Any], lookup: RawLookup, text: str, known: Lookups) -> Sequence[dict[str, Any]]:
    """The items of a list that have one text, in their order.

    ``known``: what was found out of lists before; the record holds these as long as it runs.
    """
    items = held.get(lookup.element.name)
    if not items:
        return no_objects(held, lookup.element)
    by_text = known.get((id(items), lookup.key.name))
    if by_text is None:
        by_text = known[id(items), lookup.key.name] = _by_text(held, items, lookup)
    return by_text.get(text, ())


def _by_text(held: Mapping[str, Any], items: JsonValue, lookup: RawLookup) -> dict[str, list[dict[str, Any]]]:
    name, texts = lookup.key.name, lookup.texts
    by_text: dict[str, list[dict[str, Any]]] = {}
    if type(items) is not list:
        unlike(held, lookup.element)
    for item in items:
        if type(item) is dict or is_object(item, held, lookup.element):
            text = item.get(name)
            if type(text) is not str:
                unlike(item, lookup.key)
            if text in texts:
                by_text.setdefault(text, []).append(item)
    return by_text


def only_object(held: Mapping[str, Any] | None, name: str) -> dict[str, Any] | None:
    """The object of an element that repeats, where there is that one alone; None for all that needs a closer look."""
    found = held.get(name) if held is not None else None
    if type(found) is list and len(found) == 1 and type(found[0]) is dict:
        return found[0]
    return None


def one_object(held: Mapping[str, Any] | None, name: str) -> dict[str, Any] | None:
    """The object of an element that does not repeat; None for all that needs a closer look."""
    found = held.get(name) if held is not None else None
    return found if type(found) is dict else None


def only_texts(held: Mapping[str, Any], name: str) -> list[str] | None:
    """The texts of an element that repeats, where none has extensions; None for all that needs a closer look."""
    found = held.get(name, _NO_TEXTS)
    if type(found) is list and f"_{name}" not in held and all(type(entry) is str and entry for entry in found):
        return found
    return None
