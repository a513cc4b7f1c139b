"""One element of all that is below items, `descendants().reference`, without an item for each node on the way.

Objects of one type that have the same members are gone through alike: what is to be looked at in them is found out
once, and kept with the table of types. Where anything else than JSON of the right shape is met (null, a type that is
not known, another shape), the items are gone through instead, and say what it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fhirmap.fhir_types import NUMBERS, PRIMITIVES
from fhirmap.runtime.fhirpath.item import ChildShape, FhirNode, Items, TypeTable, child, descendants, member

_MOST_KEPT = 1_000
"""More ways to be an object of one type are not kept."""
_RESOURCE = "resourceType"
_PARTS = "(primitive)"
"""In the place of a type: the object of a primitive's id and extensions."""
_TEXT: frozenset[type] = frozenset((str,))
_LIST: frozenset[type] = frozenset((list,))
_NULL: frozenset[type] = frozenset((type(None),))
_TYPES: Mapping[str, frozenset[type]] = {
    **dict.fromkeys(PRIMITIVES, _TEXT),
    "boolean": frozenset((bool,)),
    **dict.fromkeys(NUMBERS, frozenset((int, float, Decimal, str))),
}
"""Primitive -> the Python types that fit it (`item`)."""
_Other = tuple[str, frozenset[type], frozenset[type]]
"""A primitive that is no text, or repeats: its member, the Python types that fit, those of a list's entries."""
_Objects = tuple[str, bool, "_StepsByMembers"]
"""A member that holds objects, whether it is a list, what is known of these."""
_Steps = tuple[tuple[str, ...], tuple[_Other, ...], tuple[_Objects, ...], str, tuple[str, str]]
"""What is looked at in an object of a type that has certain members: those that are one text, other primitives, and
those that hold objects, in the order of the type; an element of a primitive that holds its id and extensions is one.
Then the object's type where it has the element that is asked for,
and the member and the type of that where it is one text.
"""
_UNKNOWN: _Steps = ((), (), (), "", ("", ""))
"""Of an object that was not met yet, or says itself what it is."""


class _StepsByMembers(dict[tuple[str, ...], _Steps | None]):
    """Objects of one type: their members -> what is looked at, None where only items can say it."""

    __slots__ = ("search", "type_name")

    def __init__(self, search: Search, type_name: str) -> None:
        super().__init__()
        self.search = search
        self.type_name = type_name

    def steps(self, members: tuple[str, ...]) -> _Steps | None:
        """What is looked at in objects with these members."""
        found = self.get(members, _UNKNOWN)
        if found is _UNKNOWN:
            if len(self) > _MOST_KEPT:
                self.clear()
            found = self[members] = self.search.steps(self.type_name, members)
        return found


