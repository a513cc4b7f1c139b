"""Records whose child rows are in another place: another file, sheet, table or database.

Each store is read once when a reading begins, into an index that is thrown away after it. Its rows are put under those
of their parents, wherever these are: the record, rows that its own source joins or groups, objects of a document, rows
of another store. Keys are compared to the letter, as trimmed texts; a word that means that there is none (`NULL`,
`INCONNU`) joins nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, TypeAlias

from fhirmap.data import PathSteps, RawValue
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.records import Fault, Record, TreeText
from fhirmap.runtime.reading import at
from fhirmap.source_plan import Child, RowLayout, SourceColumn, SourcePlan, path_steps
from fhirmap.sources.attribute_names import unknown_attributes
from fhirmap.sources.changes import ChangeColumns, ChangedSource, Changes, Marks
from fhirmap.sources.files.row_order import RowOrder
from fhirmap.sources.key_index import KeyIndex
from fhirmap.sources.keys import KeyColumn, join_columns
from fhirmap.sources.lost_rows import LostRows
from fhirmap.sources.protocol import Source
from fhirmap.sources.readings import NOTHING, FolderSource, PartialSource, ReadFile, Unread
from fhirmap.sources.samples import Sample, SampledSource
from fhirmap.sources.snapshots import SnapshotSource
from fhirmap.sources.store_rows import IndexedSource, JoinableSource, RowIndex, StoreRow, join_text, join_texts
from fhirmap.texts import Text

__all__ = ["JoinedSource", "without_stores"]

OpenStore: TypeAlias = Callable[[SourcePlan], Source]
"""Opens the place of a plan that has no stores of its own. Raises: ConfigError."""
_Faults: TypeAlias = dict[tuple[str, ...], Fault]
"""Faults of a record by what they are of, so that a row that is joined twice has them once."""
_Levels: TypeAlias = tuple["_RowLevel", ...]
_BETWEEN = "\x1f"
"""Between the parts of a key in the index."""


def without_stores(layout: RowLayout) -> RowLayout:
    """What one place itself has of a kind of row: without the rows of others, with the columns that these are joined
    by."""
    columns = [
        replace(column, below=without_stores(column.below)) if column.below else column for column in layout.columns
    ]
    known = {column.name for column in columns}
    for child in layout.children:
        for _, above in child.on if child.store else ():
            if above not in known:
                known.add(above)
                columns.append(SourceColumn(above, child.position))
    own = tuple(replace(child, shape=without_stores(child.shape)) for child in layout.children if not child.store)
    return replace(layout, columns=tuple(columns), children=own)


def _plan_alone(child: Child) -> SourcePlan:
    """The plan of a store by itself, its rows known by the columns that they are joined by."""
    plan = child.store
    assert plan is not None
    where = f"({plan.where}\n) and ({child.where}\n)" if plan.where and child.where else plan.where or child.where
    return replace(
        plan,
        key=tuple(own for own, _ in child.on),
        shape=without_stores(child.shape),
        where=where,
        # A database orders its rows by its own rules; those of files are sorted record by record.
        order=child.order if plan.kind.is_sql else (),
    )


class JoinedSource(Source):
    """A source whose records get child rows of other places.

    ``source``: it gives the records of `without_stores`. ``open_store`` opens the others; each is opened once, however
    many elements read it, and closed with this source.
    Raises: ConfigError of any of these places.
    """

    def __init__(self, source: Source, plan: SourcePlan, open_store: OpenStore) -> None:
        self._source = source
        self._plan = plan
        self._stores: dict[SourcePlan, _JoinedStore] = {}
        self._leading = {id(layout) for layout in plan.shape.leading_to(lambda child: child.store is not None)}
        try:
            self._level = self._level_of(plan, (), plan.shape, open_store)
        except BaseException:
            self.close()
            raise

    def _level_of(self, plan: SourcePlan, around: _Levels, layout: RowLayout, open_store: OpenStore) -> _RowLevel:
        """How rows of ``layout`` get those of other places. ``plan``: of the place where they are; ``around``: how the
        rows do that they are in."""
        level = _RowLevel(plan.kind.is_tree)
        way = (*around, level)
        for child in layout.children:
            join = None
            if child.store is not None:
                own = _plan_alone(child)
                if own not in self._stores:
                    self._stores[own] = _JoinedStore(own, child, open_store(own))
                join = _StoreJoin(child, self._stores[own], _key_columns(plan, child, layout))
            below = self._level_of(child.store or plan, way, child.shape, open_store)
            if join is not None or below.is_needed:
                level.children.append(_ChildRows(child.key, join, below))
        for column in layout.columns:
            if column.below is not None and id(column.below) in self._leading:
                below = self._level_of(plan, way, column.below, open_store)
                level.nested.append((column.name, path_steps(column.name), below))
            elif column.again and id(layout) in self._leading:
                level.nested.append((column.name, path_steps(column.name), way[-column.again]))
        return level

    def close(self) -> None:
        """Close the source and all stores."""
        for store in self._stores.values():
            store.forget()
        with ExitStack() as stack:
            for place in (self._source, *(store.source for store in self._stores.values())):
                stack.callback(place.close)

    # --- layout -------------------------------------------------------------------------------------------------------

    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """The columns of the source and of each store, by the name that the map has for it."""
        found = dict(self._source.columns())
        for store in self._stores.values():
            found |= {store.named(table): names for table, names in store.source.columns().items()}
        return found

    def check(self) -> list[Diagnostic]:
        """What the source and the stores lack; rows of a file's that no record can join (FM777), attributes that no
        row has (FM774)."""
        found = self._source.check()
        for store in self._stores.values():
            lacking = store.source.check()
            found += lacking
            if not any(entry.is_error for entry in lacking):
                found += store.check()
        return found

    def samples(self, count: int) -> Iterator[Sample]:
        """The first rows of the source, then of each store.

        Raises: ConfigError where a place cannot be read.
        """
        if isinstance(self._source, SampledSource):
            yield from self._source.samples(count)
        for store in self._stores.values():
            if isinstance(store.source, SampledSource):
                for sample in store.source.samples(count):
                    is_own = store.named(sample.table) == store.child.table
                    attributes = store.child.attributes if is_own else sample.attributes
                    yield replace(sample, table=store.named(sample.table), attributes=attributes)

    def count(self) -> int | None:
        """How many records there are, as the source says."""
        return self._source.count()

    def unread(self) -> Unread:
        """What the source left out: whether a record is there does not depend on the stores."""
        return self._source.unread() if isinstance(self._source, PartialSource) else NOTHING

    def read_files(self) -> Iterator[ReadFile]:
        """The source's own files: those of the stores are read again for other records."""
        return self._source.read_files() if isinstance(self._source, FolderSource) else iter(())

    # --- reading ------------------------------------------------------------------------------------------------------

    def records(self, keys: Collection[str] | None = None) -> Iterator[Record]:
        """Every record with the rows that are joined to it, or those of ``keys``.

        Raises: ConfigError where a place cannot be read, or not read on.
        """
        with self._gathered():
            yield from self._joined(self._source.records(keys))

    def check_changes(self, columns: ChangeColumns) -> list[Diagnostic]:
        """Why changes of the source's own rows are not to be seen by these columns; those of the stores are not."""
        source = self._source
        return source.check_changes(columns) if isinstance(source, ChangedSource) else [Diagnostic("FM667")]

    @contextmanager
    def changes(self, columns: ChangeColumns, since: Marks) -> Iterator[Changes]:
        """As of a `ChangedSource`, by the source's own rows.

        Raises: ConfigError where a place cannot be read, or not read on.
        """
        assert isinstance(self._source, ChangedSource)
        with self._gathered(), self._source.changes(columns, since) as found:
            yield replace(found, records=self._joined(found.records))

    @contextmanager
    def _gathered(self) -> Iterator[None]:
        """The stores are in their indexes, of the same snapshot as the source where they are in one place."""
        with ExitStack() as stack:
            places = [self._source, *(store.source for store in self._stores.values())]
            for place in places:
                if isinstance(place, SnapshotSource):
                    stack.enter_context(place.one_snapshot(places))
            for store in self._stores.values():
                stack.callback(store.forget)
                store.gather()
            yield

    def _joined(self, records: Iterator[Record]) -> Iterator[Record]:
        for record in records:
            faults: _Faults = {}
            values = self._level.attached(record.values, faults)
            yield record._replace(values=values, faults=(*record.faults, *faults.values()))
        for store in self._stores.values():
            store.finish()


