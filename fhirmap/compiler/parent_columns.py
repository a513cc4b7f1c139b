"""Columns that a model reads of a row above its own, `from '../x'`, put where they are fetched: with that row's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fhirmap.source_plan import Child, ChildKind, RowLayout, SourceColumn

__all__ = ["with_parent_columns"]

_UP = ("../", "/")


def with_parent_columns(shape: RowLayout, *, is_tree: bool) -> RowLayout:
    """``shape`` of records, in which each layout has what the rows below it read of its rows.

    What leads above the records stays with them, as it leads on from there: `../id`. ``is_tree``: are they documents?
    """
    settled, above = _settled(shape, is_tree)
    if not is_tree:  # the root is the record, whose columns have names and no paths
        above = [replace(column, name=column.name.removeprefix("/")) for column in above]
    return _with(settled, above)


def _settled(shape: RowLayout, is_tree: bool) -> tuple[RowLayout, list[SourceColumn]]:
    """The layout with what rows below it read of it, and without what it reads of rows above: that comes second."""
    lent: list[SourceColumn] = []
    columns: list[SourceColumn] = []
    above: list[SourceColumn] = []
    for column in shape.columns:
        if column.below is not None:
            below, more = _settled(column.below, is_tree=True)
            column = replace(column, below=below)
            lent += _risen(more)
        is_above = column.name.startswith(_UP) if is_tree else column.name.startswith("../")
        # By what rows are joined is theirs: `../x` leads to what their own document has around them.
        (above if is_above and column.element else columns).append(column)
    children: list[Child] = []
    for child in shape.children:
        settled, more = _settled_child(child, is_tree)
        children.append(settled)
        lent += _risen(more)
    above += [column for column in lent if column.name.startswith(_UP)]
    found = replace(shape, columns=tuple(columns), children=tuple(children))
    return _with(found, [column for column in lent if not column.name.startswith(_UP)]), above


def _settled_child(child: Child, is_tree: bool) -> tuple[Child, list[SourceColumn]]:
    store = child.store
    if store is not None:
        shape, above = _settled(store.shape, store.kind.is_tree)
        return replace(child, shape=shape, store=replace(store, shape=shape)), above
    shape, above = _settled(child.shape, is_tree)
    if is_tree and child.kind is ChildKind.LINES:
        # A line of a record is an entry of its document, like the record: what is around it is its own.
        return replace(child, shape=_with(shape, above)), []
    child = replace(child, shape=shape)
    if child.attributes is not None:
        read = child.attributes.columns
        above += [column for column in read if column.name.startswith("../")]
        own = tuple(column for column in read if not column.name.startswith("../"))
        child = replace(child, attributes=replace(child.attributes, columns=own))
    return child, above


def _risen(columns: Iterable[SourceColumn]) -> list[SourceColumn]:
    """The columns as the rows one level up name them, or lead on to them."""
    return [replace(column, name=column.name.removeprefix("../"), again=max(column.again - 1, 0)) for column in columns]


def _with(shape: RowLayout, lent: list[SourceColumn]) -> RowLayout:
    """The layout with more columns, before those that the plan alone needs."""
    if not lent:
        return shape
    names = {column.name for column in lent}
    read = [column for column in shape.columns if column.element]
    needed = [column for column in shape.columns if not column.element and column.name not in names]
    return replace(shape, columns=(*read, *lent, *needed))
