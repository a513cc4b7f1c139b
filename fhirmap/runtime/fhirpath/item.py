"""Items of a collection, and the way down a tree.

An item is a System value (str, int, Decimal, bool, `Temporal`, `Quantity`), a `FhirNode` where its FHIR type matters,
or a plain dict of which nothing is known. A `TypeTable` gives a node's children their types; the compiler writes the
part an expression needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from fhirmap.data import FhirpathItem, JsonValue, MapValue
from fhirmap.errors import TransformFailed
from fhirmap.fhir_types import NUMBERS, PARENTS, PRIMITIVES, QUANTITIES
from fhirmap.runtime.fhirpath.quantity import CALENDAR_OF_UCUM, UCUM, Quantity
from fhirmap.runtime.fhirpath.temporal import Temporal, parse_date, parse_date_time, parse_time
from fhirmap.runtime.fhirpath.whole import Long
from fhirmap.texts import Text

Items = list[Any]


_REPEATS = "*"


class ChildKey(NamedTuple):
    """A member of FHIR JSON that holds a child, that of its ids and extensions, and the child's type."""

    key: str
    sibling: str
    type: str


class ChildShape(NamedTuple):
    """A child of a type: the members that may hold it, one for each type of a choice, and whether it is a list."""

    name: str
    keys: tuple[ChildKey, ...]
    is_choice: bool
    repeats: bool
    members: frozenset[str] = frozenset()
    """Every name of ``keys``, where it is a choice."""


