"""Where each element of the result comes from: rules and source columns, through all stages.

The table is static: it is read off the typed rules, one walk from the entry group of each stage, with the element path
(slice names, no indexes) that every target variable means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


@dataclass(frozen=True, slots=True)
class Origin:
    """One rule's part in an element.

    ``columns``: `TABLE.column`, in the order the rule names them. ``elements``: the source elements it names where no
    model says in which columns they are, `QuestionnaireResponse.item.text`. ``before``: the rules of the stage before
    that write what this one reads.
    """

    rule: str
    span: Span
    columns: tuple[str, ...]
    elements: tuple[str, ...] = ()
    before: tuple[Origin, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Where its value comes from in the first stage's source: columns, else elements."""
        return self.columns or self.elements


@dataclass(frozen=True, slots=True)
class Lineage:
    """Element path of the result, `Parameters.parameter:ident.value[x]`, to the rules that write it, in text order."""

    elements: Mapping[str, tuple[Origin, ...]]


Places = Mapping[Variable, str]
_KEEPING = frozenset(
    ("where", "first", "last", "tail", "skip", "take", "single", "ofType", "as", "distinct", "trace", "sort")
)
"""Functions that hand on some of the items they get."""


@dataclass(frozen=True, slots=True)
class _Basis:
    """What a path of a stage's source rests on."""

    columns: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()
    before: tuple[Origin, ...] = ()


_Bases = dict[str, _Basis]


@dataclass
class _LineageWalk:
    checked: Checked
    bases: _Bases
    """Path in the stage's source -> what it rests on."""
    is_described: bool
    """Do ``bases`` cover all of the source? If not, its elements speak for themselves."""
    found: dict[str, list[Origin]] = field(default_factory=dict)
    active: list[TypedGroup] = field(default_factory=list)

    def group(self, group: TypedGroup, places: Places, inherited: tuple[str, ...]) -> None:
        # A group that calls itself goes one level deeper each time: two levels show all its rules.
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
            read.append(path)
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
        arguments = target.transform.arguments if target.transform else ()
        is_constant = bool(arguments) and not own and all(entry.literal for entry in arguments)
        based = [self.basis(entry) for entry in own]
        if not is_constant and not any(entry.columns or entry.elements for entry in based):
            based = [self.basis(entry) for entry in read]
        origin = Origin(
            rule.name,
            target.span,
            tuple(dict.fromkeys(column for entry in based for column in entry.columns)),
            tuple(dict.fromkeys(element for entry in based for element in entry.elements)),
            tuple({id(origin): origin for entry in based for origin in entry.before}.values()),
        )
        self.found.setdefault(path, []).append(origin)

    # --- sources ------------------------------------------------------------------------------------------------------

    def source_path(self, source: TypedSource, places: Places) -> str:
        path = places.get(source.context, "")
        for step in source.steps:
            path = f"{path}.{step.name}"
        return path

    def argument(self, argument: Expression, places: Places) -> str:
        if argument.variable is not None:
            return places.get(argument.variable, "")
        return next(self.paths(argument, places), "")

    def expression(self, expression: Expression | None, places: Places) -> list[str]:
        if expression is None:
            return []
        return list(self.paths(expression, places))

    def paths(self, expression: Expression, places: Places) -> Iterator[str]:
        """Source paths that an expression reads."""
        if expression.variable is not None:
            yield from self._place(expression.variable, places)
            return
        focus = next(self._place(expression.focus, places), None) if expression.focus is not None else None
        found: list[str] = []
        path = self._read(expression.node.expression, expression, places, focus, found)
        yield from dict.fromkeys([*found, *([path] if path else [])])

    def _place(self, variable: Variable, places: Places) -> Iterator[str]:
        if variable.mode != "target" and variable in places:
            yield places[variable]

    def _read(
        self, node: object, expression: Expression, places: Places, focus: str | None, found: list[str]
    ) -> str | None:
        """The path that a part of an expression is; the paths it reads on the way are added to ``found``."""

        def read(part: object, inner: str | None = focus) -> str | None:
            return self._read(part, expression, places, inner, found)

        if isinstance(node, nodes.FPVariable) and node.name == "$this":
            return focus
        if isinstance(node, nodes.FPVariable) or (isinstance(node, nodes.FPMember) and node.focus is None):
            child = f"{focus}.{node.name}" if focus is not None and isinstance(node, nodes.FPMember) else None
            variable = expression.environment.lookup(node.name)
            if variable is None:
                # A name with a capital is a type: `ofType(Quantity)`.
                return child if not node.name[:1].isupper() else None
            if child in self.bases:
                found.append(str(child))
            return next(self._place(variable, places), None)
        if isinstance(node, nodes.FPMember):
            base = read(node.focus)
            return f"{base}.{node.name}" if base is not None else None
        if isinstance(node, nodes.FPCall):
            base = read(node.focus) if node.focus is not None else focus
            parts = [read(part, base) for part in node.arguments]
            found += [part for part in parts if part is not None]
            if node.name not in _KEEPING and base is not None and node.focus is not None:
                found.append(base)
            return base if node.name in _KEEPING else None
        if isinstance(node, nodes.FPIndex | nodes.FPType):
            return read(node.focus if isinstance(node, nodes.FPIndex) else node.operand)
        parts = [read(part) for part in _parts(node)]
        found += [part for part in parts if part is not None]
        return None

    def basis(self, path: str) -> _Basis:
        """What a path rests on; each part of a structure that a function writes whole rests on what the whole does."""
        if not self.is_described:
            return _Basis(elements=(path,)) if "." in path else _Basis()
        while path and path not in self.bases:
            path = path.rpartition(".")[0]
        return self.bases.get(path, _Basis())


def lineage(checked: Checked) -> Lineage:
    """The lineage of a checked program's last stage, down to the columns of the first."""
    found: dict[str, list[Origin]] = {}
    for number, stage in enumerate(checked.stages):
        is_described = bool(number) or (stage.source is not None and stage.source.structure in checked.models)
        walked = _LineageWalk(checked, _through(found) if number else _model_bases(checked, stage), is_described)
        parameters = stage.entry.parameters
        places = {entry: _root(entry, checked) for entry in parameters}
        walked.group(stage.entry, places, ())
        found = walked.found
    return Lineage({path: tuple(origins) for path, origins in found.items()})


def _parts(node: object) -> tuple[object, ...]:
    if isinstance(node, nodes.FPBinary):
        return node.left, node.right
    if isinstance(node, nodes.FPUnary):
        return (node.operand,)
    return (node.expression,) if isinstance(node, nodes.SortKey) else ()


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


def _through(found: Mapping[str, list[Origin]]) -> _Bases:
    """What each path of the middle model rests on."""
    return {
        path: _Basis(
            tuple(dict.fromkeys(column for origin in origins for column in origin.columns)),
            tuple(dict.fromkeys(element for origin in origins for element in origin.elements)),
            tuple(origins),
        )
        for path, origins in found.items()
    }


def _model_bases(checked: Checked, stage: Stage) -> _Bases:
    columns: dict[str, tuple[str, ...]] = {}

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
        "before": [_origin_data(entry) for entry in origin.before],
    }
