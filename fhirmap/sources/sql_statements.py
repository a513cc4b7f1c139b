"""A plan and a database's layout -> the SELECT statements that read it, and how their rows become nested records.

One statement reads the records, with every child that occurs at most once (its joined columns are unique) LEFT JOINed
in. Each one-to-many child has a statement of its own. All are sorted by the same *identity* of the record, so that
reading them side by side needs equality alone: Python never compares text, whose order is the database's business
(collations). A child's statement LEFT JOINs from the records it belongs to, childless ones included: two streams that
disagree are noticed at once.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Sequence
from typing import Any

import sqlalchemy as sa

from fhirmap.source_plan import Child, RowLayout, SourcePlan
from fhirmap.sources.keys import join_columns, revision_column
from fhirmap.sources.sql_joins import Cell, Relation, belongs, from_table, type_of
from fhirmap.sources.sql_layout import SqlLayout, SqlTableLayout
from fhirmap.sources.sql_rows import RowReader, SqlNode, SqlStatement
from fhirmap.sources.sql_types import ColumnKind, are_compared_alike, is_equal_alike


def build_tree(plan: SourcePlan, layout: SqlLayout, root: SqlTableLayout) -> SqlNode:
    """The plan's shapes tied to the tables that hold them (which ``check`` has found to be there)."""
    numbers = iter(range(1_000_000))
    own = (*plan.key, *(order.column for order in plan.order), *((plan.latest.column,) if plan.latest else ()))

    def grow(
        shape: RowLayout, table: SqlTableLayout, child: Child | None, parent: SqlNode | None, needed: tuple[str, ...]
    ) -> SqlNode:
        joins = tuple(pair[1] for entry in shape.children for pair in entry.on)
        node = SqlNode(next(numbers), shape, table, tuple(dict.fromkeys((*shape.column_names, *needed, *joins))))
        node.child, node.parent = child, parent
        node.joined = (
            child is not None and parent is not None and _is_looked_up(child, table, parent.table, layout.dialect)
        )
        for entry in shape.children:
            below = layout.table(entry.table)
            if below is not None:
                columns = (*(pair[0] for pair in entry.on), *(order.column for order in entry.order))
                node.nodes.append(grow(entry.shape, below, entry, node, columns))
        return node

    return grow(plan.shape, root, None, None, own)


def _is_looked_up(child: Child, table: SqlTableLayout, parent: SqlTableLayout, dialect: str) -> bool:
    """Does the database find one row of the child at most? Only if it compares its column with the parent's as it does
    with itself: `'01'` and `'1'` are two texts and one number.
    """
    pairs = [(type_of(table, own), type_of(parent, above)) for own, above in child.on]
    alike = all(are_compared_alike(own, above, dialect) for own, above in pairs)
    return alike and table.is_unique_by(own for own, _ in child.on)


_ORDERED = frozenset(
    (
        ColumnKind.INTEGER, ColumnKind.NUMBER, ColumnKind.FLOAT,
        ColumnKind.DATE, ColumnKind.LOCAL, ColumnKind.INSTANT,
    )
)  # fmt: skip
"""Kinds of which PostgreSQL has a least and a greatest; of its texts too, but not of all that is read as one."""


Condition = Callable[[Callable[[str], Cell]], sa.ColumnElement[bool]]
"""A condition on the records' rows, made of the columns of its own choice by their real names."""


