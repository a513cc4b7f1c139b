"""Readers: one function a model, which turns a raw row into a plain record and reports what it cannot read.

Text columns, which are most, are read in place; the others through `fhirmap.runtime.reading`. What a reader promises:
every key it sets holds a value of the declared type, and everything it leaves out was absent or is a fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from fhirmap.analysis.stores import joined_name
from fhirmap.analysis.typed import ModelUse
from fhirmap.compiler.model_plan import child_key
from fhirmap.compiler.module import ModuleBuilder
from fhirmap.compiler.plain_texts import odd_day, odd_text
from fhirmap.compiler.plan import PythonFunction
from fhirmap.compiler.python import (
    Arithmetic,
    Assign,
    Blank,
    Call,
    CommentLine,
    Compare,
    Comparison,
    Conditional,
    Connective,
    DictOf,
    Do,
    Expr,
    For,
    Get,
    If,
    Item,
    ListOf,
    Literal,
    Logic,
    Name,
    Not,
    Operator,
    Raise,
    Return,
    SetDisplay,
    SetItem,
    SetOf,
    Statement,
    Try,
    TupleOf,
    all_of,
    builtin,
    compared,
    is_not_none,
    method,
)
from fhirmap.compiler.runtime_functions import call
from fhirmap.compiler.writer import Writer
from fhirmap.data import PathSteps
from fhirmap.diagnostics import Span
from fhirmap.fhir_types import DATES, INTEGERS, TEXTS
from fhirmap.language import nodes
from fhirmap.model.definition import TypeRef
from fhirmap.source_plan import SourceKind, path_steps

READ = Name("_read")
"""The reader of the records that the module takes."""
_ROW, _FAULTS, _RECORD, _CELL = Name("row"), Name("faults"), Name("record"), Name("cell")
_VALUE, _POSITION = Name("value"), Name("position")


@dataclass(frozen=True, slots=True)
class ColumnSite:
    """How rows of a model come: ``kind`` of the store (empty: none, a plain dict), and the table they are of.

    ``nulls``, ``decimal``, ``thousands``: what the store says of the texts of all its cells.
    """

    kind: str
    table: str
    nulls: tuple[str, ...] = ()
    decimal: str | None = None
    thousands: str | None = None
    is_sparse: bool = False
    """May a row lack columns? Not one of a table: what it has no value for is None there."""
    is_flat: bool = False
    """Are the rows of columns, though the store holds documents? Those of a record are, whose lines are documents."""
    above: ColumnSite | None = None
    """How their parent's rows come, where the model reads something of them."""
    is_line: bool = False
    """Are there several of a record?"""
    is_catalogue: bool = False
    """Are they joined, one each, to what there are several of? Such are articles, makers: the same of many records."""

    @property
    def is_tree(self) -> bool:
        """Are rows trees of dicts and lists, not rows of columns?"""
        return not self.is_flat and self.is_document

    @property
    def is_document(self) -> bool:
        """Does the store hold documents?"""
        return not self.kind or SourceKind(self.kind).is_tree

    @property
    def has_paths(self) -> bool:
        """Is a name that has the signs of a path one, rather than the whole name of a column?"""
        return bool(self.kind) and self.is_tree


