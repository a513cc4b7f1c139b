"""Models of a database table and of the tables that its foreign keys name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedForeignKeyConstraint

from fhirmap.diagnostics import listed
from fhirmap.errors import ConfigError
from fhirmap.inspection.cell_documents import DocumentSketch, documents_of
from fhirmap.inspection.names import UniqueNames, camel_case, pascal_case
from fhirmap.inspection.sketch import ElementSketch, ModelSketch, column_element, joined_element, store_clause
from fhirmap.inspection.sql_columns import UNREAD, ColumnReading, column_reading
from fhirmap.sources.address import Address
from fhirmap.sources.sql_cells import load_as_text
from fhirmap.sources.sql_engine import engine_of
from fhirmap.sources.sql_errors import translated
from fhirmap.sources.sql_layout import SqlLayout, any_column_type
from fhirmap.sources.sql_types import ColumnKind
from fhirmap.texts import Text

__all__ = ["sql_models"]

_SAMPLE = 2000
_Place: TypeAlias = tuple[str, str | None]
"""A table's name and schema."""
_FOREIGN_KEY_AFFIX = re.compile(r"(?i)^(id|fk)_|_(id|fk)$")


@any_column_type()
def sql_models(
    address: Address, table: str | None, name: str | None, zone: str, names: UniqueNames
) -> list[ModelSketch]:
    """The table's own model, then one for each table it refers to.

    Raises: ConfigError FM70x, FM703 (no such table), FM750 (no table at all), FM751 (which of several?).
    """
    engine = engine_of(address)
    try:
        with translated(address.shown, table or ""):
            layout = SqlLayout(sa.inspect(engine))
            wanted = table or _only_table(layout, address)
            found = layout.table(wanted)
            if found is None:
                raise ConfigError("FM703", table=wanted, source=address.shown, **layout.missing(wanted))
            return _SqlInspection(engine, layout, zone, names).models(found.name, found.schema, name)
    finally:
        engine.dispose()


def _only_table(layout: SqlLayout, address: Address) -> str:
    names = layout.names()
    if len(names) == 1:
        return names[0]
    names = layout.known_names()
    if not names:
        raise ConfigError("FM750", source=address.shown, reason=Text("reasons.no_table"))
    raise ConfigError("FM751", hint=Text("hints.name_one_of", {"names": listed(names)}), source=address.shown)


