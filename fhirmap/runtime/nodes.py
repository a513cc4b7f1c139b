"""Writing where types are known at run time only: untyped targets, choices, primitives with their extensions, defaults.

A complex node is a dict. A primitive that rules write into piece by piece (`value`, `extension`, `id`) is a
`TargetSlot`: the place in its parent where the value and its `_name` sibling belong. An element of which no structure
says whether it repeats becomes a list when it is written a second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from fhirmap.data import JsonValue, MapValue
from fhirmap.errors import TransformFailed
from fhirmap.fhir_types import DATES, INTEGERS, NUMBERS, PRIMITIVES, TEXTS
from fhirmap.runtime.context import PlacedItem, RecordRun, Shares
from fhirmap.runtime.fhirpath.item import NO_TYPES, FhirNode, plain, type_name
from fhirmap.runtime.lists import copied, place, single, sole
from fhirmap.runtime.transforms.text import cast, shown

Choices = tuple[tuple[str, ...], bool]
"""Types that an element takes, and whether its JSON name ends in the type."""
_SYSTEM = {"Date": "date", "DateTime": "dateTime", "Time": "time", "Long": "integer64"}


class TargetSlot(FhirNode):
    """A primitive of the result that is filled piece by piece: an item with the value and the parts that it has by now.

    It is in its parent once it holds something; its place among several is kept from the start (``rank``; None for an
    element that takes one).
    """

    __slots__ = ("held", "key", "name", "node", "rank")

    def __init__(self, node: dict[str, Any], name: str, key: str, type_: str, rank: int | None = None) -> None:
        self.node = node
        self.name = name
        """Of the element: of a choice, what all its keys begin with."""
        self.key = key
        self.type = type_
        self.table = NO_TYPES
        self.rank = rank
        self.held: dict[str, Any] = {}
        """The value of one of several, by itself, where writes of it are looked after."""

    def fitted(self, value: MapValue) -> MapValue:
        """``value`` as the type of the primitive."""
        return _fitted(value, "", self.type) if self.type in PRIMITIVES else value

    def put(self, value: MapValue) -> None:
        """Set the value itself."""
        value = self.fitted(value)
        rank = self._rank_now()
        if rank is None:
            self.node[self.key] = value
        else:
            self.node[self.key][rank] = value

    @property
    def value(self) -> JsonValue:
        """The value that it has by now."""
        return self._at_its_rank(self.key)

    @property
    def sibling(self) -> JsonValue:
        """The id and the extensions that it has by now."""
        return self._at_its_rank(f"_{self.key}")

    def _at_its_rank(self, key: str) -> JsonValue:
        rank, found = self._rank_now(), self.node.get(key)
        if rank is None or not isinstance(found, list):
            return found
        return found[rank] if rank < len(found) else None

    def parts(self) -> dict[str, Any]:
        """The object that holds the value's id and extensions."""
        key, rank = f"_{self.key}", self._rank_now()
        if rank is None:
            found: dict[str, Any] = self.node.setdefault(key, {})
            return found
        held = _list_of(self.node, key)
        held += [None] * (rank + 1 - len(held))
        held[rank] = held[rank] or {}
        inner: dict[str, Any] = held[rank]
        return inner

    def _rank_now(self) -> int | None:
        """Its rank; the first one where an element of which no structure says that it repeats has become a list."""
        return 0 if self.rank is None and isinstance(self.node.get(self.key), list) else self.rank

    def claimed_rank(self) -> int:
        """Its rank in a list, which its element is from then on."""
        _list_of(self.node, self.key)
        return self._rank_now() or 0

    @property
    def is_one_of_several(self) -> bool:
        """Is it an item of a list?"""
        return self._rank_now() is not None

    def __len__(self) -> int:
        return int(self.key in self.node or f"_{self.key}" in self.node)


def slot(  # noqa: PLR0913 - generated code hands over each thing the compiler knew
    node: MapValue,
    name: str,
    choices: Choices,
    repeats: bool | None,
    shares: Shares | None = None,
    share: str | None = None,
) -> TargetSlot:
    """The place of a primitive child that rules will fill: a new one where it may be one of several, unless rules share
    it (``share``; empty: the last that is there)."""
    types, is_choice = choices
    type_ = types[0] if types else "string"
    parent, key = _complex(node), _key(name, type_, is_choice)
    if not repeats and (repeats is False or key not in parent):
        if repeats is None:
            parent[key] = None  # the next one makes it a list
        return TargetSlot(parent, name, key, type_)
    items = _list_of(parent, key)
    if share == "" and items:
        return TargetSlot(parent, name, key, type_, len(items) - 1)
    known = shares.get((id(items), share)) if shares is not None and share else None
    if known is not None:
        shared: TargetSlot = known[1]
        return shared
    items.append(None)
    found = TargetSlot(parent, name, key, type_, len(items) - 1)
    if shares is not None and share:
        shares[id(items), share] = (items, found)
    return found


