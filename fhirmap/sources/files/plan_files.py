"""The files that an address names, read as a plan says: which there are, their readers, the rows that count."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from importlib import import_module
from itertools import compress
from typing import cast

from fhirmap.errors import ConfigError
from fhirmap.source_plan import RowLayout, SourceKind, SourcePlan
from fhirmap.sources.address import Address
from fhirmap.sources.documents import ReadPath, paths_of
from fhirmap.sources.files.column_rows import ColumnReader, ColumnRows
from fhirmap.sources.files.file_rows import FileReader, FileRow, ReaderFactory
from fhirmap.sources.files.flat_columns import columns_needed
from fhirmap.sources.files.key_records import CellReader, cell_reader
from fhirmap.sources.files.row_filter import RowFilter, filter_of, is_kept
from fhirmap.sources.files.source_files import FileSet, SourceFile

__all__ = ["CellReader", "PlanFiles", "open_reader"]


_READERS: Mapping[SourceKind, tuple[str, str]] = {
    SourceKind.CSV: ("csv_reader", "CsvReader"),
    SourceKind.SHEET: ("sheet_reader", "SheetReader"),
    SourceKind.FIXED: ("fixed_reader", "FixedReader"),
    SourceKind.PARQUET: ("parquet_reader", "ParquetReader"),
    SourceKind.JSON: ("json_reader", "JsonReader"),
    SourceKind.XML: ("xml_reader", "XmlReader"),
    SourceKind.HL7: ("hl7_reader", "Hl7Reader"),
}


def open_reader(file: SourceFile, plan: SourcePlan) -> FileReader:
    """The reader of a file of the plan's kind."""
    module, name = _READERS[plan.kind]
    found = getattr(import_module(f"fhirmap.sources.files.{module}"), name)
    return cast(ReaderFactory, found)(file, plan)


class PlanFiles:
    """The files of an address, for one plan. ``set``: which there are; ``is_tree``: are their rows documents?"""

    def __init__(self, address: Address, plan: SourcePlan) -> None:
        self.shown = address.shown
        self.plan = plan
        self.set = FileSet(address)
        self.is_tree = plan.kind.is_tree
        self._readers: dict[SourceFile, FileReader] = {}
        self._known: dict[str, str] | None = None
        self._condition: RowFilter | None = None

    def close(self) -> None:
        """Forget what was read."""
        self._readers.clear()

    def reader(self, file: SourceFile) -> FileReader:
        """The reader of a file. Of several, only the last one is kept: each may hold its whole file."""
        found = self._readers.get(file)
        if found is None:
            if self.set.is_several:
                self._readers.clear()
            found = self._readers[file] = open_reader(file, self.plan)
        return found

    def needed(self) -> Mapping[str, str]:
        """Each column or path that is read, with the place in the map that names it. Raises: ConfigError FM715."""
        if self._known is None:
            self._condition = filter_of(self.plan)
            asked = self._condition.names if self._condition is not None else ()
            self._known = {**dict.fromkeys(asked, self.plan.position), **columns_needed(self.plan)}
        return self._known

    def condition(self) -> RowFilter | None:
        """What says which rows count. Raises: ConfigError FM715."""
        self.needed()
        return self._condition

    def rows(self, file: SourceFile) -> Iterator[FileRow]:
        """The rows of a file for which the condition holds, and those of which that cannot be said."""
        rows = self.reader(file).rows(self.needed())
        condition = self._condition
        if condition is None:
            return rows
        read = [self.cell_reader(name) for name in condition.names]
        return (row for row in rows if is_kept(condition, row, [cell(row.cells) for cell in read]))

    def columns(self, file: SourceFile, names: Collection[str]) -> Iterator[tuple[ColumnRows, Iterator[FileRow]]]:
        """The same rows of a file of columns, some thousand at a time, with the cells of ``names`` alone as values."""
        reader, needed = cast(ColumnReader, self.reader(file)), self.needed()
        condition = self._condition
        first = dict.fromkeys((*names, *(condition.names if condition else ())))
        for columns in reader.columns(needed):
            rows = columns.rows(first)
            if condition is not None:
                held = list(rows)
                are_kept = [is_kept(condition, row, [row.cells[name] for name in condition.names]) for row in held]
                columns, rows = columns.only(are_kept), compress(held, are_kept)
            yield columns, rows

    def all_rows(self) -> Iterator[tuple[SourceFile, FileRow]]:
        """Every row of every file. One of several that cannot be read ends where that shows.

        Raises: ConfigError, where the only file cannot be read.
        """
        for file in self.set.listing().files:
            try:
                for row in self.rows(file):
                    yield file, row
            except ConfigError:
                if not self.set.is_several:
                    raise

    def cell_reader(self, name: str) -> CellReader:
        """What reads the cell of a row under a name, or what a document holds at a path."""
        return cell_reader(name, is_tree=self.is_tree)

    def paths(self, file: SourceFile, shape: RowLayout) -> tuple[ReadPath, ...]:
        """What is read of cells that hold documents."""
        return () if self.is_tree else paths_of(shape, dict.fromkeys(self.reader(file).names()))
