"""Frames of tables, joined as a source plan says: one row a record, child rows as arrays of structs.

Keys are compared to the letter, as trimmed texts, whatever their types: `01` is not 1. An empty key joins nothing; one
that is a word (`INCONNU`) is left to the workers, which report it with its record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sql
from pyspark.sql.types import StringType

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError, ProjectError
from fhirmap.runner.source import located
from fhirmap.source_plan import Child, RowLayout, SourcePlan
from fhirmap.sources import names as naming
from fhirmap.sources.files.sql_tokens import TokenKind, tokens_of
from fhirmap.spark.frame_columns import (
    column_of,
    columns_of_records,
    join_text_of,
    joined_children,
    missing_column,
    read_positions,
)
from fhirmap.spark.frame_rows import POSITION

__all__ = ["TableFrames"]

_TABLES = "tables"
"""What messages call the frames that were given: the parameter's name."""


class TableFrames:
    """The frames that a plan's tables are, by the names that the map has for them.

    Raises: ProjectError with each table (FM703) and column (FM704) that is missing; ConfigError FM715 for a condition
    that Spark refuses.
    """

    def __init__(self, plan: SourcePlan, tables: Mapping[str, DataFrame]) -> None:
        self._plan = plan
        self._tables = tables
        self._numbers = count()
        wrong = list(self._lacking())
        if wrong:
            raise ProjectError([located(entry) for entry in wrong])

    def joined(self) -> DataFrame:
        """The frame of the records: their columns and the rows that are joined to them."""
        plan = self._plan
        where = plan.where if plan.kind.is_sql else ""  # of files, workers look at each row
        rows = self._filtered(self._table(self._root_name), where, self._root_name, plan.position)
        rows = rows.withColumn(POSITION, sql.monotonically_increasing_id())
        if plan.kind.is_tree:
            return rows
        names = [*columns_of_records(plan), *_above(plan.shape)]
        return self._with_children(_named(rows, names, POSITION), plan.shape, plan)

    # --- what is there ------------------------------------------------------------------------------------------------

    @property
    def _root_name(self) -> str:
        return self._plan.name if self._plan.kind.is_sql else self._plan.shape.model

    def _table(self, name: str) -> DataFrame:
        real = naming.match(name, self._tables)
        assert real is not None
        return self._tables[real]

    def _lacking(self) -> Iterator[Diagnostic]:
        plan = self._plan
        if naming.match(self._root_name, self._tables) is None:
            yield self._missing_table(self._root_name, plan.position)
        elif not plan.kind.is_tree:
            needed = dict.fromkeys(_above(plan.shape), plan.position) | columns_of_records(plan)
            yield from self._columns_lacking(self._root_name, needed)
        for layout in plan.shape.walk():
            for child in joined_children(layout):
                if naming.match(child.table, self._tables) is None:
                    yield self._missing_table(child.table, child.position)
                else:
                    names = [*(own for own, _ in child.on), *(entry.column for entry in child.order)]
                    needed = dict.fromkeys([*names, *_above(child.shape)], child.position)
                    needed |= read_positions(child.shape)
                    yield from self._columns_lacking(child.table, needed)

    def _missing_table(self, name: str, position: str) -> Diagnostic:
        args: dict[str, object] = {"table": name, "source": _TABLES, "position": position}
        return Diagnostic("FM703", args=args, **naming.like(name, self._tables))

    def _columns_lacking(self, table: str, needed: Mapping[str, str]) -> Iterator[Diagnostic]:
        there = self._table(table).columns
        for name, position in needed.items():
            if naming.match(name, there) is None:
                yield missing_column(table, name, position, there)

    # --- rows ---------------------------------------------------------------------------------------------------------

    def _filtered(self, table: DataFrame, where: str, what: str, position: str) -> DataFrame:
        """The rows for which a condition of a database holds."""
        try:
            return table.where(_spark_condition(where)) if where else table
        except AnalysisException:
            raise ConfigError("FM715", variant="frame", what=what, position=position) from None

    def _with_children(self, rows: DataFrame, layout: RowLayout, plan: SourcePlan) -> DataFrame:
        """``rows`` with the rows of each child as an array under its key."""
        for child in joined_children(layout):
            number = next(self._numbers)
            keys = [f"fhirmap_{number}_{n}" for n in range(len(child.on))]
            below = self._child_rows(child, child.store or plan, keys)
            there = rows.schema
            texts = {
                key: join_text_of(column_of(above), there[above].dataType)
                for key, (_, above) in zip(keys, child.on, strict=True)
            }
            rows = rows.withColumns(texts).join(below, keys, "left").drop(*keys)
        return rows

    def _child_rows(self, child: Child, plan: SourcePlan, keys: Sequence[str]) -> DataFrame:
        """The rows of a child by their keys, each group an array in the order of the map."""
        table = self._table(child.table)
        for where in (child.where, child.store.where if child.store else ""):
            table = self._filtered(table, where, child.table, child.position)
        first = [] if plan.kind.is_sql else [POSITION]
        if first:
            table = table.withColumn(POSITION, sql.monotonically_increasing_id())
        order = [entry.column for entry in child.order]
        read = [*order, *read_positions(child.shape)]
        names = [*read, *_above(child.shape)]
        joins = [_real_column(own, table).alias(key) for key, (own, _) in zip(keys, child.on, strict=True)]
        rows = _named(table, names, *first, more=joins)
        rows = rows.withColumns({key: join_text_of(column_of(key), rows.schema[key].dataType) for key in keys})
        rows = rows.dropna("any", subset=list(keys))
        rows = self._with_children(rows, child.shape, plan)
        fields = [*first, *dict.fromkeys(read), *_texts(_above(child.shape), rows)]
        fields = [*dict.fromkeys(fields), *(below.key for below in joined_children(child.shape))]
        gathered = sql.sort_array(sql.collect_list(sql.struct(*map(column_of, fields))))
        return rows.groupBy(*keys).agg(gathered.alias(child.key))


def _above(layout: RowLayout) -> list[str]:
    """The columns that rows are joined by."""
    return [above for child in joined_children(layout) for _, above in child.on]


def _texts(names: Sequence[str], rows: DataFrame) -> list[str]:
    """Those of the columns that hold texts, which may be words."""
    return [name for name in names if isinstance(rows.schema[name].dataType, StringType)]


def _real_column(name: str, table: DataFrame) -> Column:
    return column_of(naming.match(name, table.columns) or name)


def _named(table: DataFrame, names: Sequence[str], *more_names: str, more: Sequence[Column] = ()) -> DataFrame:
    """The columns ``names`` of a table under the names that the map has for them."""
    columns = [_real_column(name, table).alias(name) for name in dict.fromkeys(names)]
    return table.select(*columns, *map(column_of, more_names), *more)


def _spark_condition(where: str) -> str:
    """A condition with names as Spark quotes them: in double quotes they would be texts."""
    written = (
        f"`{token.text.replace('`', '``')}`" if token.kind is TokenKind.NAME else token.text
        for token in tokens_of(where)
    )
    return " ".join(written)