class ReaderLowering:
    """Lowers the readers that the program's first stage needs."""

    def __init__(self, module: ModuleBuilder) -> None:
        self.module = module
        self.functions: list[PythonFunction] = []
        self._done: dict[tuple[str, ColumnSite], Name] = {}
        self._open: dict[str, Name] = {}
        """Readers that are being written, by model: one that holds itself is read by the same reader at any depth."""

    def reader(self, ref: TypeRef) -> Name:
        """The reader of the record's own model."""
        use = self.module.checked.models[ref.structure]
        store = use.node.store
        if store is None:
            return self.model(use, ColumnSite("", ""), READ)
        site = _site(store, store.name if store.kind == "table" else "")
        is_flat = site.is_tree and any(entry.lines for entry in use.node.elements)
        return self.model(use, replace(site, is_flat=is_flat), READ)

    def model(self, use: ModelUse, site: ColumnSite, name: Name | None = None) -> Name:
        """The reader of a model's rows that come from ``site``: its faults name the columns of that place."""
        url = use.ref.structure
        known = self._done.get((url, site)) or self._open.get(url)
        if known is not None:
            return known
        name = name or self._name(url)
        self._done[url, site] = self._open[url] = name
        body = ReaderBody(self, use, site).statements()
        del self._open[url]
        parameters = (_ROW, _FAULTS, _POSITION) if has_position(use.node) else (_ROW, _FAULTS)
        heading = f"{use.node.name}: {_where(use.node, site)} ({use.node.span.name}:{use.node.span.line})."
        self.functions.append(PythonFunction(name, parameters, heading, body, use.unit.text, use.node.name_span))
        return name

    def levels_above(self, use: ModelUse, seen: frozenset[str] = frozenset()) -> int:
        """How many levels up the rows lead of which the model, or one below it, reads something; 0 for none."""
        if use.ref.structure in seen:
            return 0
        seen |= {use.ref.structure}
        found = 0
        for entry in use.node.elements:
            if not (entry.position or entry.join or entry.lines):
                found = max(found, _levels(entry.column or entry.name))
            below = self.below(use, entry)
            if below is not None:
                found = max(found, self.levels_above(below, seen) - 1)
        return found

    def below(self, use: ModelUse, entry: nodes.ModelElement) -> ModelUse | None:
        """The model of the element's rows; None where it holds a value."""
        element = self.module.checked.definitions.children(use.ref).get(entry.name)
        models = self.module.checked.models
        found = (ref.structure for ref in element.types if ref.structure in models) if element else iter(())
        return next((models[structure] for structure in found), None)

    def _name(self, url: str) -> Name:
        wanted = self.module.readers[url]
        return self.module.names.take(wanted.text) if wanted in self._done.values() else wanted


def has_position(node: nodes.Model) -> bool:
    """Does a row of this model know its rank?"""
    return any(entry.position for entry in node.elements)


def _site(store: nodes.SourceClause, table: str) -> ColumnSite:
    return ColumnSite(store.kind, table, store.nulls, store.decimal, store.thousands)


def _where(node: nodes.Model, site: ColumnSite) -> str:
    if node.store is not None:
        named = _STORES[node.store.kind]
        return f"{named}{node.store.name if node.store.kind in ('table', 'query') else ''}"
    return f"rows of {site.table}" if site.table else "a plain record"


_STORES: Mapping[str, str] = {
    "table": "table ",
    "query": "query ",
    "csv": "CSV lines",
    "sheet": "rows of a sheet",
    "fixed": "lines of fixed width",
    "parquet": "rows of Parquet files",
    "json": "JSON documents",
    "xml": "XML documents",
    "hl7": "HL7 v2 messages",
}


@dataclass(frozen=True, slots=True)
class _RowAbove:
    """The steps from a row to what it reads of one above it, and that column as a fault names it."""

    steps: PathSteps
    shown: str
    is_column: bool = False
    """Is it the cell of a row of columns?"""


