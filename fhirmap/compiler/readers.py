"""Readers: one function a model, which turns a raw row into a plain record and tells what it cannot read.

Text columns, which are most, are read in place; the others through `fhirmap.runtime.reading`. What a reader promises:
every key it sets holds a value of the declared type, and everything it leaves out was absent or is told as a fault.
"""

from __future__ import annotations

from dataclasses import dataclass

from fhirmap.analysis.typed import ModelUse
from fhirmap.compiler import plan
from fhirmap.compiler.module import ModuleBuilder
from fhirmap.compiler.names import Code, Name, code, literal
from fhirmap.compiler.storeplan import child_key
from fhirmap.fhir_types import INTEGERS, TEXTS
from fhirmap.language import nodes
from fhirmap.model.definition import TypeRef

_DATES = frozenset(("date", "dateTime", "instant", "time"))
_ROW, _FAULTS, _RECORD, _CELL = Name("row"), Name("faults"), Name("record"), Name("cell")
_VALUE, _POSITION = Name("value"), Name("position")


@dataclass(frozen=True, slots=True)
class Place:
    """How rows of a model come: ``kind`` of the store (empty: none, a plain dict), and the table they are of."""

    kind: str
    table: str


class ReaderLowering:
    """Lowers the readers that the program's first stage needs."""

    def __init__(self, module: ModuleBuilder) -> None:
        self.module = module
        self.functions: list[plan.Function] = []
        self._done: dict[tuple[str, Place], Name] = {}

    def reader(self, ref: TypeRef) -> Name:
        """The reader of the record's own model."""
        use = self.module.checked.models[ref.structure]
        store = use.node.store
        place = Place(store.kind if store else "", store.name if store and store.kind == "table" else "")
        return self.model(use, place)

    def model(self, use: ModelUse, place: Place) -> Name:
        """The reader of a model's rows that come from ``place``: its faults name the columns of that place."""
        url = use.ref.structure
        if (url, place) in self._done:
            return self._done[url, place]
        first = all(known != url for known, _ in self._done)
        wanted = self.module.readers[url]
        name = wanted if first else self.module.names.take(str(wanted))
        self._done[url, place] = name
        body = _Body(self, use, place)
        steps = body.steps()
        parameters = [_ROW, _FAULTS]
        if has_position(use.node):
            parameters.append(_POSITION)
        heading = f"{use.node.name}: {_where(use.node, place)} ({use.node.span.name}:{use.node.span.line})."
        function = plan.Function(name, tuple(parameters), heading, steps, use.unit.text, use.node.name_span)
        self.functions.append(function)
        return name


def has_position(node: nodes.Model) -> bool:
    """Does a row of this model know its rank?"""
    return any(entry.position for entry in node.elements)


def _where(node: nodes.Model, place: Place) -> str:
    if node.store is not None:
        named = {"table": "table ", "query": "query ", "csv": "CSV lines", "json": "JSON documents"}[node.store.kind]
        return f"{named}{node.store.name if node.store.kind in ('table', 'query') else ''}"
    return f"rows of {place.table}" if place.table else "a plain record"


