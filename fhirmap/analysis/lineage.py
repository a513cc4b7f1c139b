"""Where each element of the result comes from: rules and source columns, through all stages.

The table is static: it is read off the typed rules, one walk from the entry group of each stage, with the element path
(slice names, no indexes) that every target variable stands for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from fhirmap.analysis.typed import (
    Checked,
    Expression,
    Stage,
    TypedGroup,
    TypedRule,
    TypedSource,
    TypedTarget,
    Variable,
)
from fhirmap.diagnostics import Span
from fhirmap.language import nodes
from fhirmap.language.visit import walk


@dataclass(frozen=True, slots=True)
class Origin:
    """One rule's part in an element. ``columns``: `TABLE.column`, in the order the rule names them."""

    rule: str
    span: Span
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lineage:
    """Element path of the result, `Parameters.parameter:nir.value[x]`, to the rules that write it, in text order."""

    elements: Mapping[str, tuple[Origin, ...]]


Places = Mapping[Variable, str]
Columns = dict[str, tuple[str, ...]]


@dataclass
class _Walk:
    checked: Checked
    columns_of: Columns
    """Path in the stage's source -> source columns."""
    found: dict[str, list[Origin]] = field(default_factory=dict)
    active: list[TypedGroup] = field(default_factory=list)

    def group(self, group: TypedGroup, places: Places, inherited: tuple[str, ...]) -> None:
        # A group that calls itself goes one level deeper each time: two levels tell all its rules.
        if self.active.count(group) > 1:
            return
        self.active.append(group)
        for rule in group.rules:
            self.rule(rule, places, inherited)
        self.active.pop()

    def rule(self, rule: TypedRule, places: Places, inherited: tuple[str, ...]) -> None:
        places = dict(places)
        read: list[str] = list(inherited)
        for source in rule.sources:
            path = self.source_path(source, places)
            places[source.variable] = path
            read += self.columns(path)
            for expression in (source.where, source.default):
                read += self.expression(expression, places)
        for target in rule.targets:
            self.target(rule, target, places, tuple(dict.fromkeys(read)))
        for call in rule.calls:
            inner = {
                parameter: self.argument(argument, places)
                for parameter, argument in zip(call.group.parameters, call.arguments, strict=True)
            }
            self.group(call.group, inner, tuple(dict.fromkeys(inherited)))
        if rule.default is not None and rule.default.group is not None:
            first, second = rule.default.group.parameters[:2]
            created = rule.targets[0].variable
            inner = {first: places[rule.sources[0].variable], second: places[created] if created else ""}
            self.group(rule.default.group, inner, tuple(dict.fromkeys(inherited)))
        for entry in rule.rules:
            self.rule(entry, places, inherited)

    def target(self, rule: TypedRule, target: TypedTarget, places: dict[Variable, str], read: tuple[str, ...]) -> None:
        path = places.get(target.context, "") if target.context else ""
        for step in target.steps:
            path = _child(path, step.element.path if step.element else "", step.name)
        if target.variable is not None:
            made = target.transform.type if target.transform and target.transform.name == "create" else None
            structure = self.checked.definitions.structure(made.name) if made else None
            # A resource made inside another (Bundle.entry.resource) is named from its own root.
            places[target.variable] = structure.type if structure and structure.kind == "resource" else path
        if not path or not target.steps:
            return
        own: list[str] = []
        for argument in target.transform.arguments if target.transform else ():
            own += self.expression(argument, places)
        constant = target.transform is not None and target.transform.arguments and not own
        columns = () if constant and all(entry.literal for entry in target.transform.arguments) else tuple(own) or read  # type: ignore[union-attr]
        self.found.setdefault(path, []).append(Origin(rule.name, target.span, tuple(dict.fromkeys(columns))))

    # --- sources ------------------------------------------------------------------------------------------------------

    def source_path(self, source: TypedSource, places: Places) -> str:
        path = places.get(source.context, "")
        for step in source.steps:
            path = f"{path}.{step.name}"
        return path

    def argument(self, argument: Expression, places: Places) -> str:
        if argument.variable is not None:
            return places.get(argument.variable, "")
        return next(iter(self.paths(argument, places)), "")

    def expression(self, expression: Expression | None, places: Places) -> list[str]:
        if expression is None:
            return []
        return [column for path in self.paths(expression, places) for column in self.columns(path)]

    def paths(self, expression: Expression, places: Places) -> Iterator[str]:
        """Source paths that an expression names."""
        if expression.variable is not None:
            yield places.get(expression.variable, "")
            return
        environment = expression.environment
        for node in walk(expression.node.expression):
            if isinstance(node, nodes.FPVariable):
                found = environment.lookup(node.name)
                if node.name == "$this":
                    found = expression.focus
                if found is not None:
                    yield places.get(found, "")
            elif isinstance(node, nodes.FPMember):
                yield from self._member(node, expression, places)

    def _member(self, node: nodes.FPMember, expression: Expression, places: Places) -> Iterator[str]:
        names: list[str] = []
        current: object = node
        while isinstance(current, nodes.FPMember):
            names.insert(0, current.name)
            current = current.focus
        if isinstance(current, nodes.FPVariable):
            base = expression.environment.lookup(current.name)
            base = expression.focus if current.name == "$this" else base
            if base is not None:
                yield ".".join([places.get(base, ""), *names])
        elif current is None:
            base = expression.environment.lookup(names[0])
            if base is not None:
                yield ".".join([places.get(base, ""), *names[1:]])
            if expression.focus is not None:
                yield ".".join([places.get(expression.focus, ""), *names])

    def columns(self, path: str) -> tuple[str, ...]:
        """Columns of a path; of a structure written whole (by a function), each part rests on what the whole does."""
        while path and path not in self.columns_of:
            path = path.rpartition(".")[0]
        return self.columns_of.get(path, ())


