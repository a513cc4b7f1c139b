"""Models of what a plug-in reads, by what every source has: its columns and its first records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from fhirmap.diagnostics import listed
from fhirmap.errors import ConfigError
from fhirmap.inspection.guess import TEXT, codes_of, guess_most, others
from fhirmap.inspection.json_models import object_models, value_type
from fhirmap.inspection.names import UniqueNames, camel_case, pascal_case
from fhirmap.inspection.sketch import ElementSketch, ModelSketch, column_element, store_clause
from fhirmap.source_plan import RowLayout, SourceColumn, SourceKind, SourcePlan
from fhirmap.sources import names as naming
from fhirmap.sources import open_source
from fhirmap.sources.address import Address
from fhirmap.sources.samples import SampledSource
from fhirmap.texts import Text

__all__ = ["plugin_models"]

_SAMPLE = 2000
_Rows = Sequence[Mapping[str, Any]]


def plugin_models(
    address: Address, table: str | None, name: str | None, zone: str, names: UniqueNames
) -> list[ModelSketch]:
    """The record's model, then those of the objects that its values hold.

    Raises: ConfigError FM70x (cannot be read), FM703 (no such table), FM750 (no column), FM751 (which table?).
    """
    plan = SourcePlan(SourceKind.CSV if table is None else SourceKind.TABLE, table or "", (), RowLayout("", ()))
    with open_source(address, plan) as source:
        there = source.columns()
    wanted = _table(address, there, table)
    header = [column for column in dict.fromkeys(there[wanted]) if naming.may_be_shown(column)]
    if not header:
        raise ConfigError("FM750", source=address.shown, reason=Text("reasons.no_column"))
    if wanted:
        plan = replace(plan, kind=SourceKind.TABLE, name=wanted)
    rows = _rows(address, plan, header)
    key = _key_of(header, rows)
    stem = address.path.stem if address.path else "Record"
    model = ModelSketch(
        names.take(name or pascal_case(wanted or stem)),
        store_clause("table" if wanted else "csv", wanted, key=(key,)),
        hidden=len(set(there[wanted])) - len(header),
    )
    if any(isinstance(value, Mapping | list) for row in rows for value in row.values()):
        hidden = model.hidden
        found = object_models(model, [{column: row.get(column) for column in header} for row in rows], key, names, zone)
        model.hidden = hidden
        return found
    element_names = UniqueNames()
    for column in header:
        model.elements.append(_element(column, rows, element_names, zone, is_key=column == key))
    return [model]


def _element(column: str, rows: _Rows, names: UniqueNames, zone: str, *, is_key: bool) -> ElementSketch:
    """What reads a column of plain values."""
    cells = [cell for row in rows if (cell := row.get(column)) is not None]
    texts = [cell for cell in cells if isinstance(cell, str)]
    kind = TEXT if is_key else guess_most(texts) if len(texts) == len(cells) else value_type(cells)
    element = column_element(names.take(camel_case(column)), kind, column, zone, required=is_key)
    return ElementSketch(element, others(kind, cells, zone), codes=codes_of(texts))


def _key_of(header: Sequence[str], rows: _Rows) -> str:
    """The first column that is filled and different in each row; else the first column."""
    for column in header:
        held = [str(row.get(column) or "").strip() for row in rows]
        if all(held) and len(set(held)) == len(held):
            return column
    return header[0]


def _table(address: Address, there: Mapping[str, Sequence[str]], table: str | None) -> str:
    """The entry of what is there that is meant; empty where the place is no table, but one list of records."""
    if table is not None:
        found = naming.match(table, there)
        if found is None:
            raise ConfigError("FM703", table=table, source=address.shown, **naming.like(table, there))
        return found
    if len(there) == 1:
        return next(iter(there))
    if not there:
        raise ConfigError("FM750", source=address.shown, reason=Text("reasons.no_column"))
    shown = [entry for entry in there if naming.may_be_shown(entry)]
    raise ConfigError("FM751", hint=Text("hints.name_one_of", {"names": listed(shown)}), source=address.shown)


def _rows(address: Address, plan: SourcePlan, header: Sequence[str]) -> _Rows:
    """The first rows, by a plan that reads every column."""
    columns = tuple(SourceColumn(column, element=column, type="string") for column in header)
    # A record has a key: which column it is is found out by the rows, so the first one will do.
    wide = replace(plan, key=tuple(header[:1]), shape=RowLayout("Record", columns))
    with open_source(address, wide) as source:
        if isinstance(source, SampledSource):
            return [row for sample in source.samples(_SAMPLE) for row in sample.rows]
        return [record.values for record in islice(source.records(), _SAMPLE)]
