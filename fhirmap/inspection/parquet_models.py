"""Models of a Parquet file: its columns as those of any flat file, what they nest as models below."""

from __future__ import annotations

from itertools import islice

from fhirmap.inspection.flat_models import FlatColumns, flat_models
from fhirmap.inspection.names import UniqueNames
from fhirmap.inspection.sketch import ModelSketch, store_clause
from fhirmap.source_plan import RowLayout, SourceKind, SourcePlan
from fhirmap.sources.address import Address
from fhirmap.sources.files.parquet_reader import ParquetReader
from fhirmap.sources.files.source_files import FileSet

__all__ = ["parquet_models"]

_SAMPLE = 10_000


def parquet_models(address: Address, name: str | None, zone: str, names: UniqueNames) -> list[ModelSketch]:
    """The record's model, that of its lines where a record has several, and those of nested objects.

    Raises: ConfigError FM70x (cannot be read), FM750 (no column), FM797 (pyarrow is not installed).
    """
    file = FileSet(address).listing().files[0]
    reader = ParquetReader(file, SourcePlan(SourceKind.PARQUET, "", (), RowLayout("", ())))
    header = reader.names()
    once = [column for column in header if header.count(column) == 1]
    rows = [row.cells for row in islice(reader.rows(once), _SAMPLE)]
    columns = FlatColumns.of(address, header, rows, is_typed=True)
    return flat_models(address, name, store_clause("parquet", key=(columns.key(),)), columns, zone, names)