def lineage(checked: Checked) -> Lineage:
    """The lineage of a checked program's last stage, down to the columns of the first."""
    found: dict[str, list[Origin]] = {}
    for number, stage in enumerate(checked.stages):
        columns = _through(found) if number else _model_columns(checked, stage)
        walked = _Walk(checked, columns)
        parameters = stage.entry.parameters
        places = {entry: _root(entry, checked) for entry in parameters}
        walked.group(stage.entry, places, ())
        found = walked.found
    return Lineage({path: tuple(origins) for path, origins in found.items()})


def _root(parameter: Variable, checked: Checked) -> str:
    ref = parameter.static.type
    if ref is None:
        return parameter.name
    if ref.structure in checked.models or parameter.mode == "source":
        return ref.name
    structure = checked.definitions.structure(ref.structure or ref.name)
    return structure.type if structure else ref.name


def _child(parent: str, element_path: str, name: str) -> str:
    """The path of a child: the element's own where it goes on from ``parent``, which keeps slices of a profile."""
    last = element_path.rpartition(".")[2] or name
    return f"{parent}.{last}"


def _through(found: Mapping[str, Iterable[Origin]]) -> Columns:
    """What each path of the middle model rests on."""
    return {
        path: tuple(dict.fromkeys(column for origin in origins for column in origin.columns))
        for path, origins in found.items()
    }


def _model_columns(checked: Checked, stage: Stage) -> Columns:
    columns: Columns = {}

    def fill(url: str, path: str, table: str, seen: tuple[str, ...]) -> None:
        use = checked.models.get(url)
        if use is None or url in seen:
            return
        for entry in use.node.elements:
            here = f"{path}.{entry.name}"
            below = next((ref for ref in _types(checked, url, entry.name) if ref in checked.models), None)
            column = entry.column or entry.name
            if below is not None:
                place = entry.join.table if entry.join else table
                inside = "" if entry.join or entry.lines else f"{column}."
                fill(below, here, place if not inside else f"{table}{inside}", (*seen, url))
                columns[here] = (
                    ()
                    if entry.join or entry.lines
                    else (f"{table}{'.' if table and not table.endswith('.') else ''}{column}",)
                )
            elif not entry.position:
                dot = "." if table and not table.endswith(".") else ""
                columns[here] = (f"{table}{dot}{column}",)

    if stage.source is not None:
        use = checked.models.get(stage.source.structure)
        store = use.node.store if use else None
        table = store.name if store and store.kind == "table" else ""
        fill(stage.source.structure, stage.source.name, table, ())
    return columns


def _types(checked: Checked, url: str, element: str) -> list[str]:
    use = checked.models[url]
    found = checked.definitions.children(use.ref).get(element)
    return [ref.structure for ref in found.types] if found else []


def as_json(table: Lineage) -> dict[str, list[dict[str, object]]]:
    """The lineage as plain data, for `--json`."""
    return {
        path: [
            {"rule": origin.rule, "position": origin.span.position, "columns": list(origin.columns)}
            for origin in origins
        ]
        for path, origins in table.elements.items()
    }
