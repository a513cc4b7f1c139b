"""The rows of a Parquet file: the columns that are read alone, some thousand rows at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from fhirmap.data import RawValue
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.records import CalendarText
from fhirmap.source_plan import SourcePlan
from fhirmap.sources import names as naming
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.flat_columns import check_columns, column_named
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
        places = {name: self._column(name) for name in needed}
        columns = list(dict.fromkeys(places.values()))
        number = 0
        with self._opened() as opened:
            batches = opened.iter_batches(batch_size=_ROWS, columns=columns, use_threads=False)
            while (batch := self._next(batches)) is not None:
                read = dict(zip(batch.schema.names, map(_values, batch.columns), strict=True))
                held = [read[column] for column in places.values()]
                for cells in zip(*held, strict=True) if held else [()] * batch.num_rows:
                    number += 1
                    yield FileRow(dict(zip(places, cells, strict=True)), f"#{number}", number)

    def _column(self, name: str) -> str:
        found = column_named(name, self.names(), self._plan)
        if found is None:
            like = naming.like(name, self.names())
            raise ConfigError("FM704", table=self._file.shown, column=name, source=self._file.shown, **like)
        return found.column

    @contextmanager
    def _opened(self) -> Iterator[pq.ParquetFile]:
        parquet = _library()
        with reading(self._file), self._file.open() as file:
            with self._damage():
                opened = parquet.ParquetFile(file, pre_buffer=False)
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
    """The cells of a column as values."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_float32(kind) or pa.types.is_float16(kind):
        # Its own digits, not those of the nearest number of 64 bits.
        return [None if text is None else float(text) for text in column.cast(pa.string()).to_pylist()]
    wanted = _microseconds(kind)
    if wanted != kind:
        column = column.cast(wanted, safe=False)
    try:
        cells: list[RawValue] = _dates(column) if pa.types.is_date32(kind) else column.to_pylist()
    except (ValueError, OverflowError):
        cells = [_value_alone(column, place) for place in range(len(column))]
    return [str(cell) if isinstance(cell, UUID) else cell for cell in cells] if _is_extension(kind) else cells


def _dates(column: pa.Array) -> list[RawValue]:
    """The days of a column, far faster than the library. Raises: ValueError, OverflowError (another age)."""
    import pyarrow as pa

    days = column.cast(pa.int32()).to_pylist()
    return [None if day is None else date.fromordinal(_FIRST_DAY + day) for day in days]


def _microseconds(kind: pa.DataType) -> pa.DataType:
    """The type with its times in microseconds, which is as fine as Python's are."""
    import pyarrow as pa

    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    if pa.types.is_time64(kind):
        return pa.time64("us")
    if pa.types.is_duration(kind):
        return pa.duration("us")
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_microseconds(field.type)) for field in kind])
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(kind.value_field.with_type(_microseconds(kind.value_type)))
    return kind


def _value_alone(column: pa.Array, place: int) -> RawValue:
    """One cell of a column of which not all are values: a day of another age as what it shows, no text as its bytes."""
    import pyarrow as pa

    cell = column[place]
    try:
        return cast(RawValue, cell.as_py())
    except (ValueError, OverflowError):
        is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        return bytes(cell.as_buffer()) if is_text else CalendarText(column.slice(place, 1).cast(pa.string())[0].as_py())


def _is_extension(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return isinstance(kind, pa.BaseExtensionType)