@dataclass(slots=True)
class _JoinedStore:
    """One place of rows that are joined. ``child``: the first element that reads it."""

    plan: SourcePlan
    child: Child
    source: Source
    index: RowIndex | None = None

    def named(self, table: str) -> str:
        """What the map calls the store's own rows; tables that it joins have their names."""
        return self.child.table if table in ("", self.plan.name) else table

    def gather(self) -> RowIndex:
        """The rows by key, for one reading."""
        if self.index is not None and not self.index.is_current():
            self.forget()
        if self.index is None:
            source = self.source
            found = source.joined_index(self.plan.key) if isinstance(source, IndexedSource) else None
            self.index = _RowsByKey(self.rows()) if found is None else found
        return self.index

    def finish(self) -> None:
        """The reading is over. Raises: ConfigError FM724, where the rows have changed meanwhile."""
        is_current = self.index is None or self.index.is_current()
        self.forget()
        if not is_current:
            raise ConfigError("FM724", source=self.child.table, reason=Text("reasons.file_changed"))

    def forget(self) -> None:
        """Give the index back."""
        if self.index is not None:
            self.index.close()
        self.index = None

    def rows(self) -> Iterator[StoreRow]:
        """Every row, whatever gives it."""
        if isinstance(self.source, JoinableSource):
            yield from self.source.joined_rows(self.plan.key)
            return
        for record in self.source.records():
            parts = tuple(join_text(_value(record.values, name, is_tree=False)) for name in self.plan.key)
            yield StoreRow(parts, record.values, record.faults, record.origin)

    def check(self) -> Iterator[Diagnostic]:
        """Rows of files that no record can join, counted; attributes that no row has."""
        attributes = self.child.attributes
        if not self.plan.kind.is_sql:
            for variant, (count, origin) in self.gather().left_out().items():
                if count:
                    args = {"table": self.child.table, "columns": ", ".join(self.plan.key), "count": count}
                    place = {"origin": origin, "position": self.child.position}
                    yield Diagnostic("FM777", args={**args, **place}, variant=variant)
            if isinstance(self.index, _RowsByKey):
                self.forget()  # a reading has its own snapshot
        if attributes is not None:
            names = (row.values.get(attributes.name) for row in self.rows() if not row.is_lost)
            yield from unknown_attributes(self.child.table, attributes, names)


