"""Columns of Arrow as cells: what readers of models take, whoever made the columns."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from fhirmap.data import RawValue

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["cell_values"]

_FIRST_DAY = date(1970, 1, 1).toordinal()
"""The day from which the library counts."""


def cell_values(column: pa.Array) -> list[RawValue]:
    """The cells of a column as values; one that is none, such as a day of another age, or a time in an unknown zone, as
    `_unread` says."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        return _all_values(column)
    except (ValueError, OverflowError, KeyError):  # a zone is looked up
        if len(column) == 1:
            return [_unread(column)]
        return [cell_values(column.slice(place, 1))[0] for place in range(len(column))]


def _all_values(column: pa.Array) -> list[RawValue]:
    """The cells of a column as values. Raises: ValueError, OverflowError, KeyError where one is none."""
    import pyarrow as pa

    kind = column.type
    # A float of 32 bits has its own digits as a text, and is not the nearest number of 64 bits.
    for wanted in (_readable(kind, pa.string()), _readable(kind, pa.float64())):
        if wanted != column.type:
            column = column.cast(options=_cast_options(wanted))
    cells: list[RawValue] = _dates(column) if pa.types.is_date32(kind) else column.to_pylist()
    return [str(cell) if isinstance(cell, UUID) else cell for cell in cells] if _is_extension(kind) else cells


def _cast_options(kind: pa.DataType) -> object:
    """To ``kind``, finer times being cut; a number that it cannot hold is an error."""
    from pyarrow.compute import CastOptions

    return CastOptions(kind, allow_time_truncate=True)


def _unread(column: pa.Array) -> RawValue:
    """The one cell of a column, which is no value: as bytes, which no element takes; what is nested in an object or a
    list by itself."""
    import pyarrow as pa

    kind, cell = column.type, column[0]
    if pa.types.is_struct(kind):
        members = zip(kind, column.flatten(), strict=True)
        return {field.name: cell_values(member)[0] for field, member in members}
    if pa.types.is_nested(kind):
        return cell_values(cell.values)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return bytes(cell.as_buffer())
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp(kind.unit))
    return str(column.cast(pa.string())[0]).encode()


def _dates(column: pa.Array) -> list[RawValue]:
    """The days of a column, far faster than the library. Raises: ValueError, OverflowError (another age)."""
    import pyarrow as pa

    days = column.cast(pa.int32()).to_pylist()
    return [None if day is None else date.fromordinal(_FIRST_DAY + day) for day in days]


def _readable(kind: pa.DataType, small: pa.DataType) -> pa.DataType:
    """The type with its times in microseconds, which is as fine as Python's are, its maps as lists of objects, and
    ``small`` for floats of fewer bits than Python's."""
    import pyarrow as pa

    types = pa.types
    if types.is_float32(kind) or types.is_float16(kind):
        return small
    if types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    if types.is_time64(kind):
        return pa.time64("us")
    if types.is_duration(kind):
        return pa.duration("us")
    if types.is_struct(kind):
        return pa.struct([field.with_type(_readable(field.type, small)) for field in kind])
    if types.is_map(kind):
        members = [("key", _readable(kind.key_type, small)), ("value", _readable(kind.item_type, small))]
        return pa.list_(pa.struct(members))
    if types.is_list(kind) or types.is_large_list(kind):
        return pa.list_(kind.value_field.with_type(_readable(kind.value_type, small)))
    if types.is_fixed_size_list(kind):
        return pa.list_(kind.value_field.with_type(_readable(kind.value_type, small)), kind.list_size)
    return kind


def _is_extension(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return isinstance(kind, pa.BaseExtensionType)
