"""FM150, FM151: a column or a table that the source does not have. Asked where a source is at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.fhir_types import PRIMITIVES
from fhirmap.language.nodes import Join, Model, ModelElement, OrderKey, SourceClause
from fhirmap.texts import Text

Lacking = Callable[[str, str], Diagnostic | None]
"""(table, column) -> what the source says where it does not have it. An empty column asks for the table."""


def unknown_columns(checked: Checked, lacking: Lacking) -> Iterator[Diagnostic]:
    """One diagnostic for each table (FM151) and column (FM150) that the models name and the source is ``lacking``.

    The table of a CSV file is the empty name, that of a query its file. JSON documents have no columns.
    """
    walk = _ColumnWalk({use.node.name: use.node for use in checked.declared_models()}, lacking)
    stages = {unit.name for unit in checked.program.stages}
    for use in checked.declared_models():
        store = use.node.store
        if store is not None and store.kind != "json" and use.unit.name in stages:
            yield from walk.root(use.node, store)


@dataclass(frozen=True, slots=True)
class _ColumnWalk:
    models: dict[str, Model]
    lacking: Lacking

    def root(self, model: Model, store: SourceClause) -> Iterator[Diagnostic]:
        name = "" if store.kind == "csv" else store.name
        absent = self.lacking(name, "")
        if absent is not None:
            yield _lacking("FM151", store.name_span, {"table": name}, absent)
            return
        for order, column in enumerate(store.key):
            yield from self.column(name, column, store.key_spans[order] if store.key_spans else store.span)
        yield from self.orders(name, (*store.order, *((store.latest,) if store.latest else ())))
        yield from self.elements(model, name, (model.name,))

    def elements(
        self, model: Model, table: str, way: tuple[str, ...], above: tuple[str, ...] = ()
    ) -> Iterator[Diagnostic]:
        """``above``: the tables of the rows above, the nearest first."""
        for element in model.elements:
            if element.join is not None and not table:
                continue  # a file has no other tables, which is reported
            below = element.join.table if element.join else table
            if element.join is not None:
                yield from self.join(element.join, table)
            if self.lacking(below, "") is not None:
                continue
            if element.repeat is not None:
                yield from self.column(below, element.repeat, element.repeat_span or element.span)
            child = self.models.get(element.type)
            if child is not None and not (element.join or element.lines):
                if element.column is not None:
                    yield from self.column(table, element.column, _column_span(element))
                continue  # else nothing says where its rows are, which is reported
            if child is not None and child.name not in way:
                yield from self.elements(child, below, (*way, child.name), (table, *above))
            elif (
                child is None and element.type in PRIMITIVES and not (element.position or element.join or element.lines)
            ):
                name, place = element.column or element.name, (table, *above)
                while name.startswith("../") and len(place) > 1:
                    name, place = name.removeprefix("../"), place[1:]
                yield from self.column(place[0], name, _column_span(element))

    def join(self, join: Join, parent: str) -> Iterator[Diagnostic]:
        absent = self.lacking(join.table, "")
        if absent is not None:
            yield _lacking("FM151", join.table_span, {"table": join.table}, absent)
            return
        for order, (left, right) in enumerate(join.on):
            spans = join.on_spans[order] if join.on_spans else (join.span, join.span)
            if left != right and self._are_swapped(join.table, parent, left, right):
                hint = Text("hints.swapped_columns", {"table": join.table, "left": left, "right": right})
                yield Diagnostic("FM150", spans[0], {"table": join.table, "column": left}, hint)
                continue
            inner = [*self.column(join.table, left, spans[0])]
            yield from inner
            if inner and spans[0] == spans[1]:
                continue
            for entry in self.column(parent, right, spans[1]):
                if spans[0] == spans[1]:
                    args = {"table": parent, "column": left, "hint": entry.hint_shown or ""}
                    entry = replace(entry, hint=Text("hints.other_column", args))
                yield entry
        yield from self.orders(join.table, join.order)

    def _are_swapped(self, child: str, parent: str, left: str, right: str) -> bool:
        """Has each table the column that is named for the other?"""
        in_child, in_parent = self.lacking(child, left), self.lacking(parent, right)
        return bool(in_child and in_parent and right in in_child.known and left in in_parent.known)

    def orders(self, table: str, keys: tuple[OrderKey, ...]) -> Iterator[Diagnostic]:
        for key in keys:
            yield from self.column(table, key.column, key.span)

    def column(self, table: str, column: str, span: Span) -> Iterator[Diagnostic]:
        absent = self.lacking(table, column)
        if absent is not None:
            args = {"table": table, "column": column}
            yield _lacking("FM150", span, args, absent, "" if table else "file")


def _lacking(code: str, span: Span, args: Mapping[str, object], absent: Diagnostic, variant: str = "") -> Diagnostic:
    """What the source lacks, at the place of the map that names it."""
    return Diagnostic(code, span, args, absent.hint, variant, meant=absent.meant, known=absent.known)


def _column_span(element: ModelElement) -> Span:
    return element.column_span or element.name_span