class _RowsByKey:
    """Rows of any source by key: read once, and kept where memory does not grow with them."""

    def __init__(self, rows: Iterable[StoreRow]) -> None:
        self._index = KeyIndex[StoreRow]()
        self._left_out = {"": (0, ""), "lost": (0, "")}
        self._lost = LostRows()
        try:
            for row in rows:
                if row.is_lost or not all(row.parts):
                    kind = "lost" if row.is_lost else ""
                    count, first = self._left_out[kind]
                    self._left_out[kind] = (count + 1, first or row.origin)
                if row.is_lost:
                    self._lost.add(row.pieces, row.origin)
                if all(row.parts):
                    self._index.add(_BETWEEN.join(row.parts), row)
        except BaseException:
            self.close()
            raise

    def rows(self, parts: tuple[str, ...]) -> Sequence[StoreRow]:
        return self._index.rows(_BETWEEN.join(parts))

    def left_out(self) -> Mapping[str, tuple[int, str]]:
        return self._left_out

    def lost_at(self, parts: tuple[str, ...]) -> str:
        return self._lost.origin_of(parts)

    def is_current(self) -> bool:
        return True

    def close(self) -> None:
        self._index.close()


class _StoreJoin:
    """How rows of a store belong to those of one parent. ``keys``: what is no key, pair by pair."""

    def __init__(self, child: Child, store: _JoinedStore, keys: Sequence[KeyColumn]) -> None:
        self._child = child
        self._store = store
        self._keys = keys
        order = () if store.plan.kind.is_sql else child.order
        self._order = RowOrder.of_plan(store.plan, order) if order else None

    def rows(self, parent: Mapping[str, Any], faults: _Faults, *, is_tree: bool) -> list[Mapping[str, Any]]:
        """The rows of ``parent``; what is wrong with them goes to ``faults``."""
        index, child = self._store.index, self._child
        assert index is not None
        texts = [join_texts(_value(parent, above, is_tree=is_tree)) for _, above in child.on]
        found: list[Mapping[str, Any]] = []
        for parts in product(*texts):
            rows = index.rows(parts)
            is_word = any(column.is_word(part) for column, part in zip(self._keys, parts, strict=True))
            if rows and is_word:
                faults["word", child.position] = self._fault("FM755", "word")
                continue
            if not (is_word or (rows and child.at_most_one) or any(row.is_lost for row in rows)):
                origin = index.lost_at(parts)
                if origin:
                    faults["lost", child.table, origin] = self._fault("FM778", "lost", origin)
            for row in rows:
                if not row.is_lost:
                    found.append(row.values)
                if row.faults:
                    faults["row", child.table, row.origin] = self._fault("FM778", "", row.origin)
                for fault in row.faults:
                    columns = tuple(f"{child.table}.{name}" for name in fault.columns)
                    faults[child.table, row.origin, fault.code, *columns] = replace(fault, columns=columns)
        order = self._order
        if order is not None and len(found) > 1:
            is_tree = self._store.plan.kind.is_tree
            found = order.sorted(found, lambda row: [_value(row, name, is_tree=is_tree) for name in order.names])
        return found

    def _fault(self, code: str, variant: str, origin: str = "") -> Fault:
        child = self._child
        columns = tuple(f"{child.table}.{own}" for own, _ in child.on)
        shown = ", ".join(f"{child.table}.{own} = {above}" for own, above in child.on)
        args = {"columns": shown, "table": child.table, "origin": origin}
        return Fault(code, rule="join", args=args, variant=variant, position=child.position, columns=columns)


