"""FM150, FM151: a column or a table that the source does not have. Asked where a source is at hand."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from fhirmap.analysis.typed import Checked
from fhirmap.diagnostics import Diagnostic, Span, did_you_mean
from fhirmap.language.nodes import Join, Model, ModelElement, OrderKey, Store

Tables = Mapping[str, Collection[str]]
"""Columns by table or view. A query's columns stand under its file's name, a CSV's under the empty name."""


def unknown_columns(checked: Checked, tables: Tables) -> Iterator[Diagnostic]:
    """One diagnostic for each table (FM151) and column (FM150) that the models read and ``tables`` does not have.

    JSON documents have no columns and are not looked at.
    """
    models = {use.node.name: use.node for use in checked.models.values()}
    for use in checked.models.values():
        store = use.node.store
        if store is not None and store.kind != "json":
            yield from _root(use.node, store, models, tables)


def _root(model: Model, store: Store, models: Mapping[str, Model], tables: Tables) -> Iterator[Diagnostic]:
    name = "" if store.kind == "csv" else store.name
    if name not in tables:
        yield _unknown_table(name, store.name_span, tables)
        return
    for order, column in enumerate(store.key):
        yield from _column(name, column, store.key_spans[order] if store.key_spans else store.span, tables)
    yield from _orders(name, (*store.order, *((store.latest,) if store.latest else ())), tables)
    yield from _elements(model, name, models, tables, (model.name,))


def _elements(
    model: Model, table: str, models: Mapping[str, Model], tables: Tables, way: tuple[str, ...]
) -> Iterator[Diagnostic]:
    for element in model.elements:
        child = models.get(element.type)
        if child is None:
            if not element.position:
                yield from _column(table, element.column or element.name, _column_span(element), tables)
        elif child.name not in way:
            below = element.join.table if element.join else table
            if element.join is not None:
                yield from _join(element.join, table, tables)
            if below in tables:
                yield from _elements(child, below, models, tables, (*way, child.name))
        if element.repeat is not None:
            below = element.join.table if element.join else table
            yield from _column(below, element.repeat, element.repeat_span or element.span, tables)


def _join(join: Join, parent: str, tables: Tables) -> Iterator[Diagnostic]:
    if join.table not in tables:
        yield _unknown_table(join.table, join.table_span, tables)
        return
    for order, (left, right) in enumerate(join.on):
        spans = join.on_spans[order] if join.on_spans else (join.span, join.span)
        yield from _column(join.table, left, spans[0], tables)
        yield from _column(parent, right, spans[1], tables)
    yield from _orders(join.table, join.order, tables)


def _orders(table: str, keys: tuple[OrderKey, ...], tables: Tables) -> Iterator[Diagnostic]:
    for key in keys:
        yield from _column(table, key.column, key.span, tables)


def _column(table: str, column: str, span: Span, tables: Tables) -> Iterator[Diagnostic]:
    known = tables.get(table)
    if known is not None and column not in known:
        args = {"table": table or "the file", "column": column}
        yield Diagnostic("FM150", span, args, did_you_mean(column, known, most=12))


def _unknown_table(table: str, span: Span, tables: Tables) -> Diagnostic:
    return Diagnostic("FM151", span, {"table": table}, did_you_mean(table, tables, most=12))


def _column_span(element: ModelElement) -> Span:
    return element.column_span or element.name_span