class StatementBuilder:
    """Writes the statements of one tree for one dialect. ``changed``: a condition by key, which all rows of a key meet
    or none."""

    def __init__(
        self,
        plan: SourcePlan,
        root: SqlNode,
        dialect: str,
        keys: Collection[str] | None = None,
        changed: Condition | None = None,
    ) -> None:
        self._plan = plan
        self._root = root
        self._dialect = dialect
        self._keys = keys
        self._changed = changed
        self.is_unique = root.table.is_unique_by(plan.key)
        """Does the database itself promise one row a key?"""

    def statements(self, *, are_records: bool = True) -> list[SqlStatement]:
        """The records' statement first, then one for each child that needs its own, parents before children.

        ``are_records``: of rows that are no records, none is marked as a revision or a double.
        """
        own = [node for node in self._root.walk() if node.parent is not None and not node.joined]
        return [self._records(is_marked=are_records), *(self._children(node) for node in own)]

    def count(self) -> sa.Select[Any]:
        """The number of rows that the records' statement reads."""
        return sa.select(sa.func.count()).select_from(self._relation(self._root, "r"))

    def rows(self, node: SqlNode) -> sa.Select[Any]:
        """The rows of one node alone, under its own filter."""
        return sa.select(sa.literal(1)).select_from(self._relation(node, "r"))

    def sample(self, node: SqlNode, count: int) -> sa.Select[Any]:
        """Some rows of one node alone, its columns in the order of its names."""
        where = node.child.where if node.child else self._plan.where
        cells: list[sa.ColumnClause[Any]] = [sa.column(node.table.physical(name)) for name in node.names]
        select = sa.select(*_labelled(cells)).select_from(from_table(node.table)).limit(count)
        return select.where(sa.literal_column(f"({where}\n)")) if where else select

    def distinct(self, node: SqlNode, name: str) -> sa.Select[Any]:
        """The different values of one column in the rows of one node, to the letter."""
        column: Cell = sa.column(node.table.physical(name))
        exact = self._exact(node.table, name, column)
        cells = _labelled([column] if exact is None else [column, exact])
        select: sa.Select[Any] = sa.select(*cells).select_from(from_table(node.table)).distinct()
        where = node.child.where if node.child else self._plan.where
        return select.where(sa.literal_column(f"({where}\n)")) if where else select

    # --- relations ----------------------------------------------------------------------------------------------------

    def _relation(self, node: SqlNode, alias: str, extra: Sequence[Cell] = ()) -> Relation:
        table = node.table
        names = [*(table.physical(name) for name in node.names), *table.primary]
        base = from_table(table)
        where = node.child.where if node.child else self._plan.where
        if node is self._root and self._plan.grouped:
            # One row for the lines of a record: what they agree on.
            names = list(dict.fromkeys(table.physical(name) for name in node.names))
            # To the letter, or the database makes one of what its collation takes for equal.
            exact = [self._exact(table, name, sa.column(name)) for name in names]
            apart = [cell.label(f"fm_exact{n}") for n, cell in enumerate(exact) if cell is not None]
            lines: Any = sa.select(*(sa.column(name) for name in names), *apart).select_from(base).distinct()
            base = (lines.where(sa.literal_column(f"({where}\n)")) if where else lines).subquery("g")
            where = ""
        # Window functions must see every row of a key: with them, keys are asked for outside.
        asked = self._asked(sa.column) if node is self._root and not extra else None
        if (
            not where
            and not extra
            and asked is None
            and not table.query
            and not (node is self._root and self._plan.grouped)
        ):
            return base.alias(alias)
        select: Any = sa.select(*(sa.column(name) for name in dict.fromkeys(names)), *extra).select_from(base)
        if where:
            # The map's own SQL, on a line of its own so that a trailing comment ends there.
            select = select.where(sa.literal_column(f"({where}\n)"))
        if asked is not None:
            select = select.where(asked)
        return select.subquery(alias)

    def _asked(self, among: Callable[[str], Cell]) -> sa.ColumnElement[bool] | None:
        """The records that are to be read, where these are not all of them."""
        found = [self._of_keys(among), None if self._changed is None else self._changed(among)]
        wanted = [condition for condition in found if condition is not None]
        return sa.and_(*wanted) if wanted else None

    def _of_keys(self, among: Callable[[str], Cell]) -> sa.ColumnElement[bool] | None:
        """The rows of ``keys``, where the database can be asked without changing what a key's text is."""
        if self._keys is None or len(self._plan.key) != 1 or len(self._keys) > 500:
            return None
        name = self._root.table.real(self._plan.key[0]) or self._plan.key[0]
        kind = self._root.table.columns.get(name)
        if isinstance(kind, sa.Integer):
            numbers = [int(key) for key in self._keys if key.lstrip("-").isdecimal() and len(key) < 19]
            return sa.type_coerce(among(name), sa.BigInteger).in_(numbers)
        if isinstance(kind, sa.String) and self._dialect != "sqlite":
            return sa.func.trim(sa.type_coerce(among(name), sa.String)).in_(list(self._keys))
        return None

    def _columns(self, node: SqlNode, relation: Relation) -> dict[str, Cell]:
        return {name: relation.c[node.table.physical(name)] for name in node.names}

    def _exact(self, table: SqlTableLayout, name: str, column: Cell) -> Cell | None:
        """``column`` compared byte by byte, where values of the dialect may be equal without being the same: texts by
        their collation, PostgreSQL's `citext`, `1 month` and `30 days`.
        """
        if self._dialect in ("mysql", "mariadb"):
            return sa.cast(column, sa.LargeBinary)
        if self._dialect == "postgresql":
            kind = table.columns.get(table.real(name) or name)
            return None if is_equal_alike(kind) else sa.collate(sa.cast(column, sa.Text), "C")
        return sa.collate(column, "BINARY") if self._dialect == "sqlite" else None

    def _identity(self, columns: dict[str, Cell]) -> tuple[list[Cell], list[Cell]]:
        """The columns that distinguish one record's rows from another's, and the ORDER BY that keeps them together."""
        plan = self._plan
        order = [columns[entry.column].desc() if entry.descending else columns[entry.column] for entry in plan.order]
        names = [*(entry.column for entry in plan.order), *plan.key]
        if not self.is_unique:
            names += [plan.latest.column] if plan.latest else []
            names += [pair[1] for child in plan.shape.children for pair in child.on]
        names = list(dict.fromkeys(names))
        order += [columns[name] for name in names if name not in {entry.column for entry in plan.order}]
        table = self._root.table
        exact = [] if self.is_unique else [self._exact(table, name, columns[name]) for name in names]
        return [columns[name] for name in names], [*order, *(column for column in exact if column is not None)]

    # --- statements ---------------------------------------------------------------------------------------------------

    def _records(self, *, is_marked: bool) -> SqlStatement:
        marks = self._marks() if is_marked and not self.is_unique else []
        relation = self._relation(self._root, "r", marks)
        columns = self._columns(self._root, relation)
        identity, order = self._identity(columns)
        head = [*identity, *(relation.c[mark.name] for mark in marks if isinstance(mark, sa.Label))]
        source, listed, reader = self._with_joined(self._root, relation, relation, len(head))
        select = sa.select(*_labelled([*head, *listed])).select_from(source).order_by(*order)
        asked = self._asked(lambda name: relation.c[name]) if marks else None
        if asked is not None:
            select = select.where(asked)
        return SqlStatement(self._root, select, slice(0, len(identity)), slice(len(identity), len(head)), reader)

    def _marks(self) -> list[Cell]:
        """Rank of the revision within its key (1 is current), how many rows share key and revision, and the least and
        the greatest revision of the key, where the database knows them.
        """
        table, plan = self._root.table, self._plan
        parts: list[Cell] = []
        for name in plan.key:
            column: Cell = sa.column(table.real(name) or name)
            exact = self._exact(table, name, column)
            parts.append(column if exact is None else exact)
        if plan.latest is None:
            return [sa.literal_column("1").label("fm_rank"), sa.func.count().over(partition_by=parts).label("fm_same")]
        revision: Cell = sa.column(table.real(plan.latest.column) or plan.latest.column)
        words = revision_column(plan).nulls
        if words and (self._dialect == "sqlite" or isinstance(type_of(table, plan.latest.column), sa.String)):
            # What the map says is no value is an absent revision.
            text = sa.func.trim(sa.type_coerce(revision, sa.String))
            revision = sa.case((text.in_(sorted(words)), None), else_=revision)
        absent_last = sa.case((revision.is_(None), 1), else_=0)
        rank = sa.func.rank().over(partition_by=parts, order_by=[absent_last, revision.desc()])
        same = sa.func.count().over(partition_by=[*parts, revision])
        marks: list[Cell] = [rank.label("fm_rank"), same.label("fm_same")]
        kind = table.kinds.get(table.real(plan.latest.column) or "", ColumnKind.UNKNOWN)
        is_text = isinstance(type_of(table, plan.latest.column), sa.String)
        if self._dialect in ("sqlite", "mysql", "mariadb") or is_text or kind in _ORDERED:
            marks += [
                end(revision).over(partition_by=parts).label(name)
                for end, name in ((sa.func.min, "fm_least"), (sa.func.max, "fm_greatest"))
            ]
        return marks

    def _with_joined(
        self, node: SqlNode, source: Relation, relation: Relation, start: int
    ) -> tuple[Relation, list[Cell], RowReader]:
        """``source`` with the joined children of ``node``, their columns, and the reader of the whole."""
        columns = self._columns(node, relation)
        listed = list(columns.values())
        joined: list[tuple[str, RowReader]] = []
        for below in node.nodes:
            if not below.joined or below.child is None:
                continue
            other = self._relation(below, f"t{below.number}")
            other_columns = self._columns(below, other)
            source = source.outerjoin(other, belongs(below, other_columns, columns, self._dialect))
            source, more, reader = self._with_joined(below, source, other, start + len(listed))
            listed += more
            joined.append((below.child.key, reader))
        is_parent = any(not below.joined for below in node.nodes)
        pairs = node.child.on if node.child else ()
        on = tuple((start + node.names.index(own), above) for own, above in pairs)
        keys = join_columns(self._plan, node.child, node.parent.shape) if node.child and node.parent else ()
        reader = RowReader(
            node,
            node.names,
            start,
            start + len(node.names),
            on,
            keys,
            is_parent,
            tuple(joined),
            node.table.paths(node.shape),
        )
        return source, listed, reader

    def _children(self, node: SqlNode) -> SqlStatement:
        child, parent = node.child, node.parent
        assert child is not None and parent is not None
        source, identity, order, on_values = self._parents_of(node, parent, child)
        relation = self._relation(node, f"t{node.number}")
        columns = self._columns(node, relation)
        above = dict(zip((pair[1] for pair in child.on), on_values, strict=True))
        source = source.outerjoin(relation, belongs(node, columns, above, self._dialect))
        # Where rows hang from the record's own, by its key, that is read once.
        is_identity = len(on_values) == len(identity) and all(map(operator.is_, on_values, identity))
        head = identity if is_identity else [*identity, *on_values]
        source, listed, reader = self._with_joined(node, source, relation, len(head))
        select = sa.select(*_labelled([*head, *listed])).select_from(source)
        select = select.order_by(*order, *_child_order(node, child, columns))
        extra = slice(len(head) - len(on_values), len(head))
        return SqlStatement(node, select, slice(0, len(identity)), extra, reader)

    def _parents_of(
        self, node: SqlNode, parent: SqlNode, child: Child
    ) -> tuple[Relation, list[Cell], list[Cell], list[Cell]]:
        """The rows that ``node`` hangs from: identity of the record, its order, and the join values, each once."""
        chain: list[SqlNode] = [parent]
        while chain[0].parent is not None:
            chain.insert(0, chain[0].parent)
        relation = self._relation(self._root, "r")
        columns = self._columns(self._root, relation)
        identity, order = self._identity(columns)
        if len(chain) == 1 and self.is_unique:
            return relation, identity, order, [columns[pair[1]] for pair in child.on]
        source: Relation = relation
        for step in chain[1:]:
            other = self._relation(step, f"c{step.number}")
            other_columns = self._columns(step, other)
            source = source.outerjoin(other, belongs(step, other_columns, columns, self._dialect))
            columns = other_columns
        # One row a record and join value, or a child would come once for each of several parents that share it.
        directions = [entry.descending for entry in self._plan.order]
        plain = [_undirected(entry) for entry in order]
        values = [columns[pair[1]] for pair in child.on]
        exact = [self._exact(parent.table, pair[1], columns[pair[1]]) for pair in child.on]
        wanted = [*identity, *plain, *values, *(cell for cell in exact if cell is not None)]
        base = sa.select(*_labelled(wanted)).select_from(source).distinct().subquery(f"b{node.number}")
        cells: list[Cell] = list(base.c)
        after = len(identity) + len(plain)
        ordering = [
            cell.desc() if n < len(directions) and directions[n] else cell
            for n, cell in enumerate(cells[len(identity) : after])
        ]
        return base, cells[: len(identity)], ordering, cells[after : after + len(values)]