class Search:
    """A search for the element ``name`` of objects whose types are in a table."""

    def __init__(self, table: TypeTable, name: str) -> None:
        self.table = table
        self.name = name
        self._kinds: dict[str, _StepsByMembers] = {}
        self._parts = _StepsByMembers(self, _PARTS)
        """Of the ids and extensions of primitives."""
        self._resources: dict[str, _StepsByMembers] = {}
        """Of objects that say themselves what they are."""

    def found(self, collection: Items) -> Items | None:
        """The items of the element below those of a collection; None where only the items on the way say it."""
        owners = self._owners(
            [item.value for item in collection], [self._kind(self._kinds, item.type) for item in collection]
        )
        if owners is None:
            return None
        found: Items = []
        for held, (_, _, _, owner, (key, type_name)) in owners:
            if key:
                found.append(FhirNode(held[key], type_name, self.table))
            elif owner == _PARTS:
                found.extend(child(FhirNode(None, owner, self.table, held), self.name))
            else:
                found.extend(child(FhirNode(held, owner, self.table), self.name))
        return found

    def _owners(self, level: list[Any], kinds: list[_StepsByMembers]) -> list[tuple[dict[str, Any], _Steps]] | None:
        """The objects below those of a level that have the element, level after level."""
        owners: list[tuple[dict[str, Any], _Steps]] = []
        is_below = False
        while level:
            objects: list[Any] = []
            kinds_below: list[_StepsByMembers] = []
            for held, kind in zip(level, kinds, strict=True):
                if type(held) is not dict:
                    return None
                members = tuple(held)
                steps = kind.get(members, _UNKNOWN)
                if steps is _UNKNOWN:
                    says_type = _RESOURCE in held and kind is not self._parts
                    own = self._kind(self._resources, str(held[_RESOURCE])) if says_type else kind
                    steps = own.steps(members)
                if steps is None:
                    return None
                texts, others, steps_below, owner, _ = steps
                for name in texts:
                    if type(held[name]) is not str:
                        return None
                if others and not _fit(held, others):
                    return None
                if steps_below:
                    for name, repeats, kind_below in steps_below:
                        if not repeats:
                            objects.append(held[name])
                            kinds_below.append(kind_below)
                        elif type(held[name]) is list:
                            for item in held[name]:
                                if item is not None:
                                    objects.append(item)
                                    kinds_below.append(kind_below)
                        else:
                            return None
                if owner and is_below:
                    owners.append((held, steps))
            level, kinds, is_below = objects, kinds_below, True
        return owners

    def _kind(self, kinds: dict[str, _StepsByMembers], type_name: str) -> _StepsByMembers:
        kind = kinds.get(type_name)
        if kind is None:
            kind = kinds[type_name] = _StepsByMembers(self, type_name)
        return kind

    def steps(self, type_name: str, members: tuple[str, ...]) -> _Steps | None:
        """What is looked at in an object of a type that has these members; None where only items can say it."""
        if type_name == _PARTS:
            return self._steps_of_parts(members)
        shapes = self.table.children.get(type_name)
        if shapes is None:
            return None
        texts: list[str] = []
        others: list[_Other] = []
        objects: list[_Objects] = []
        for shape in self.table.shapes_in(dict.fromkeys(members), type_name):
            held = [key for key in shape.keys if key.key in members or key.sibling in members]
            (name, sibling, type_), *more = held
            types = _TYPES.get(type_)
            if more or not type_ or (types is None and sibling in members):
                return None
            if types is None:
                objects.append((name, shape.repeats, self._kind(self._kinds, type_)))
            elif name in members and shape.repeats:
                others.append((name, _LIST, types | _NULL))
            elif name in members and types is _TEXT:
                texts.append(name)
            elif name in members:
                others.append((name, types, types))
            if types is not None and sibling in members:
                objects.append((sibling, shape.repeats, self._parts))
        wanted = shapes.get(self.name)
        owner = type_name if self._has_element(wanted, members) else ""
        is_text = wanted is not None and self.name in texts and wanted.keys[0].sibling not in members
        place = wanted.keys[0][::2] if wanted is not None and is_text else ("", "")
        return tuple(texts), tuple(others), tuple(objects), owner, place

    def _steps_of_parts(self, members: tuple[str, ...]) -> _Steps | None:
        """What is looked at in the id and the extensions of a primitive."""
        if not {"id", "extension"}.issuperset(members):
            return None
        texts = ("id",) if "id" in members else ()
        extensions: _Objects = ("extension", True, self._kind(self._kinds, "Extension"))
        objects = (extensions,) if "extension" in members else ()
        return texts, (), objects, _PARTS if self.name in members else "", ("", "")

    def _has_element(self, shape: ChildShape | None, members: tuple[str, ...]) -> bool:
        keys = [self.name, f"_{self.name}"] if shape is None else [name for key in shape.keys for name in key[:2]]
        return any(key in members for key in keys)


def member_below(collection: Items, name: str) -> Items:
    """Children called ``name`` of all that is below the items: `descendants().reference`."""
    search = _search(collection, name)
    found = None if search is None else search.found(collection)
    return member(descendants(collection), name) if found is None else found


def _search(collection: Items, name: str) -> Search | None:
    """A search below the items; None where these have no common table, and for what each primitive has."""
    if not collection or name == "value" or any(type(item) is not FhirNode for item in collection):
        return None
    table: TypeTable = collection[0].table
    if any(item.table is not table for item in collection):
        return None
    search = table.searches.get(name)
    if search is None:
        search = table.searches[name] = Search(table, name)
    return search


def _fit(held: dict[str, Any], others: tuple[_Other, ...]) -> bool:
    for name, types, entry_types in others:
        entry = held[name]
        if type(entry) not in types or (types is _LIST and not entry_types.issuperset(map(type, entry))):
            return False
    return True
