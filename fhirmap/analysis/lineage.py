"""Where each element of the result comes from: rules and source columns, through all stages.

The table is static: it is read off the typed rules, one walk from the entry group of each stage, with the element path
(slice names, no indexes) that every target variable means. What an expression is made of is `analysis.dataflow`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.dataflow import Read, Reads, flow_of, reads_of, source_conditions, transform_reads
from fhirmap.analysis.stores import joined_name
from fhirmap.analysis.typed import Expression, Stage, TypedGroup, TypedRule, TypedSource, TypedTarget, Variable
from fhirmap.diagnostics import Span
from fhirmap.source_plan import SourceKind


@dataclass(frozen=True, slots=True)
class Origin:
    """One rule's part in an element.

    ``columns``: `TABLE.column`, in the order the rule names them: what the value is made of. ``elements``: the source
    elements it is made of where no model says in which columns they are, `QuestionnaireResponse.item.text`.
    ``conditions``: columns (or elements) that only decide whether the rule writes it, or which value it is. ``before``:
    the rules of the stage before that write what this one reads.
    """

    rule: str
    span: Span
    columns: tuple[str, ...]
    elements: tuple[str, ...] = ()
    before: tuple[Origin, ...] = ()
    conditions: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Where its value comes from in the first stage's source: columns, else elements."""
        return self.columns or self.elements


@dataclass(frozen=True, slots=True)
class Lineage:
    """Element path of the result, `Parameters.parameter:ident.value[x]`, to the rules that write it, in text order.

    ``checks``: conditions of a `check`, by their place in the map, to the columns (or elements) that they read.
    """

    elements: Mapping[str, tuple[Origin, ...]]
    checks: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Basis:
    """What a path of a stage's source rests on."""

    columns: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()
    before: tuple[Origin, ...] = ()
    conditions: tuple[str, ...] = ()


_Bases = dict[str, _Basis]


@dataclass(frozen=True, slots=True)
class _Place:
    """What a variable is.

    ``paths``: in the stage's source; ``target``: in its result; ``bases``: what it was computed of.
    """

    paths: tuple[str, ...] = ()
    target: str = ""
    bases: tuple[_Basis, ...] = ()


_NOWHERE = _Place()
_Places = Mapping[Variable, _Place]