@dataclass(frozen=True, slots=True)
class TypeTable:
    """Types of the children of types.

    ``shapes``: type → element, with `*` after its name where it repeats → its type, or its types for a choice;
    ``bases``: type → parent. ``children``: the shapes, as they are asked for; ``ranks``: type → member of its JSON →
    the place and the shape of the child that it is of, for the types that were gone through. ``searches``: element →
    what is known of where it may be (`below`).
    """

    shapes: Mapping[str, Mapping[str, str | tuple[str, ...]]] = field(default_factory=dict)
    bases: Mapping[str, str] = field(default_factory=dict)
    children: Mapping[str, Mapping[str, ChildShape]] = field(init=False, repr=False, compare=False)
    ranks: dict[str, dict[str, tuple[int, ChildShape]]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    searches: dict[str, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        children = {
            owner: {shape.name: shape for shape in (_child_shape(*entry) for entry in held.items())}
            for owner, held in self.shapes.items()
        }
        object.__setattr__(self, "children", children)

    def shapes_in(self, held: Mapping[str, Any], type_name: str) -> list[ChildShape]:
        """The children of a type in their order, of which an object has a member."""
        ranks = self.ranks.get(type_name)
        if ranks is None:
            ranks = self.ranks[type_name] = {
                name: (rank, shape)
                for rank, shape in enumerate(self.children[type_name].values())
                for key in shape.keys
                for name in key[:2]
            }
        found = dict(ranks[name] for name in held if name in ranks)
        return [found[rank] for rank in sorted(found)]


def _child_shape(written: str, declared: str | tuple[str, ...]) -> ChildShape:
    name = written.removesuffix(_REPEATS)
    is_choice = not isinstance(declared, str)
    types = (declared,) if isinstance(declared, str) else declared
    keys = (name + entry[:1].upper() + entry[1:] if is_choice else name for entry in types)
    held = tuple(ChildKey(key, f"_{key}", entry) for key, entry in zip(keys, types, strict=True))
    members = frozenset(key for entry in held for key in entry[:2]) if is_choice else frozenset()
    return ChildShape(name, held, is_choice, written != name, members)


NO_TYPES = TypeTable()


class FhirNode:
    """A value with its FHIR type.

    ``sibling``: the `_x` object of a primitive; ``value`` None where there is only that.
    """

    __slots__ = ("sibling", "table", "type", "value")

    def __init__(self, value: JsonValue, type: str, table: TypeTable = NO_TYPES, sibling: JsonValue = None) -> None:  # noqa: A002 the field's word
        self.value = value
        self.type = type
        self.table = table
        self.sibling = sibling

    def __repr__(self) -> str:
        return f"FhirNode({self.type})"


def nodes(value: MapValue, type_name: str, table: TypeTable = NO_TYPES) -> Items:
    """A plain value (None, one, or a list) as items of a known type."""
    if value is None:
        return []
    if isinstance(value, list):
        return [FhirNode(entry, type_of(entry, type_name), table) for entry in value if entry is not None]
    return [FhirNode(value, type_of(value, type_name), table)]


def root(value: JsonValue, type_name: str, table: TypeTable, resource: str = "") -> FhirNode:
    """The input of a map as an item. ``resource``: the resource type that it has to be, where it is one.

    Raises: ``TransformFailed`` FM438 where it is no object of its type, or a resource of another type.
    """
    if type_name not in PRIMITIVES and not isinstance(value, dict):
        raise TransformFailed("FM438", variant="element", name=type_name, wanted=Text("values.an_object"))
    found = type_of(value, type_name)
    if resource and found not in (type_name, resource):
        raise TransformFailed("FM438", variant="resource", wanted=resource)
    return FhirNode(value, found, table)


def primitive(held: Mapping[str, Any], name: str, type_name: str, table: TypeTable = NO_TYPES) -> Items:
    """A primitive of FHIR JSON that does not repeat, with its sibling `_x`."""
    return _wrap(held.get(name), held.get("_" + name), type_name, table)


def items(value: MapValue) -> Items:
    """A plain value (None, one, or a list) as items of which nothing more is known."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def type_of(value: JsonValue, declared: str) -> str:
    """``declared``, or the type that a dict itself names: any resource, or what `xsi:type` says in a logical model."""
    if isinstance(value, dict) and "resourceType" in value:
        return str(value["resourceType"])
    return declared


def member(collection: Items, name: str) -> Items:
    """Children called ``name`` of all items, in order."""
    if len(collection) == 1:
        return child(collection[0], name)
    return [found for item in collection for found in child(item, name)]


def child(item: FhirpathItem, name: str) -> Items:
    """Children called ``name`` of one item; the stem of a choice finds whatever it holds."""
    if isinstance(item, FhirNode):
        if isinstance(item.value, dict):
            known = item.table.children.get(item.type)
            if known is None:
                return _untyped(item.value, name, item.table)
            shape = known.get(name)
            if shape is None:
                is_there = name in item.value or f"_{name}" in item.value
                return _by_json_name(item, name, known) if is_there else []
            return _children(item, shape)
        return _of_primitive(item, name)
    if isinstance(item, dict):
        return _untyped(item, name, NO_TYPES)
    if isinstance(item, Quantity):
        return _of_quantity(item, name)
    return []


def children(collection: Items) -> Items:
    """All immediate children of all items."""
    found: Items = []
    for item in collection:
        if isinstance(item, FhirNode) and isinstance(item.value, dict) and item.type in item.table.children:
            for shape in item.table.shapes_in(item.value, item.type):
                found.extend(_children(item, shape))
        else:
            for name in _child_names(item):
                found.extend(child(item, name))
    return found


def descendants(collection: Items, counted: Callable[[Items], object] | None = None) -> Items:
    """All nodes below all items.

    ``counted``: called with each level, and may end it by raising.
    """
    found: Items = []
    level = children(collection)
    while level:
        if counted is not None:
            counted(level)
        found.extend(level)
        level = children(level)
    return found


def system(item: FhirpathItem) -> FhirpathItem:
    """The System value of an item: a primitive node's value, a Quantity node's quantity; else the item
    itself.
    """
    if not isinstance(item, FhirNode):
        return item
    value, name = item.value, item.type
    if isinstance(value, str):
        if name == "date":
            return parse_date(value) or value
        if name in ("dateTime", "instant"):
            return parse_date_time(value) or value
        if name == "time":
            return parse_time(value) or value
        if name == "decimal":
            number = _decimal(value)
            return value if number is None else number
        if name == "integer64":
            return _long(value)
        return value
    if isinstance(value, dict):
        return _quantity(value) or item if name in QUANTITIES else item
    if name == "decimal" and value is not None:
        return value if isinstance(value, Decimal) else Decimal(str(value))
    if name == "integer64" and isinstance(value, int):
        return Long(value)
    return item if value is None else value


def systems(collection: Items) -> Items:
    """The System values of all items; a primitive that only has extensions has none."""
    found = (system(item) for item in collection)
    return [item for item in found if not (isinstance(item, FhirNode) and item.value is None)]


def one(collection: Items, what: str) -> FhirpathItem:
    """The System value of a collection of at most one item, None where it is empty.

    Raises: ``TransformFailed`` FM430 for several items.
    """
    if not collection:
        return None
    if len(collection) > 1:
        raise TransformFailed("FM430", what=what, count=len(collection))
    value = system(collection[0])
    return None if isinstance(value, FhirNode) and value.value is None else value


def single(collection: Items, what: str) -> FhirpathItem:
    """As `one`, the item itself."""
    if len(collection) > 1:
        raise TransformFailed("FM430", what=what, count=len(collection))
    return collection[0] if collection else None


def plain(item: FhirpathItem) -> FhirpathItem:
    """An item as generated code holds it: FHIR JSON values, dates as their text."""
    if isinstance(item, FhirNode):
        return item.value
    if isinstance(item, Temporal):
        return item.text
    if isinstance(item, Quantity):
        return item.as_json()
    return int(item) if isinstance(item, Long) else item


def values(collection: Items) -> list[Any]:
    """The plain values of all items."""
    found = (plain(item) for item in collection)
    return [value for value in found if value is not None]


def value(collection: Items, what: str = "a value") -> FhirpathItem:
    """The plain value of at most one item; None where there is none.

    Raises: ``TransformFailed`` FM430 for several items.
    """
    item = single(collection, what)
    return None if item is None else plain(item)


def type_name(item: FhirpathItem) -> tuple[str, str]:
    """Name space and name of an item's type."""
    if isinstance(item, FhirNode):
        return "FHIR", item.type.rpartition("#")[2]
    if isinstance(item, bool):
        return "System", "Boolean"
    if isinstance(item, str):
        return "System", "String"
    if isinstance(item, int):
        return "System", "Long" if isinstance(item, Long) else "Integer"
    if isinstance(item, Decimal):
        return "System", "Decimal"
    if isinstance(item, Quantity):
        return "System", "Quantity"
    if isinstance(item, Temporal):
        return "System", {"date": "Date", "dateTime": "DateTime", "time": "Time"}[item.kind]
    if isinstance(item, dict) and "resourceType" in item:
        return "FHIR", str(item["resourceType"])
    return "", ""


def is_type(item: FhirpathItem, name: str, space: str = "", *, exact: bool = False) -> bool:
    """Is the item of type ``name`` (or of a descendant unless ``exact``)? ``space``: `FHIR`, `System` or any."""
    own_space, own = type_name(item)
    if space and own_space and space != own_space:
        return False
    if not own_space:
        # A value of which nothing is known answers by its name alone.
        return own == name
    if own == name:
        return True
    bases = item.table.bases if isinstance(item, FhirNode) else {}
    current: str | None = own
    while current and not exact:
        if current == name:
            return True
        current = bases.get(current) or PARENTS.get(current) or ("BackboneElement" if "." in current else None)
    return False


def _child_names(item: FhirpathItem) -> Iterator[str]:
    """What the children of a primitive, or of an object of which no type is known, are called."""
    held = item.value if isinstance(item, FhirNode) else item
    if not isinstance(held, dict):
        if isinstance(item, FhirNode) and isinstance(item.sibling, dict):
            yield from item.sibling
        return
    seen = set()
    for key in held:
        name = key.removeprefix("_")
        if name not in seen and name != "resourceType":
            seen.add(name)
            yield name


def _children(item: FhirNode, shape: ChildShape) -> Items:
    held = item.value
    for key, sibling, type_ in shape.keys:
        found, other = held.get(key), held.get(sibling)
        if found is not None or other is not None:
            if shape.is_choice and len(shape.members & held.keys()) > 1:
                _check_choice(item, shape)
            if type(found) is str and other is None and not shape.repeats and _FIT.get(type_) is _is_text:
                # most of what records hold, and it fits
                return [FhirNode(found, type_, item.table)]
            _check_shape(item, shape, type_, found, other)
            return _wrap(found, other, type_, item.table)
    return []


def _check_choice(item: FhirNode, shape: ChildShape) -> None:
    """Raises: ``TransformFailed`` FM438 where a choice holds values of several types: one of them would be lost."""
    held = item.value
    types = [type_ for key, sibling, type_ in shape.keys if held.get(key) is not None or held.get(sibling) is not None]
    if len(types) > 1:
        raise TransformFailed("FM438", variant="choice", name=_shown(item, shape), types=", ".join(types))


def _check_shape(item: FhirNode, shape: ChildShape, type_: str, found: JsonValue, sibling: JsonValue) -> None:
    """Raises: ``TransformFailed`` FM438 where a child is no list and should be, or the other way round, or is an object
    where its type has none, or the other way round.
    """
    for held, mark in ((found, ""), (sibling, "_")):
        if held is not None and isinstance(held, list) is not shape.repeats:
            wanted = Text("values.a_list" if shape.repeats else "values.one_value")
            raise TransformFailed("FM438", variant="element", name=_shown(item, shape, mark), wanted=wanted)
    if sibling is not None:
        for parts in sibling if shape.repeats else (sibling,):
            _check_parts(parts, _shown(item, shape, "_"))
    is_fit = _FIT.get(type_, _is_object)
    for entry in found if shape.repeats and found is not None else (found,):
        if entry is not None and not is_fit(entry):
            kind = type_ if type_ in PRIMITIVES else Text("values.an_object")
            raise TransformFailed("FM438", variant="element", name=_shown(item, shape), wanted=kind)


def _check_parts(parts: JsonValue, shown: str) -> None:
    """Raises: ``TransformFailed`` FM438 where the id and the extensions of a primitive are no object, or these are no
    list of objects."""
    name, wanted = shown, ""
    if parts is not None and not isinstance(parts, dict):
        wanted = "values.an_object"
    elif parts:
        name, extensions = f"{shown}.extension", parts.get("extension")
        if extensions is not None and not isinstance(extensions, list):
            wanted = "values.a_list"
        elif extensions and not all(isinstance(entry, dict) for entry in extensions):
            wanted = "values.an_object"
    if wanted:
        raise TransformFailed("FM438", variant="element", name=name, wanted=Text(wanted))


def _shown(item: FhirNode, shape: ChildShape, mark: str = "") -> str:
    """A child as the analyst knows it. ``mark``: `_` for the id and the extensions of a primitive."""
    return f"{item.type.rpartition('#')[2]}.{mark}{shape.name}"


def _is_text(value: JsonValue) -> bool:
    return isinstance(value, str)


def _is_object(value: JsonValue) -> bool:
    return isinstance(value, dict)


def _is_boolean(value: JsonValue) -> bool:
    return isinstance(value, bool)


def _is_number(value: JsonValue) -> bool:
    """A number; or a text that may be one, since people write them so: what reads it looks at the text."""
    return isinstance(value, int | float | Decimal | str) and not isinstance(value, bool)


_FIT: Mapping[str, Callable[[JsonValue], bool]] = {
    **dict.fromkeys(PRIMITIVES, _is_text),
    "": lambda _value: True,
    "boolean": _is_boolean,
    **dict.fromkeys(NUMBERS, _is_number),
}
"""What the JSON value of a type is; of other primitives a text, of other types an object."""


def _by_json_name(item: FhirNode, name: str, known: Mapping[str, ChildShape]) -> Items:
    """A choice called by its name in JSON, `valueQuantity`, as maps of the field do; `resourceType` as they do."""
    if name == "resourceType":
        return items(item.value.get(name))
    for stem, shape in known.items():
        if shape.is_choice and name.startswith(stem):
            for entry in shape.keys:
                if name == entry.key:
                    return _children(item, shape._replace(keys=(entry,)))
    return []


def _wrap(found: JsonValue, sibling: JsonValue, declared: str, table: TypeTable) -> Items:
    if sibling is None:
        if isinstance(found, list):
            return [FhirNode(entry, type_of(entry, declared), table) for entry in found if entry is not None]
        return [] if found is None else [FhirNode(found, type_of(found, declared), table)]
    if isinstance(found, list) or (found is None and isinstance(sibling, list)):
        found, sibling = found or [], sibling if isinstance(sibling, list) else []
        length = max(len(found), len(sibling))
        pairs: Iterable[tuple[Any, Any]] = (
            (found[rank] if rank < len(found) else None, sibling[rank] if rank < len(sibling) else None)
            for rank in range(length)
        )
        return [
            FhirNode(entry, type_of(entry, declared), table, other)
            for entry, other in pairs
            if entry is not None or other is not None
        ]
    return [FhirNode(found, type_of(found, declared), table, sibling)]


def _untyped(held: Mapping[str, Any], name: str, table: TypeTable) -> Items:
    found, sibling = held.get(name), held.get("_" + name)
    if found is not None or sibling is not None:
        if sibling is not None:
            return _wrap_untyped(found, sibling, table)
        return [entry for entry in found if entry is not None] if isinstance(found, list) else [found]
    for written in held:
        key = written.removeprefix("_")
        if key.startswith(name) and key[len(name) : len(name) + 1].isupper():
            suffix = key[len(name) :]
            lower = suffix[:1].lower() + suffix[1:]
            return _wrap(held.get(key), held.get("_" + key), lower if lower in PRIMITIVES else suffix, table)
    return []


def _of_primitive(item: FhirNode, name: str) -> Items:
    if name == "value" and item.value is not None:
        return [system(item)]
    if not isinstance(item.sibling, dict):
        return []
    if name == "extension":
        return _wrap(item.sibling.get(name), None, "Extension", item.table)
    return _wrap(item.sibling.get(name), None, "string", item.table)


def _of_quantity(item: Quantity, name: str) -> Items:
    return items(item.as_json().get(name))


def _quantity(held: Mapping[str, Any]) -> Quantity | None:
    """A FHIR Quantity as FHIRPath has it.

    Spec: FHIR R5, fhirpath.html, "Use of FHIR Quantity": UCUM's units of time are calendar durations, `a` is a year. A
    code of another system is a unit of its own.
    """
    number = held.get("value")
    if number is None or "comparator" in held:
        return None
    amount = number if isinstance(number, Decimal) else _decimal(str(number))
    if amount is None:
        return None
    system_, code = held.get("system"), held.get("code")
    if system_ == UCUM and code:
        return Quantity(amount, CALENDAR_OF_UCUM.get(str(code), str(code)))
    if system_ is not None and system_ != UCUM and code:
        return Quantity(amount, str(code), str(system_))
    return Quantity(amount, str(code or held.get("unit") or "1"))


def _decimal(text: str) -> Decimal | None:
    """A decimal that is written as a text; None where the text is no number."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _long(text: str) -> Long | str:
    """integer64 is a text in JSON."""
    try:
        return Long(text)
    except ValueError:
        return text


def _wrap_untyped(found: JsonValue, sibling: JsonValue, table: TypeTable) -> Items:
    """Primitives of which nothing is known but their JSON, with their siblings."""
    return [
        FhirNode(node.value, _json_type(node.value), table, node.sibling)
        for node in _wrap(found, sibling, "string", table)
    ]


def _json_type(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "integer" if isinstance(value, int) else "decimal" if isinstance(value, Decimal) else "string"
