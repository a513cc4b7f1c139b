"""From a map's `model` to a `SourcePlan`: what a source has to fetch, and how rows belong together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.stores import joined_name
from fhirmap.analysis.typed import ModelUse
from fhirmap.compiler.parent_columns import with_parent_columns
from fhirmap.language import nodes
from fhirmap.source_plan import (
    AttributeRows,
    Child,
    ChildKind,
    Order,
    Repetition,
    RowLayout,
    SourceColumn,
    SourceKind,
    SourcePlan,
)

_UP = ("../", "/")


def source_plan(checked: Checked) -> SourcePlan | None:
    """The source of the first stage's model; None where it has none."""
    first = checked.stages[0] if checked.stages else None
    use = checked.model(first.source) if first is not None else None
    if use is None or use.node.store is None:
        return None
    store = use.node.store
    has_lines = any(entry.lines for entry in use.node.elements)
    latest = [store.latest.column] if store.latest else []
    # Rows of a key are lines of one record: their order is not the records'.
    order = [] if has_lines else [entry.column for entry in store.order]
    extra = [*store.key, *order, *latest]
    is_sql = SourceKind(store.kind).is_sql
    if is_sql and has_lines:
        extra = list(store.key)
    shape = _shape(checked, use, extra, (use.ref.structure,))
    plan = _plan(checked, use, store, with_parent_columns(shape, is_tree=SourceKind(store.kind).is_tree))
    return replace(
        plan,
        key=store.key,
        order=() if has_lines else plan.order,
        latest=_orders((store.latest,))[0] if store.latest else None,
        grouped=is_sql and has_lines,
    )


def _plan(checked: Checked, use: ModelUse, store: nodes.SourceClause, shape: RowLayout) -> SourcePlan:
    """What ``store`` says of its rows, each by itself: they have no key."""
    return SourcePlan(
        SourceKind(store.kind),
        store.name,
        (),
        shape,
        where=store.where or "",
        order=_orders(store.order),
        encoding=store.encoding or "",
        delimiter=store.delimiter or "",
        query=use.unit.queries.get(store.name, "") if store.kind == "query" else "",
        position=store.span.position,
        zone=_zone(checked, use),
        nulls=_trimmed(store.nulls),
        decimal=store.decimal or ".",
        thousands=store.thousands or "",
        number=store.number,
        source=store.source or "",
        names=store.names,
        names_line=store.names_line if store.header else 0,
        fill=store.fill,
        until=store.until or "",
        prefixes=store.prefixes,
    )


def _zone(checked: Checked, use: ModelUse) -> str:
    """The one zone that the elements of the model and of those below it name; empty where none or several are."""
    zones: set[str] = set()
    seen: set[str] = set()
    waiting = [use]
    while waiting:
        some = waiting.pop()
        if some.ref.structure in seen:
            continue
        seen.add(some.ref.structure)
        zones |= {entry.zone for entry in some.node.elements if entry.zone is not None}
        waiting += [below for entry in some.node.elements if (below := _model(checked, some, entry)) is not None]
    return zones.pop() if len(zones) == 1 else ""


def _orders(keys: tuple[nodes.OrderKey, ...]) -> tuple[Order, ...]:
    return tuple(Order(entry.column, entry.descending) for entry in keys)


def _trimmed(nulls: tuple[str, ...]) -> tuple[str, ...]:
    """The texts that mean absent, as trimmed cells have them; an empty one always does."""
    return tuple(dict.fromkeys(text for token in nulls if (text := token.strip())))


def _shape(
    checked: Checked, use: ModelUse, extra: list[str], seen: tuple[str, ...], counts: SourceColumn | None = None
) -> RowLayout:
    """Columns in the order of the model, then ``counts`` and those the plan needs; children joined or grouped."""
    columns: list[SourceColumn] = []
    children: list[Child] = []
    needed = [(name, use.node.span.position) for name in extra]
    for entry in use.node.elements:
        below = _model(checked, use, entry)
        if entry.join is not None and below is not None:
            needed += [(parent, entry.span.position) for _, parent in entry.join.on]
        if entry.position:
            continue
        if below is None:
            position = (entry.column_span or entry.name_span).position
            element = f"{use.node.name}.{entry.name}"
            zone, repeats = entry.zone or "", entry.maximum is None or entry.maximum > 1
            name, nulls = entry.column or entry.name, _trimmed(entry.nulls)
            column = SourceColumn(name, position, element, entry.type, zone, repeats, nulls=nulls)
            repetition = _repetition(entry)
            columns.append(replace(column, format=entry.format or "", split=entry.split or "", repetition=repetition))
        elif (entry.join is not None or entry.lines) and below.ref.structure not in seen:
            children.append(_child(checked, use, entry, below, seen))
        else:
            nested, again = None, 0
            if below.ref.structure in seen:
                again = len(seen) - seen.index(below.ref.structure)
            else:
                nested = _shape(checked, below, [], (*seen, below.ref.structure))
            name, position = entry.column or entry.name, entry.name_span.position
            column = SourceColumn(name, position, f"{use.node.name}.{entry.name}", below=nested, again=again)
            columns.append(replace(column, nested=not entry.split, repetition=_repetition(entry)))
    known = {column.name for column in columns}
    if counts is not None and counts.name not in known:
        known.add(counts.name)
        columns.append(counts)
    for name, position in needed:
        if name not in known:
            known.add(name)
            columns.append(SourceColumn(name, position))
    return RowLayout(use.node.name, tuple(columns), tuple(children))