class _Body:
    def __init__(self, lowering: ReaderLowering, use: ModelUse, place: Place) -> None:
        self.lowering = lowering
        self.module = lowering.module
        self.use = use
        self.place = place
        self.out: list[plan.Step] = []
        self.names = self.module.local_names()

    def steps(self) -> tuple[plan.Step, ...]:
        self.out.append(plan.Assign(1, None, _RECORD, Code("{}")))
        lines = next((entry for entry in self.use.node.elements if entry.lines), None)
        if lines is not None:
            self._agreement(lines)
        for entry in self.use.node.elements:
            self._element(entry)
        self.out.append(plan.Return(1, None, _RECORD))
        return tuple(self.out)

    # --- one element --------------------------------------------------------------------------------------------------

    def _element(self, entry: nodes.ModelElement) -> None:
        maximum = "*" if entry.maximum is None else entry.maximum
        place = f"{entry.span.name}:{entry.span.line}"
        self.out.append(plan.Blank(1, None))
        text = f"{entry.name} : {entry.type} {entry.minimum}..{maximum}  ({place})"
        self.out.append(plan.Comment(1, entry.span, text))
        model = self.module.checked.models.get(self._model_url(entry))
        if entry.position:
            self._put(entry, 1, _POSITION)
        elif model is not None:
            self._children(entry, model)
        elif entry.maximum is None or entry.maximum > 1:
            self._several(entry)
        else:
            self._single(entry)

    def _model_url(self, entry: nodes.ModelElement) -> str:
        element = self.module.checked.definitions.children(self.use.ref).get(entry.name)
        return next((ref.structure for ref in element.types if ref.structure), "") if element else ""

    def _put(self, entry: nodes.ModelElement, depth: int, value: Code) -> None:
        self.out.append(plan.Store(depth, entry.span, _RECORD, entry.name, value))

    def _single(self, entry: nodes.ModelElement) -> None:
        raw = self._raw(entry)
        cell = self._cell(entry)
        if self.place.kind in ("json", ""):
            raw = (
                code("{}({}, {}, {})", self.module.use("one"), raw, cell, _FAULTS) if "." in self._path(entry) else raw
            )
        self.out.append(plan.Assign(1, entry.span, _CELL, raw))
        self._known(entry, cell, 1)
        if entry.minimum:
            self.out.append(plan.If(1, entry.span, code("{} not in {}", entry.name, _RECORD)))
            self.out.append(plan.Do(2, entry.span, code("{}({}, {})", self.module.use("absent"), cell, _FAULTS)))

    def _known(self, entry: nodes.ModelElement, cell: Name, depth: int) -> None:
        """Convert the cell where it holds something; leave the element out where it does not."""
        span = entry.span
        self.out.append(plan.If(depth, span, code("{} is not None", _CELL)))
        self.out.append(plan.Assign(depth + 1, span, _VALUE, self._converted(entry, cell)))
        self.out.append(plan.If(depth + 1, span, self._present(entry)))
        self._put(entry, depth + 2, _VALUE)

    def _converted(self, entry: nodes.ModelElement, cell: Name) -> Code:
        if entry.type in TEXTS:
            call = code("{}({}, {}, {})", self.module.use("as_text"), _CELL, cell, _FAULTS)
            return code("{}.strip() if type({}) is str else {}", _CELL, _CELL, call)
        if entry.type in _DATES:
            reader = self._date_reader(entry, cell)
            return code("{}({}, {})", reader, _CELL, _FAULTS)
        name = "as_boolean" if entry.type == "boolean" else "as_integer" if entry.type in INTEGERS else "as_decimal"
        return code("{}({}, {}, {})", self.module.use(name), _CELL, cell, _FAULTS)

    def _present(self, entry: nodes.ModelElement) -> Code:
        if entry.type not in TEXTS:
            return code("{} is not None", _VALUE)
        nulls = tuple(dict.fromkeys(token.strip() for token in entry.nulls if token.strip()))
        if not nulls:
            return _VALUE
        test = code("{} != {}", _VALUE, nulls[0]) if len(nulls) == 1 else code("{} not in {}", _VALUE, nulls)
        return code("{} and {}", _VALUE, test)

    def _date_reader(self, entry: nodes.ModelElement, cell: Name) -> Name:
        call = code("{}({})", self.module.use("date_reader"), cell)
        return self.module.table(f"read_{self.use.node.name}_{entry.name}", call)

    def _several(self, entry: nodes.ModelElement) -> None:
        """A repeating primitive: what a JSON array holds, or the one cell of a column."""
        cell = self._cell(entry)
        values = self.names.take(f"{entry.name}_values")
        held = self.names.take("held")
        span = entry.span
        self.out.append(plan.Assign(1, span, values, Code("[]")))
        self.out.append(plan.Assign(1, span, held, self._raw(entry)))
        items = code("{} if isinstance({}, list) else [{}]", held, held, held)
        self.out.append(plan.For(1, span, _CELL, items))
        self.out.append(plan.If(2, span, code("{} is not None", _CELL)))
        self.out.append(plan.Assign(3, span, _VALUE, self._converted(entry, cell)))
        self.out.append(plan.If(3, span, self._present(entry)))
        self.out.append(plan.Append(4, span, values, _VALUE))
        self.out.append(plan.If(1, span, values))
        self._put(entry, 2, values)
        if entry.minimum:
            self.out.append(plan.If(1, span, code("not {}", values)))
            self.out.append(plan.Do(2, span, code("{}({}, {})", self.module.use("absent"), cell, _FAULTS)))

    # --- child rows ---------------------------------------------------------------------------------------------------

    def _children(self, entry: nodes.ModelElement, model: ModelUse) -> None:
        span = entry.span
        place = Place(self.place.kind, entry.join.table if entry.join else "" if entry.lines else self._below(entry))
        reader = self.lowering.model(model, place)
        cell = self._cell(entry)
        raw = self._raw(entry)
        held_rows = self.names.take(f"{entry.name}_raw")
        rows = code("{}({}, {}, {})", self.module.use("rows"), held_rows, cell, _FAULTS)
        if self.place.kind not in ("json", "") and entry.maximum in (None, 1):
            # Sources of tables and lines hand over lists of rows: mostly nothing is to be judged.
            few = code(" and len({}) < 2", held_rows) if entry.maximum == 1 else Code("")
            rows = code("{} if type({}) is list{} else {}", held_rows, held_rows, few, rows)
        many = entry.maximum is None or entry.maximum > 1
        items = self.names.take(f"{entry.name}_rows")
        before, child, rank, held = (self.names.take(name) for name in ("before", "child", "rank", "item"))
        self.out.append(plan.Assign(1, span, held_rows, raw))
        if many:
            self.out.append(plan.Assign(1, span, items, Code("[]")))
        self.out.append(plan.For(1, span, code("{}, {}", rank, child), code("enumerate({}, 1)", rows)))
        self.out.append(plan.Assign(2, span, before, code("len({})", _FAULTS)))
        ranked = code(", {}", rank) if has_position(model.node) else Code("")
        self.out.append(plan.Assign(2, span, held, code("{}({}, {}{})", reader, child, _FAULTS, ranked)))
        if many and entry.repeat:
            repeat = self._repeat_cell(entry, place)
            count = code("{}({}, {}, {})", self.module.use("times"), child, repeat, _FAULTS)
            self.out.append(plan.Do(2, span, code("{}.extend([{}] * {})", items, held, count)))
        elif many:
            self.out.append(plan.Append(2, span, items, held))
        else:
            self._put(entry, 2, held)
        self.out.append(plan.If(2, span, code("len({}) > {}", _FAULTS, before)))
        where = f"{self.use.node.name}.{entry.name}"
        within = code("{}({}, {}, {}, {} - 1)", self.module.use("within"), _FAULTS, before, where, rank)
        self.out.append(plan.Do(3, span, within))
        if many:
            self.out.append(plan.If(1, span, items))
            self._put(entry, 2, items)
        if entry.minimum:
            self.out.append(plan.If(1, span, code("{} not in {}", entry.name, _RECORD)))
            self.out.append(plan.Do(2, span, code("{}({}, {})", self.module.use("absent"), cell, _FAULTS)))

    def _below(self, entry: nodes.ModelElement) -> str:
        path = entry.column or entry.name
        return f"{self.place.table}.{path}" if self.place.table else path

    def _repeat_cell(self, entry: nodes.ModelElement, place: Place) -> Name:
        assert entry.repeat is not None
        shown = f"{place.table}.{entry.repeat}" if place.table else entry.repeat
        position = (entry.repeat_span or entry.span).position
        return self._cell_table(
            f"{entry.name}_repeat", f"{entry.type}.{entry.repeat}", shown, "integer", position, entry.repeat
        )

    def _agreement(self, lines: nodes.ModelElement) -> None:
        """Flat lines must say the same of everything that is read once a record."""
        cells = [
            self._cell(entry)
            for entry in self.use.node.elements
            if not entry.lines and not entry.position and entry.join is None and not self._is_model(entry)
        ]
        if cells:
            table = self.module.table(f"{self.use.node.name}_columns", Code(f"({', '.join(cells)},)"))
            call = code(
                "{}({}, {}, {})",
                self.module.use("disagreeing"),
                code("{}.get({}) or ()", _ROW, child_key(self.use.node, lines)),
                table,
                _FAULTS,
            )
            self.out.append(plan.Do(1, lines.span, call))

    def _is_model(self, entry: nodes.ModelElement) -> bool:
        return self._model_url(entry) in self.module.checked.models

    # --- cells --------------------------------------------------------------------------------------------------------

    def _path(self, entry: nodes.ModelElement) -> str:
        return entry.column or entry.name

    def _raw(self, entry: nodes.ModelElement) -> Code:
        if entry.join is not None or entry.lines:
            return code("{}.get({})", _ROW, child_key(self.use.node, entry))
        path = self._path(entry)
        if self.place.kind == "json" and "." in path:
            return code("{}({}, {})", self.module.use("at"), _ROW, tuple(path.split(".")))
        return code("{}.get({})", _ROW, path)

    def _cell(self, entry: nodes.ModelElement) -> Name:
        path = self._path(entry)
        shown = entry.join.table if entry.join else f"{self.place.table}.{path}" if self.place.table else path
        return self._cell_table(
            entry.name,
            f"{self.use.node.name}.{entry.name}",
            shown,
            entry.type,
            (entry.column_span or entry.span).position,
            path,
            entry,
        )

    def _cell_table(
        self,
        hint: str,
        element: str,
        column: str,
        type_name: str,
        position: str,
        key: str,
        entry: nodes.ModelElement | None = None,
    ) -> Name:
        known = self.module.cells.get((element, column, hint))
        if known is not None:
            return known
        self.module.use("Cell")
        parts = [literal(part) for part in (element, column, type_name, position, key)]
        if entry is not None:
            options = {
                "minimum": entry.minimum,
                "maximum": entry.maximum,
                "format": entry.format,
                "zone": entry.zone,
                "nulls": frozenset(token.strip() for token in entry.nulls if token.strip()),
            }
            defaults: dict[str, object] = {
                "minimum": 0,
                "maximum": 1,
                "format": None,
                "zone": None,
                "nulls": frozenset(),
            }
            parts += [Code(f"{name}={literal(value)}") for name, value in options.items() if value != defaults[name]]
        table = self.module.table(f"{self.use.node.name}_{hint}", Code(f"Cell({', '.join(parts)})"))
        self.module.cells[element, column, hint] = table
        return table