@dataclass
class _LineageWalk:
    checked: Checked
    bases: _Bases
    """Path in the stage's source -> what it rests on."""
    is_described: bool
    """Do ``bases`` cover all of the source? If not, its elements speak for themselves."""
    found: dict[str, list[Origin]] = field(default_factory=dict)
    checks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    active: list[TypedGroup] = field(default_factory=list)

    def group(self, group: TypedGroup, places: _Places, decided: tuple[_Basis, ...] = ()) -> None:
        """``decided``: what decides whether it is called."""
        # A group that calls itself goes one level deeper each time: two levels show all its rules.
        if self.active.count(group) > 1:
            return
        self.active.append(group)
        for rule in group.rules:
            self.rule(rule, places, decided)
        self.active.pop()

    def rule(self, rule: TypedRule, outer: _Places, inherited: tuple[_Basis, ...] = ()) -> None:
        """``inherited``: what decides about the rules around it, in its group and in those that call it."""
        places = dict(outer)
        for source in rule.sources:
            places[source.variable] = self.source(source, places)
            if source.check is not None:
                self.check(source.check, places)
        conditions = [
            basis for read in source_conditions(rule.sources, self.checked) for basis in self.read(read, places)
        ]
        decided = (*inherited, *conditions)
        for target in rule.targets:
            self.target(rule, target, places, decided)
        for call in rule.calls:
            pairs = zip(call.group.parameters, call.arguments, strict=True)
            given = {parameter: self.argument(argument, places) for parameter, argument in pairs}
            self.group(call.group, given, decided)
        if rule.default is not None and rule.default.group is not None:
            first, second = rule.default.group.parameters[:2]
            created = rule.targets[0].variable
            made = places.get(created, _NOWHERE) if created is not None else _NOWHERE
            self.group(rule.default.group, {first: places[rule.sources[0].variable], second: made}, decided)
        for entry in rule.rules:
            self.rule(entry, places, decided)

    def source(self, source: TypedSource, places: _Places) -> _Place:
        """What a rule's source is: a path further down, or what its default is made of."""
        context = places.get(source.context, _NOWHERE)
        names = "".join(f".{step.name}" for step in source.steps)
        paths = tuple(f"{path}{names}" for path in context.paths)
        own = () if paths or not names else tuple(self.read(Read(source.context, _names(source)), places))
        if source.default is None:
            return _Place(paths, bases=own or context.bases)
        reads = reads_of(source.default, self.checked)
        return _Place((), bases=(*map(self.basis, paths), *own, *self.made_of(reads, places)))

    def check(self, check: Expression, places: _Places) -> None:
        """What a condition reads, wherever its group is called."""
        made = self.made_of(reads_of(check, self.checked), places)
        read = _unique(entry.columns or entry.elements or entry.conditions for entry in made)
        known = self.checks.get(check.span.position, ())
        self.checks[check.span.position] = _unique((known, read))

    def target(
        self, rule: TypedRule, target: TypedTarget, places: dict[Variable, _Place], decided: tuple[_Basis, ...]
    ) -> None:
        path = places.get(target.context, _NOWHERE).target if target.context else ""
        for step in target.steps:
            if step.is_own_value:
                continue
            path = _child(path, step.element.path if step.element else "", step.name)
        transform = target.transform
        made = self.made_of(transform_reads(transform, self.checked), places)
        if transform is None or transform.name == "create":
            # A node is there because of what its rule reads.
            made = [basis for source in rule.sources for basis in self.read(Read(source.variable), places)]
        if target.variable is not None:
            places[target.variable] = self.bound(target, path, made, places)
        if not path or (not target.steps and transform is None):
            return
        columns, elements = _unique(entry.columns for entry in made), _unique(entry.elements for entry in made)
        conditions = _unique([*(entry.columns or entry.elements for entry in decided), *(e.conditions for e in made)])
        origin = Origin(
            rule.name,
            target.span,
            columns,
            elements,
            tuple({id(origin): origin for entry in made for origin in entry.before}.values()),
            tuple(entry for entry in conditions if entry not in columns and entry not in elements),
        )
        self.found.setdefault(path, []).append(origin)

    def bound(self, target: TypedTarget, path: str, made: list[_Basis], places: _Places) -> _Place:
        """What the variable of a target is: a node of the result, or the value that was computed."""
        transform = target.transform
        if target.context is None and transform is not None and transform.name == "evaluate":
            return self.argument(transform.arguments[-1], places)
        if target.context is None:
            return _Place(bases=tuple(made))
        name = transform.type if transform is not None and transform.name == "create" else None
        structure = self.checked.definitions.structure(name.name) if name else None
        # A resource made inside another (Bundle.entry.resource) is named from its own root.
        is_value = transform is not None and transform.name != "create"
        root = structure.type if structure and structure.kind == "resource" else path
        return _Place((), root, tuple(made) if is_value else ())

    # --- what values are made of --------------------------------------------------------------------------------------

    def argument(self, argument: Expression, places: _Places) -> _Place:
        """What an argument is: a variable, what a path leads to, or a value computed of several."""
        if argument.variable is not None:
            return places.get(argument.variable, _NOWHERE)
        reads, is_path = flow_of(argument, self.checked)
        held = [(places.get(read.variable, _NOWHERE), read) for read in reads.values]
        if is_path and all(place.paths for place, _ in held):
            below = (
                f"{path}{''.join(f'.{name}' for name in read.steps)}" for place, read in held for path in place.paths
            )
            return _Place(tuple(dict.fromkeys(below)))
        return _Place(bases=tuple(self.made_of(reads, places)))

    def made_of(self, reads: Reads, places: _Places) -> list[_Basis]:
        """What a value rests on that is made of ``reads``; what decides about it is among its conditions."""
        found = [basis for read in reads.values for basis in self.read(read, places)]
        decided = [basis for read in reads.conditions for basis in self.read(read, places)]
        if decided:
            found.append(_Basis(conditions=_unique(entry.columns or entry.elements for entry in decided)))
        return found

    def read(self, read: Read, places: _Places) -> list[_Basis]:
        """What a path down from a variable rests on."""
        place = places.get(read.variable, _NOWHERE)
        names = "".join(f".{name}" for name in read.steps)
        found = [self.basis(f"{path}{names}") for path in place.paths] + list(place.bases)
        return found or (self.written(f"{place.target}{names}") if place.target else [])

    def written(self, path: str) -> list[_Basis]:
        """What rules wrote before to a path of the result, or below it."""
        places = [entry for entry in self.found if entry == path or entry.startswith(f"{path}.")]
        origins = [origin for entry in places for origin in self.found[entry]]
        return [_Basis(entry.columns, entry.elements, entry.before, entry.conditions) for entry in origins]

    def basis(self, path: str) -> _Basis:
        """What a path rests on; each part of a structure that a function writes whole rests on what the whole does."""
        if not self.is_described:
            return _Basis(elements=(path,)) if "." in path else _Basis()
        while path and path not in self.bases:
            path = path.rpartition(".")[0]
        return self.bases.get(path, _Basis())


def _names(source: TypedSource) -> tuple[str, ...]:
    return tuple(step.name for step in source.steps)


