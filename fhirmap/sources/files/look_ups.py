"""Rows of a document that are joined by value to others of the same document: a reference and what it refers to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any, Protocol

from fhirmap.data import JsonValue, PathSteps, RawValue
from fhirmap.records import Fault, TreeText
from fhirmap.runtime.reading import UnreadDocument, at
from fhirmap.source_plan import Child, ChildKind, RowLayout, SourceColumn, SourcePlan, path_steps
from fhirmap.sources.files.json_walk import JsonWalk
from fhirmap.sources.files.row_filter import RowFilter, filter_of
from fhirmap.sources.files.row_order import RowOrder
from fhirmap.sources.keys import KeyColumn, cell_text, join_columns

__all__ = ["DocumentLists", "HeldLists", "Key", "LookUps", "keys_in", "names_above"]

Key = tuple[str, ...]
"""The texts by which a row is found."""
_Above = tuple[Mapping[str, Any], ...]
_Layouts = tuple[RowLayout, ...]


class DocumentLists(Protocol):
    """The lists of a document, in which objects are found by what is in them."""

    def find(self, path: PathSteps, on: Sequence[PathSteps], key: Key) -> list[Mapping[str, Any]]:
        """The objects at ``path`` from the root that have the texts ``key`` at the paths ``on``."""


class HeldLists:
    """The lists of a document, or of a part of one, that is held whole. Each is gone through once."""

    def __init__(self, document: JsonValue) -> None:
        self._document = document
        self._known: dict[object, dict[Key, list[Mapping[str, Any]]]] = {}

    def find(self, path: PathSteps, on: Sequence[PathSteps], key: Key) -> list[Mapping[str, Any]]:
        """As `DocumentLists` says."""
        asked = (path, tuple(on))
        index = self._known.get(asked)
        if index is None:
            index = self._known[asked] = {}
            for found in JsonWalk(path).entries(self._document, path):
                row = _row_of(found.value)
                if row is not None:
                    for own in keys_in(row, on):
                        index.setdefault(own, []).append(row)
        return index.get(key, [])


def _row_of(value: RawValue) -> Mapping[str, Any] | None:
    """An object as a row: its members, also of a text that has some; None for anything else."""
    if isinstance(value, TreeText):
        return {**value.members, "#text": str(value)}
    return value if isinstance(value, Mapping) else None


def keys_in(row: RawValue, on: Sequence[PathSteps]) -> Iterator[Key]:
    """The keys under which a row is found: several where one of the paths leads to several values."""
    texts = [[text for value in _all(at(row, path)) if (text := cell_text(value))] for path in on]
    return product(*texts)


def _all(found: RawValue) -> list[RawValue]:
    return found if isinstance(found, list) else [found]


@dataclass(frozen=True, slots=True)
class _HeldRow:
    """A row, and the objects that it is in, the outermost first."""

    row: MutableMapping[str, Any]
    above: _Above

    def below(self, row: MutableMapping[str, Any]) -> _HeldRow:
        """A row in this one, or joined to it."""
        return _HeldRow(row, (*self.above, self.row))

    def led_up(self, name: str) -> tuple[Mapping[str, Any] | None, str]:
        """The object to which the beginning of a path leads, and the rest of the path."""
        way = (*self.above, self.row)
        if name.startswith("/"):
            return way[0], name[1:]
        while name.startswith("../"):
            way, name = way[:-1], name[3:]
        return way[-1] if way else None, name

    def value(self, name: str) -> RawValue:
        """What is at a path, which may lead up."""
        held, rest = self.led_up(name)
        found = at(held, path_steps(rest))
        return None if isinstance(found, UnreadDocument) else found


class LookUps:
    """What a plan looks up in the document that its records are in."""

    def __init__(self, plan: SourcePlan) -> None:
        self._plan = plan
        self._columns: dict[int, tuple[KeyColumn, ...]] = {}
        self._conditions: dict[int, RowFilter | None] = {}
        self._with = {id(layout) for layout in plan.shape.leading_to(_is_look_up)}
        self.are_any = bool(self._with)

    def attach(self, row: MutableMapping[str, Any], above: _Above, lists: DocumentLists, faults: list[Fault]) -> None:
        """Put what is looked up from ``row``, and from the rows in it, under the keys of its elements.

        ``above``: the objects that the row is in, the outermost first. A reference to nothing is a warning, an error
        where the element is required; one to several things is an error.
        """
        self._attach((self._plan.shape,), _HeldRow(row, above), lists, faults)

    def _attach(self, way: _Layouts, place: _HeldRow, lists: DocumentLists, faults: list[Fault]) -> None:
        """The same of a row of the last layout of ``way``, which is in rows of those before it."""
        layout = way[-1]
        if id(layout) not in self._with:
            return
        for column in layout.columns:
            inner_way = _nested_in(column, way)
            if inner_way and not column.name.startswith(("/", "../")):
                for item in _all(at(place.row, path_steps(column.name))):
                    inner = item.members if isinstance(item, TreeText) else item
                    if isinstance(inner, dict):
                        self._attach(inner_way, place.below(inner), lists, faults)
        for child in layout.children:
            if child.kind == ChildKind.LINES:
                self._attach((*way, child.shape), place, lists, faults)
            elif _is_look_up(child):
                held = [dict(found) for found in self._found(child, layout, place, lists, faults)]
                if child.order:
                    order = RowOrder.of_plan(self._plan, child.order)
                    held = order.sorted(held, partial(_cells, names=order.names))
                for item in held:
                    self._attach((*way, child.shape), place.below(item), lists, faults)
                place.row[child.key] = held

    def _condition(self, child: Child) -> RowFilter | None:
        """What `where` says of rows that are looked up. Raises: ConfigError FM715."""
        if id(child) not in self._conditions:
            asked = replace(self._plan, where=child.where, shape=child.shape, position=child.position)
            self._conditions[id(child)] = filter_of(asked)
        return self._conditions[id(child)]

    def _found(
        self, child: Child, layout: RowLayout, place: _HeldRow, lists: DocumentLists, faults: list[Fault]
    ) -> Iterator[Mapping[str, Any]]:
        own = [path_steps(name) for name, _ in child.on]
        cells = [place.value(name) for _, name in child.on]
        columns = self._columns.get(id(child))
        if columns is None:
            columns = self._columns[id(child)] = join_columns(self._plan, child, layout)
        is_list = any(isinstance(cell, list) for cell in cells)
        name = child.table
        if not name.startswith("/"):
            start, name = place.led_up(name)
            lists = HeldLists(start)
        path = path_steps(name.removeprefix("/"))
        for key in product(*(map(cell_text, _all(cell)) for cell in cells)):
            if any(not text or column.is_word(text) for text, column in zip(key, columns, strict=True)):
                continue
            found = lists.find(path, own, key)
            if not found:
                faults.append(_fault(child, layout, "", "error" if child.required else "warning"))
                continue
            condition = self._condition(child)
            if condition is not None:
                found = [item for item in found if condition.keeps(_cells(item, condition.names), faults)]
            if len(found) > 1 and (is_list or child.at_most_one):
                faults.append(_fault(child, layout, "twice", "error"))
            yield from found


def _nested_in(column: SourceColumn, way: _Layouts) -> _Layouts:
    """The layouts down to that of the rows that a column of the last one of ``way`` holds; none where it holds none."""
    if column.below is not None:
        return (*way, column.below)
    return way[: len(way) - column.again + 1] if column.again else ()


def _cells(row: Mapping[str, Any], names: Sequence[str]) -> list[RawValue]:
    return [at(row, path_steps(name)) for name in names]


def _fault(child: Child, layout: RowLayout, variant: str, severity: str) -> Fault:
    columns = tuple(name for _, name in child.on)
    element = f"{layout.model}.{child.element}"
    args = {"column": ", ".join(columns), "path": child.table, "element": element}
    return Fault(
        "FM729",
        severity,
        path=element,
        element=element,
        rule="reference",
        args=args,
        variant=variant,
        position=child.position,
        columns=columns,
    )


def _is_look_up(child: Child) -> bool:
    return child.kind == ChildKind.JOIN and child.store is None


def names_above(plan: SourcePlan, needed: Collection[str], levels: int) -> list[Collection[str]]:
    """The members that are read of each object above a record, the nearest one first; empty where none is.

    ``levels``: how many objects are above one.
    """
    own = [child for child in plan.shape.children if _is_look_up(child)]
    looked_up = [name for child in own for name in (child.table, *(name for _, name in child.on))]
    found: list[dict[str, None]] = [{} for _ in range(levels)]
    for name in (*needed, *looked_up):
        up = 0
        is_root = name.startswith("/") and name not in {child.table for child in own}
        while name.startswith("../"):
            up, name = up + 1, name[3:]
        level = levels if is_root else up
        step = next(iter(path_steps(name.removeprefix("/"))), None) if 0 < level <= levels else None
        if isinstance(step, str):
            found[level - 1][step] = None
    return [tuple(names) for names in found] if any(found) else []
