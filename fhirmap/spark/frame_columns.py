"""The columns of a frame against those that a plan reads: what is missing, and the frame without all others."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sql
from pyspark.sql.types import ArrayType, DataType, StructType

from fhirmap.diagnostics import Diagnostic
from fhirmap.source_plan import Child, RowLayout, SourcePlan, path_steps
from fhirmap.sources import names as naming

__all__ = ["column_of", "columns_lacking", "spark_columns", "with_columns_read"]


def columns_lacking(plan: SourcePlan, frame: StructType) -> Iterator[Diagnostic]:
    """Each column that the plan reads and a frame of these columns has not (FM704), and each of child rows that is no
    array of structs (FM768)."""
    if plan.kind.is_tree:
        yield from _paths_lacking(plan, frame)
        return
    shown = plan.name or plan.shape.model
    own = dict.fromkeys((*plan.key, *((plan.latest.column,) if plan.latest else ())), plan.position)
    yield from _lacking(shown, plan.shape, frame, own)


def _lacking(shown: str, layout: RowLayout, there: StructType, own: dict[str, str]) -> Iterator[Diagnostic]:
    names = {**own, **{column.name: column.position for column in layout.columns}}
    for name, position in names.items():
        if naming.match(name, there.names) is None:
            yield _missing(shown, name, position, there)
    for child in layout.children:
        real = naming.match(child.key, there.names)
        rows = None if real is None else _rows(there[real].dataType)
        if real is None:
            yield _missing(shown, child.key, child.position, there)
        elif rows is None:
            args: dict[str, object] = {"table": shown, "column": child.key, "position": child.position}
            yield Diagnostic("FM768", args={**args, "type": there[real].dataType.simpleString()})
        else:
            yield from _lacking(child.table or child.key, child.shape, rows, {})


def _paths_lacking(plan: SourcePlan, frame: StructType) -> Iterator[Diagnostic]:
    """What a document is lacking is absent in it; a frame has each of its members as a column."""
    names = dict.fromkeys((*plan.key, *((plan.latest.column,) if plan.latest else ())), plan.position)
    names |= {column.name: column.position for column in plan.shape.columns}
    for name, position in names.items():
        if _first(name) not in frame.names:
            yield _missing(plan.shape.model, name, position, frame)


def _missing(shown: str, name: str, position: str, there: StructType) -> Diagnostic:
    args: dict[str, object] = {"table": shown, "column": name, "source": shown, "position": position}
    return Diagnostic("FM704", args=args, **naming.like(name, there.names))


def _rows(kind: DataType) -> StructType | None:
    """The columns of the rows in a column of child rows; None where there are none."""
    return kind.elementType if isinstance(kind, ArrayType) and isinstance(kind.elementType, StructType) else None


def _first(path: str) -> str:
    """The member of a document that a path begins with."""
    return next((step for step in path_steps(path) if isinstance(step, str)), "")


def column_of(name: str) -> Column:
    """The column of this very name, whatever its signs."""
    return sql.col(f"`{name.replace('`', '``')}`")


def with_columns_read(frame: DataFrame, plan: SourcePlan) -> DataFrame:
    """The frame with the columns that the plan reads, under its names, and no others: each costs its way to a worker.

    ``frame``: one that lacks none (`columns_lacking`).
    """
    latest = (plan.latest.column,) if plan.latest else ()
    if plan.kind.is_tree:
        names = map(_first, (*plan.key, *latest, *plan.shape.column_names))
        return frame.select(*map(column_of, dict.fromkeys(names)))
    return frame.select(*_read(plan.shape, (*plan.key, *latest), frame.schema))


def _read(layout: RowLayout, own: tuple[str, ...], there: StructType, row: Column | None = None) -> Iterator[Column]:
    """The columns of a kind of row. ``row``: the struct that they are in, if they are in one."""
    for name in dict.fromkeys((*own, *layout.column_names)):
        real = _real(name, there)
        yield (column_of(real) if row is None else row.getField(real)).alias(name)
    for child in layout.children:
        real = _real(child.key, there)
        held = column_of(real) if row is None else row.getField(real)
        yield _child_rows(child, held, there[real].dataType).alias(child.key)


def _child_rows(child: Child, held: Column, kind: DataType) -> Column:
    rows = _rows(kind)
    assert rows is not None
    wanted = [*child.shape.column_names, *(below.key for below in child.shape.children)]
    if rows.names == wanted and not child.shape.children:
        return held
    return sql.transform(held, lambda row: sql.struct(*_read(child.shape, (), rows, row)))


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
