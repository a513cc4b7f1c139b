"""The columns of a frame against those that a plan reads: what is missing, and the frame without all others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import or_

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sql
from pyspark.sql.types import ArrayType, DataType, DecimalType, DoubleType, FloatType, StringType, StructType

from fhirmap.diagnostics import Diagnostic
from fhirmap.source_plan import Child, ChildKind, RowLayout, SourceKind, SourcePlan, path_steps
from fhirmap.sources import names as naming
from fhirmap.sources.files.row_filter import filter_of
from fhirmap.spark.frame_rows import POSITION

__all__ = [
    "by_keys",
    "column_of",
    "columns_lacking",
    "columns_of_records",
    "join_text_of",
    "joined_children",
    "missing_column",
    "not_for_frames",
    "read_positions",
    "spark_columns",
    "with_columns_read",
]

_BLANKS = " \t\r\n\u00a0\ufeff"


def not_for_frames(plan: SourcePlan) -> Iterator[Diagnostic]:
    """What of a plan frames cannot have (FM768): trees of XML and HL7 v2, keys at places of lists, lines of a
    table of a database, joins to lines and to documents, conditions on the rows of another file."""
    has_lines = any(child.kind is ChildKind.LINES for child in plan.shape.children)
    if plan.kind in (SourceKind.XML, SourceKind.HL7):
        yield _not_for_frames("kind", plan.position, kind=plan.kind.value)
    if plan.kind.is_sql and plan.grouped:
        yield _not_for_frames("lines", plan.position)
    if (has_lines or plan.kind.is_tree) and plan.shape.has_stores:
        yield _not_for_frames("join", plan.position)
    if plan.kind.is_tree:
        for name in plan.key:
            if not all(isinstance(step, str) for step in path_steps(name)):
                yield _not_for_frames("key", plan.position, column=name)
    for layout in plan.shape.walk():
        for child in joined_children(layout):
            store = child.store
            if store is not None and not store.kind.is_sql and (child.where or store.where):
                yield _not_for_frames("where", child.position, table=child.table)
            if store is not None and store.kind.is_tree:
                yield _not_for_frames("kind", child.position, kind=store.kind.value)


def _not_for_frames(variant: str, position: str, **args: object) -> Diagnostic:
    return Diagnostic("FM768", args={"position": position, **args}, variant=variant)


def columns_of_records(plan: SourcePlan) -> dict[str, str]:
    """The columns of the records' own rows, or of their lines, each with the place of the map that names it."""
    latest = (plan.latest.column,) if plan.latest else ()
    condition = None if plan.kind.is_sql else filter_of(plan)
    own = dict.fromkeys((*plan.key, *latest, *(condition.names if condition else ())), plan.position)
    found = own | read_positions(plan.shape)
    for child in plan.shape.children:
        if child.kind is ChildKind.LINES:
            found |= dict.fromkeys((entry.column for entry in child.order), child.position)
            found |= read_positions(child.shape)
    return found


def read_positions(layout: RowLayout) -> dict[str, str]:
    """The columns that elements read, each with the place of the map that names it; not those of joins alone."""
    return {column.name: column.position for column in layout.columns if column.element}


def joined_children(layout: RowLayout) -> list[Child]:
    """The children whose rows are in a column of their own."""
    return [child for child in layout.children if child.kind is ChildKind.JOIN]


# --- what is missing --------------------------------------------------------------------------------------------------


def columns_lacking(plan: SourcePlan, frame: StructType) -> Iterator[Diagnostic]:
    """Each column that the plan reads and a frame of these columns has not (FM704), and each of child rows that is no
    array of structs (FM768)."""
    names = columns_of_records(plan)
    if plan.kind.is_tree:
        # What a document lacks is absent in it; a frame has each of its members as a column.
        for name, position in names.items():
            if _first(name) not in frame.names:
                yield missing_column(plan.shape.model, name, position, frame.names)
        return
    yield from _lacking(plan.name or plan.shape.model, plan.shape, frame, names)


def _lacking(shown: str, layout: RowLayout, there: StructType, names: Mapping[str, str]) -> Iterator[Diagnostic]:
    for name, position in names.items():
        if naming.match(name, there.names) is None:
            yield missing_column(shown, name, position, there.names)
    for child in joined_children(layout):
        real = naming.match(child.key, there.names)
        rows = None if real is None else _rows(there[real].dataType)
        if real is None:
            yield missing_column(shown, child.key, child.position, there.names)
        elif rows is None:
            args: dict[str, object] = {"table": shown, "column": child.key, "position": child.position}
            yield Diagnostic("FM768", args={**args, "type": there[real].dataType.simpleString()})
        else:
            yield from _lacking(child.table or child.key, child.shape, rows, read_positions(child.shape))


def missing_column(shown: str, name: str, position: str, there: Sequence[str]) -> Diagnostic:
    """FM704 of a column that is not among those that are ``there``."""
    args: dict[str, object] = {"table": shown, "column": name, "source": shown, "position": position}
    return Diagnostic("FM704", args=args, **naming.like(name, there))


def _rows(kind: DataType) -> StructType | None:
    """The columns of the rows in a column of child rows; None where there are none."""
    return kind.elementType if isinstance(kind, ArrayType) and isinstance(kind.elementType, StructType) else None


def _first(path: str) -> str:
    """The member of a document that a path begins with."""
    return next((step for step in path_steps(path) if isinstance(step, str)), "")


# --- what is read -----------------------------------------------------------------------------------------------------


