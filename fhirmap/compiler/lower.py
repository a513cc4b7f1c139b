"""Checked program → plan: readers of the record's model, one function a group, and `transform`, which runs the stages.

`transform` is the whole way of one record: raw row → reader → stage after stage → resource → validator. A stage that
writes nothing ends it: the record is out of scope. Fault positions of the validator come from the lineage table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fhirmap.analysis.lineage import Lineage, lineage
from fhirmap.analysis.typed import Checked, Stage, TypedGroup, Variable
from fhirmap.compiler import plan
from fhirmap.compiler.fhirpath.tables import table_key
from fhirmap.compiler.module import ModuleBuilder
from fhirmap.compiler.names import Code, Name, code, literal
from fhirmap.compiler.readers import ReaderLowering
from fhirmap.compiler.rules import GroupLowering, codes_of
from fhirmap.diagnostics import MapText
from fhirmap.model.definition import Structure, TypeRef

_ROW, _RUN, _STRICT, _TRACE = Name("row"), Name("run"), Name("strict"), Name("trace")


@dataclass(frozen=True, slots=True)
class Lowered:
    """A plan, and for each function the map text that it comes from."""

    module: plan.Module
    texts: Mapping[str, MapText]


def lower(checked: Checked, *, digest: str, version: str, validator: str = "", trace: bool = False) -> Lowered:
    """The plan of a checked program without errors.

    ``validator``: Python source of `validate(resource, faults)`. ``trace``: have it tell of each step it takes.
    """
    module = ModuleBuilder(checked, trace=trace)
    readers = ReaderLowering(module)
    reader = _entry_reader(checked, readers)
    groups = [GroupLowering(module, group).function() for group in _reachable(checked)]
    transform = _transform(checked, module, reader, has_validator=bool(validator))
    places = _places(lineage(checked))
    tables = (
        plan.Table(Name("MARKS"), Code("{}"), "Filled at the end: line of this module -> place in the map."),
        *module.tables,
        *((module.tracing.table(),) if module.tracing is not None else ()),
        *(plan.Table(Name(name), Code(value)) for value, name in module.constants.lines.items()),
        plan.Table(Name("PLACES"), places, "Element of the result -> rule that makes it, source columns."),
    )
    functions = (*readers.functions, *module.functions, *groups, *_read(reader), *transform)
    if any("Decimal(" in text for entry in functions for step in entry.steps for text in codes_of(step)):
        module.use("Decimal")
    titles = " -> ".join(dict.fromkeys(stage.unit.name for stage in checked.stages))
    built = plan.Module(
        f"Transformer of {titles}.", digest, version, tuple(module.imports()), tables, functions, Code(validator)
    )
    texts = {str(entry.name): entry.text for entry in functions if entry.text is not None}
    return Lowered(built, texts)


def _reachable(checked: Checked) -> list[TypedGroup]:
    """Groups that a stage's entry calls, in the order of first use."""
    found: dict[TypedGroup, None] = {}

    def visit(group: TypedGroup) -> None:
        if group in found:
            return
        found[group] = None
        for rule in group.walk():
            for call in rule.calls:
                visit(call.group)
            if rule.default is not None and rule.default.group is not None:
                visit(rule.default.group)
            for entry in rule.default.groups if rule.default is not None else ():
                visit(entry.group)

    for stage in checked.stages:
        visit(stage.entry)
    return list(found)


def _entry_reader(checked: Checked, readers: ReaderLowering) -> Name | None:
    first = checked.stages[0] if checked.stages else None
    if first is None or first.source is None or first.source.structure not in checked.models:
        return None
    return readers.reader(first.source)


def _read(reader: Name | None) -> list[plan.Function]:
    """The module's own name for the reader of its records, whatever the model is called."""
    if reader is None:
        return []
    parameters = (_ROW, Name("faults"))
    doc = "A record as the map's model reads it."
    return [
        plan.Function(Name("_read"), parameters, doc, (plan.Return(1, None, code("{}({}, {})", reader, *parameters)),))
    ]


