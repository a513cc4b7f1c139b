"""FM150, FM151: a column or a table that the source does not have. Asked where a source is at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.stores import joined_name, models_joined_by_their_store
from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.fhir_types import PRIMITIVES
from fhirmap.language.nodes import Join, Model, ModelElement, OrderKey, SourceClause
from fhirmap.source_plan import SourceKind
from fhirmap.texts import Text

Lacking = Callable[[str, str], Diagnostic | None]
"""(table, column) -> what the source says where it does not have it. An empty column asks for the table."""


def unknown_columns(checked: Checked, lacking: Lacking) -> Iterator[Diagnostic]:
    """One diagnostic for each table (FM151) and column (FM150) that the models name and the source is ``lacking``.

    The table of a file is the empty name, that of a query its file, that of rows which are joined by their own `from`
    what `joined_name` says. Documents have no columns.
    """
    models = {use.node.name: use.node for use in checked.declared_models()}
    walk = _ColumnWalk(models, lacking)
    stages = {unit.name for unit in checked.program.stages}
    joined = models_joined_by_their_store(models.values())
    for use in checked.declared_models():
        store = use.node.store
        if store is not None and use.unit.name in stages and use.node.name not in joined:
            yield from walk.root(use.node, store)


@dataclass(frozen=True, slots=True)
class _ColumnPlace:
    """Where rows are: what their table is called, empty for a file, and the kind of their store."""

    table: str
    kind: SourceKind


@dataclass(frozen=True, slots=True)
class _ColumnWalk:
    models: dict[str, Model]
    lacking: Lacking

    def root(self, model: Model, store: SourceClause) -> Iterator[Diagnostic]:
        kind = SourceKind(store.kind)
        place = _ColumnPlace(store.name if kind.is_sql else "", kind)
        absent = self.lacking(place.table, "")
        if absent is not None and not kind.is_tree:
            yield _lacking("FM151", store.name_span, {"table": place.table}, absent)
            return
        for order, column in enumerate(store.key):
            yield from self.column(place, column, store.key_spans[order] if store.key_spans else store.span)
        yield from self.orders(place, (*store.order, *((store.latest,) if store.latest else ())))
        yield from self.elements(model, place, (model.name,))

    def elements(self, model: Model, place: _ColumnPlace, way: tuple[str, ...]) -> Iterator[Diagnostic]:
        for element in model.elements:
            child = self.models.get(element.type)
            below = self.below(element, child, place)
            if element.join is not None and below is None:
                continue  # a file has no other tables, and a model without `from` no rows, which is reported
            below = below or place
            if element.join is not None:
                yield from self.join(element.join, below, place)
            if self.lacking(below.table, "") is not None:
                continue
            if element.repeat is not None:
                yield from self.column(below, element.repeat, element.repeat_span or element.span)
            if child is not None and not (element.join or element.lines):
                if element.column is not None or element.groups is not None:
                    yield from self.column(place, element.column or element.name, _column_span(element))
                continue  # else nothing says where its rows are, which is reported
            if child is not None and child.name not in way:
                if element.join is not None and element.join.is_own and child.store is not None:
                    yield from self.orders(below, child.store.order)
                yield from self.elements(child, below, (*way, child.name))
            elif (
                child is None and element.type in PRIMITIVES and not (element.position or element.join or element.lines)
            ):
                yield from self.column(place, element.column or element.name, _column_span(element))

    def below(self, element: ModelElement, child: Model | None, place: _ColumnPlace) -> _ColumnPlace | None:
        """Where the rows of an element are, if it has rows of its own."""
        join = element.join
        if join is None:
            return place if element.lines else None
        if join.is_own:
            store = child.store if child is not None else None
            return _ColumnPlace(joined_name(join, child), SourceKind(store.kind)) if child and store else None
        return _ColumnPlace(join.table, place.kind) if place.kind.is_sql else None

    def join(self, join: Join, below: _ColumnPlace, parent: _ColumnPlace) -> Iterator[Diagnostic]:
        absent = self.lacking(below.table, "")
        if absent is not None:
            yield _lacking("FM151", join.table_span, {"table": below.table}, absent)
            return
        for order, (left, right) in enumerate(join.on):
            spans = join.on_spans[order] if join.on_spans else (join.span, join.span)
            if left != right and self._are_swapped(below, parent, left, right):
                hint = Text("hints.swapped_columns", {"table": below.table, "left": left, "right": right})
                yield Diagnostic("FM150", spans[0], {"table": below.table, "column": left}, hint)
                continue
            inner = [*self.column(below, left, spans[0])]
            yield from inner
            if inner and spans[0] == spans[1]:
                continue
            for entry in self.column(parent, right, spans[1]):
                if spans[0] == spans[1]:
                    args = {"table": parent.table, "column": left, "hint": entry.hint_shown or ""}
                    entry = replace(entry, hint=Text("hints.other_column", args))
                yield entry
        yield from self.orders(below, join.order)

    def _are_swapped(self, child: _ColumnPlace, parent: _ColumnPlace, left: str, right: str) -> bool:
        """Has each table the column that is named for the other?"""
        in_child, in_parent = self.lacking(child.table, left), self.lacking(parent.table, right)
        return bool(in_child and in_parent and right in in_child.known and left in in_parent.known)

    def orders(self, place: _ColumnPlace, keys: tuple[OrderKey, ...]) -> Iterator[Diagnostic]:
        for key in keys:
            yield from self.column(place, key.column, key.span)

    def column(self, place: _ColumnPlace, column: str, span: Span) -> Iterator[Diagnostic]:
        absent = None if place.kind.is_tree else self.lacking(place.table, column)
        if absent is not None:
            args = {"table": place.table, "column": column}
            yield _lacking("FM150", span, args, absent, "" if place.table else "file")


def _lacking(code: str, span: Span, args: Mapping[str, object], absent: Diagnostic, variant: str = "") -> Diagnostic:
    """What the source lacks, at the place of the map that names it."""
    return Diagnostic(code, span, args, absent.hint, variant, meant=absent.meant, known=absent.known)


def _column_span(element: ModelElement) -> Span:
    return element.column_span or element.name_span
