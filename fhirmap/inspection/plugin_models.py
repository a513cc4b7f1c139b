"""Models of what a plug-in reads, by what every source has: its columns and its first records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from fhirmap.diagnostics import listed
from fhirmap.errors import ConfigError
from fhirmap.inspection.flat_models import FlatColumns, flat_models
from fhirmap.inspection.names import UniqueNames, pascal_case
from fhirmap.inspection.sketch import ModelSketch, store_clause
from fhirmap.source_plan import RowLayout, SourceColumn, SourceKind, SourcePlan
from fhirmap.sources import names as naming
from fhirmap.sources import open_source
from fhirmap.sources.address import Address
from fhirmap.sources.samples import SampledSource
from fhirmap.texts import Text

__all__ = ["plugin_models"]

_SAMPLE = 2000


def plugin_models(
    address: Address, table: str | None, name: str | None, zone: str, names: UniqueNames
) -> list[ModelSketch]:
    """The record's model, that of its lines where a record has several, and those of nested objects.

    Raises: ConfigError FM70x (cannot be read), FM703 (no such table), FM750 (no column), FM751 (which table?).
    """
    plan = SourcePlan(SourceKind.CSV if table is None else SourceKind.TABLE, table or "", (), RowLayout("", ()))
    with open_source(address, plan) as source:
        there = source.columns()
    wanted = _table(address, there, table)
    header = [column for column in there[wanted] if column]
    if wanted:
        plan = replace(plan, kind=SourceKind.TABLE, name=wanted)
    columns = FlatColumns.of(address, header, _rows(address, plan, header))
    store = store_clause("table" if wanted else "csv", wanted, key=(columns.key(),))
    return flat_models(address, name or (pascal_case(wanted) if wanted else None), store, columns, zone, names)


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


def _rows(address: Address, plan: SourcePlan, header: Sequence[str]) -> list[Mapping[str, Any]]:
    """The first rows, by a plan that reads every column."""
    columns = tuple(SourceColumn(column, element=column, type="string") for column in dict.fromkeys(header))
    # A record has a key: which column it is is found out by the rows, so the first one will do.
    wide = replace(plan, key=tuple(header[:1]), shape=RowLayout("Record", columns))
    with open_source(address, wide) as source:
        if isinstance(source, SampledSource):
            return [row for sample in source.samples(_SAMPLE) for row in sample.rows]
        return [record.values for record in islice(source.records(), _SAMPLE)]
