"""What a map reads of a record, as fingerprints: the same for the same values, whoever gives them.

Only columns that elements of the model read count: not those that a key, a join or a revision needs, nor what a JSON
document holds besides. The order of child rows counts where the map declares one (`order by`) and in JSON lists; rows
of a table or lines of an export without a declared order are taken as a set, since databases and exports give them in
any order. Moments are compared as instants, decimals by their digits: `1.50` is not `1.5`, as in FHIR.

A column is known by its name and by the way the map has to its rows (table, query, `on`, `where`, order …): a map that
asks for other rows reads other columns.

A record that was read before costs one encoding of the whole. The fingerprint of each column is computed for new ones
and where the whole differs.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any
from zlib import crc32

import msgspec

from fhirmap.data import RawValue
from fhirmap.journal import ReadValues
from fhirmap.records import CalendarText, Record, TreeText
from fhirmap.runtime.reading import at, item_rows
from fhirmap.source_plan import (
    AttributeRows,
    Child,
    MalformedPath,
    RowLayout,
    SourceColumn,
    SourceKind,
    SourcePlan,
    path_steps,
)

__all__ = ["reader_of_values"]

# A lone surrogate, a number of more than 64 bits: rare, and still to be distinguished from another.
_NOT_ENCODED = (UnicodeEncodeError, OverflowError, TypeError, ValueError, RecursionError)
_DIGEST_BYTES = 16
_WAY_BYTES = 6


def reader_of_values(plan: SourcePlan) -> Callable[[Record], ReadValues]:
    """A function that gives what was read of a record of this plan."""
    row = _row_of(plan.shape)
    columns = tuple(_names(plan.shape, f"{_digest_of_way(plan)}.", is_set=False))
    has_members = _has_members(plan)
    layout = hashlib.blake2b("\x1f".join(columns).encode(), digest_size=_DIGEST_BYTES).hexdigest()

    def read(record: Record) -> ReadValues:
        values = record.values
        written = _with_members(values) if has_members else values
        digest = hashlib.blake2b(_encoded(written, _WHOLE), digest_size=_DIGEST_BYTES).hexdigest()
        return ReadValues(digest, layout, columns, lambda: _parts(row, values))

    return read


def _has_members(plan: SourcePlan) -> bool:
    """May a text of a record have members beside it: `TreeText`?"""
    stores = [child.store for layout in plan.shape.walk() for child in layout.children if child.store is not None]
    return any(place.kind in (SourceKind.XML, SourceKind.HL7) for place in (plan, *stores))


def _with_members(value: RawValue) -> RawValue:
    """``value`` with each text that has members as the list of the text and its members; a segment of HL7 v2, which is
    no dict, is written as its text."""
    if isinstance(value, dict):
        return {name: _with_members(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_members(inner) for inner in value]
    return [str(value), _with_members(value.members)] if isinstance(value, TreeText) else value


def _parts(row: _Row, values: Mapping[str, Any]) -> bytes:
    found: list[int] = []
    row.add_parts(found, [values], is_set=False)
    return struct.pack(f">{len(found)}I", *found)


@dataclass(frozen=True, slots=True)
class _Row:
    """One kind of row: its columns, the rows nested in columns, and its child rows."""

    names: tuple[str, ...]
    nested: tuple[tuple[str, _Row], ...]
    children: tuple[tuple[Child, _Row], ...]
    get: Callable[[Mapping[str, Any]], Any] = field(init=False)

    def __post_init__(self) -> None:
        if len(self.names) > 1:
            getter: Callable[[Mapping[str, Any]], Any] = itemgetter(*self.names)
        else:
            names = self.names
            getter = lambda row: tuple([row[name] for name in names])  # noqa: E731 - as itemgetter makes one
        object.__setattr__(self, "get", getter)

    def add_parts(self, found: list[int], rows: Sequence[Mapping[str, Any]], *, is_set: bool) -> None:
        """A fingerprint for each column, over all rows: in the order of `_names`. ``is_set``: their order counts
        little."""
        columns = self._columns(rows)
        found += map(_of_set, columns) if is_set and len(rows) > 1 else _of_lists(columns)
        for name, below in self.nested:
            below.add_parts(found, [item for row in rows for item in _objects(row, name)], is_set=is_set)
        for child, below in self.children:
            inner = [item for row in rows for item in row.get(child.key) or ()]
            if child.attributes is not None:
                inner = [_held(inner, child.attributes)]
            unordered = not is_set and not child.order
            if unordered:  # which cells belong together, which columns one by one do not say
                found.append(_of_set(inner))
            below.add_parts(found, inner, is_set=is_set or unordered)

    def _columns(self, rows: Sequence[Mapping[str, Any]]) -> list[Sequence[RawValue]]:
        """The cells of each column."""
        if not rows:
            return [()] * len(self.names)
        try:
            columns: list[Sequence[RawValue]] = list(zip(*map(self.get, rows), strict=True))
        except KeyError:
            columns = [[_at(row, name) for row in rows] for name in self.names]
        return columns


def _row_of(shape: RowLayout) -> _Row:
    return _Row(
        tuple(column.name for column in _plain(shape)),
        tuple((column.name, _row_of(below)) for column, below in _nested(shape)),
        tuple((child, _child_row(child)) for child in shape.children),
    )


def _child_row(child: Child) -> _Row:
    return _row_of(child.shape) if child.attributes is None else _Row(child.attributes.read, (), ())


def _plain(shape: RowLayout) -> list[SourceColumn]:
    """The columns that are compared by their cells; a text that is split is one."""
    return [column for column in shape.columns if column.element and not (column.nested and column.below)]


def _nested(shape: RowLayout) -> list[tuple[SourceColumn, RowLayout]]:
    return [(column, column.below) for column in shape.columns if column.element and column.nested and column.below]


def _held(rows: Sequence[Mapping[str, Any]], attributes: AttributeRows) -> dict[str, RawValue]:
    """Rows of one attribute each as one row, with all values of each attribute in any order."""
    found: dict[str, RawValue] = {}
    for name in attributes.read:
        held = [row.get(attributes.value) for row in rows if str(row.get(attributes.name)).strip() == name]
        found[name] = sorted(_encoded(value, _PART) for value in held)
    return found


def _comparable(cell: RawValue) -> str | datetime:
    """What a database shows as an instant, in whatever zone the session has, as that instant; all else as text."""
    if isinstance(cell, CalendarText):
        with suppress(ValueError):
            found = datetime.fromisoformat(cell)
            if found.tzinfo is not None:
                return found
    return str(cell)


# MessagePack writes a moment with a zone as an instant and a Decimal with its digits; it asks for what is no type of
# Python's own, the classes derived from these among them.
_WHOLE = msgspec.msgpack.Encoder(enc_hook=str)
_PART = msgspec.msgpack.Encoder(enc_hook=_comparable, order="deterministic")


def _digest_of_way(place: SourcePlan | Child) -> str:
    """Of all by which a map chooses rows, and how it decodes them."""
    if isinstance(place, Child):
        way: tuple[object, ...] = (place.kind, place.table, place.query, place.on, place.where, place.order)
        way += (place.attributes and (place.attributes.name, place.attributes.value),)
        way += (_digest_of_way(place.store), place.store.where) if place.store is not None else ()
    else:
        way = (place.kind, place.name, place.query, place.latest, place.latest and place.where)
        way += (place.encoding, place.delimiter, place.nulls)
        # What a plan does not say leaves the digest as it was before plans could say it.
        said = (place.source, place.number, place.names, place.names_line, place.fill, place.until, place.prefixes)
        way += said if any(entry not in ("", None, ()) for entry in said) else ()
    return hashlib.blake2b(repr(way).encode(), digest_size=_WAY_BYTES).hexdigest()


def _names(shape: RowLayout, prefix: str, *, is_set: bool) -> Iterator[str]:
    """The names of `_Row.add_parts`, in its order. That of whole rows has the columns in it: it is comparable only
    where they are the same."""
    yield from (f"{prefix}{column.name}" for column in _plain(shape))
    for column, below in _nested(shape):
        yield from _names(below, f"{prefix}{column.name}.", is_set=is_set)
    for child in shape.children:
        yield from _child_names(child, f"{prefix}{_digest_of_way(child)}", is_set=is_set)


def _child_names(child: Child, place: str, *, is_set: bool) -> Iterator[str]:
    unordered = not is_set and not child.order

    def inner(prefix: str, *, is_set: bool) -> Iterator[str]:
        if child.attributes is not None:
            return iter([f"{prefix}{name}" for name in child.attributes.read])
        return _names(child.shape, prefix, is_set=is_set)

    if unordered:
        yield f"{place}({', '.join(inner('', is_set=True))})"
    yield from inner(f"{place}.", is_set=is_set or unordered)


def _at(row: RawValue, path: str) -> RawValue:
    """The cell of that name, else what is at the dotted path; of a list, what is there in each of its objects."""
    if isinstance(row, Mapping) and path in row:
        return row[path]
    try:
        return at(row, path_steps(path))
    except MalformedPath:  # a column's name that is no path, and this row lacks it
        return None


def _objects(row: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = item_rows(_at(row, name))
    items = found if isinstance(found, list) else [found]
    return [item for item in items if isinstance(item, Mapping)]


def _of_lists(columns: Iterable[Sequence[RawValue]]) -> list[int]:
    try:
        return [*map(crc32, map(_PART.encode, columns))]
    except _NOT_ENCODED:
        return [crc32(_encoded(items, _PART)) for items in columns]


def _of_set(items: Sequence[RawValue]) -> int:
    if len(items) == 1:
        return crc32(_encoded(items[0], _PART))
    try:
        encoded = sorted(map(_PART.encode, items))
    except _NOT_ENCODED:
        encoded = sorted([_encoded(item, _PART) for item in items])
    return crc32(b"\x1f".join(encoded))


def _encoded(value: RawValue, encoder: msgspec.msgpack.Encoder) -> bytes:
    try:
        return encoder.encode(value)
    except _NOT_ENCODED:
        return repr(value).encode("utf-8", "surrogatepass")
