"""What was read of a record, column by column, as fingerprints: four bytes for each.

They are computed of records that are new, and where the whole differs. Apart from `read_values`, which needs the
journal: other processes compute them, too.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias
from zlib import crc32

import msgspec

from fhirmap.data import RawValue
from fhirmap.records import CalendarText
from fhirmap.runtime.reading import at, item_rows
from fhirmap.source_plan import AttributeRows, Child, ChildKind, MalformedPath, RowLayout, SourceColumn, path_steps

__all__ = ["ReadParts", "bytes_of", "has_place", "is_unordered", "nested_columns", "plain_columns"]

# A lone surrogate, a number of more than 64 bits: rare, and still to be distinguished from another.
_NOT_ENCODED = (UnicodeEncodeError, OverflowError, TypeError, ValueError, RecursionError)


_Rows: TypeAlias = Sequence[Mapping[str, Any]]
_RowsBelow: TypeAlias = Callable[[_Rows], _Rows]


class ReadParts:
    """The fingerprints of the columns of records that have this ``shape``."""

    def __init__(self, shape: RowLayout) -> None:
        self._shape = shape
        self._kinds = tuple(_kinds_of_rows(_Below(list, _row_of(shape), is_unordered=False), 0, is_set=False, first=1))

    def __call__(self, values: Mapping[str, Any]) -> bytes:
        """Those of the values of a record, in the order of `ReadValues.columns`."""
        found: list[int] = []
        of_kinds: list[_Rows] = [[values]]
        for above, rows_below, row, is_set, is_whole in self._kinds:
            rows = rows_below(of_kinds[above])
            of_kinds.append(rows)
            if is_whole:  # which cells belong together, which columns one by one do not say
                found.append(_of_set([*map(row.whole, rows)]))
            columns = row.columns(rows)
            found += map(_of_set, columns) if is_set and len(rows) > 1 else _of_lists(columns)
        return struct.pack(f">{len(found)}I", *found)

    def __reduce__(self) -> tuple[type[ReadParts], tuple[RowLayout]]:
        """What pickle makes it of."""
        return ReadParts, (self._shape,)


class _Row:
    """One kind of row: its columns, and the kinds of rows that are nested in columns or joined to it."""

    def __init__(self, names: Sequence[str], below: Sequence[_Below] = ()) -> None:
        self.below = below
        self._names = names
        get: Callable[[Mapping[str, Any]], Any] = itemgetter(*names) if names else lambda _: ()
        self._cells: Callable[[_Rows], Iterable[Any]] = partial(map, get)
        if len(names) == 1:
            self._cells = lambda rows: zip(map(get, rows), strict=True)

    def columns(self, rows: _Rows) -> Sequence[Sequence[RawValue]]:
        """The cells of each column."""
        if not rows:
            return [()] * len(self._names)
        try:
            return [*zip(*self._cells(rows), strict=True)]
        except KeyError:
            return [[_at(row, name) for row in rows] for name in self._names]

    def whole(self, row: Mapping[str, Any]) -> list[RawValue]:
        """Every cell of a row that is read, with those of the rows below it."""
        cells: list[RawValue] = [cell for (cell,) in self.columns([row])]
        for below in self.below:
            inner = [*map(below.row.whole, below.of([row]))]
            cells.append(sorted([bytes_of(item, _PART) for item in inner]) if below.is_unordered else inner)
        return cells


class _Below(NamedTuple):
    """A kind of rows that rows of another kind have below them. ``is_unordered``: they are taken as a set."""

    of: _RowsBelow
    row: _Row
    is_unordered: bool


class _KindOfRows(NamedTuple):
    """A kind of rows in a record. ``above``: the number of that which they are below; ``is_set``: their order counts
    little; ``is_whole``: whole rows are compared, too."""

    above: int
    of: _RowsBelow
    row: _Row
    is_set: bool
    is_whole: bool


def _kinds_of_rows(one: _Below, above: int, *, is_set: bool, first: int) -> list[_KindOfRows]:
    """A kind and those below it, numbered from ``first``."""
    unordered = one.is_unordered and not is_set
    found = [_KindOfRows(above, one.of, one.row, is_set or unordered, unordered)]
    for below in one.row.below:
        found += _kinds_of_rows(below, first, is_set=is_set or unordered, first=first + len(found))
    return found


def _row_of(shape: RowLayout) -> _Row:
    nested = [_Below(_nested_in(column.name), _row_of(below), False) for column, below in nested_columns(shape)]
    children = [
        _Below(
            _joined(child),
            _row_of(child.shape) if child.attributes is None else _Row(child.attributes.read),
            is_unordered(child),
        )
        for child in shape.children
    ]
    return _Row([column.name for column in plain_columns(shape)], [*nested, *children])


def _nested_in(name: str) -> _RowsBelow:
    """The rows that are nested in a column."""
    return lambda rows: [item for row in rows for item in _objects(row, name)]


def _joined(child: Child) -> _RowsBelow:
    """The child rows; where a row has no more than one, what is not there is a row of nothing, so that each is in its
    parent's place."""
    key, attributes = child.key, child.attributes
    absent = (dict.fromkeys(column.name for column in plain_columns(child.shape)),) if has_place(child) else ()
    if attributes is not None:
        return lambda rows: [_held([item for row in rows for item in row.get(key) or ()], attributes)]
    return lambda rows: [item for row in rows for item in row.get(key) or absent]


def has_place(child: Child) -> bool:
    """Has a row no more than one of these, so that each is known by its parent's place?"""
    return child.at_most_one and child.kind is ChildKind.JOIN


def is_unordered(child: Child) -> bool:
    """Has the map nothing to say of their order?"""
    return not child.order and not has_place(child)


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
