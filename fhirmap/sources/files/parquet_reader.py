"""The rows of a Parquet file: the columns that are read alone, some thousand rows at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fhirmap.data import RawValue
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.source_plan import SourcePlan
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.flat_columns import check_columns, column_places
from fhirmap.sources.files.source_files import SourceFile, reading
from fhirmap.texts import Text

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["ParquetReader"]

_ROWS = 2000
"""Rows that are Python values at one time."""
_FIRST_DAY = date(1970, 1, 1).toordinal()
"""The day from which the library counts."""


class ParquetReader:
    """The rows of a Parquet file, in its order.

    Shape: text, bool, int, float, Decimal, date, datetime (with its zone where the column has one), time, list, dict;
    None for a null. What is finer than a microsecond is cut. A float of 32 bits has the digits of its own.
    Raises (all but ``__init__``): ConfigError FM701, FM702, FM704; FM797 where pyarrow is not installed.
    """

    def __init__(self, file: SourceFile, plan: SourcePlan) -> None:
        self._file = file
        self._plan = plan
        self._names: tuple[str, ...] | None = None

    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        if self._names is None:
            with self._opened() as opened:
                self._names = tuple(opened.schema_arrow.names)
        return self._names

    def check(self, needed: Mapping[str, str]) -> list[Diagnostic]:
        """Columns that are missing or occur twice (FM704)."""
        return check_columns(self._file.shown, needed, self.names(), self._plan)

    def rows(self, needed: Collection[str]) -> Iterator[FileRow]:
        """Each row, with the columns ``needed`` alone read."""
        there = self.names()
        at = column_places(self._file.shown, needed, there, self._plan)
        places = {name: there[place] for name, place in at.items()}
        columns = list(dict.fromkeys(places.values()))
        number = 0
        with self._opened() as opened:
            batches = opened.iter_batches(batch_size=_ROWS, columns=columns, use_threads=False)
            while (batch := self._next(batches)) is not None:
                read = dict(zip(batch.schema.names, map(_values, batch.columns), strict=True))
                held = [read[column] for column in places.values()]
                for cells in zip(*held, strict=True) if held else [()] * batch.num_rows:
                    number += 1
                    yield FileRow(dict(zip(places, cells, strict=True)), f"#{number}", number, [])

    @contextmanager
    def _opened(self) -> Iterator[pq.ParquetFile]:
        parquet = _library()
        with reading(self._file), self._file.open() as file:
            with self._damage():
                opened = parquet.ParquetFile(file, pre_buffer=False, page_checksum_verification=True)
            yield opened

    def _next(self, batches: Iterator[pa.RecordBatch]) -> pa.RecordBatch | None:
        with self._damage():
            return next(batches, None)

    @contextmanager
    def _damage(self) -> Iterator[None]:
        """What is wrong with the file's own form, as FM702: the library's words may quote it."""
        from pyarrow import ArrowException

        try:
            yield
        except (ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            reason = Text("reasons.not_parquet")
            raise ConfigError("FM702", variant="damaged", source=self._file.shown, reason=reason) from None


def _library() -> Any:  # noqa: ANN401 - a module without types
    try:
        import pyarrow.parquet
    except ImportError:
        raise ConfigError("FM797", library="pyarrow", extra="parquet") from None
    return pyarrow.parquet


def _values(column: pa.Array) -> list[RawValue]:
    """The cells of a column as values; one that is none, such as a day of another age, as `_unread` says."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        return _all_values(column)
    except (ValueError, OverflowError):
        if len(column) == 1:
            return [_unread(column)]
        return [_values(column.slice(place, 1))[0] for place in range(len(column))]


def _all_values(column: pa.Array) -> list[RawValue]:
    """The cells of a column as values. Raises: ValueError, OverflowError where one is none."""
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
        return {field.name: _values(member)[0] for field, member in members}
    if pa.types.is_nested(kind):
        return _values(cell.values)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return bytes(cell.as_buffer())
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
    return kind


def _is_extension(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return isinstance(kind, pa.BaseExtensionType)
