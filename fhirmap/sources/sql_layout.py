"""What a database holds, as a plan needs it: tables under the names the map uses, columns, unique sets."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from fhirmap.source_plan import RowLayout
from fhirmap.sources import names as naming
from fhirmap.sources.documents import ReadPath, column_and_path, paths_of
from fhirmap.sources.sql_types import ColumnKind, item_kind_of, kind_of, query_contents

_OF_THE_DATABASE = frozenset(
    {
        "information_schema",
        "pg_catalog",
        "mysql",
        "performance_schema",
        "sys",
        "INFORMATION_SCHEMA",
        "guest",
        "SYS",
        "SYSTEM",
    }
)


@contextmanager
def any_column_type() -> Iterator[None]:
    """Look at tables without SQLAlchemy's warnings of what it has no class for: types such as `inet6` and `xml`, whose
    cells are read as the text that the database shows, and indexes of expressions, which are not needed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        yield


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
    kinds: dict[str, ColumnKind] = field(default_factory=dict)
    """What each column holds, where the database says."""
    items: dict[str, ColumnKind] = field(default_factory=dict)
    """What the items of each array are."""

    def real(self, name: str) -> str | None:
        """The real name of the column that the map calls ``name``."""
        return naming.match(name, self.columns)

    def physical(self, name: str) -> str:
        """The real name of the column whose cell holds what the map calls ``name``: a column, or a path into one."""
        found = column_and_path(name, self.columns)
        return found.column if found else name

    def paths(self, shape: RowLayout) -> tuple[ReadPath, ...]:
        """What the map reads of cells that hold documents."""
        documents = [name for name, kind in self.kinds.items() if kind == ColumnKind.DOCUMENT]
        return paths_of(shape, self.columns, documents)

    def is_unique_by(self, names: Iterable[str]) -> bool:
        """Can no two rows agree in the columns ``names`` (as the map calls them)?"""
        real = {self.real(name) for name in names}
        return any(columns <= real for columns in self.unique)