@dataclass(frozen=True, slots=True)
class _ChildRows:
    """Child rows under ``key``: of a store, or those that are there already. ``level``: what they get in turn."""

    key: str
    join: _StoreJoin | None
    level: _RowLevel


@dataclass(slots=True)
class _RowLevel:
    """What one kind of row gets of other places. ``nested``: the steps to objects of a document that get some."""

    is_tree: bool
    children: list[_ChildRows] = field(default_factory=list)
    nested: list[tuple[str, PathSteps, _RowLevel]] = field(default_factory=list)

    @property
    def is_needed(self) -> bool:
        """Does the row get anything?"""
        return bool(self.children or self.nested)

    def attached(self, row: Mapping[str, Any], faults: _Faults) -> Mapping[str, Any]:
        """The row with the rows of its children."""
        if not self.is_needed:
            return row
        # Another record may share the row, or its source keep it for the next reading.
        values: dict[str, Any] = _copied(row) if self.nested else dict(row)
        self._put(values, faults, is_tree=self.is_tree)
        return values

    def _put(self, values: dict[str, Any], faults: _Faults, *, is_tree: bool) -> None:
        for below in self.children:
            if below.join is not None:
                rows: Sequence[Any] = below.join.rows(values, faults, is_tree=is_tree)
            else:
                rows = values.get(below.key) or ()
            values[below.key] = [below.level.attached(row, faults) for row in rows]
        for name, steps, level in self.nested:
            held = at(values, steps) if is_tree else values.get(name)
            for item in held if isinstance(held, list) else [held]:
                inner = item.members if isinstance(item, TreeText) else item
                if isinstance(inner, dict):
                    level._put(inner, faults, is_tree=True)


def _key_columns(plan: SourcePlan, child: Child, parent: RowLayout) -> tuple[KeyColumn, ...]:
    """What is no key in the columns of a join, as both places say."""
    words = child.store.nulls if child.store else ()
    return tuple(KeyColumn(column.nulls.union(words), column.is_code) for column in join_columns(plan, child, parent))


def _value(row: Mapping[str, Any], name: str, *, is_tree: bool) -> RawValue:
    """What a row holds in a column, or a document at a path."""
    return at(row, path_steps(name)) if is_tree else row.get(name)


def _copied(root: Mapping[str, Any]) -> dict[str, Any]:
    """A document that can be added to, as deep as it is; a row that leads to its parent leads to the copy of it."""
    known: dict[int, RawValue] = {}
    waiting: list[tuple[RawValue, RawValue]] = []

    def copy_of(node: RawValue) -> RawValue:
        if not isinstance(node, Mapping | list | TreeText):
            return node
        if id(node) not in known:
            copy = TreeText(str(node), {}) if isinstance(node, TreeText) else [] if isinstance(node, list) else {}
            known[id(node)] = copy
            waiting.append((node, copy))
        return known[id(node)]

    copied: dict[str, Any] = copy_of(root)
    while waiting:
        node, copy = waiting.pop()
        if isinstance(node, list):
            copy += map(copy_of, node)
        else:
            held, into = (node.members, copy.members) if isinstance(node, TreeText) else (node, copy)
            into.update((name, copy_of(value)) for name, value in held.items())
    return copied
