"""The rows of a Parquet file: the columns that are read alone, some thousand rows at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.source_plan import SourcePlan
from fhirmap.sources import names as naming
from fhirmap.sources.documents import DocumentColumn
from fhirmap.sources.files.column_rows import ColumnRows
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.flat_columns import check_columns, column_named, column_places
from fhirmap.sources.files.source_files import SourceFile, reading
from fhirmap.texts import Text

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["ParquetReader"]

_ROWS = 1000
"""Rows that are Python values at one time."""


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
        """Columns that are missing or occur twice (FM704), and paths that lead to no field of an object (FM726)."""
        names = self.names()
        found = check_columns(self._file.shown, needed, names, self._plan)
        for name, position in needed.items():
            column = column_named(name, names, self._plan)
            fields = self._fields_instead(column) if column is not None and names.count(column.column) == 1 else None
            if fields is not None:
                args = {"table": self._file.shown, "source": self._file.shown, "column": name, "position": position}
                found.append(Diagnostic("FM726", args=args, **naming.like(name, fields)))
        return found

    def _fields_instead(self, column: DocumentColumn) -> list[str] | None:
        """The paths of the fields that are there instead of the one that a path into a column names; None where it may
        lead to something."""
        from pyarrow import types

        with self._opened() as opened:
            kind = opened.schema_arrow.field(column.column).type
        way = column.column
        for step in column.steps:
            while types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
                kind = kind.value_type
            if not types.is_struct(kind):
                return None
            if isinstance(step, str):
                fields = {field.name: field.type for field in kind}
                if step not in fields:
                    return [f"{way}.{name}" for name in fields]
                kind, way = fields[step], f"{way}.{step}"
        return None

    def rows(self, needed: Collection[str]) -> Iterator[FileRow]:
        """Each row, with the columns ``needed`` alone read."""
        return chain.from_iterable(rows.rows() for rows in self.columns(needed))

    def columns(self, needed: Collection[str]) -> Iterator[ColumnRows]:
        """The columns ``needed`` of some thousand rows at a time."""
        there = self.names()
        at = column_places(self._file.shown, needed, there, self._plan)
        places = {name: there[place] for name, place in at.items()}
        columns = list(dict.fromkeys(places.values()))
        before = 0
        with self._opened() as opened:
            batches = opened.iter_batches(batch_size=_ROWS, columns=columns, use_threads=False)
            while (batch := self._next(batches)) is not None:
                yield ColumnRows(batch, places, before)
                before += batch.num_rows

    @contextmanager
    def _opened(self) -> Iterator[pq.ParquetFile]:
        parquet = _library()
        with reading(self._file), self._file.open() as file:
            with self._damage():
                opened = parquet.ParquetFile(
                    file,
                    pre_buffer=False,
                    page_checksum_verification=True,
                    # Of the old times of 96 bits, those before 1677 and after 2262 are others in nanoseconds.
                    coerce_int96_timestamp_unit="us",
                )
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
