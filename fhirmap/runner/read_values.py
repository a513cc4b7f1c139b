"""What a map reads of a record, as fingerprints: the same for the same values, whoever gives them.

Only columns that elements of the model read count: not those that a key, a join or a revision needs, nor what a JSON
document holds besides. The order of child rows counts where the map declares one (`order by`) and in JSON lists; rows
of a table or lines of an export without a declared order are taken as a set, since databases and exports give them in
any order. Moments are compared as instants, decimals by their digits: `1.50` is not `1.5`, as in FHIR.

A record that was read before costs one encoding of the whole. The fingerprint of each column is computed for new ones
and where the whole differs.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any
from zlib import crc32

import msgspec

from fhirmap.data import RawValue
from fhirmap.journal import ReadValues
from fhirmap.records import Record
from fhirmap.runtime.reading import at
from fhirmap.source_plan import Child, RowLayout, SourceColumn, SourcePlan, path_steps

__all__ = ["reader_of_values"]

# MessagePack writes a moment with a zone as an instant and a Decimal with its digits.
_WHOLE = msgspec.msgpack.Encoder(enc_hook=str)
_PART = msgspec.msgpack.Encoder(enc_hook=str, order="deterministic")
_DIGEST_BYTES = 16


def reader_of_values(plan: SourcePlan) -> Callable[[Record], ReadValues]:
    """A function that gives what was read of a record of this plan."""
    row = _row_of(plan.shape)
    columns = tuple(_names(plan.shape, "", is_set=False))
    layout = hashlib.blake2b("\x1f".join(columns).encode(), digest_size=_DIGEST_BYTES).hexdigest()

    def read(record: Record) -> ReadValues:
        values = record.values
        digest = hashlib.blake2b(_encoded(values, _WHOLE), digest_size=_DIGEST_BYTES).hexdigest()
        return ReadValues(digest, layout, columns, lambda: _parts(row, values))

    return read


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
        cells = [self._cells(row) for row in rows]
        for column in zip(*cells, strict=True) if cells else [()] * len(self.names):
            found.append(_of_set(column) if is_set and len(column) > 1 else crc32(_encoded(column, _PART)))
        for name, below in self.nested:
            below.add_parts(found, [item for row in rows for item in _objects(row, name)], is_set=is_set)
        for child, below in self.children:
            inner = [item for row in rows for item in row.get(child.key) or ()]
            unordered = not is_set and not child.order
            if unordered:  # which cells belong together, which columns one by one do not say
                found.append(_of_set(inner))
            below.add_parts(found, inner, is_set=is_set or unordered)

    def _cells(self, row: Mapping[str, Any]) -> Sequence[RawValue]:
        try:
            return self.get(row)  # type: ignore[no-any-return]
        except KeyError:
            return [_at(row, name) for name in self.names]


def _row_of(shape: RowLayout) -> _Row:
    read = [column for column in shape.columns if column.element]
    return _Row(
        tuple(column.name for column in read if column.below is None),
        tuple((column.name, _row_of(column.below)) for column in read if column.below is not None),
        tuple((child, _row_of(child.shape)) for child in shape.children),
    )


def _names(shape: RowLayout, prefix: str, *, is_set: bool) -> Iterator[str]:
    """The names of `_Row.add_parts`, in its order. That of whole rows has the columns in it: it is comparable only
    where they are the same."""
    read: list[SourceColumn] = [column for column in shape.columns if column.element]
    yield from (f"{prefix}{column.name}" for column in read if column.below is None)
    for column in read:
        if column.below is not None:
            yield from _names(column.below, f"{prefix}{column.name}.", is_set=is_set)
    for child in shape.children:
        place = f"{prefix}{child.table or child.key}[]"
        unordered = not is_set and not child.order
        if unordered:
            yield f"{place}({', '.join(_names(child.shape, '', is_set=True))})"
        yield from _names(child.shape, f"{place}.", is_set=is_set or unordered)


def _at(row: RawValue, path: str) -> RawValue:
    """The cell of that name, else what is at the dotted path; of a list, what is there in each of its objects."""
    if isinstance(row, Mapping) and path in row:
        return row[path]
    return at(row, path_steps(path))


def _objects(row: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = _at(row, name)
    items = found if isinstance(found, list) else [found]
    return [item for item in items if isinstance(item, Mapping)]


def _of_set(items: Sequence[RawValue]) -> int:
    return crc32(b"\x1f".join(sorted([_encoded(item, _PART) for item in items])))


def _encoded(value: RawValue, encoder: msgspec.msgpack.Encoder) -> bytes:
    try:
        return encoder.encode(value)
    except (UnicodeEncodeError, OverflowError, TypeError, ValueError, RecursionError):
        # a lone surrogate, a number of more than 64 bits: rare, and still to be distinguished from another
        return repr(value).encode("utf-8", "surrogatepass")