def node_of(node: MapValue, name: str, value: MapValue, choices: Choices) -> MapValue:
    """What a variable of the element ``name`` means for rules that write to it: the node that was written, or the place
    of the primitive ``value``, the last of its list."""
    if value is None or isinstance(value, dict | TargetSlot):
        return value
    parent = _complex(node)
    types, is_choice = choices
    type_ = next((entry for entry in types if _key(name, entry, is_choice) in parent), types[0] if types else "string")
    key = _key(name, type_, is_choice)
    held = parent.get(key)
    return TargetSlot(parent, name, key, type_, len(held) - 1 if isinstance(held, list) else None)


def free_slot(type_: str) -> TargetSlot:
    """A primitive that has no place yet: `create('string')`."""
    return TargetSlot({}, "value", "value", type_)


def own(items: Sequence[Any], name: str) -> MapValue:
    """The value of a variable that is no element, for rules that write on through it: a copy of its own.

    Raises: ``TransformFailed`` FM416 for several values: the variable can mean one element.
    """
    held = sole([item for item in items if item is not None], name)
    if not held:
        return None
    value = plain(held[0])
    if isinstance(value, dict):
        return copied(value)
    made: dict[str, Any] = {}
    assign(made, "value", held, ((), False), False)
    slot_of = free_slot(given_type(held[0], value))
    slot_of.node.update(made)
    return slot_of


def assign(node: MapValue, name: str, items: Sequence[Any], choices: Choices, repeats: bool | None) -> MapValue:
    """Write ``items`` to the child ``name``, each under the JSON name that its type asks for; what was written last.

    Raises: ``TransformFailed`` FM407 for several values of an element that takes one, FM404 where one does not convert.
    """
    if isinstance(node, TargetSlot):
        return _assign_to_slot(node, name, items)
    held = [item for item in items if item is not None]
    if repeats is False and len(held) > 1:
        single(held)
    written = None
    for item in held:
        written = _assign_one(node, name, item, choices, repeats)
    return written


def assign_placed(  # noqa: PLR0913 - generated code hands over each thing the compiler knew
    run: RecordRun, node: MapValue, name: str, items: Sequence[Any], choices: Choices, mode: str, rule: str
) -> MapValue:
    """As `assign`, each value at the front or the end of its list (``mode`` first, last).

    Raises: ``TransformFailed`` FM409 where another rule claimed that end.
    """
    held: dict[str, Any] = {}
    written = assign(held, name, items, choices, True)
    parent = _complex(node)
    for key in (entry for entry in held if not entry.startswith("_")):
        there, siblings = _list_of(parent, key), held.get(f"_{key}", ())
        for rank, value in enumerate(held[key]):
            there.append(value)
            _in_step(parent, key, siblings[rank] if rank < len(siblings) else None)
            placed(run, parent, key, value, mode, rule)
    return written


def by_name(items: Sequence[Any], names: tuple[str, ...]) -> list[Any]:
    """``items`` with the elements called ``names`` alone: what a target of another type has a place for; those of which
    nothing is left are none."""
    values = [plain(item) for item in items]
    kept = (
        copied({key: entry for key, entry in value.items() if key.removeprefix("_") in names})
        for value in values
        if isinstance(value, dict)
    )
    return [entry for entry in kept if entry]


def placed(run: RecordRun, node: MapValue, key: str, value: MapValue, mode: str, rule: str) -> None:  # noqa: PLR0913 - generated code hands over each thing the compiler knew
    """Move ``value``, the last of the list ``key``, to the front, or for good to the end.

    An element of which no structure says that it repeats is a list from then on: a place in it was asked for.
    """
    parent = _complex(node)
    if isinstance(value, TargetSlot):
        key, rank = value.key, value.claimed_rank()
    else:
        rank = len(_list_of(parent, key)) - 1
    place(run, PlacedItem(parent, key, _list_of(parent, key), rank, value, mode), rule)


def _list_of(node: dict[str, Any], key: str) -> list[Any]:
    held = node.get(key)
    if not isinstance(held, list):
        held = node[key] = [] if held is None else [held]
    items: list[Any] = held
    return items


def _assign_to_slot(target: TargetSlot, name: str, items: Sequence[Any]) -> MapValue:
    for item in items:
        value = plain(item)
        if value is None or value == "":
            continue
        if name == "value":
            target.put(value)
        elif name == "extension":
            target.parts().setdefault("extension", []).append(copied(value))
        else:
            target.parts()[name] = value
    return target