class ReaderBody:
    """The statements of one reader."""

    def __init__(self, lowering: ReaderLowering, use: ModelUse, site: ColumnSite) -> None:
        self.lowering = lowering
        self.module = lowering.module
        self.use = use
        self.site = site
        self.writer = Writer()
        self.names = self.module.local_names()
        for name in (_ROW, _FAULTS, _RECORD, _CELL, _VALUE, _POSITION):
            self.names.take(name.text)
        self.fetched: dict[str, Name] = {}
        """What the row holds for an element, by its name, where rows have every column."""
        self.inside: dict[PathSteps, Name] = {}
        """What the row holds at the beginnings of paths, fetched for all that lead on from there."""

    def statements(self) -> tuple[Statement, ...]:
        """An empty record, a paragraph for each element, and the record returned."""
        self._columns()
        self.writer.add(Assign(None, (_RECORD,), DictOf()))
        lines = next((entry for entry in self.use.node.elements if entry.lines), None)
        if lines is not None:
            self._agreement(lines)
        for entry in self.use.node.elements:
            self._element(entry)
        self.writer.add(Return(None, _RECORD))
        return self.writer.statements

    def _columns(self) -> None:
        """Fetch the row's cells. A row that lacks a column is another table's, or its column is misspelt: no value is
        read of it."""
        if self.site.is_tree or self.site.is_sparse:
            return
        fetches: list[Statement] = []
        columns: set[str] = set()
        for entry in self.use.node.elements:
            column = self._column(entry)
            place = self._above(column)
            if entry.position or (place is not None and not place.is_column):
                continue
            name = self.fetched[entry.name] = self.names.take(f"{entry.name}_raw")
            columns.add(column)
            cell: Expr = _ROW
            for step in place.steps if place is not None else (column,):
                assert isinstance(step, str)
                cell = Item(cell, Literal(step))
            fetches.append(Assign(entry.span, (name,), cell))
        self._fetch(self.use.node.name_span, f"{self.use.node.name}_needs", _ROW, fetches, columns)

    def _fetch(self, span: Span, hint: str, row: Name, fetches: list[Statement], columns: set[str]) -> None:
        """Statements that take ``columns`` of ``row``, and the failure where it has not all of them."""
        if fetches:
            needs = self.module.table(hint, TupleOf(tuple(Literal(name) for name in sorted(columns))))
            # `TypeError`: what has no columns at all.
            misses = TupleOf((Name("KeyError"), Name("TypeError")))
            self.writer.add(Try(None, tuple(fetches), misses, None, (Raise(span, call("lacking", row, needs)),)))

    # --- one element --------------------------------------------------------------------------------------------------

    def _element(self, entry: nodes.ModelElement) -> None:
        maximum = "*" if entry.maximum is None else entry.maximum
        where = f"{entry.span.name}:{entry.span.line}"
        self.writer.add(Blank(None))
        self.writer.add(CommentLine(entry.span, f"{entry.name} : {entry.type} {entry.minimum}..{maximum}  ({where})"))
        model = self.module.checked.models.get(self._model_url(entry))
        if entry.position:
            self._put(entry, _POSITION)
        elif model is not None:
            self._children(entry, model)
        elif entry.maximum is None or entry.maximum > 1:
            self._several(entry)
        else:
            self._single(entry)

    def _model_url(self, entry: nodes.ModelElement) -> str:
        element = self.module.checked.definitions.children(self.use.ref).get(entry.name)
        return next((ref.structure for ref in element.types if ref.structure), "") if element else ""

    def _put(self, entry: nodes.ModelElement, value: Expr) -> None:
        self.writer.add(SetItem(entry.span, _RECORD, entry.name, value))

    def _single(self, entry: nodes.ModelElement) -> None:
        cell = self._cell(entry)
        raw = self._held(entry, _CELL)
        if _is_path(self._path(entry)):
            is_list = compared(builtin("type", raw), Comparison.IS, Name("list"))
            with self.writer.block(If(entry.span, is_list, ())):
                self.writer.add(Assign(entry.span, (raw,), call("one", raw, cell, _FAULTS)))
        if not entry.minimum:
            known = self._known_texts(entry)
            if known is None:
                self._read_there(entry, cell, raw, None)
                return
            is_text = compared(builtin("type", raw), Comparison.IS, Name("str"))
            put = SetItem(entry.span, _RECORD, entry.name, raw)
            self.writer.add(If(entry.span, all_of(is_text, compared(raw, Comparison.IN, known)), (put,)))
            with self.writer.otherwise():
                self._read_there(entry, cell, raw, known)
            return
        # Readers of cells give no value for None.
        self._convert(entry, cell, raw)
        put = SetItem(entry.span, _RECORD, entry.name, self._traceable(cell, raw))
        report = Do(entry.span, call("absent", cell, _FAULTS))
        self.writer.add(If(entry.span, self._is_there(entry), (put,), (report,)))

    def _read_there(self, entry: nodes.ModelElement, cell: Name, raw: Name, known: Name | None) -> None:
        """Read a cell that may hold a value. ``known``: the texts that need not be looked at again."""
        with self.writer.block(If(entry.span, is_not_none(raw), ())):
            self._convert(entry, cell, raw, known)
            with self.writer.block(If(entry.span, self._is_there(entry), ())):
                self._put(entry, self._traceable(cell, raw))

    def _known_texts(self, entry: nodes.ModelElement) -> Name | None:
        """The texts of a cell that were looked at before and are values as they are, where they come again and again:
        those of a catalogue, and days. None for other cells: most of their texts are there once."""
        if entry.type not in _NUMBERS_AS_TEXT or entry.decimals or self.module.tracing is not None:
            return None
        is_day = entry.span.position in self.module.text_uses.dates
        if not (self.site.is_catalogue or (self.site.is_line and is_day)):
            return None
        return self.module.table(f"known_{self.use.node.name}_{entry.name}", builtin("set"))

    def _keep(self, span: Span, known: Name, raw: Name) -> If:
        """Keep a text that is read as it is, without a warning."""
        is_small = compared(builtin("len", known), Comparison.LESS, Literal(_MOST_KNOWN))
        is_itself = all_of(_VALUE, compared(_VALUE, Comparison.IS, raw), is_small)
        return If(span, is_itself, (Do(span, method(known, "add", _VALUE, raises=False)),))

    def _convert(self, entry: nodes.ModelElement, cell: Name, raw: Name, known: Name | None = None) -> None:
        """Statements that make a value of ``raw``: an empty text, or None, where there is none.

        ``known``: the texts that need not be looked at again.
        """
        span = entry.span
        self.writer.add(Assign(span, (_VALUE,), self._converted(entry, cell, raw)))
        if entry.type not in _NUMBERS_AS_TEXT:
            return
        # A word of absence, or what a spreadsheet made of a number: most texts are neither.
        odd = odd_day(_VALUE) if span.position in self.module.text_uses.dates else odd_text(_VALUE)
        keep = (self._keep(span, known, raw),) if known is not None else ()
        check = If(span, odd, (Assign(span, (_VALUE,), call("mended", _VALUE, cell, _FAULTS)),), keep)
        nulls = _null_tokens(entry, self.site)
        if nulls:
            check = If(span, _is_one_of(nulls), (Assign(span, (_VALUE,), Literal("")),), (check,))
        self.writer.add(check)

    def _is_there(self, entry: nodes.ModelElement) -> Expr:
        """Did a cell hold a value?"""
        if entry.type not in TEXTS:
            return is_not_none(_VALUE)
        nulls = _null_tokens(entry, self.site) if entry.type not in _NUMBERS_AS_TEXT else ()
        return all_of(_VALUE, _is_one_of(nulls, but=True)) if nulls else _VALUE

    def _traceable(self, cell: Name, raw: Name) -> Expr:
        """The value read; for a trace one that knows its cell."""
        return _VALUE if self.module.tracing is None else call("from_cell", _VALUE, cell, raw)

    def _required(self, entry: nodes.ModelElement, is_absent: Expr, cell: Name) -> None:
        if entry.minimum:
            with self.writer.block(If(entry.span, is_absent, ())):
                self.writer.add(Do(entry.span, call("absent", cell, _FAULTS)))

    def _converted(self, entry: nodes.ModelElement, cell: Name, raw: Name) -> Expr:
        if entry.decimals:
            return self._with_decimals(entry, cell, raw)
        if entry.type in TEXTS:
            is_text = compared(builtin("type", raw), Comparison.IS, Name("str"))
            return Conditional(method(raw, "strip", raises=False), is_text, call("as_text", raw, cell, _FAULTS))
        if entry.type in DATES:
            return Call(self._date_reader(entry, cell), (raw, _FAULTS))
        name = "as_boolean" if entry.type == "boolean" else "as_integer" if entry.type in INTEGERS else "as_decimal"
        return call(name, raw, cell, _FAULTS)

    def _with_decimals(self, entry: nodes.ModelElement, cell: Name, raw: Name) -> Expr:
        name = "as_text" if entry.type in TEXTS else "as_integer" if entry.type in INTEGERS else "as_decimal"
        return call(name, call("implied", raw, cell, _FAULTS), cell, _FAULTS)

    def _date_reader(self, entry: nodes.ModelElement, cell: Name) -> Name:
        return self.module.table(f"read_{self.use.node.name}_{entry.name}", call("date_reader", cell))

    def _several(self, entry: nodes.ModelElement) -> None:
        """A repeating primitive: what a JSON array holds, or the one cell of a column."""
        cell = self._cell(entry)
        values = self.names.take(f"{entry.name}_values")
        span = entry.span
        self.writer.add(Assign(span, (values,), ListOf()))
        held = self._held(entry, self.names.take("held"))
        if entry.split:
            self.writer.add(Assign(span, (held,), call("parts", held, Literal(entry.split))))
        items = Conditional(held, builtin("isinstance", held, Name("list")), ListOf((held,)))
        with self.writer.block(For(span, (_CELL,), items, ())), self.writer.block(If(span, is_not_none(_CELL), ())):
            self._convert(entry, cell, _CELL)
            with self.writer.block(If(span, self._is_there(entry), ())):
                self.writer.append(span, values, self._traceable(cell, _CELL))
        with self.writer.block(If(span, values, ())):
            self._put(entry, values)
        self._required(entry, Not(values), cell)

    # --- child rows ---------------------------------------------------------------------------------------------------

    def _children(self, entry: nodes.ModelElement, model: ModelUse) -> None:
        span = entry.span
        is_nested = entry.join is None and not entry.lines and not entry.split
        site = self._site_below(entry, model, is_nested)
        if entry.attributes:
            site = replace(site, is_sparse=True)
        has_parent = self._has_parent(entry, model)
        site = replace(site, above=self.site if has_parent else None)
        is_many = entry.maximum is None or entry.maximum > 1
        is_repeated = self.site.is_line or self.site.is_catalogue
        is_catalogue = entry.join is not None and not is_many and is_repeated
        site = replace(site, is_line=is_many, is_catalogue=is_catalogue)
        reader = self.lowering.model(model, site)
        cell = self._cell(entry)
        raw = self._held(entry, self.names.take(f"{entry.name}_raw"))
        if entry.attributes:
            folded = call("folded", raw, *map(Literal, entry.attributes), cell, _FAULTS)
            self.writer.add(Assign(span, (raw,), folded))
        if entry.split:
            self.writer.add(Assign(span, (raw,), call("part_rows", raw, Literal(entry.split))))
        elif is_nested and any((below.column or below.name) == "value" for below in model.node.elements):
            self.writer.add(Assign(span, (raw,), call("item_rows", raw)))
        if is_many:
            self._many(entry, model, site, reader, raw)
        else:
            self._one(entry, model, site, reader, raw)
        self._required(entry, compared(Literal(entry.name), Comparison.NOT_IN, _RECORD), cell)

    def _site_below(self, entry: nodes.ModelElement, model: ModelUse, is_nested: bool) -> ColumnSite:
        """How the child rows of an element come."""
        store = model.node.store
        if entry.join is not None and entry.join.is_own and store is not None:
            return _site(store, self._joined(entry))
        table = self._joined(entry) or ("" if entry.lines else self._below(entry))
        site = replace(self.site, table=table, is_flat=False)
        if is_nested and site.kind and not site.is_tree and entry.groups is None:
            return replace(site, kind="json")  # the objects of a document, wherever it is kept
        return site

    def _one(self, entry: nodes.ModelElement, model: ModelUse, site: ColumnSite, reader: Name, raw: Name) -> None:
        """The one child record: a loop, since there may be none."""
        child, held = self.names.take("child"), self.names.take("item")
        with self.writer.block(For(entry.span, (child,), self._rows(entry, site, raw), ())):
            ranked = (Literal(1),) if has_position(model.node) else ()
            with self._watched(entry, held, Literal(0)):
                self.writer.add(Assign(entry.span, (held,), Call(reader, (child, _FAULTS, *ranked))))
            self._put(entry, held)

    def _many(self, entry: nodes.ModelElement, model: ModelUse, site: ColumnSite, reader: Name, raw: Name) -> None:
        """The list of child records."""
        span = entry.span
        items = self.names.take(f"{entry.name}_rows")
        child, rank, held = (self.names.take(name) for name in ("child", "rank", "item"))
        self.writer.add(Assign(span, (items,), ListOf()))
        numbered = builtin("enumerate", self._rows(entry, site, raw), Literal(1))
        with self.writer.block(For(span, (rank, child), numbered, ())):
            ranked = (rank,) if has_position(model.node) else ()
            with self._watched(entry, held, Arithmetic(rank, Operator.MINUS, Literal(1), raises=False)):
                self.writer.add(Assign(span, (held,), Call(reader, (child, _FAULTS, *ranked))))
                count = self._count(entry, site, child)
            if count is None:
                self.writer.append(span, items, held)
            else:
                repeated = Arithmetic(ListOf((held,)), Operator.TIMES, count)
                self.writer.add(Do(span, method(items, "extend", repeated)))
        with self.writer.block(If(span, items, ())):
            self._put(entry, items)

    @contextmanager
    def _watched(self, entry: nodes.ModelElement, held: Name, index: Expr) -> Iterator[None]:
        """Statements that read a child record: of one with faults it is watched who asks for what it lacks, and the
        faults say which row they are of."""
        before, count = self.names.take("before"), builtin("len", _FAULTS)
        self.writer.add(Assign(entry.span, (before,), count))
        yield
        with self.writer.block(If(entry.span, all_of(_FAULTS, compared(count, Comparison.GREATER, before)), ())):
            self.writer.add(Assign(entry.span, (held,), call("watched", held, _FAULTS, before)))
            where = Literal(f"{self.use.node.name}.{entry.name}")
            self.writer.add(Do(entry.span, call("within", _FAULTS, before, where, index)))

    def _has_parent(self, entry: nodes.ModelElement, model: ModelUse) -> bool:
        """Do the child rows read this one? Not lines of documents: each is an entry with what is around it there."""
        return self.lowering.levels_above(model) > 0 and not (entry.lines and self.site.is_document)

    def _rows(self, entry: nodes.ModelElement, site: ColumnSite, raw: Name) -> Expr:
        """The child rows, which come as ``site`` says, that a raw value holds."""
        rows = call("rows", raw, self._cell(entry), _FAULTS)
        model = self.lowering.below(self.use, entry)
        if model is not None and self._has_parent(entry, model):
            return call("under", rows, _ROW)
        is_joined = entry.join is not None or entry.lines
        if self.site.is_tree or site.is_tree or not is_joined or entry.maximum not in (None, 1):
            return rows
        # Sources of tables and lines pass lists of rows: mostly there is nothing to check.
        is_plain: Expr = compared(builtin("type", raw), Comparison.IS, Name("list"))
        if entry.maximum == 1:
            is_plain = all_of(is_plain, compared(builtin("len", raw), Comparison.LESS, Literal(2)))
        return Conditional(raw, is_plain, rows)

    def _count(self, entry: nodes.ModelElement, site: ColumnSite, child: Name) -> Name | None:
        """How often a child record counts, where its row says so."""
        if not entry.repeat:
            return None
        quantity: Expr = Get(child, entry.repeat)
        if not site.is_tree and not site.is_sparse:
            fetched = self.names.take(f"{entry.name}_repeat")
            fetch = Assign(entry.span, (fetched,), Item(child, Literal(entry.repeat)))
            self._fetch(entry.span, f"{self.use.node.name}_{entry.name}_needs", child, [fetch], {entry.repeat})
            quantity = fetched
        count = self.names.take("count")
        times: Expr = call("times", quantity, self._repeat_cell(entry, site), _FAULTS)
        if isinstance(quantity, Name) and not any(token.isdigit() for token in site.nulls):
            # A database's own number: mostly there is nothing to read.
            is_few = Compare(Literal(0), ((_AT_MOST, quantity), (_AT_MOST, Literal(_MOST_TIMES))))
            is_int = compared(builtin("type", quantity), Comparison.IS, Name("int"))
            times = Conditional(quantity, all_of(is_int, is_few), times)
        self.writer.add(Assign(entry.span, (count,), times))
        return count

    def _below(self, entry: nodes.ModelElement) -> str:
        return self._shown(self._path(entry))

    def _agreement(self, lines: nodes.ModelElement) -> None:
        """Flat lines must say the same of everything that is read once a record."""
        said = [
            entry
            for entry in self.use.node.elements
            if not (entry.lines or entry.position or entry.join or self._is_model(entry))
            if not self._path(entry).startswith("../")
        ]
        if said:
            table = self.module.table(f"{self.use.node.name}_columns", TupleOf(tuple(map(self._cell, said))))
            held = Logic(Connective.OR, (self._raw(lines), TupleOf()))
            # Lines that are documents have their cells at paths; the name of a column need be none.
            paths = [Literal(path_steps(self._path(entry))) for entry in said if self.site.is_flat]
            places = (TupleOf(tuple(paths)),) if paths else ()
            self.writer.add(Do(lines.span, call("disagreeing", held, table, _FAULTS, *places)))

    def _is_model(self, entry: nodes.ModelElement) -> bool:
        return self._model_url(entry) in self.module.checked.models

    # --- cells --------------------------------------------------------------------------------------------------------

    def _path(self, entry: nodes.ModelElement) -> str:
        return entry.column or entry.name

    def _column(self, entry: nodes.ModelElement) -> str:
        """The row's key of an element."""
        return (
            child_key(self.module.checked, self.use, entry)
            if entry.join is not None or entry.lines
            else self._path(entry)
        )

    def _raw(self, entry: nodes.ModelElement) -> Expr:
        """What the row holds for an element."""
        fetched = self.fetched.get(entry.name)
        if fetched is not None:
            return fetched
        path = self._path(entry)
        if not (entry.join or entry.lines):
            place = self._above(path)
            if place is not None:
                return call("at", _ROW, Literal(place.steps))
            if self.site.has_paths and _is_path(path):
                return self._at(path_steps(path), entry.span)
        return Get(_ROW, self._column(entry))

    def _at(self, path: PathSteps, span: Span, default: Expr | None = None) -> Expr:
        """What a document holds at ``path``: plain looks into its objects, the runtime's for lists and texts."""
        found: Expr = call("at", _ROW, Literal(path))
        *before, last = path
        if self.site.kind == "hl7":  # its trees are no dicts: they take their text apart where it is asked for
            return found
        if not isinstance(last, str) or not all(isinstance(step, str) and step != "/" for step in before):
            return found
        if not before:
            return Get(_ROW, last, default)
        owner = self._owner(path[:-1], span)
        is_object = compared(builtin("type", owner), Comparison.IS, Name("dict"))
        return Conditional(Get(owner, last, default), is_object, found)

    def _owner(self, path: PathSteps, span: Span) -> Name:
        """What the row holds where several paths lead on, fetched once: an object without members where it lacks it."""
        name = self.inside.get(path)
        if name is None:
            name = self.inside[path] = self.names.take("_".join(map(str, path)))
            self.writer.add(Assign(span, (name,), self._at(path, span, DictOf())))
        return name

    def _above(self, path: str) -> _RowAbove | None:
        """What ``path`` reads of a row above; None where it reads this one."""
        if not path.startswith("../") and not (path.startswith("/") and self.site.has_paths):
            return None
        site, up, name = self.site, 0, path
        while site.above is not None and name.startswith(("../", "/")):
            site, up = site.above, up + 1
            name = name.removeprefix("../")
        if name.startswith(("../", "/")) and site.has_paths:  # above the record, which its source gives, or at the root
            return _RowAbove(path_steps(path), name)
        if not up:  # lines of documents give their record a cell under each path
            return None
        name = name if site.is_document else name.removeprefix("/")
        steps = path_steps(name) if site.has_paths else (name,)
        way: PathSteps = ("/",) if path.startswith("/") else ("..",) * up
        shown = f"{site.table}.{name}" if site.table else name
        return _RowAbove((*way, *steps), shown, is_column=not site.is_tree)

    def _shown(self, path: str) -> str:
        """The column as a fault names it."""
        place = self._above(path)
        return place.shown if place else f"{self.site.table}.{path}" if self.site.table else path

    def _held(self, entry: nodes.ModelElement, name: Name) -> Name:
        """The name of what the row holds for an element: ``name``, unless it was fetched before."""
        raw = self._raw(entry)
        if isinstance(raw, Name):
            return raw
        self.writer.add(Assign(entry.span, (name,), raw))
        return name

    def _cell(self, entry: nodes.ModelElement) -> Name:
        path = self._path(entry)
        shown = self._joined(entry) or self._shown(path)
        element = f"{self.use.node.name}.{entry.name}"
        position = (entry.column_span or entry.span).position
        texts = (element, shown, entry.type, position, path)
        options = _cell_options(entry, self.site)
        if entry.type in _NUMBERS_AS_TEXT:
            uses, place = self.module.text_uses, entry.span.position
            options |= {"is_date": Literal(True)} if place in uses.dates else {}
            options |= {"is_flag": Literal(True)} if place in uses.flags else {}
        return self._cell_table(entry.name, texts, options)

    def _joined(self, entry: nodes.ModelElement) -> str:
        """What the rows are called that an element joins; empty where it joins none."""
        model = self.module.checked.models.get(self._model_url(entry))
        if entry.join is None:
            return ""
        return joined_name(entry.join, model.node) if model is not None else entry.join.table

    def _repeat_cell(self, entry: nodes.ModelElement, site: ColumnSite) -> Name:
        assert entry.repeat is not None
        shown = f"{site.table}.{entry.repeat}" if site.table else entry.repeat
        position = (entry.repeat_span or entry.span).position
        texts = (f"{entry.type}.{entry.repeat}", shown, "integer", position, entry.repeat)
        return self._cell_table(f"{entry.name}_repeat", texts, _text_options(site.nulls, site))

    def _cell_table(self, hint: str, texts: tuple[str, str, str, str, str], options: dict[str, Expr]) -> Name:
        """The constant that describes a cell: element, column, type, position, key; then what differs from others."""
        element, column, *_ = texts
        known = self.module.cells.get((element, column, hint))
        if known is None:
            value = call("Cell", *map(Literal, texts), **options)
            known = self.module.table(f"{self.use.node.name}_{hint}", value)
            self.module.cells[element, column, hint] = known
        return known