class _SqlInspection:
    """The models of one table of one database."""

    def __init__(self, engine: sa.Engine, layout: SqlLayout, zone: str, model_names: UniqueNames) -> None:
        self._engine = engine
        self._inspector = sa.inspect(engine)
        self._layout = layout
        self._zone = zone
        self._model_names = model_names

    def models(self, table: str, schema: str | None, name: str | None) -> list[ModelSketch]:
        """The table's own model, then one for each table it refers to."""
        primary = self._key(table, schema)
        store = store_clause("table", _shown(table, schema), key=tuple(primary))
        model = ModelSketch(self._model_names.take(name or pascal_case(table)), store)
        if not primary:
            model.remark = Text("inspection.no_primary_key")
        element_names = UniqueNames()
        foreign = self._inspector.get_foreign_keys(table, schema)
        own = {column for entry in foreign for column in entry["constrained_columns"]} - set(primary)
        found = [model, *self._fill(model, (table, schema), primary, own, element_names)]
        for entry in foreign:
            found += self._referred(entry, model, table, schema, element_names)
        model.elements += self._proposed(table, schema, element_names)
        return found

    def _key(self, table: str, schema: str | None) -> list[str]:
        """Columns of the primary key, else of a unique index."""
        known = self._layout.table(_shown(table, schema))
        if known is None:
            return []
        return list(known.primary) or (sorted(known.unique[0]) if known.unique else [])

    def _fill(
        self,
        model: ModelSketch,
        place: tuple[str, str | None],
        primary: Sequence[str],
        skipped: set[str],
        names: UniqueNames,
    ) -> list[ModelSketch]:
        """Put the columns of a table into ``model``; the models below it of documents that its cells hold."""
        known = self._layout.table(_shown(*place))
        kinds, items = (known.kinds, known.items) if known is not None else ({}, {})
        columns = [c for c in self._inspector.get_columns(*place) if c["name"] not in skipped]
        sample = self._sample(*place, [column["name"] for column in columns])
        below = []
        for column in columns:
            name, is_key = column["name"], column["name"] in primary
            cells = [row[name] for row in sample]
            kind = kinds.get(name, ColumnKind.UNKNOWN)
            documents = [] if is_key else documents_of(cells, kind, items.get(name, ColumnKind.UNKNOWN))
            if documents:
                found = DocumentSketch(self._zone, names, self._model_names, kind)
                found.add(name, name, documents)
                model.elements += found.elements
                below += found.models
            elif kind == ColumnKind.BINARY:
                model.elements += self._column(column, UNREAD, names, is_key)
            else:
                reading = column_reading(column["type"], cells, self._engine.dialect.name, self._zone, is_key=is_key)
                model.elements += self._column(column, reading, names, is_key)
        return below

    def _column(
        self, column: ReflectedColumn, reading: ColumnReading, names: UniqueNames, is_key: bool
    ) -> Iterator[ElementSketch]:
        """The element of a column, or one for each list that its cells hold."""
        name, required = column["name"], is_key or not column["nullable"]
        for path in [f"{name}[{place}]" for place in range(reading.lists)] or [name]:
            element_name = names.take(camel_case(name))
            element = column_element(element_name, reading.guess, path, self._zone, required=required)
            element = replace(element, split=reading.split, maximum=None if reading.repeats else 1)
            yield ElementSketch(element, reading.remark, is_proposal=not reading.is_read, codes=reading.codes)

    def _sample(self, table: str, schema: str | None, columns: list[str]) -> list[Mapping[str, Any]]:
        if not columns:
            return []
        listed: list[sa.ColumnClause[Any]] = [sa.column(name) for name in columns]
        source = sa.table(table, *listed, schema=schema)
        with self._engine.connect() as connection:
            load_as_text(connection)
            rows = connection.execute(sa.select(*listed).select_from(source).limit(_SAMPLE))
            return [dict(zip(columns, row, strict=True)) for row in rows]

    def _referred(
        self,
        entry: ReflectedForeignKeyConstraint,
        model: ModelSketch,
        table: str,
        schema: str | None,
        names: UniqueNames,
    ) -> list[ModelSketch]:
        """The model of a table that a foreign key of ``table`` names; the line that joins it goes into ``model``."""
        other, other_schema = entry["referred_table"], entry.get("referred_schema") or schema
        known = self._layout.table(_shown(other, other_schema))
        if known is None:
            return []
        own, theirs = entry["constrained_columns"], entry["referred_columns"] or list(known.primary)
        below = ModelSketch(self._model_names.take(pascal_case(other)))
        models = self._fill(below, (other, other_schema), (), set(), UniqueNames())
        nullable = {column["name"]: column["nullable"] for column in self._inspector.get_columns(table, schema)}
        required = all(nullable.get(column) is False for column in own)
        wanted = camel_case(_FOREIGN_KEY_AFFIX.sub("", own[0]) if len(own) == 1 else other)
        on = zip(theirs, own, strict=True)
        shown = _shown(other, other_schema)
        model.add(joined_element(names.take(wanted), below.name, shown, on, required=required))
        return [below, *models]

    def _proposed(self, table: str, schema: str | None, names: UniqueNames) -> list[ElementSketch]:
        """A proposal for each table that refers to this one."""
        known = self._layout.table(_shown(table, schema))
        primary = list(known.primary) if known is not None else []
        found = []
        for other in self._inspector.get_table_names(schema):
            try:
                foreign = self._inspector.get_foreign_keys(other, schema)
            except sa.exc.NoSuchTableError:
                continue  # dropped since the tables were listed
            for entry in foreign:
                if entry["referred_table"] != table or other == table:
                    continue
                pairs = zip(entry["constrained_columns"], entry["referred_columns"] or primary, strict=False)
                name = names.take(camel_case(other))
                element = joined_element(name, pascal_case(other), _shown(other, schema), pairs, repeats=True)
                found.append(ElementSketch(element, is_proposal=True))
        return found


def _shown(table: str, schema: str | None) -> str:
    return f"{schema}.{table}" if schema else table
