"""Rows that are columns of Arrow: which of their cells become values is chosen column by column."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

from fhirmap.records import Fault
from fhirmap.sources.arrow_cells import cell_values
from fhirmap.sources.documents import ReadPath, resolved
from fhirmap.sources.files.file_rows import FileReader, FileRow
from fhirmap.sources.files.row_spool import KeyedRow
from fhirmap.sources.revisions import Revision

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ColumnBlock", "ColumnReader", "ColumnRows"]

_Head: TypeAlias = tuple[str, Revision | None, str, tuple[Fault, ...]]
"""What is known of a row beside its cells: key, revision, origin, faults."""


@dataclass(frozen=True, slots=True)
class ColumnRows:
    """Rows of a file that follow each other. ``places``: the column under which the cells of a name are; ``before``:
    how many rows of the file there are before the first."""

    batch: pa.RecordBatch
    places: Mapping[str, str]
    before: int = 0

    def rows(self, names: Collection[str] | None = None) -> Iterator[FileRow]:
        """The rows with the cells of these names, or of all."""
        for number, cells in enumerate(self.cells(names), self.before + 1):
            yield FileRow(cells, f"#{number}", number, [])

    def cells(self, names: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
        """The cells of each row under these names, or under all."""
        places = self.places if names is None else {name: self.places[name] for name in names}
        read = {column: cell_values(self.batch.column(column)) for column in dict.fromkeys(places.values())}
        held = [read[column] for column in places.values()]
        for cells in zip(*held, strict=True) if held else [()] * self.batch.num_rows:
            yield dict(zip(places, cells, strict=True))

    def only(self, are_kept: Sequence[bool]) -> ColumnRows:
        """Those of the rows that are kept; they have no number of their file any more."""
        import pyarrow as pa

        return ColumnRows(self.batch.filter(pa.array(are_kept, pa.bool_())), self.places)


class ColumnBlock:
    """The rows of one `ColumnRows` with their keys, for a `RowSpool`: the columns are kept as the bytes that Arrow has
    for them, which costs next to nothing, and become values when the rows are asked for."""

    def __init__(self, rows: ColumnRows, keyed: Sequence[KeyedRow], paths: tuple[ReadPath, ...]) -> None:
        self._heads: list[_Head] = [(key, revision, origin, faults) for key, revision, _, origin, faults, _ in keyed]
        self._bytes = _written(rows.batch)
        self._places = rows.places
        self._paths = paths

    def __len__(self) -> int:
        return len(self._heads)

    def __iter__(self) -> Iterator[KeyedRow]:
        rows, paths = ColumnRows(_read(self._bytes), self._places), self._paths
        for (key, revision, origin, faults), cells in zip(self._heads, rows.cells(), strict=True):
            yield key, revision, resolved(cells, paths) if paths else cells, origin, faults, False


class ColumnReader(FileReader, Protocol):
    """The rows of a file that stores the cells of a column together."""

    def columns(self, needed: Collection[str]) -> Iterator[ColumnRows]:
        """The columns ``needed`` of some thousand rows at a time. Raises: as `rows` does."""


def _written(batch: pa.RecordBatch) -> bytes:
    """A batch in Arrow's stream format: with its schema, and the words of dictionaries."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return cast(bytes, sink.getvalue().to_pybytes())


def _read(written: bytes) -> pa.RecordBatch:
    import pyarrow as pa

    with pa.ipc.open_stream(pa.py_buffer(written)) as stream:
        return stream.read_next_batch()
