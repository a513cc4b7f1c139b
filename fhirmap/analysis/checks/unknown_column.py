"""FM150, FM151: a column or a table that the source does not have. Asked where a source is at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fhirmap.analysis.typed import Checked
from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.language.nodes import Join, Model, ModelElement, OrderKey, Store

Lacking = Callable[[str, str], str | None]
"""(table, column) -> a hint where the source does not have it, else None. An empty column asks for the table."""


def unknown_columns(checked: Checked, lacking: Lacking) -> Iterator[Diagnostic]:
    """One diagnostic for each table (FM151) and column (FM150) that the models name and the source is ``lacking``.

    The table of a CSV file is the empty name, that of a query its file. JSON documents have no columns.
    """
    walk = _Walk({use.node.name: use.node for use in checked.models.values()}, lacking)
    stages = {unit.name for unit in checked.program.stages}
    for use in checked.models.values():
        store = use.node.store
        if store is not None and store.kind != "json" and use.unit.name in stages:
            yield from walk.root(use.node, store)


@dataclass(frozen=True, slots=True)
class _Walk:
    models: dict[str, Model]
    lacking: Lacking

    def root(self, model: Model, store: Store) -> Iterator[Diagnostic]:
        name = "" if store.kind == "csv" else store.name
        absent = self.lacking(name, "")
        if absent is not None:
            yield Diagnostic("FM151", store.name_span, {"table": name}, absent or None)
            return
        for order, column in enumerate(store.key):
            yield from self.column(name, column, store.key_spans[order] if store.key_spans else store.span)
        yield from self.orders(name, (*store.order, *((store.latest,) if store.latest else ())))
        yield from self.elements(model, name, (model.name,))

    def elements(self, model: Model, table: str, way: tuple[str, ...]) -> Iterator[Diagnostic]:
        for element in model.elements:
            below = element.join.table if element.join else table
            if element.join is not None:
                yield from self.join(element.join, table)
            if self.lacking(below, "") is not None:
                continue
            if element.repeat is not None:
                yield from self.column(below, element.repeat, element.repeat_span or element.span)
            child = self.models.get(element.type)
            if child is not None and child.name not in way:
                yield from self.elements(child, below, (*way, child.name))
            elif child is None and not element.position:
                yield from self.column(table, element.column or element.name, _column_span(element))

    def join(self, join: Join, parent: str) -> Iterator[Diagnostic]:
        absent = self.lacking(join.table, "")
        if absent is not None:
            yield Diagnostic("FM151", join.table_span, {"table": join.table}, absent or None)
            return
        for order, (left, right) in enumerate(join.on):
            spans = join.on_spans[order] if join.on_spans else (join.span, join.span)
            yield from self.column(join.table, left, spans[0])
            yield from self.column(parent, right, spans[1])
        yield from self.orders(join.table, join.order)

    def orders(self, table: str, keys: tuple[OrderKey, ...]) -> Iterator[Diagnostic]:
        for key in keys:
            yield from self.column(table, key.column, key.span)

    def column(self, table: str, column: str, span: Span) -> Iterator[Diagnostic]:
        absent = self.lacking(table, column)
        if absent is not None:
            args = {"table": table, "column": column}
            yield Diagnostic("FM150", span, args, absent or None, "" if table else "file")


def _column_span(element: ModelElement) -> Span:
    return element.column_span or element.name_span