def _repetition(entry: nodes.ModelElement) -> Repetition | None:
    groups = entry.groups
    return Repetition(groups.width, groups.count, groups.start, groups.after) if groups is not None else None


def _child(checked: Checked, use: ModelUse, entry: nodes.ModelElement, below: ModelUse, seen: tuple[str, ...]) -> Child:
    join, store = entry.join, use.node.store
    if entry.lines and store is not None and SourceKind(store.kind).is_sql:
        return _lines_of_rows(checked, use, entry, below, store, seen)
    if join is None:
        order = store.order if store is not None else ()
        shape = _child_shape(checked, use, entry, below, [key.column for key in order], seen)
        child = Child(ChildKind.LINES, child_key(checked, use, entry), entry.name, shape, order=_orders(order))
        return replace(child, position=entry.name_span.position, attributes=_attributes(checked, entry, below))
    own = below.node.store if join.is_own else None
    order = join.order or (own.order if own is not None else ())
    extra = [child for child, _ in join.on] + [key.column for key in order]
    shape = _child_shape(checked, use, entry, below, extra, seen)
    return Child(
        ChildKind.JOIN,
        child_key(checked, use, entry),
        entry.name,
        shape,
        table=joined_name(join, below.node),
        on=join.on,
        where=join.where or "",
        order=_orders(order),
        at_most_one=entry.maximum == 1 and not entry.attributes,
        required=entry.minimum > 0,
        position=join.table_span.position,
        query=use.unit.queries.get(join.table, "") if join.is_query else "",
        store=replace(_plan(checked, below, own, shape), order=()) if own is not None else None,
        attributes=_attributes(checked, entry, below),
    )


def _child_shape(  # noqa: PLR0913 - what `_child` has
    checked: Checked,
    use: ModelUse,
    entry: nodes.ModelElement,
    below: ModelUse,
    extra: list[str],
    seen: tuple[str, ...],
) -> RowLayout:
    counts = None
    if entry.repeat:
        counts = SourceColumn(entry.repeat, entry.span.position, f"{use.node.name}.{entry.name}")
    if not entry.attributes:
        return _shape(checked, below, extra, (*seen, below.ref.structure), counts)
    # The columns of an attribute's name and of its value, whatever the child model reads of them.
    position = (entry.attributes_span or entry.span).position
    names = dict.fromkeys((*entry.attributes, *([counts.name] if counts else []), *extra))
    return RowLayout(below.node.name, tuple(SourceColumn(name, position) for name in names))


def _attributes(checked: Checked, entry: nodes.ModelElement, below: ModelUse) -> AttributeRows | None:
    if not entry.attributes:
        return None
    return AttributeRows(*entry.attributes, _shape(checked, below, [], (below.ref.structure,)).columns)


def _lines_of_rows(  # noqa: PLR0913 - what `_child` has, and the store
    checked: Checked,
    use: ModelUse,
    entry: nodes.ModelElement,
    below: ModelUse,
    store: nodes.SourceClause,
    seen: tuple[str, ...],
) -> Child:
    """The rows of a key as lines of their record: the same table or query, joined with itself on the key."""
    extra = [*store.key, *(key.column for key in store.order)]
    return Child(
        ChildKind.JOIN,
        child_key(checked, use, entry),
        entry.name,
        _child_shape(checked, use, entry, below, extra, seen),
        table=store.name,
        on=tuple((column, column) for column in store.key),
        where=store.where or "",
        order=_orders(store.order),
        position=entry.name_span.position,
        query=use.unit.queries.get(store.name, "") if store.kind == "query" else "",
        attributes=_attributes(checked, entry, below),
    )


def _model(checked: Checked, use: ModelUse, entry: nodes.ModelElement) -> ModelUse | None:
    element = checked.definitions.children(use.ref).get(entry.name)
    return (
        next((checked.models[ref.structure] for ref in element.types if ref.structure in checked.models), None)
        if element
        else None
    )


def child_key(checked: Checked, use: ModelUse, entry: nodes.ModelElement) -> str:
    """Under which key of the raw row a source puts child rows: the element's name, unless something else is read there.

    The rows would take the place of what an element, another join or a row below reads.
    """
    taken = {_held_in(name) for name in (*_read_by(use.node), *_read_from_below(checked, use, ()))}
    key = entry.name
    while key in taken:
        key += "[]"
    return key


def _read_by(model: nodes.Model) -> Iterator[str]:
    """The columns and paths that a row of the model is read by: for its elements, its key, and what is joined to it."""
    for entry in model.elements:
        if entry.join is not None:
            yield from (parent for _, parent in entry.join.on)
            yield from [entry.join.table] if entry.join.table.startswith(_UP) else []
        elif not entry.lines:
            yield entry.column or entry.name
    if model.store is not None:
        yield from model.store.key
        yield from (key.column for key in (*model.store.order, model.store.latest) if key is not None)


def _read_from_below(checked: Checked, use: ModelUse, seen: tuple[str, ...]) -> Iterator[str]:
    """What rows below one of the model read of the rows that they are in."""
    for entry in use.node.elements:
        below = _model(checked, use, entry)
        if below is not None and below.ref.structure not in seen:
            yield from (name for name in _read_by(below.node) if name.startswith(_UP))
            yield from _read_from_below(checked, below, (*seen, below.ref.structure))


def _held_in(name: str) -> str:
    """The name of the cell that holds a column, or what a path leads to."""
    return re.split(r"[.\[`]", name.lstrip("./`"), maxsplit=1)[0]
