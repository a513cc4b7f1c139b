"""Which items are equal to which, of two collections or of one, in steps that grow with their sizes and no faster.

Each item has a key that exactly the items that are equal to it (`operators.same`) have, too.

Spec: FHIRPath 2.0, 5.3 (subsetting), 5.4 (combining), 6.1 (equality).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from decimal import Decimal
from typing import Any

from fhirmap.data import FhirpathItem
from fhirmap.fhir_types import TEXTS
from fhirmap.runtime.fhirpath import quantity as quantities
from fhirmap.runtime.fhirpath import temporal
from fhirmap.runtime.fhirpath.item import FhirNode, Items, system
from fhirmap.runtime.fhirpath.quantity import Quantity
from fhirmap.runtime.fhirpath.temporal import Temporal

__all__ = ["Pool", "Seen", "distinct", "key_of", "union"]


def key_of(item: FhirpathItem) -> Hashable:
    """What all items that are equal to this one have in common, and no other; None where nothing is equal to it: a
    primitive that only has extensions.
    """
    value = system(item)
    held = value.value if isinstance(value, FhirNode) else value
    if isinstance(held, str):
        return ("text", held)
    if isinstance(held, dict):
        return ("object", _frozen(held))
    if isinstance(held, bool):
        return ("boolean", bool(held))
    if isinstance(held, int | Decimal):
        return ("number", Decimal(held))
    if isinstance(held, Temporal):
        return temporal.key_of(held)
    return quantities.key_of(held) if isinstance(held, Quantity) else None


class Pool:
    """The items of one collection: is an equal one of another item in it?"""

    __slots__ = ("_keys",)

    def __init__(self, collection: Iterable[FhirpathItem]) -> None:
        self._keys = {key_of(item) for item in collection} - {None}

    def __contains__(self, item: FhirpathItem) -> bool:
        return key_of(item) in self._keys


def distinct(collection: Items) -> Items:
    """Each item once, in the order of its first occurrence."""
    by_text: dict[str, FhirpathItem] = {}
    for item in collection:
        text = item.value if type(item) is FhirNode and item.type in TEXTS else item
        if type(text) is not str:
            seen = Seen()
            return [item for item in collection if seen.is_new(item)]
        if text not in by_text:
            by_text[text] = item
    return list(by_text.values())


class Seen:
    """Items that were met, each once by what it is equal to."""

    __slots__ = ("_keys", "_outlines")

    def __init__(self) -> None:
        self._keys: set[Any] = set()
        self._outlines: dict[Any, dict[str, Any] | None] = {}
        """What the texts of objects are -> the only object that was met with them; None once there was another."""

    def is_new(self, item: FhirpathItem) -> bool:
        """Was no equal item met? It is met now."""
        value = system(item)
        held = value.value if isinstance(value, FhirNode) else value
        if isinstance(held, dict):
            return self._is_new_object(held)
        key = key_of(item)
        return key is None or self._is_new_key(key)

    def _is_new_object(self, held: dict[str, Any]) -> bool:
        """Objects with other texts are not equal, whatever is below them: only alike ones are looked through."""
        outline = frozenset((name, entry if isinstance(entry, str) else None) for name, entry in held.items())
        if outline not in self._outlines:
            self._outlines[outline] = held
            return True
        first = self._outlines[outline]
        if first is not None:
            self._keys.add(_frozen(first))
            self._outlines[outline] = None
        return self._is_new_key(_frozen(held))

    def _is_new_key(self, key: FhirpathItem) -> bool:
        if key in self._keys:
            return False
        self._keys.add(key)
        return True


def union(left: Items, right: Items) -> Items:
    """`|`: all items of both, each once."""
    return distinct(left + right)


def _frozen(held: FhirpathItem) -> FhirpathItem:
    if isinstance(held, dict):
        return frozenset((name, _frozen(entry)) for name, entry in held.items())
    if isinstance(held, list):
        return tuple(_frozen(entry) for entry in held)
    return ("boolean", held) if isinstance(held, bool) else held
