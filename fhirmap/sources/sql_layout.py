"""What a database holds, as a plan needs it: tables under the names the map uses, columns, unique sets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fhirmap.sources import names as naming


@dataclass(frozen=True, slots=True)
class SqlTableLayout:
    """A table, view or query that is there. ``columns``: real names with their types, in order.

    ``unique``: sets of columns of which no two rows agree, the primary key's first. ``query``: SQL text instead of a
    name.
    """

    name: str
    schema: str | None
    columns: dict[str, Any]
    unique: tuple[frozenset[str], ...] = ()
    primary: tuple[str, ...] = ()
    query: str = ""

    def real(self, name: str) -> str | None:
        """The real name of the column that the map calls ``name``."""
        return naming.match(name, self.columns)

    def is_unique_by(self, names: Iterable[str]) -> bool:
        """Can no two rows agree in the columns ``names`` (as the map calls them)?"""
        real = {self.real(name) for name in names}
        return any(columns <= real for columns in self.unique)


class SqlLayout:
    """Looks tables up by the name a map gives them: exact, else differing by case only; `schema.table` too."""

    def __init__(self, inspector: sa.Inspector) -> None:
        self._inspector = inspector
        self._found: dict[str, SqlTableLayout | None] = {}

    def names(self, schema: str | None = None) -> list[str]:
        """Tables and views of ``schema`` (None: the default one)."""
        listed = [*self._inspector.get_table_names(schema), *self._inspector.get_view_names(schema)]
        if self._inspector.dialect.name == "postgresql":
            listed += self._inspector.get_materialized_view_names(schema)
        return listed

    def table(self, name: str) -> SqlTableLayout | None:
        """The table that ``name`` means, or None where there is none."""
        if name not in self._found:
            self._found[name] = self._look_up(name)
        return self._found[name]

    def _look_up(self, name: str) -> SqlTableLayout | None:
        real = naming.match(name, self.names())
        if real is not None:
            return self._read(real, None)
        schema, dot, bare = name.partition(".")
        if not dot:
            return None
        real_schema = naming.match(schema, self._inspector.get_schema_names())
        real = naming.match(bare, self.names(real_schema)) if real_schema else None
        return self._read(real, real_schema) if real else None

    def _read(self, name: str, schema: str | None) -> SqlTableLayout:
        columns = {entry["name"]: entry["type"] for entry in self._inspector.get_columns(name, schema)}
        primary = self._inspector.get_pk_constraint(name, schema).get("constrained_columns") or []
        unique = [frozenset(primary)] if primary else []
        unique += [frozenset(c["column_names"]) for c in self._inspector.get_unique_constraints(name, schema)]
        for index in self._inspector.get_indexes(name, schema):
            names = index["column_names"]
            partial = any(key.endswith("_where") for key in index.get("dialect_options", {}))
            if index["unique"] and not partial and all(names):
                unique.append(frozenset(str(part) for part in names))
        return SqlTableLayout(name, schema, columns, tuple(columns for columns in unique if columns), tuple(primary))
