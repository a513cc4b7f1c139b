"""Models of a database table and of the tables that its foreign keys name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedForeignKeyConstraint

from fhirmap.diagnostics import listed
from fhirmap.errors import ConfigError
from fhirmap.inspection.guess import TEXT, Guess, codes_of, guess
from fhirmap.inspection.names import UniqueNames, camel_case, pascal_case
from fhirmap.inspection.sketch import ElementSketch, ModelSketch, column_element, joined_element, store_clause
from fhirmap.sources.address import Address
from fhirmap.sources.sql_cells import load_as_text
from fhirmap.sources.sql_errors import translated
from fhirmap.sources.sql_layout import SqlLayout, any_column_type
from fhirmap.sources.sql_table import engine_of
from fhirmap.sources.sql_types import ColumnKind, kind_of
from fhirmap.texts import Text

__all__ = ["sql_models"]

_SAMPLE = 2000
_FOREIGN_KEY_AFFIX = re.compile(r"(?i)^(id|fk)_|_(id|fk)$")
_LARGEST_INTEGER = 2**31


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
        model.elements = self._elements(table, schema, primary, own, element_names)
        found = [model]
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

    def _elements(
        self, table: str, schema: str | None, primary: Sequence[str], skipped: set[str], names: UniqueNames
    ) -> list[ElementSketch]:
        columns = [c for c in self._inspector.get_columns(table, schema) if c["name"] not in skipped]
        sample = self._sample(table, schema, [column["name"] for column in columns])
        found = []
        dialect = self._engine.dialect.name
        for column in columns:
            name, is_key = column["name"], column["name"] in primary
            kind, remark = _sql_type(column, [row[name] for row in sample], is_key, dialect)
            required = is_key or not column["nullable"]
            element = column_element(names.take(camel_case(name)), kind, name, self._zone, required=required)
            if isinstance(column["type"], sa.ARRAY):
                element = replace(element, maximum=None)
            codes = codes_of(str(row[name]) for row in sample if isinstance(row[name], str | int))
            found.append(ElementSketch(element, remark, is_proposal=remark == _BINARY, codes=codes))
        return found

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
        below.elements = self._elements(other, other_schema, (), set(), UniqueNames())
        nullable = {column["name"]: column["nullable"] for column in self._inspector.get_columns(table, schema)}
        required = all(nullable.get(column) is False for column in own)
        wanted = camel_case(_FOREIGN_KEY_AFFIX.sub("", own[0]) if len(own) == 1 else other)
        on = zip(theirs, own, strict=True)
        shown = _shown(other, other_schema)
        model.add(joined_element(names.take(wanted), below.name, shown, on, required=required))
        return [below]

    def _proposed(self, table: str, schema: str | None, names: UniqueNames) -> list[ElementSketch]:
        """A proposal for each table that refers to this one."""
        known = self._layout.table(_shown(table, schema))
        primary = list(known.primary) if known is not None else []
        found = []
        for other in self._inspector.get_table_names(schema):
            for entry in self._inspector.get_foreign_keys(other, schema):
                if entry["referred_table"] != table or other == table:
                    continue
                pairs = zip(entry["constrained_columns"], entry["referred_columns"] or primary, strict=False)
                name = names.take(camel_case(other))
                element = joined_element(name, pascal_case(other), _shown(other, schema), pairs, repeats=True)
                found.append(ElementSketch(element, is_proposal=True))
        return found


def _shown(table: str, schema: str | None) -> str:
    return f"{schema}.{table}" if schema else table


_BINARY = Text("inspection.binary")


def _sql_type(column: ReflectedColumn, values: list[object], is_key: bool, dialect: str) -> tuple[Guess, Text | None]:
    """FHIR type of a database column, and a remark where there is something to say."""
    kind = column["type"]
    held = [value for value in values if value is not None]
    is_binary = isinstance(kind, sa.LargeBinary) or kind_of(kind, dialect) == ColumnKind.BINARY
    if is_binary or any(isinstance(value, bytes) for value in held):
        return TEXT, _BINARY
    if isinstance(kind, sa.ARRAY | sa.JSON):
        return TEXT, None
    if is_key:
        return TEXT, None
    if isinstance(kind, sa.Integer) and any(abs(value) >= _LARGEST_INTEGER for value in held if isinstance(value, int)):
        return TEXT, Text("inspection.larger_than_integer")
    declared = _declared_type(kind)
    if declared is not None:
        return declared, None
    texts = [value for value in held if isinstance(value, str)]
    if len(texts) == len(held):
        return guess(texts), None
    if all(isinstance(value, int) and not isinstance(value, bool) for value in held):
        return Guess("integer"), None
    return TEXT, None


def _declared_type(kind: sa.types.TypeEngine[Any]) -> Guess | None:
    """What the column's own type says; None for text, which its values say more about."""
    match kind:
        case sa.Boolean():
            return Guess("boolean")
        case sa.Integer():
            return Guess("integer")
        case mysql.BIT() | postgresql.BIT():
            return Guess("boolean") if kind.length in (None, 1) else TEXT
        case sa.DateTime():
            # With a zone or without: the database shows either in no zone, or in that of its session.
            return Guess("dateTime", is_local=True)
        case sa.Date():
            return Guess("date")
        case sa.Time():
            return Guess("time", is_local=bool(kind.timezone))
        case sa.Numeric() | postgresql.MONEY():
            return Guess("decimal")
    return None