def _assign_one(node: dict[str, Any], name: str, item: MapValue, choices: Choices, repeats: bool | None) -> MapValue:
    types, is_choice = choices
    value, sibling = plain(item), item.sibling if isinstance(item, FhirNode) else None
    given = given_type(item, value)
    chosen = given if given in types or not types else _nearest(given, types)
    if value == "":
        value = None  # FHIR has no empty text
    if value is not None:
        is_right = isinstance(item, FhirNode) and given == chosen and not _is_other_number(value, given)
        # Where no structure says what the element takes, any number is one.
        is_right = is_right or (not types and isinstance(value, int | Decimal))
        value = copied(value) if is_right else _fitted(value, given, chosen)
    sibling = copied(sibling) or None
    key = _key(name, chosen, is_choice)
    if value is None and sibling is None:
        return None
    if value is not None or repeats:
        _put(node, key, value, repeats)
    if isinstance(node.get(key), list):
        _in_step(node, key, sibling)
    elif sibling is not None:
        # Rules may have given the element parts of their own before.
        held = node.setdefault(f"_{key}", {})
        extensions = [*held.get("extension", ()), *sibling.get("extension", ())]
        held.update(sibling)
        if extensions:
            held["extension"] = extensions
    return value


def _in_step(node: dict[str, Any], key: str, sibling: dict[str, Any] | None) -> None:
    """Give the last value of the list ``key`` its ``sibling``: both lists stay in step, each sibling at the rank of its
    value."""
    if sibling is None and f"_{key}" not in node:
        return
    siblings = _list_of(node, f"_{key}")
    siblings += [None] * (len(node[key]) - len(siblings))
    siblings[-1] = sibling


def given_type(item: MapValue, value: MapValue) -> str:
    """Name of the type of ``item``, whose value is ``value``."""
    if isinstance(value, dict) and "resourceType" in value:
        return str(value["resourceType"])
    space, name = type_name(item)
    return name if space == "FHIR" else _SYSTEM.get(name, name[:1].lower() + name[1:])


def _nearest(given: str, types: tuple[str, ...]) -> str:
    for family in (TEXTS, NUMBERS, DATES):
        if given in family:
            found = [entry for entry in types if entry in family]
            if found:
                return found[0]
    return types[0]


def _fitted(value: MapValue, given: str, wanted: str) -> MapValue:
    """``value`` as type ``wanted``."""
    if isinstance(value, dict):
        held = copied(value)
        return {"coding": [held]} if given == "Coding" and wanted == "CodeableConcept" else held
    if wanted in PRIMITIVES:
        if isinstance(value, str) and wanted in TEXTS:
            return value
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and wanted == "decimal":
            return value
        found = cast(value, wanted)
        return shown(found) if wanted == "integer64" else found  # a number in expressions, a text in JSON
    if wanted == "Reference":
        return {"reference": value}
    if wanted == "CodeableConcept":
        return {"text": value}
    if wanted and given and wanted[:1].isupper():
        raise TransformFailed("FM404", given=given, wanted=wanted)
    return copied(value)  # a list, where a list of no type has lists


def _is_other_number(value: MapValue, type_: str) -> bool:
    """Is it no number of its type: a text, or a decimal where a whole number belongs?"""
    if type_ == "integer64":
        return not isinstance(value, str)
    return (isinstance(value, str) and type_ in NUMBERS) or (isinstance(value, Decimal) and type_ in INTEGERS)


def _key(name: str, type_: str, is_choice: bool) -> str:
    return f"{name}{type_[:1].upper()}{type_[1:]}" if is_choice else name


def _put(node: dict[str, Any], key: str, value: MapValue, repeats: bool | None) -> None:
    if repeats:
        node.setdefault(key, []).append(value)
    elif repeats is False or key not in node:
        node[key] = value
    elif isinstance(node[key], list):
        node[key].append(value)
    else:
        node[key] = [node[key], value]


def _complex(node: MapValue) -> dict[str, Any]:
    if isinstance(node, TargetSlot):
        return node.parts()
    held: dict[str, Any] = node
    return held


def child_node(  # noqa: PLR0913 - generated code hands over each thing the compiler knew
    node: MapValue,
    name: str,
    choices: Choices,
    repeats: bool | None,
    fresh: dict[str, Any],
    shares: Shares,
    share: str | None,
) -> MapValue:
    """A new complex child ``name`` of ``node``, or the one that is there already where the element takes one."""
    parent = _complex(node)
    types, is_choice = choices
    key = _key(name, types[0], is_choice) if is_choice and types else name
    if share is not None:
        known = shares.get((id(parent), f"{key} {share}"))
        if known is not None:
            child: MapValue = known[1]
            return child
        shares[id(parent), f"{key} {share}"] = (parent, fresh)
    elif repeats is False and isinstance(parent.get(key), dict):
        return parent[key]
    _put(parent, key, fresh, repeats)
    return fresh


def of_types(items: Sequence[Any], names: tuple[str, ...]) -> list[Any]:
    """Those of ``items`` whose type is one of ``names``; FHIRPath's own types match FHIR's primitives."""
    return [item for item in items if given_type(item, plain(item)) in names or type_name(item)[1] in names]