def _unique(parts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(entry for part in parts for entry in part))


def lineage(checked: Checked) -> Lineage:
    """The lineage of a checked program's last stage, down to the columns of the first."""
    found: dict[str, list[Origin]] = {}
    checks: dict[str, tuple[str, ...]] = {}
    for number, stage in enumerate(checked.stages):
        is_described = bool(number) or (stage.source is not None and stage.source.structure in checked.models)
        walked = _LineageWalk(checked, _through(found) if number else _model_bases(checked, stage), is_described)
        parameters = stage.entry.parameters
        walked.group(stage.entry, {entry: _root(entry, checked) for entry in parameters})
        found = walked.found
        checks |= walked.checks
    return Lineage({path: tuple(origins) for path, origins in found.items()}, checks)


def _root(parameter: Variable, checked: Checked) -> _Place:
    ref = parameter.static.type
    if parameter.mode == "source":
        return _Place((ref.name if ref is not None else parameter.name,))
    structure = checked.definitions.structure(ref.structure or ref.name) if ref is not None else None
    if ref is None or ref.structure in checked.models or structure is None:
        return _Place(target=ref.name if ref is not None else parameter.name)
    return _Place(target=structure.type)


def _child(parent: str, element_path: str, name: str) -> str:
    """The path of a child: the element's own where it goes on from ``parent``, which keeps slices of a profile."""
    last = element_path.rpartition(".")[2] or name
    return f"{parent}.{last}"


def _through(found: Mapping[str, list[Origin]]) -> _Bases:
    """What each path of the middle model rests on."""
    return {
        path: _Basis(
            _unique(origin.columns for origin in origins),
            _unique(origin.elements for origin in origins),
            tuple(origins),
            _unique(origin.conditions for origin in origins),
        )
        for path, origins in found.items()
    }


@dataclass(frozen=True, slots=True)
class _RowPlace:
    """Where rows are: what comes before their columns (a table, or a path and its dot), and the rows above them."""

    table: str
    is_tree: bool
    above: _RowPlace | None = None

    def column(self, name: str) -> str:
        """A column as the model names it, with its table; `../x` is one of the rows above."""
        place = self
        is_up = ("../", "/") if self.is_tree else "../"
        while place.above is not None and name.startswith(is_up):
            place, name = place.above, name.removeprefix("../")
        if name.startswith(is_up) and place.is_tree:
            return name
        name = name.removeprefix("/") if self.is_tree else name
        return f"{place.table}{'.' if place.table and not place.table.endswith('.') else ''}{name}"


def _model_bases(checked: Checked, stage: Stage) -> _Bases:
    columns: dict[str, tuple[str, ...]] = {}

    def fill(url: str, path: str, place: _RowPlace, seen: tuple[str, ...]) -> None:
        use = checked.models.get(url)
        if use is None or url in seen:
            return
        for entry in use.node.elements:
            here = f"{path}.{entry.name}"
            below = next((ref for ref in _types(checked, url, entry.name) if ref in checked.models), None)
            own = place.column(entry.column or entry.name)
            if below is not None:
                has_rows = entry.join is not None or entry.lines
                child = checked.models[below].node
                table = joined_name(entry.join, child) if entry.join else place.table if has_rows else f"{own}."
                is_tree = place.is_tree or not (has_rows or entry.split)
                if entry.join is not None and entry.join.is_own and child.store is not None:
                    is_tree = SourceKind(child.store.kind).is_tree
                fill(below, here, _RowPlace(table, is_tree, place), (*seen, url))
                columns[here] = () if has_rows else (own,)
            elif not entry.position:
                columns[here] = (own,)

    if stage.source is not None:
        use = checked.models.get(stage.source.structure)
        store = use.node.store if use else None
        table = store.name if store and store.kind == "table" else ""
        is_tree = store is not None and SourceKind(store.kind).is_tree
        fill(stage.source.structure, stage.source.name, _RowPlace(table, is_tree), ())
    return {path: _Basis(columns=found) for path, found in columns.items()}


def _types(checked: Checked, url: str, element: str) -> list[str]:
    use = checked.models[url]
    found = checked.definitions.children(use.ref).get(element)
    return [ref.structure for ref in found.types] if found else []


def as_json(table: Lineage) -> dict[str, list[dict[str, object]]]:
    """The lineage as plain data, for `--json`."""
    return {path: [_origin_data(origin) for origin in origins] for path, origins in table.elements.items()}


def _origin_data(origin: Origin) -> dict[str, object]:
    return {
        "rule": origin.rule,
        "position": origin.span.position,
        "columns": list(origin.columns),
        "elements": list(origin.elements),
        "conditions": list(origin.conditions),
        "before": [_origin_data(entry) for entry in origin.before],
    }
