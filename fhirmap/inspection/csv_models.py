"""Models of a CSV file: one line per record, or several, which differ in the columns of the line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fhirmap.errors import ConfigError
from fhirmap.inspection.guess import TEXT, codes_of, guess, guess_most, others
from fhirmap.inspection.names import UniqueNames, camel_case, is_identifier_name, is_quantity_name, pascal_case
from fhirmap.inspection.sketch import ElementSketch, ModelSketch, child_element, column_element, store_clause
from fhirmap.source_plan import RowLayout, SourceKind, SourcePlan
from fhirmap.sources.address import Address
from fhirmap.sources.files.csv_reader import CsvReader
from fhirmap.sources.files.source_files import FileSet, SourceFile
from fhirmap.sources.files.text_lines import proved_encoding
from fhirmap.texts import Text

__all__ = ["csv_models", "encoding_of"]

_SAMPLE = 10_000
_USUAL = ("utf-8", "cp1252")
_LAST = "iso-8859-15"
"""Every byte is a character in it, so that it is tried last."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns that have one meaning, and their cells in the sample."""

    names: Sequence[str]
    cells: Mapping[str, list[str]]


def csv_models(address: Address, name: str | None, encoding: str, zone: str, names: UniqueNames) -> list[ModelSketch]:
    """The record's model, and that of its lines where a record has several.

    Raises: ConfigError FM70x (cannot be read), FM750 (no column).
    """
    file = FileSet(address).listing().files[0]
    chosen = encoding or encoding_of(file)
    reader = CsvReader(file, SourcePlan(SourceKind.CSV, "", (), RowLayout("", ()), encoding=chosen))
    head, rows = reader.head(), reader.sample(_SAMPLE)
    header = list(head.names)
    distinct = [column for column in dict.fromkeys(header) if column]
    if not distinct:
        raise ConfigError("FM750", source=address.shown, reason=Text("reasons.no_column"))
    once = [column for column in distinct if header.count(column) == 1]
    columns = _Columns(once, {column: [row.get(column, "") for row in rows] for column in distinct})
    key = _key_of(columns)
    store = store_clause(
        "csv",
        key=(key,),
        encoding=chosen if chosen.lower() not in ("", "utf-8") else None,
        delimiter=head.delimiter.replace("\t", "tab"),
    )
    stem = address.path.stem if address.path else "Record"
    model = ModelSketch(names.take(name or pascal_case(stem)), store)
    repeated = sorted(set(distinct) - set(once))
    if repeated:
        model.remark = Text("inspection.repeated_columns", {"columns": ", ".join(f"'{column}'" for column in repeated)})
    return _divided(model, columns, key, zone, names)


def _divided(model: ModelSketch, columns: _Columns, key: str, zone: str, names: UniqueNames) -> list[ModelSketch]:
    """The columns as elements of the record, and of its lines where it has several."""
    of_lines = _varying(columns, key)
    quantity = _quantity(columns, of_lines)
    lines = ModelSketch(names.take(f"{model.name}Line"))
    own_names, line_names = UniqueNames(), UniqueNames()
    for column in columns.names:
        if column == quantity:
            continue
        kind = TEXT if column == key else guess_most(columns.cells[column])
        sketch, taken = (lines, line_names) if column in of_lines else (model, own_names)
        element = column_element(taken.take(camel_case(column)), kind, column, zone, required=column == key)
        remark = others(kind, columns.cells[column], zone)
        sketch.elements.append(ElementSketch(element, remark, codes=codes_of(columns.cells[column])))
    if not of_lines:
        return [model]
    joined = child_element(own_names.take("lines"), lines.name, required=True, repeats=True)
    model.add(replace(joined, lines=True, repeat=quantity))
    return [model, lines]


def _quantity(columns: _Columns, of_lines: set[str]) -> str | None:
    """The column of the lines that counts pieces: such a line means that many of them."""
    named = (column for column in columns.names if column in of_lines and is_quantity_name(camel_case(column)))
    found = next(named, None)
    return found if found is not None and guess(columns.cells[found]).type == "integer" else None


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


def _key_of(columns: _Columns) -> str:
    """The first column that is filled and different in each line, identifiers by name before others; else the first."""
    first, cells = columns.names[0], columns.cells
    unique = [name for name in columns.names if all(cells[name]) and len(set(cells[name])) == len(cells[name])]
    named = [name for name in unique if is_identifier_name(camel_case(name))]
    if first in unique or not unique:
        return first
    repeated = len(set(cells[first])) < len(cells[first])
    # A first column that is filled everywhere and repeats is a record's number over several lines.
    if repeated and all(cells[first]) and not named:
        return first
    return (named or unique)[0]


def _varying(columns: _Columns, key: str) -> set[str]:
    """Columns that differ between the lines of some key: they belong to the line."""
    first: dict[str, int] = {}
    several: set[str] = set()
    differing: dict[str, set[str]] = {}
    partly: set[str] = set()
    for number, value in enumerate(columns.cells[key]):
        start = first.setdefault(value, number)
        if start == number:
            continue
        several.add(value)
        for column in columns.names:
            here, there = columns.cells[column][number], columns.cells[column][start]
            if here != there:
                differing.setdefault(column, set()).add(value)
                partly |= {column} if not (here and there) else set()
    # A record whose lines disagree now and then (a side, a date) is a fault in the data, so most keys decide; not so
    # where a field is filled on some lines only, or counts pieces.
    of_lines = {
        column
        for column, keys in differing.items()
        if column in partly or is_quantity_name(camel_case(column)) or len(keys) * 10 > len(several)
    }
    return of_lines | _alone_between(columns, of_lines) if several else set()


def _alone_between(columns: _Columns, of_lines: set[str]) -> set[str]:
    """One value throughout says nothing by itself; between two columns of the line it most likely is one as well."""
    found = set(of_lines)
    for place, column in enumerate(columns.names):
        neighbours = (*columns.names[place - 1 : place], *columns.names[place + 1 : place + 2])
        if len(set(columns.cells[column])) == 1 and found.issuperset(neighbours):
            found.add(column)
    return found
