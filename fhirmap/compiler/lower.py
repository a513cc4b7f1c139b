"""Checked program → plan: readers of the record's model, one function a group, and `_transform`, which runs the stages.

`_transform` is the whole way of one record: raw row → reader → stage after stage → resource → validator. A stage that
writes nothing ends it: the record is out of scope. Each step has a `try` of its own beside those of the rules, so that
whatever a record holds becomes a fault of that record. Fault positions of the validator come from the lineage table.

Names that the runtime reads from a module: `_transform`, `_read`, `_validate`, `_places`, `_rules`, `_marks`,
`_points`, `_Run`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.lineage import Lineage, lineage
from fhirmap.analysis.reach import run_by
from fhirmap.analysis.typed import TypedGroup
from fhirmap.compiler.explanation import CodeCause, CodeReason, ExplainedPlace, Explanation, in_order
from fhirmap.compiler.groups import GroupLowering
from fhirmap.compiler.module import ModuleBuilder
from fhirmap.compiler.one_pass import OnePass, before_steps, one_pass
from fhirmap.compiler.plan import Module, ModuleConstant, ModuleSection
from fhirmap.compiler.python import DictOf, Literal, Name
from fhirmap.compiler.readers import ReaderLowering
from fhirmap.compiler.stages import StageLowering
from fhirmap.compiler.tracing import with_bare_identities
from fhirmap.diagnostics import MapText


@dataclass(frozen=True, slots=True)
class Lowered:
    """A plan, for each function the map text that it comes from, and why it is as it is."""

    module: Module
    texts: Mapping[str, MapText]
    explanation: Explanation


def lower(
    checked: Checked, *, digest: str, version: str, validator: ModuleSection | None = None, trace: bool = False
) -> Lowered:
    """The plan of a checked program without errors.

    ``validator``: what checks results, `_validate(resource, faults)`. ``trace``: have it report each step it takes.
    """
    checks = validator or ModuleSection()
    module = ModuleBuilder(checked, trace=trace, taken=[part.name for part in checks.parts])
    readers = ReaderLowering(module)
    has_reader = _read_first(checked, readers)
    reached = run_by(stage.entry for stage in checked.stages)
    groups = [GroupLowering(module, group).function() for group in reached]
    lowering = StageLowering(module, checked.stages, has_reader=has_reader, has_validator=bool(checks.parts))
    stages, whole = lowering.function(), OnePass(None)
    if has_reader and not trace:
        whole = one_pass(stages, (*readers.functions, *groups), module.local_names(), lowering.records)
    ways = (stages,) if whole.function is None else (whole.function, before_steps(stages))
    constants = (
        *module.tables,
        *((module.tracing.table(),) if module.tracing is not None else ()),
        *(ModuleConstant(name, value) for name, value in module.constants.entries()),
        *_places(place_tables(lineage(checked), reached)),
        lowering.runs(),
    )
    functions = (*readers.functions, *module.functions, *groups, *ways)
    if trace:
        functions = tuple(with_bare_identities(entry) for entry in functions)
    built = Module(
        f"Transformer of {title_of(checked)}.",
        digest,
        version,
        constants,
        functions,
        checks,
        tuple(module.choices.values()),
    )
    texts = {entry.name.text: entry.text for entry in functions if entry.text is not None}
    return Lowered(built, texts, _explanation(module, whole, has_reader=has_reader))


def _explanation(module: ModuleBuilder, whole: OnePass, *, has_reader: bool) -> Explanation:
    """How the program of ``module`` became code."""
    checked, stages = module.checked, module.checked.stages
    groups = {name.text: group.name for group, name in module.groups.items()}
    models = {module.readers[use.ref.structure].text: use.node.name for use in checked.declared_models()}
    types = [stage.source for stage in stages] + [stage.target for stage in stages[-1:]]
    left = list(whole.left)
    if not has_reader:
        left.append(("", CodeCause(CodeReason.NO_MODEL), None))
    entry = stages[0].entry.node.name_span if stages else None
    shown = {**models, **groups}
    places = [
        ExplainedPlace(at, replace(cause, what=shown.get(cause.what, cause.what)), shown.get(what, what))
        for what, cause, span in left
        if (at := span or entry) is not None
    ]
    return Explanation(
        tuple(ref.name for ref in types if ref is not None),
        tuple(groups[name] for name in whole.placed if name in groups),
        in_order(places),
        in_order(module.by_items),
    )


def _read_first(checked: Checked, readers: ReaderLowering) -> bool:
    """Lower the reader of the first stage's records; is there one?"""
    first = checked.stages[0] if checked.stages else None
    if first is None or first.source is None or first.source.structure not in checked.models:
        return False
    readers.reader(first.source)
    return True


def title_of(checked: Checked) -> str:
    """The names of the maps that are stages of one another."""
    return " -> ".join(dict.fromkeys(stage.unit.name for stage in checked.stages))


WrittenElements = dict[str, tuple[str, tuple[str, ...]]]
"""Position of a target or check -> the element that is written there, the columns that it comes from."""


@dataclass(frozen=True, slots=True)
class PlaceTables:
    """Where what a program makes is made.

    ``places``: element of the result -> position of the rule that makes it, the columns it comes from; ``rules``: what
    is written where that table does not say.
    """

    places: Mapping[str, tuple[str, tuple[str, ...]]]
    rules: WrittenElements


def place_tables(table: Lineage, reached: Iterable[TypedGroup] = ()) -> PlaceTables:
    """The tables of a program with this lineage. ``reached``: its groups, those that a type calls for, too."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    rules: WrittenElements = {}
    for path, origins in table.elements.items():
        columns = tuple(dict.fromkeys(column for origin in origins for column in origin.columns))
        found[path] = (origins[0].span.position, columns)
        for origin in origins if len(origins) > 1 else ():
            rules.setdefault(origin.span.position, (path, origin.columns))
    known = {origin.span.position for origins in table.elements.values() for origin in origins}
    for position, written in written_elements(reached).items():
        if position not in known:
            rules.setdefault(position, written)
    rules.update((position, ("", columns)) for position, columns in table.checks.items() if columns)
    return PlaceTables(found, rules)


def written_elements(groups: Iterable[TypedGroup]) -> WrittenElements:
    """The elements that the targets of groups write, as far as definitions have them."""
    targets = (target for group in groups for rule in group.walk() for target in rule.targets if target.steps)
    found: WrittenElements = {}
    for target in targets:
        element = target.steps[-1].element
        if element is not None:
            found.setdefault(target.span.position, (element.path, ()))
    return found


def _places(tables: PlaceTables) -> Iterator[ModuleConstant]:
    comment = "Element of the result -> rule that makes it, source columns."
    yield ModuleConstant(Name("_places"), _table(tables.places), comment)
    if tables.rules:
        comment = "Rule or check -> element, source columns, where that table does not say."
        yield ModuleConstant(Name("_rules"), _table(tables.rules), comment)


def _table(entries: Mapping[str, tuple[str, tuple[str, ...]]]) -> DictOf:
    return DictOf(tuple((Literal(key), Literal(value)) for key, value in entries.items()), is_tall=True)
