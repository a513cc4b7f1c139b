"""Checked program → plan: readers of the record's model, one function a group, and `_transform`, which runs the stages.

`_transform` is the whole way of one record: raw row → reader → stage after stage → resource → validator. A stage that
writes nothing ends it: the record is out of scope. Each step has a `try` of its own beside those of the rules, so that
whatever a record holds becomes a fault of that record. Fault positions of the validator come from the lineage table.

Names that the runtime reads from a module: `_transform`, `_read`, `_validate`, `_places`, `_rules`, `_marks`,
`_points`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.lineage import Lineage, lineage
from fhirmap.analysis.reach import run_by
from fhirmap.analysis.typed import TypedGroup
from fhirmap.compiler.groups import GroupLowering
from fhirmap.compiler.module import ModuleBuilder
from fhirmap.compiler.plan import Module, ModuleConstant, ModuleSection
from fhirmap.compiler.python import DictOf, Expr, Literal, Name, TupleOf
from fhirmap.compiler.readers import ReaderLowering
from fhirmap.compiler.stages import StageLowering
from fhirmap.compiler.tracing import with_bare_identities
from fhirmap.diagnostics import MapText


@dataclass(frozen=True, slots=True)
class Lowered:
    """A plan, and for each function the map text that it comes from."""

    module: Module
    texts: Mapping[str, MapText]


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
    stages = StageLowering(module, has_reader=has_reader, has_validator=bool(checks.parts)).function()
    constants = (
        *module.tables,
        *((module.tracing.table(),) if module.tracing is not None else ()),
        *(ModuleConstant(name, value) for name, value in module.constants.entries()),
        *_places(lineage(checked), reached),
    )
    functions = (*readers.functions, *module.functions, *groups, stages)
    if trace:
        functions = tuple(with_bare_identities(entry) for entry in functions)
    titles = " -> ".join(dict.fromkeys(stage.unit.name for stage in checked.stages))
    built = Module(
        f"Transformer of {titles}.", digest, version, constants, functions, checks, tuple(module.choices.values())
    )
    return Lowered(built, {entry.name.text: entry.text for entry in functions if entry.text is not None})


def _read_first(checked: Checked, readers: ReaderLowering) -> bool:
    """Lower the reader of the first stage's records; is there one?"""
    first = checked.stages[0] if checked.stages else None
    if first is None or first.source is None or first.source.structure not in checked.models:
        return False
    readers.reader(first.source)
    return True


def _places(table: Lineage, reached: Iterable[TypedGroup]) -> Iterator[ModuleConstant]:
    """Where elements are made, and what is made where that table does not say."""
    entries: list[tuple[Expr, Expr]] = []
    made: dict[str, tuple[str, tuple[str, ...]]] = {}
    for path, origins in table.elements.items():
        columns = tuple(dict.fromkeys(column for origin in origins for column in origin.columns))
        entries.append((Literal(path), TupleOf((Literal(origins[0].span.position), Literal(columns)))))
        for origin in origins if len(origins) > 1 else ():
            made.setdefault(origin.span.position, (path, origin.columns))
    known = {origin.span.position for origins in table.elements.values() for origin in origins}
    targets = (target for group in reached for rule in group.walk() for target in rule.targets if target.steps)
    for target in targets:
        element = target.steps[-1].element
        if target.span.position not in known and element is not None:
            made.setdefault(target.span.position, (element.path, ()))
    made.update((position, ("", columns)) for position, columns in table.checks.items() if columns)
    comment = "Element of the result -> rule that makes it, source columns."
    yield ModuleConstant(Name("_places"), DictOf(tuple(entries), is_tall=True), comment)
    if made:
        others = [(Literal(position), Literal(place)) for position, place in made.items()]
        comment = "Rule or check -> element, source columns, where that table does not say."
        yield ModuleConstant(Name("_rules"), DictOf(tuple(others), is_tall=True), comment)