_ALL = 1000
_AT_MOST = Comparison.LESS_OR_EQUAL
_MOST_TIMES = 1000
"""How often a row counts at most (`fhirmap.runtime.reading.times`)."""
_MOST_KNOWN = 8192
"""How many texts of a cell are kept at most."""
_NUMBERS_AS_TEXT = TEXTS - {"code", "base64Binary", "markdown", "xhtml"}
"""Types of the texts that identify something. Codes are compared with tables, where any text may be listed."""


def _is_path(column: str) -> bool:
    """May this name lead into a document, or to a parent?"""
    return column.startswith("/") or any(sign in column for sign in ".[`")


def _is_one_of(nulls: tuple[str, ...], *, but: bool = False) -> Expr:
    """Is the value one of the texts that mean none? ``but``: is it none of them?"""
    if len(nulls) == 1:
        return compared(_VALUE, Comparison.UNEQUAL if but else Comparison.EQUAL, Literal(nulls[0]))
    return compared(_VALUE, Comparison.NOT_IN if but else Comparison.IN, SetDisplay(tuple(map(Literal, nulls))))


def _levels(path: str) -> int:
    """How many levels up a path leads: all for the root."""
    if path.startswith("/"):
        return _ALL
    levels = 0
    while path.startswith("../", 3 * levels):
        levels += 1
    return levels