class SqlLayout:
    """Looks tables up by the name a map gives them: exact, else differing by case only; `schema.table` too."""

    def __init__(self, inspector: sa.Inspector) -> None:
        self._inspector = inspector
        self.dialect: str = inspector.dialect.name
        self._found: dict[str, SqlTableLayout | None] = {}

    @contextmanager
    def _connected(self) -> Iterator[tuple[sa.Connection, sa.Inspector]]:
        """One connection for several questions: an inspector makes one for each, which takes longer than its answer."""
        with self._inspector.engine.connect() as connection:
            inspector: sa.Inspector = sa.inspect(connection)
            inspector.info_cache = self._inspector.info_cache
            yield connection, inspector

    def names(self, schema: str | None = None) -> list[str]:
        """Tables and views of ``schema`` (None: the default one)."""
        with self._connected() as (_, inspector):
            return _names(inspector, schema)

    def known_names(self) -> list[str]:
        """What a hint may name: ``names()``, then the tables of the other schemas, with their schema.

        The schemas that a database keeps for itself hold nothing that a map reads.
        """
        with self._connected() as (_, inspector):
            own = _names(inspector, None)
            skipped = {inspector.default_schema_name, *_OF_THE_DATABASE}
            schemas = [name for name in inspector.get_schema_names() if name not in skipped]
            return own + [f"{schema}.{name}" for schema in schemas for name in _names(inspector, schema)]

    def missing(self, name: str) -> naming.Missing:
        """The hint for a table that is not there: the one so called in another schema, else the nearest name."""
        known = self.known_names()
        found = naming.like(name, known)
        bare = name.rpartition(".")[2]
        elsewhere = [entry for entry in known if naming.match(bare, [entry.rpartition(".")[2]])]
        if len(elsewhere) == 1:
            found["meant"] = elsewhere[0]
            found["hint"] = naming.hint(found)
        return found

    def know(self, table: SqlTableLayout) -> None:
        """Take a query as a table under the name that the map gives it."""
        self._found[table.name] = table

    def table(self, name: str) -> SqlTableLayout | None:
        """The table that ``name`` means, or None where there is none."""
        if name not in self._found:
            self._found[name] = self._look_up(name)
        return self._found[name]

    @any_column_type()
    def _look_up(self, name: str) -> SqlTableLayout | None:
        with self._connected() as (connection, inspector):
            real = naming.match(name, _names(inspector, None))
            if real is not None:
                return self._read(connection, inspector, real, None)
            schema, dot, bare = name.partition(".")
            if not dot:
                return None
            real_schema = naming.match(schema, inspector.get_schema_names())
            real = naming.match(bare, _names(inspector, real_schema)) if real_schema else None
            return self._read(connection, inspector, real, real_schema) if real else None

    def _read(
        self, connection: sa.Connection, inspector: sa.Inspector, name: str, schema: str | None
    ) -> SqlTableLayout:
        columns = {entry["name"]: entry["type"] for entry in inspector.get_columns(name, schema)}
        primary = inspector.get_pk_constraint(name, schema).get("constrained_columns") or []
        unique = [frozenset(primary)] if primary else []
        unique += [frozenset(c["column_names"]) for c in inspector.get_unique_constraints(name, schema)]
        for index in inspector.get_indexes(name, schema):
            names = index["column_names"]
            partial = any(key.endswith("_where") for key in index.get("dialect_options", {}))
            if index["unique"] and not partial and all(names):
                unique.append(frozenset(str(part) for part in names))
        kinds = {column: kind_of(kind, self.dialect) for column, kind in columns.items()}
        return SqlTableLayout(
            name,
            schema,
            columns,
            tuple(columns for columns in unique if columns),
            tuple(primary),
            kinds=kinds | self._of_mariadb(connection, name, schema, kinds),
            items={column: item_kind_of(kind) for column, kind in columns.items() if kinds[column] == ColumnKind.LIST},
        )

    def _of_mariadb(
        self, connection: sa.Connection, name: str, schema: str | None, known: dict[str, ColumnKind]
    ) -> dict[str, ColumnKind]:
        """What SQLAlchemy does not say of MariaDB's columns: JSON is a text that is checked, shapes are bytes."""
        if self.dialect not in ("mysql", "mariadb"):
            return {}
        unknown = [column for column, kind in known.items() if kind == ColumnKind.UNKNOWN]
        cells: list[sa.ColumnClause[Any]] = [sa.column(column) for column in unknown]
        found: dict[str, ColumnKind] = {}
        if cells:
            select = sa.select(*cells).select_from(sa.table(name, *cells, schema=schema)).limit(0)
            held = query_contents(connection.execute(select).cursor, self.dialect)
            found = {column: entry.kind for column, entry in zip(unknown, held, strict=True)}
        if getattr(connection.dialect, "is_mariadb", False):
            own = schema or self._inspector.default_schema_name
            select = sa.select(_CHECKS.c.check_clause)
            select = select.where(_CHECKS.c.constraint_schema == own, _CHECKS.c.table_name == name)
            clauses = connection.execute(select).scalars()
            documents = {match[1].replace("``", "`") for match in map(_JSON_VALID.fullmatch, clauses) if match}
            found |= dict.fromkeys(documents & set(known), ColumnKind.DOCUMENT)
        return found


def _names(inspector: sa.Inspector, schema: str | None) -> list[str]:
    listed = [*inspector.get_table_names(schema), *inspector.get_view_names(schema)]
    if inspector.dialect.name == "postgresql":
        listed += inspector.get_materialized_view_names(schema)
    return listed


_CHECKS = sa.table(
    "check_constraints",
    *(sa.column(name, sa.Text()) for name in ("constraint_schema", "table_name", "check_clause")),
    schema="information_schema",
)
_JSON_VALID = re.compile(r"json_valid\(`((?:[^`]|``)+)`\)", re.IGNORECASE)