def _transform(
    checked: Checked, module: ModuleBuilder, reader: Name | None, *, has_validator: bool
) -> list[plan.Function]:
    out: list[plan.Step] = []

    def add(kind: type[plan.Step], depth: int, *values: object) -> None:
        out.append(kind(depth, None, *values))

    if module.tracing is None:
        add(plan.Assign, 1, _RUN, code("{}(globals(), {})", module.use("Run"), _STRICT))
    else:
        add(plan.Assign, 1, _RUN, code("{}(globals(), {}, {})", module.use("TraceRun"), _STRICT, _TRACE))
    source: Name = Name("source")
    if reader is not None:
        # A record of quite another shape (a text where rows are read) is a fault of that record, too.
        add(plan.Try, 1)
        add(plan.Assign, 2, source, code("{}({}, {}.faults)", reader, _ROW, _RUN))
        add(plan.Catch, 1, _RUN)
        add(plan.Return, 2, code("{}.result({{}}, PLACES)", _RUN))
    elif checked.stages and len(_sources(checked.stages[0])) == 1:
        add(plan.Assign, 1, source, _foreign_source(checked.stages[0].source, _ROW, module))
        add(plan.Do, 1, code("{}.resource = {}", _RUN, source))
    name = source
    for number, stage in enumerate(checked.stages):
        last = number == len(checked.stages) - 1
        made = Name("resource") if last else Name(f"stage_{number + 1}")
        add(plan.Assign, 1, made, _fresh(stage, checked))
        add(plan.Do, 1, _entry_call(stage, module, name, made, is_foreign=reader is None and number == 0))
        if module.has_endings:
            add(plan.Do, 1, code("{}({})", module.use("settle_endings"), _RUN))
        if last and module.needs_pruning:
            add(plan.Assign, 1, made, code("{}({}) or {}", module.use("pruned"), made, Code("{}")))
        add(plan.If, 1, _is_empty(stage, checked, made))
        add(plan.Return, 2, code("{}.nothing()", _RUN))
        name = made
    if has_validator:
        add(plan.Do, 1, code("validate({}, {}.faults)", name, _RUN))
    add(plan.Return, 1, code("{}.result({}, PLACES)", _RUN, name))
    doc = "One record: what it becomes, with notes and faults; no resource where it is out of scope."
    flags = (_STRICT,) if module.tracing is None else (_STRICT, _TRACE)
    functions = [plan.Function(Name("transform"), (_ROW,), doc, tuple(out), flags=flags)]
    if has_validator:
        judge = (
            plan.Assign(1, None, _RUN, code("{}(globals())", module.use("Run"))),
            plan.Do(1, None, code("validate({}, {}.faults)", Name("resource"), _RUN)),
            plan.Return(1, None, code("{}.result({}, PLACES)", _RUN, Name("resource"))),
        )
        doc = "A resource made elsewhere, judged by the same contract."
        functions.append(plan.Function(Name("judge"), (Name("resource"),), doc, judge))
    return functions


def _sources(stage: Stage) -> list[Variable]:
    return [entry for entry in stage.entry.parameters if entry.mode == "source"]


def _entry_call(stage: Stage, module: ModuleBuilder, source: Name, made: Name, *, is_foreign: bool) -> Code:
    arguments: list[Code] = []
    modes = [entry.mode for entry in stage.entry.parameters]
    for index, parameter in enumerate(stage.entry.parameters):
        if parameter.mode == "target":
            arguments.append(made if modes.index("target") == index else Code("{}"))
        elif is_foreign and len(_sources(stage)) > 1:
            row = code("{}.input({}, {})", _RUN, _ROW, parameter.name)
            arguments.append(_foreign_source(parameter.static.type, row, module))
        else:
            arguments.append(source)
    return code("{}({}, {})", module.groups[stage.entry], Code(", ".join(arguments)), _RUN)


def _foreign_source(ref: TypeRef | None, row: Code, module: ModuleBuilder) -> Code:
    """A source that no model describes: FHIR JSON, or anything in its shape."""
    module.use_fhirpath()
    return row if ref is None else code("fp.nodes({}, {}, {})[0]", row, table_key(ref), module.type_table(ref))


def _fresh(stage: Stage, checked: Checked) -> Code:
    structure = _target_structure(stage, checked)
    if structure is not None and structure.kind == "resource":
        return literal({"resourceType": structure.type})
    return Code("{}")


def _is_empty(stage: Stage, checked: Checked, made: Name) -> Code:
    structure = _target_structure(stage, checked)
    if structure is not None and structure.kind == "resource":
        return code("len({}) == 1 and not {}.failed", made, _RUN)
    return code("not {} and not {}.failed", made, _RUN)


def _target_structure(stage: Stage, checked: Checked) -> Structure | None:
    ref = stage.target
    return checked.definitions.structure(ref.structure or ref.name) if ref is not None else None


def _places(table: Lineage) -> Code:
    lines = []
    for path, origins in table.elements.items():
        columns = tuple(dict.fromkeys(column for origin in origins for column in origin.columns))
        lines.append(f"    {literal(path)}: ({literal(origins[0].span.position)}, {literal(columns)}),")
    return Code("\n".join(["{", *lines, "}"])) if lines else Code("{}")
