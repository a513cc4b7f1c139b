"""Writing where types are known at run time only: untyped targets, choices, primitives with their extensions, defaults.

A complex node is a dict. A primitive that rules write into piece by piece (`value`, `extension`, `id`) is a
`TargetSlot`: the place in its parent where the value and its `_name` sibling belong. An element of which no structure
says whether it repeats becomes a list when it is written a second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from fhirmap.data import MapValue
from fhirmap.errors import TransformFailed
from fhirmap.fhir_types import DATES, INTEGERS, NUMBERS, PRIMITIVES, TEXTS
from fhirmap.runtime.context import RecordRun, Shares
from fhirmap.runtime.fhirpath.item import FhirNode, plain, type_name
from fhirmap.runtime.lists import copied, place_first, place_last, single
from fhirmap.runtime.transforms.text import cast, shown

Choices = tuple[tuple[str, ...], bool]
"""Types that an element takes, and whether its JSON name ends in the type."""
_SYSTEM = {"Date": "date", "DateTime": "dateTime", "Time": "time", "Long": "integer64"}


class TargetSlot:
    """A primitive of the result that is filled piece by piece. It is in its parent once it holds something."""

    __slots__ = ("held", "key", "name", "node", "rank", "repeats", "type")

    def __init__(self, node: dict[str, Any], name: str, key: str, type_: str, repeats: bool = False) -> None:
        self.node = node
        self.name = name
        """Of the element: of a choice, what all its keys begin with."""
        self.key = key
        self.type = type_
        self.repeats = repeats
        self.rank = len(node.get(key, ())) if repeats else 0
        self.held: dict[str, Any] = {}
        """The value of one of several, by itself, where writes of it are looked after."""

    def fitted(self, value: MapValue) -> MapValue:
        """``value`` as the type of the primitive."""
        return _fitted(value, "", self.type) if self.type in PRIMITIVES else value

    def put(self, value: MapValue) -> None:
        """Set the value itself."""
        value = self.fitted(value)
        if self.repeats:
            _at_rank(self.node, self.key, self.rank, value)
        else:
            self.node[self.key] = value

    def sibling(self) -> dict[str, Any]:
        """The object that holds the value's id and extensions."""
        key = f"_{self.key}"
        if not self.repeats:
            found: dict[str, Any] = self.node.setdefault(key, {})
            return found
        _at_rank(self.node, self.key, self.rank, None, keep=True)
        held = self.node.setdefault(key, [])
        held += [None] * (self.rank + 1 - len(held))
        held[self.rank] = held[self.rank] or {}
        inner: dict[str, Any] = held[self.rank]
        return inner

    def __len__(self) -> int:
        return int(self.key in self.node or f"_{self.key}" in self.node)


def _at_rank(node: dict[str, Any], key: str, rank: int, value: MapValue, *, keep: bool = False) -> None:
    held = node.setdefault(key, [])
    held += [None] * (rank + 1 - len(held))
    if not keep or held[rank] is None:
        held[rank] = value


def slot(node: MapValue, name: str, choices: Choices, repeats: bool | None) -> TargetSlot:
    """The place of a primitive child that rules will fill."""
    types, is_choice = choices
    type_ = types[0] if types else "string"
    return TargetSlot(_complex(node), name, _key(name, type_, is_choice), type_, bool(repeats))


def node_of(node: MapValue, name: str, value: MapValue, choices: Choices, repeats: bool | None) -> MapValue:
    """What a variable of the element ``name`` means for rules that write to it: the node that was written, or the place
    of the primitive ``value``, the last of its list."""
    if value is None or isinstance(value, dict | TargetSlot):
        return value
    parent = _complex(node)
    types, is_choice = choices
    type_ = next((entry for entry in types if _key(name, entry, is_choice) in parent), types[0] if types else "string")
    found = TargetSlot(parent, name, _key(name, type_, is_choice), type_, bool(repeats))
    found.rank -= int(found.repeats)
    return found


def free_slot(type_: str) -> TargetSlot:
    """A primitive that has no place yet: `create('string')`."""
    return TargetSlot({}, "value", "value", type_)


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
    for key, values in held.items():
        for value in values:
            _list_of(_complex(node), key).append(value)
            placed(run, node, key, value, mode, rule)
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
    items = _list_of(_complex(node), key)
    if value is items[-1]:
        items.pop()
    place = place_first if mode == "first" else place_last
    place(run, items, value, rule)


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
            target.sibling().setdefault("extension", []).append(copied(value))
        else:
            target.sibling()[name] = value
    return target


def _assign_one(node: dict[str, Any], name: str, item: MapValue, choices: Choices, repeats: bool | None) -> MapValue:
    types, is_choice = choices
    if isinstance(item, TargetSlot):
        value, sibling = item.node.get(item.key), item.node.get(f"_{item.key}")
        given = item.type
    else:
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
    held = node.get(key)
    if isinstance(held, list) and (sibling is not None or f"_{key}" in node):
        # Both lists stay in step: the sibling of a value has its rank.
        siblings = _list_of(node, f"_{key}")
        siblings += [None] * (len(held) - len(siblings))
        siblings[-1] = sibling
    elif sibling is not None:
        node[f"_{key}"] = sibling
    return value


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
    return value


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
        return node.sibling()
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
            return known[1]
        shares[id(parent), f"{key} {share}"] = (parent, fresh)
    elif repeats is False and isinstance(parent.get(key), dict):
        return parent[key]
    _put(parent, key, fresh, repeats)
    return fresh


def of_types(items: Sequence[Any], names: tuple[str, ...]) -> list[Any]:
    """Those of ``items`` whose type is one of ``names``; FHIRPath's own types match FHIR's primitives."""
    return [item for item in items if given_type(item, plain(item)) in names or type_name(item)[1] in names]
