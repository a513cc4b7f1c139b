"""Parquet files, against pyarrow alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import source_sheet
from benchmarks.sources import Kind

MODELS = source_sheet.MODELS.replace("sheet 'Poses'", "parquet")


def write(path: Path, count: int) -> None:
    """The rows of `source_sheet`, in row groups of 20,000."""
    columns = zip(*map(source_sheet.row, range(count)), strict=True)
    pq.write_table(
        pa.table(dict(zip(source_sheet.NAMES, map(list, columns), strict=True))), path, row_group_size=20_000
    )


def read(path: Path) -> Iterator[dict[str, Any]]:
    """What a programmer writes: some thousand rows at a time."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=2000):
            for entry in batch.to_pylist():
                entry["seen"] = entry["seen"].isoformat()
                yield {name: cell for name, cell in entry.items() if cell is not None}


KIND = Kind("poses.parquet", MODELS, write, read)