def column_of(name: str) -> Column:
    """The column of this very name, whatever its signs."""
    return sql.col(f"`{name.replace('`', '``')}`")


def join_text_of(column: Column, kind: DataType) -> Column:
    """What a cell is a key by: its trimmed text, null where it is empty; of a whole number its digits."""
    if isinstance(kind, DoubleType | FloatType):
        whole = column.cast("decimal(38,0)")
        text = sql.when(whole.cast(kind) == column, whole.cast("string")).otherwise(column.cast("string"))
    elif isinstance(kind, DecimalType):
        text = sql.regexp_replace(column.cast("string"), r"\.0+$", "")
    else:
        text = sql.btrim(column.cast("string"), sql.lit(_BLANKS))
    return sql.nullif(text, sql.lit(""))


def with_columns_read(frame: DataFrame, plan: SourcePlan) -> DataFrame:
    """The frame with the columns that the plan reads, under its names, and no others: each costs its way to a worker.

    ``frame``: one that lacks none (`columns_lacking`).
    """
    position = [column_of(POSITION)] if POSITION in frame.columns else []
    names = columns_of_records(plan)
    if plan.kind.is_tree:
        return frame.select(*map(column_of, dict.fromkeys(map(_first, names))), *position)
    own = _with_texts_above(plan.shape, names, frame.schema)
    return frame.select(*_read(plan.shape, own, frame.schema), *position)


def by_keys(rows: DataFrame, plan: SourcePlan) -> DataFrame:
    """The rows, those of one key one after the other on one partition, in their order; what they are a key by comes
    before their columns, as texts. A row without a key is on any partition.

    Spark's own groups cost far more: they hold each row as bytes within a list that grows, before the rows move and
    after.
    """
    if POSITION not in rows.columns:
        rows = rows.withColumn(POSITION, sql.monotonically_increasing_id())
    texts = list(_key_texts(rows, plan))
    keys = [f"fhirmap_key_{number}" for number in range(len(texts))]
    rows = rows.select(
        *(text.alias(name) for text, name in zip(texts, keys, strict=True)), *map(column_of, rows.columns)
    )
    lacks_key = reduce(or_, (column_of(name).isNull() for name in keys))
    alone = sql.when(lacks_key, column_of(POSITION))
    return rows.repartition(*keys, alone).sortWithinPartitions(*keys, POSITION)


def _key_texts(frame: DataFrame, plan: SourcePlan) -> Iterator[Column]:
    """The texts of the key's columns, or of what is at its paths."""
    for name in plan.key:
        first, *steps = map(str, path_steps(name)) if plan.kind.is_tree else (name,)
        column, kind = column_of(first), frame.schema[first].dataType
        for step in steps:
            column = column.getField(step)
            kind = kind[step].dataType if isinstance(kind, StructType) and step in kind.names else StringType()
        yield join_text_of(column, kind)


def _read(layout: RowLayout, names: Sequence[str], there: StructType, row: Column | None = None) -> Iterator[Column]:
    """The columns ``names`` of a kind of row, and its child rows. ``row``: the struct that they are in, if they are in
    one."""
    for name in names:
        real = _real(name, there)
        yield (column_of(real) if row is None else row.getField(real)).alias(name)
    for child in joined_children(layout):
        real = _real(child.key, there)
        held = column_of(real) if row is None else row.getField(real)
        yield _child_rows(child, held, there[real].dataType).alias(child.key)


def _with_texts_above(layout: RowLayout, names: Iterable[str], there: StructType) -> list[str]:
    """The names, and those of the texts that rows are joined by, if they are there: one may be a word."""
    above = [name for child in joined_children(layout) for _, name in child.on]
    texts = [name for name in above if name in there.names and isinstance(there[name].dataType, StringType)]
    return list(dict.fromkeys((*names, *texts)))


def _child_names(child: Child, there: StructType) -> list[str]:
    """The columns of a child's rows that go to a worker: what is read of them, and what they are sorted by, if it is
    there."""
    order = [entry.column for entry in child.order if entry.column in there.names]
    return _with_texts_above(child.shape, (*read_positions(child.shape), *order), there)


def _child_rows(child: Child, held: Column, kind: DataType) -> Column:
    """The rows of a child with these columns; as they are where they have no others."""
    rows = _rows(kind)
    assert rows is not None
    if _has_no_others(child, rows):
        return held
    return sql.transform(held, lambda row: sql.struct(*_read(child.shape, _child_names(child, rows), rows, row)))


def _has_no_others(child: Child, there: StructType) -> bool:
    """Have the rows of a child no columns but these, and so their child rows?"""
    children = joined_children(child.shape)
    if {*_child_names(child, there), *(below.key for below in children)} != {*there.names} - {POSITION}:
        return False
    below = [(entry, _rows(there[entry.key].dataType)) for entry in children]
    return all(rows is not None and _has_no_others(entry, rows) for entry, rows in below)


def _real(name: str, there: StructType) -> str:
    found = naming.match(name, there.names)
    assert found is not None
    return found


def spark_columns(schema: pa.Schema) -> str:
    """Columns of texts, lists and structs as Spark has them in its own words."""
    return ", ".join(f"{field.name} {_spark_type(field.type)}" for field in schema)


def _spark_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"array<{_spark_type(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{', '.join(f'{field.name}: {_spark_type(field.type)}' for field in kind)}>"
    return {pa.string(): "string", pa.binary(): "binary"}[kind]
