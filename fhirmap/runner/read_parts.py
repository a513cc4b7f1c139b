"""What was read of a record, column by column, as fingerprints: four bytes for each.

They are computed of records that are new, and where the whole differs. Apart from `read_values`, which needs the
journal: other processes compute them, too.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any
from zlib import crc32

import msgspec

from fhirmap.data import RawValue
from fhirmap.records import CalendarText
from fhirmap.runtime.reading import at, item_rows
from fhirmap.source_plan import AttributeRows, Child, MalformedPath, RowLayout, SourceColumn, path_steps

__all__ = ["ReadParts", "bytes_of", "nested_columns", "plain_columns"]

# A lone surrogate, a number of more than 64 bits: rare, and still to be distinguished from another.
_NOT_ENCODED = (UnicodeEncodeError, OverflowError, TypeError, ValueError, RecursionError)


class ReadParts:
    """The fingerprints of the columns of records that have this ``shape``."""

    def __init__(self, shape: RowLayout) -> None:
        self._shape = shape
        self._row = _row_of(shape)

    def __call__(self, values: Mapping[str, Any]) -> bytes:
        """Those of the values of a record."""
        found: list[int] = []
        self._row.add_parts(found, [values], is_set=False)
        return struct.pack(f">{len(found)}I", *found)

    def __reduce__(self) -> tuple[type[ReadParts], tuple[RowLayout]]:
        """What pickle makes it of."""
        return ReadParts, (self._shape,)


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
        """A fingerprint for each column, over all rows, in the order of `ReadValues.columns`. ``is_set``: the order of
        rows counts little."""
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
        tuple(column.name for column in plain_columns(shape)),
        tuple((column.name, _row_of(below)) for column, below in nested_columns(shape)),
        tuple((child, _child_row(child)) for child in shape.children),
    )


def _child_row(child: Child) -> _Row:
    return _row_of(child.shape) if child.attributes is None else _Row(child.attributes.read, (), ())


def plain_columns(shape: RowLayout) -> list[SourceColumn]:
    """The columns that are compared by their cells; a text that is split is one."""
    return [column for column in shape.columns if column.element and not (column.nested and column.below)]


def nested_columns(shape: RowLayout) -> list[tuple[SourceColumn, RowLayout]]:
    """The columns that have rows of their own within them, with the layout of these."""
    return [(column, column.below) for column in shape.columns if column.element and column.nested and column.below]


def _held(rows: Sequence[Mapping[str, Any]], attributes: AttributeRows) -> dict[str, RawValue]:
    """Rows of one attribute each as one row, with all values of each attribute in any order."""
    found: dict[str, RawValue] = {}
    for name in attributes.read:
        held = [row.get(attributes.value) for row in rows if str(row.get(attributes.name)).strip() == name]
        found[name] = sorted(bytes_of(value, _PART) for value in held)
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
_PART = msgspec.msgpack.Encoder(enc_hook=_comparable, order="deterministic")


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
        return [crc32(bytes_of(items, _PART)) for items in columns]


def _of_set(items: Sequence[RawValue]) -> int:
    if len(items) == 1:
        return crc32(bytes_of(items[0], _PART))
    try:
        encoded = sorted(map(_PART.encode, items))
    except _NOT_ENCODED:
        encoded = sorted([bytes_of(item, _PART) for item in items])
    return crc32(b"\x1f".join(encoded))


def bytes_of(value: RawValue, encoder: msgspec.msgpack.Encoder) -> bytes:
    """``value`` as ``encoder`` writes it; what it cannot write, as Python shows it."""
    try:
        return encoder.encode(value)
    except _NOT_ENCODED:
        return repr(value).encode("utf-8", "surrogatepass")
