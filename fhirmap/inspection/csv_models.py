"""Models of a CSV file: its encoding and delimiter found, its columns as those of any flat file."""

from __future__ import annotations

from dataclasses import replace

from fhirmap.errors import ConfigError
from fhirmap.inspection.flat_models import FlatColumns, flat_models
from fhirmap.inspection.names import UniqueNames
from fhirmap.inspection.sketch import ModelSketch, store_clause
from fhirmap.source_plan import RowLayout, SourceKind, SourcePlan
from fhirmap.sources.address import Address
from fhirmap.sources.files.csv_reader import CsvReader
from fhirmap.sources.files.source_files import FileSet, SourceFile
from fhirmap.sources.files.text_lines import proved_encoding

__all__ = ["csv_models", "encoding_of"]

_SAMPLE = 10_000
_USUAL = ("utf-8", "cp1252")
_LAST = "iso-8859-15"
"""Every byte is a character in it, so that it is tried last."""


def csv_models(address: Address, name: str | None, encoding: str, zone: str, names: UniqueNames) -> list[ModelSketch]:
    """The record's model, and that of its lines where a record has several.

    Raises: ConfigError FM70x (cannot be read), FM750 (no column).
    """
    file = FileSet(address).listing().files[0]
    chosen = encoding or encoding_of(file)
    reader = _reader(file, SourcePlan(SourceKind.CSV, "", (), RowLayout("", ()), encoding=chosen))
    head, rows = reader.head(), reader.sample(_SAMPLE)
    columns = FlatColumns.of(address, head.names, rows)
    store = replace(
        store_clause(
            "csv",
            key=(columns.key(),),
            encoding=chosen if chosen.lower() not in ("", "utf-8") else None,
            delimiter=head.delimiter.replace("\t", "tab"),
        ),
        names_line=head.names_line if head.names_line > 1 and not head.separator else None,
        header=head.names_line > 0,
    )
    return flat_models(address, name, store, columns, zone, names)


def _reader(file: SourceFile, plan: SourcePlan) -> CsvReader:
    """A reader of the file; one that numbers the columns where its first line is data."""
    reader = CsvReader(file, plan)
    try:
        reader.head()
    except ConfigError as error:
        if (error.code, error.diagnostic().variant) != ("FM711", "data"):
            raise
        return CsvReader(file, replace(plan, names_line=0))
    return reader


def encoding_of(file: SourceFile) -> str:
    """The first of the usual encodings that the file is in, without damage if there is one."""
    for encoding, strict in (*((usual, True) for usual in _USUAL), (_USUAL[0], False)):
        try:
            return proved_encoding(file, encoding, strict=strict)
        except ConfigError as error:
            found = error.diagnostic()
            if found.code != "FM705":
                raise
            if found.variant == "wide":
                return str(found.args["real"])
    return _LAST
