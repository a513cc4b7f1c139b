"""Records from a database's tables, through SQLAlchemy Core: SQLite, PostgreSQL, MariaDB/MySQL, others by dialect."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.records import Fault, Record
from fhirmap.source_plan import Child, SourceColumn, SourceKind, SourcePlan
from fhirmap.sources import names as naming
from fhirmap.sources.address import Address
from fhirmap.sources.attribute_names import unknown_attributes
from fhirmap.sources.changes import ChangeColumns, Changes, Marks
from fhirmap.sources.documents import column_and_path, value_of
from fhirmap.sources.keys import RecordKeys, revision_column
from fhirmap.sources.protocol import Source
from fhirmap.sources.revisions import cannot_be_compared
from fhirmap.sources.samples import Sample
from fhirmap.sources.sql_cells import know_own_types, load_as_text
from fhirmap.sources.sql_changes import ChangedKeys, change_faults, current_marks, starts, watched_columns
from fhirmap.sources.sql_engine import engine_of
from fhirmap.sources.sql_errors import translated
from fhirmap.sources.sql_layout import SqlLayout, SqlTableLayout
from fhirmap.sources.sql_misfits import misfits
from fhirmap.sources.sql_nesting import Groups, record_maker
from fhirmap.sources.sql_rows import RecordRows, Row, RowValues, SqlNode, SqlStatement, key_text
from fhirmap.sources.sql_snapshot import SqlSnapshot, snapshot_of
from fhirmap.sources.sql_statements import StatementBuilder, build_tree
from fhirmap.sources.sql_types import ColumnKind, declared_kind, query_contents
from fhirmap.sources.store_rows import StoreRow
from fhirmap.sources.untyped_joins import untyped_joins

_NUMBERS = (ColumnKind.INTEGER, ColumnKind.NUMBER, ColumnKind.FLOAT)


class SqlTable(Source):
    """A table, view or query of a database, with its joined tables, as a stream of records.

    Shape: one record a row (of the current revision where ``latest by`` is declared), children nested as lists of rows.
    Every reading is one consistent snapshot (`sql_snapshot`), which it may share with others of the same database.
    Raises: ConfigError FM701-FM710 (cannot be opened), FM715, FM724, FM725 (while reading).
    """

    def __init__(self, address: Address, plan: SourcePlan) -> None:
        self._address = address
        self._plan = plan
        self._keys = RecordKeys(plan)
        self._revision_column = revision_column(plan)
        self._engine = engine_of(address, plan.zone)
        self._layout_cache: SqlLayout | None = None
        self._root_cache: SqlTableLayout | None = None
        self._snapshot: SqlSnapshot | None = None

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    # --- layout -------------------------------------------------------------------------------------------------------

    def _layout(self) -> SqlLayout:
        if self._layout_cache is None:
            with translated(self._address.shown):
                layout = SqlLayout(sa.inspect(self._engine))
            for child in (child for shape in self._plan.shape.walk() for child in shape.children if child.query):
                layout.know(self._query_table(child.table, child.query, child.position))
            self._layout_cache = layout
        return self._layout_cache

    def _root(self) -> SqlTableLayout | None:
        if self._root_cache is None:
            if self._plan.kind == SourceKind.QUERY:
                self._root_cache = self._query_table(self._plan.name, self._plan.query, self._plan.position)
            else:
                layout = self._layout()
                with translated(self._address.shown, self._plan.name):
                    self._root_cache = layout.table(self._plan.name)
        return self._root_cache

    def _query_table(self, name: str, query: str, position: str) -> SqlTableLayout:
        """The columns of a query. ``position``: where the map names it, for what the database says against it."""
        try:
            with translated(self._address.shown, f"query `{name}`"):
                return self._columns_of_query(name, query)
        except ConfigError as error:
            found = error.diagnostic()
            if error.code != "FM715":
                raise
            args: dict[str, Any] = {**found.args, "position": position}
            raise ConfigError("FM715", hint=found.hint, variant=found.variant, **args) from None

    def _columns_of_query(self, name: str, query: str) -> SqlTableLayout:
        text = query.strip().rstrip(";").replace(":", "\\:")
        with self._engine.connect() as connection:
            know_own_types(connection)
            result = connection.execute(sa.text(f"SELECT * FROM (\n{text}\n) q WHERE 1 = 0"))
            names = list(result.keys())
            held = dict(zip(names, query_contents(result.cursor, self._engine.dialect.name), strict=True))
        return SqlTableLayout(
            name,
            None,
            dict.fromkeys(names),
            query=query,
            kinds={column: entry.kind for column, entry in held.items()},
            items={column: entry.items for column, entry in held.items() if entry.kind == ColumnKind.LIST},
        )

    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """The columns of each table of the plan that is there."""
        found: dict[str, tuple[str, ...]] = {}
        root = self._root()
        if root is not None:
            found[self._plan.name] = tuple(root.columns)
        for shape in self._plan.shape.walk():
            for child in shape.children:
                with translated(self._address.shown, child.table):
                    table = self._layout().table(child.table)
                if table is not None:
                    found[child.table] = tuple(table.columns)
        return found

    def check(self) -> list[Diagnostic]:
        """Missing tables and columns (FM703, FM704) and SQL that the database refuses (FM715); attributes that no row
        has (FM774); keys that SQLite does not take for equal (FM775)."""
        found: list[Diagnostic] = []
        root = self._root()
        if root is None:
            found.append(self._missing_table(self._plan.name, self._plan.position))
        else:
            needed = [*self._plan.key, *(entry.column for entry in self._plan.order)]
            needed += [self._plan.latest.column] if self._plan.latest else []
            found += self._check_columns(self._plan.name, root, self._plan.shape.columns, needed, self._plan.position)
        for shape in self._plan.shape.walk():
            for child in shape.children:
                found += self._check_child(child)
        if root is not None and not found:
            found += self._check_sql(root)
        if root is not None and not any(entry.is_error for entry in found):
            found += [*self._unknown_attributes(root), *self._untyped_joins(root)]
        return _once(found)

    def _unknown_attributes(self, root: SqlTableLayout) -> list[Diagnostic]:
        """Attributes that no row has (FM774); the database makes each name one row."""
        builder = self._builder(root, None)
        found: list[Diagnostic] = []
        for node in self._tree(root).walk():
            attributes = node.child.attributes if node.child else None
            if node.child is None or attributes is None:
                continue
            with translated(self._address.shown, node.child.table), self._engine.connect() as connection:
                load_as_text(connection)
                names = connection.execute(builder.distinct(node, attributes.name)).scalars()
                found += unknown_attributes(node.child.table, attributes, names)
        return found

    def _untyped_joins(self, root: SqlTableLayout) -> list[Diagnostic]:
        """Join columns without a type that hold numbers here and their digits there (FM775)."""
        if self._engine.dialect.name != "sqlite":
            return []
        found: list[Diagnostic] = []
        for node in self._tree(root).walk():
            if node.child is not None:
                with translated(self._address.shown, node.child.table), self._engine.connect() as connection:
                    found += untyped_joins(node, connection)
        return found

    def _check_child(self, child: Child) -> list[Diagnostic]:
        with translated(self._address.shown, child.table):
            table = self._layout().table(child.table)
        if table is None:
            return [self._missing_table(child.table, child.position)]
        needed = [*(pair[0] for pair in child.on), *(entry.column for entry in child.order)]
        return self._check_columns(child.table, table, child.shape.columns, needed, child.position)

    def _missing_table(self, name: str, position: str) -> Diagnostic:
        with translated(self._address.shown):
            like = self._layout().missing(name)
        return Diagnostic("FM703", args={"table": name, "source": self._address.shown, "position": position}, **like)

    def _check_columns(
        self,
        name: str,
        table: SqlTableLayout,
        columns: Collection[SourceColumn],
        needed: Collection[str],
        position: str,
    ) -> list[Diagnostic]:
        places = {**dict.fromkeys(needed, position), **{column.name: column.position for column in columns}}
        rows = {column.name for column in columns if column.nested}
        missing = [
            self._missing_column(name, table, column, place or position, may_be_table=column in rows)
            for column, place in places.items()
            if table.real(column) is None and (column in needed or column_and_path(column, table.columns) is None)
        ]
        return [*missing, *misfits(name, table, columns, needed, position)]

    def _missing_column(
        self, name: str, table: SqlTableLayout, column: str, position: str, *, may_be_table: bool
    ) -> Diagnostic:
        args = {"table": name, "column": column, "source": self._address.shown, "position": position}
        if may_be_table and self._layout().table(column) is not None:
            return Diagnostic("FM704", args=args, variant="rows")
        return Diagnostic("FM704", args=args, **naming.like(column, table.columns))

    def _check_sql(self, root: SqlTableLayout) -> list[Diagnostic]:
        """Lets the database look at each statement, reading no row: `where` and `query` are the author's own SQL."""
        builder, plan = self._builder(root, None), self._plan
        refused = self._refused(plan.name, plan.position, [entry.select for entry in builder.statements()])
        if refused is None:
            return []
        # Each relation by itself shows whose condition it is.
        places = [
            (node.child.table, node.child.position, node) if node.child else (plan.name, plan.position, node)
            for node in self._tree(root).walk()
        ]
        found = [self._refused(table, position, [builder.rows(node)]) for table, position, node in places]
        return [entry for entry in found if entry is not None] or [refused]

    def _refused(self, table: str, position: str, selects: Sequence[sa.Select[Any]]) -> Diagnostic | None:
        """What the database says against one of ``selects`` (FM715), at the place in the map."""
        try:
            with translated(self._address.shown, table), self._engine.connect() as connection:
                for select in selects:
                    connection.execute(select.limit(0)).close()
        except ConfigError as error:
            if error.code != "FM715":
                raise
            diagnostic = error.diagnostic()
            return replace(diagnostic, args={**diagnostic.args, "position": position})
        return None

    def samples(self, count: int) -> Iterator[Sample]:
        """The rows of each table that come first, without an order.

        Raises: ConfigError FM703, FM715, FM724, FM725.
        """
        root = self._known_root()
        builder = self._builder(root, None)
        with translated(self._address.shown, self._plan.name), self._engine.connect() as connection:
            load_as_text(connection)
            for node in self._tree(root).walk():
                rows = [
                    dict(zip(node.names, row, strict=True)) for row in connection.execute(builder.sample(node, count))
                ]
                for path in node.table.paths(node.shape):
                    for values in rows:
                        values[path.name] = value_of(values[path.name], path)
                attributes = node.child.attributes if node.child else None
                table = node.child.table if node.child else self._plan.name
                yield Sample(table, node.shape, rows, attributes=attributes)

    # --- reading ------------------------------------------------------------------------------------------------------

    def _builder(
        self, root: SqlTableLayout, keys: Collection[str] | None, changed: ChangedKeys | None = None
    ) -> StatementBuilder:
        condition = None if changed is None else changed.condition
        return StatementBuilder(self._plan, self._tree(root), self._engine.dialect.name, keys, condition)

    def _tree(self, root: SqlTableLayout) -> SqlNode:
        return build_tree(self._plan, self._layout(), root)

    def _known_root(self) -> SqlTableLayout:
        root = self._root()
        if root is None:
            name = self._plan.name
            raise ConfigError(
                "FM703", table=name, source=self._address.shown, position="", **self._layout().missing(name)
            )
        return root

    def count(self) -> int | None:
        """How many rows the records' table has under the plan's filter."""
        with translated(self._address.shown, self._plan.name), self._engine.connect() as connection:
            return int(connection.execute(self._builder(self._known_root(), None).count()).scalar_one())

    def records(self, keys: Collection[str] | None = None) -> Iterator[Record]:
        """Every record in key order (or the declared order), or those of ``keys``.

        Raises: ConfigError FM703, FM715, FM724, FM725.
        """
        return self._read(keys, None)

    def _read(self, keys: Collection[str] | None, changed: ChangedKeys | None) -> Iterator[Record]:
        builder = self._builder(self._known_root(), keys, changed)
        statements = builder.statements()
        wanted = None if keys is None else frozenset(keys)
        with translated(self._address.shown, self._plan.name), ExitStack() as stack:
            for record in self._merge(statements, self._streams(stack, statements), builder.is_unique):
                if wanted is None or record.key in wanted:
                    yield record

    def check_changes(self, columns: ChangeColumns) -> list[Diagnostic]:
        """Why changes are not to be seen by these columns: FM667, FM704.

        Raises: ConfigError FM707-FM709, FM724.
        """
        root = self._root()
        if root is None:
            return []
        with translated(self._address.shown, self._plan.name), self._engine.connect() as connection:
            return list(change_faults(self._plan, self._tree(root), columns, connection, self._address.shown))

    @contextmanager
    def changes(self, columns: ChangeColumns, since: Marks) -> Iterator[Changes]:
        """As of a `ChangedSource`.

        Raises: ConfigError FM703, FM707-FM709, FM715, FM724, FM725.
        """
        with self.one_snapshot(()):
            snapshot = self._snapshot
            assert snapshot is not None
            tree = self._tree(self._known_root())
            with translated(self._address.shown, self._plan.name):
                watched = watched_columns(self._plan, tree, columns, snapshot.connection)
                marks = current_marks(watched, snapshot.connection)
            begin = starts(marks, since, watched, columns.overlap)
            dialect = self._engine.dialect.name
            changed = None if begin is None else ChangedKeys(self._plan, tree, watched, begin, dialect)
            yield Changes(marks, changed is not None, self._read(None, changed))

    def joined_rows(self, names: Sequence[str]) -> Iterator[StoreRow]:
        """Every row, in the plan's order, with the texts of the columns ``names``: a `JoinableSource`.

        Raises: ConfigError FM703, FM715, FM724, FM725.
        """
        statements = self._builder(self._known_root(), None).statements(are_records=False)
        with translated(self._address.shown, self._plan.name), ExitStack() as stack:
            for _, values, rows in self._nested(statements, self._streams(stack, statements)):
                parts = tuple(key_text(values[name]) or "" for name in names)
                yield StoreRow(parts, values, tuple(rows.faults(self._plan.name)) if rows.left_out else ())

    @contextmanager
    def one_snapshot(self, others: Sequence[Source]) -> Iterator[None]:
        """Until the context ends, this source and those of ``others`` that read the same database read one snapshot.

        Raises: ConfigError FM703, FM707-FM709, FM724.
        """
        if self._snapshot is not None:
            yield
            return
        places = [self, *(other for other in others if isinstance(other, SqlTable) and self._is_beside(other))]
        with self._opened_snapshot(places) as snapshot:
            for place in places:
                place._snapshot = snapshot
            try:
                yield
            finally:
                for place in places:
                    place._snapshot = None

    @contextmanager
    def _opened_snapshot(self, places: Sequence[SqlTable]) -> Iterator[SqlSnapshot]:
        tables = [table for place in places for table in place._tables()]
        with ExitStack() as stack:
            with translated(self._address.shown, self._plan.name):
                snapshot = stack.enter_context(snapshot_of(self._engine, tables, self._plan.zone))
            # What is raised meanwhile may be somebody else's.
            yield snapshot

    def _is_beside(self, other: SqlTable) -> bool:
        """Does the other source read the same database?"""
        if other is self or self._address.path is not None or other._address.path is not None:
            return other is not self and self._address.path == other._address.path
        return self._engine.url == other._engine.url

    def _tables(self) -> list[SqlTableLayout]:
        return [node.table for node in self._tree(self._known_root()).walk()]

    def _streams(self, stack: ExitStack, statements: Sequence[SqlStatement]) -> list[Iterator[Row]]:
        """The rows of each statement, of one snapshot."""
        snapshot = self._snapshot or stack.enter_context(self._opened_snapshot([self]))
        return snapshot.streams(stack, statements, self._address.shown, self._plan.zone)

    def _nested(
        self, statements: Sequence[SqlStatement], streams: Sequence[Iterator[Row]]
    ) -> Iterator[tuple[Row, RowValues, RecordRows]]:
        """Each row of the first statement, its values with child rows below, and what was left out of these."""
        records, children = statements[0], statements[1:]
        groups = [Groups(s, rows, self._address.shown) for s, rows in zip(children, streams[1:], strict=True)]
        parents = [node.number for node in records.node.walk() if any(not below.joined for below in node.nodes)]
        values_of = record_maker(records.reader)
        for row in streams[0]:
            rows = RecordRows({number: [] for number in parents})
            values = values_of(row, rows)
            identity = row[records.identity]
            for group in groups:
                group.attach(identity, rows)
            yield row, values, rows
        for group in groups:
            group.finish()

    def _merge(self, statements: list[SqlStatement], streams: list[Iterator[Row]], is_unique: bool) -> Iterator[Record]:
        records = statements[0]
        # Rows that differ in the database can have the same key (`A` and `A `; `a|b`, `c` and `a`, `b|c`).
        keys: set[str] = set()
        may_be_mixed = self._keys_may_be_mixed()
        for number, (row, values, rows) in enumerate(self._nested(statements, streams), 1):
            rank, same, *ends = (1, 1) if is_unique else row[records.extra]
            record = self._record(values, number, rank > 1, same > 1)
            is_current = record.key and not record.superseded
            if (
                ends
                and is_current
                and self._plan.latest
                and cannot_be_compared(ends[0], ends[1], self._revision_column)
            ):
                fault = self._key_fault("FM756", [self._plan.latest.column])
                record = record._replace(faults=(*record.faults, fault))
            if rows.left_out:
                record = record._replace(faults=(*record.faults, *rows.faults(self._plan.name)))
            # A single number needs no memory: no other is shown alike.
            can_double = may_be_mixed or isinstance(values[self._plan.key[0]], str)
            if can_double and record.key and not record.superseded:
                if record.key in keys and not record.faults:
                    record = record._replace(faults=(self._key_fault("FM718", self._plan.key),))
                keys.add(record.key)
            yield record

    def _keys_may_be_mixed(self) -> bool:
        """May a number be a part of a key, and a text that is written alike another? SQLite keeps 1 and `'1'` in one
        column, unless its type is one of numbers."""
        root = self._known_root()
        if len(self._plan.key) > 1 or self._engine.dialect.name != "sqlite":
            return len(self._plan.key) > 1
        kind = root.columns.get(root.real(self._plan.key[0]) or "")
        return kind is None or declared_kind(kind) not in _NUMBERS

    def _record(self, values: RowValues, number: int, superseded: bool, is_double: bool) -> Record:
        """The record of row ``number``, by which it is reported where its key says nothing."""
        read = [key_text(values[name]) for name in self._plan.key]
        parts = [part or "" for part in read]
        key = "" if None in read else self._keys.key(parts)
        faults: list[Fault] = []
        # Rows without a key are no revisions of one another.
        superseded = superseded and bool(key)
        if None in read:
            unread = [name for name, part in zip(self._plan.key, read, strict=True) if part is None]
            faults.append(self._key_fault("FM721", unread, {"number": number}))
        elif not key:
            faults.append(self._keys.fault(parts, self._plan.name))
        elif is_double and not superseded and self._plan.grouped:
            own = tuple(
                f"{self._plan.name}.{column.name}"
                for column in self._plan.shape.columns
                if column.element and column.name not in self._plan.key
            )
            faults.append(Fault("FM754", rule="lines", args={"columns": ", ".join(own)}, columns=own))
        elif is_double and not superseded:
            faults.append(self._key_fault("FM718", self._plan.key))
        named = ", ".join(f"{name}={part}" for name, part in zip(self._plan.key, parts, strict=True) if part)
        origin = f"{self._plan.name} {named}" if key else f"{self._plan.name} #{number}{f' ({named})' if named else ''}"
        return Record(key, values, origin, tuple(faults), superseded)

    def _key_fault(self, code: str, names: Sequence[str], args: Mapping[str, object] | None = None) -> Fault:
        columns = tuple(f"{self._plan.name}.{name}" for name in names)
        return Fault(code, rule="key", args={"columns": ", ".join(names), **(args or {})}, columns=columns)


def _once(found: list[Diagnostic]) -> list[Diagnostic]:
    """Each fault once: a table that two children join would otherwise be reported twice."""
    named = ("table", "column", "position", "type")
    return list({(entry.code, *(entry.args.get(name) for name in named)): entry for entry in found}.values())