def _null_tokens(entry: nodes.ModelElement, site: ColumnSite) -> tuple[str, ...]:
    """Texts that mean no value, in the order in which the map has them."""
    return tuple(dict.fromkeys(token.strip() for token in (*entry.nulls, *site.nulls) if token.strip()))


def _cell_options(entry: nodes.ModelElement, site: ColumnSite) -> dict[str, Expr]:
    """What a cell says beyond its names, where it differs from most."""
    options: dict[str, Expr] = {}
    if entry.minimum:
        options["minimum"] = Literal(entry.minimum)
    if entry.maximum != 1:
        options["maximum"] = Literal(entry.maximum)
    if entry.format is not None:
        options["format"] = Literal(entry.format)
    if entry.zone is not None:
        options["zone"] = Literal(entry.zone)
    if entry.decimals:
        options["decimals"] = Literal(entry.decimals)
    return options | _text_options(_null_tokens(entry, site), site)


def _text_options(nulls: tuple[str, ...], site: ColumnSite) -> dict[str, Expr]:
    """How the texts of a cell say that there is no value, and how they write numbers."""
    options: dict[str, Expr] = {}
    if nulls:
        options["nulls"] = SetOf(tuple(Literal(token) for token in sorted(nulls)))
    if site.decimal is not None:
        options["decimal"] = Literal(site.decimal)
    if site.thousands is not None:
        options["thousands"] = Literal(site.thousands)
    return options