def _undirected(entry: Cell) -> Cell:
    """The column of an ORDER BY entry, without its direction."""
    is_direction = isinstance(entry, sa.UnaryExpression) and entry.modifier is not None
    return entry.element if is_direction else entry


def _child_order(node: SqlNode, child: Child, columns: dict[str, Cell]) -> list[Cell]:
    """The declared order, then what makes it the same at each reading: the primary key, else every column read."""
    order = [columns[entry.column].desc() if entry.descending else columns[entry.column] for entry in child.order]
    relation: Relation = next(iter(columns.values())).table
    known = [relation.c[name] for name in node.table.primary if name in relation.c]
    declared = {entry.column for entry in child.order}
    is_keyed = bool(known) and len(known) == len(node.table.primary)
    rest = known if is_keyed else [_sortable(node.table, columns[name]) for name in node.names if name not in declared]
    return [*order, *(column for column in rest if column.name not in declared)]


def _sortable(table: SqlTableLayout, column: Cell) -> Cell:
    """The column, or its text: PostgreSQL's `json` has no order."""
    is_document = table.kinds.get(column.name) == ColumnKind.DOCUMENT
    return sa.cast(column, sa.Text).label(None) if is_document else column


def _labelled(columns: Sequence[Cell]) -> list[Cell]:
    """Each column under a name of its own: the same one may occur several times in a row."""
    return [column.label(f"f{number}") for number, column in enumerate(columns)]
