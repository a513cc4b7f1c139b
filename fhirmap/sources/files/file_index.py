"""Rows of large CSV files by key, as they are joined to others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from fhirmap.source_plan import SourceKind, SourcePlan
from fhirmap.sources.documents import ReadPath, paths_of, resolved
from fhirmap.sources.files.csv_reader import CsvReader
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.flat_columns import column_named
from fhirmap.sources.files.line_index import LineIndex, line_index
from fhirmap.sources.files.row_filter import RowFilter, filter_of, is_kept
from fhirmap.sources.files.source_files import SourceFile, Stamp, reading
from fhirmap.sources.files.unpacked import UnpackedFile, unpacked
from fhirmap.sources.lost_rows import LostRows
from fhirmap.sources.store_rows import StoreRow

__all__ = ["FileIndex", "file_index"]


@dataclass(frozen=True, slots=True)
class _IndexedFile:
    """One file. ``paths``: what is read of its cells that hold documents; ``stamp``: of the file when it was read."""

    file: SourceFile
    lines: LineIndex
    paths: tuple[ReadPath, ...]
    stamp: Stamp


class FileIndex:
    """The rows of several files by key: a `RowIndex`."""

    def __init__(self, files: Sequence[_IndexedFile], condition: RowFilter | None) -> None:
        self._files = files
        self._condition = condition
        self._lost: LostRows | None = None

    def close(self) -> None:
        """Close the files; more than once does no harm."""
        for entry in self._files:
            entry.lines.close()
            if isinstance(entry.file, UnpackedFile):
                entry.file.close()

    def rows(self, parts: tuple[str, ...]) -> list[StoreRow]:
        """The rows with these texts, file after file.

        Raises: ConfigError FM702.
        """
        return [
            StoreRow(
                parts,
                dict.fromkeys(row.cells) if row.is_lost else resolved(row.cells, entry.paths),
                tuple(row.faults),
                f"{entry.file.name}{row.place}",
                row.is_lost,
            )
            for entry in self._files
            for row in entry.lines.rows(parts)
            if self._is_kept(row)
        ]

    def _is_kept(self, row: FileRow | None) -> bool:
        condition = self._condition
        if condition is None or row is None:
            return True
        return is_kept(condition, row, [row.cells.get(name) for name in condition.names])

    def left_out(self) -> Mapping[str, tuple[int, str]]:
        """Rows without a key and rows that are lost, counted."""
        places = [(entry, entry.lines.without_key, entry.lines.lost) for entry in self._files]
        return {
            "": self._counted((entry, place) for entry, without_key, _ in places for place in without_key),
            "lost": self._counted((entry, place) for entry, _, lost in places for place in lost),
        }

    def lost_at(self, parts: tuple[str, ...]) -> str:
        """Where a line is that has another number of fields than the names, and these texts in it."""
        if self._lost is None:
            self._lost = LostRows()
            for entry in self._files:
                for place in entry.lines.lost:
                    row = entry.lines.row_at(place)
                    if row is not None:
                        self._lost.add(row.pieces, f"{entry.file.name}:{entry.lines.number_at(place)}")
        return self._lost.origin_of(parts)

    def _counted(self, lines: Iterable[tuple[_IndexedFile, int]]) -> tuple[int, str]:
        """How many of these lines are read, and where the first of them is."""
        count, first = 0, ""
        for entry, place in lines:
            if self._condition is None or self._is_kept(entry.lines.row_at(place)):
                count += 1
                first = first or f"{entry.file.name}:{entry.lines.number_at(place)}"
        return count, first

    def is_current(self) -> bool:
        """Are the files what they were?"""
        with suppress(OSError):
            return all(entry.file.stamp() == entry.stamp for entry in self._files)
        return False


def file_index(
    files: Sequence[SourceFile], plan: SourcePlan, needed: Mapping[str, str], names: Sequence[str]
) -> FileIndex | None:
    """The rows of files by the columns ``names``; None where they are not lines of CSV that can be read one by one.

    Raises: ConfigError FM701, FM702, FM704, and those of the reader.
    """
    if plan.kind != SourceKind.CSV or plan.fill or plan.until or plan.order or plan.latest:
        return None
    found: list[_IndexedFile] = []
    with ExitStack() as stack:
        for packed in files:
            with reading(packed):
                stamp = packed.stamp()
            file = unpacked(packed)
            if isinstance(file, UnpackedFile):
                stack.callback(file.close)
            entry = _indexed(file, stamp, plan, needed, names)
            if entry is None:
                return None
            stack.callback(entry.lines.close)
            found.append(entry)
        stack.pop_all()
    return FileIndex(found, filter_of(plan))


def _indexed(
    file: SourceFile, stamp: Stamp, plan: SourcePlan, needed: Mapping[str, str], names: Sequence[str]
) -> _IndexedFile | None:
    reader = CsvReader(file, plan)
    there = reader.head().names
    columns = [column_named(name, there, plan) for name in names]
    if any(column is None or column.steps for column in columns):
        return None
    lines = line_index(file, reader, needed, [there.index(column.column) for column in columns if column])
    return _IndexedFile(file, lines, paths_of(plan.shape, dict.fromkeys(there)), stamp) if lines else None
