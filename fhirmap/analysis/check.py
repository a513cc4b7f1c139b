"""A program is checked: names, types, then one check after another. All faults of all its maps come back at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.inference import Inference
from fhirmap.analysis.reach import Reach, as_warning, called_from, tables_of, without_errors
from fhirmap.analysis.scope import Scope
from fhirmap.analysis.typed import DefaultTable, Program, Stage, TypedGroup
from fhirmap.diagnostics import Cause, Diagnostic
from fhirmap.diagnostics.catalog import page
from fhirmap.diagnostics.render import ordered
from fhirmap.model.definition import Definitions
from fhirmap.signatures import FunctionSignature


def check(
    program: Program,
    definitions: Definitions,
    functions: Mapping[str, FunctionSignature] | None = None,
    *,
    syntax: Sequence[Diagnostic] = (),
) -> tuple[Checked, tuple[Diagnostic, ...]]:
    """What is known of ``program``, and every fault found in it and in what it imports, file by file, top to bottom.

    ``functions``: signatures of plug-in functions by name (`plugins.load_functions`). ``syntax``: what parsing the
    texts of the stages reported, so that nothing that only follows from it is reported again.

    A fault outside of what the program surely reaches is a warning; a group with one that an item calls for by its
    type is a fault of that item's record (FM408).
    """
    from fhirmap.analysis.checks import run_checks

    scope = Scope(program, definitions)
    inference = Inference(scope, functions or {})
    stages = _stages(program, inference)
    unused = _groups_never_called(program, inference)
    groups = tuple(called_from([*(stage.entry for stage in stages), *unused]))
    tables = _typed_choices(groups, inference)
    surely = set(groups)
    later = tuple(group for group in inference.groups if group not in surely)
    checked = Checked(program, scope.definitions, stages, groups, later, scope.models, functions or {})
    declared = [entry for unit in program.units for entry in unit.declared]
    found = run_checks(checked, [*scope.diagnostics, *declared, *_found(groups)], syntax)
    noted = list(_found(later))
    aside = run_checks(replace(checked, stages=(), groups=later), noted, syntax) if later else []
    known = set(map(id, noted))
    needed = _needing_imports([*scope.diagnostics, *declared, *_found(groups)], groups)
    faults = [
        entry if entry.code != "FM100" or _is_needed(entry, needed) else as_warning(entry)
        for unit in program.units
        for entry in unit.faults
    ]
    others = [*faults, *declared, *(entry for entry in aside if id(entry) not in known)]
    without_errors(tables, (*groups, *later), others)
    return checked, ordered([*Reach.of(program, groups).weighed([*faults, *found]), *map(as_warning, aside)])


def _needing_imports(found: Iterable[Diagnostic], groups: Iterable[TypedGroup]) -> set[str]:
    """Names of the maps with a name that nothing declares, or a rule that looks for a group by types: what such a map
    imports is needed."""
    missing = (entry for entry in found if Cause.MISSING_IMPORT in page(entry.code).follows_from)
    unknown = {entry.span.name for entry in missing if entry.span is not None}
    searching = {rule.unit.name for group in groups for rule in group.walk() if rule.default is not None}
    return unknown | searching


def _is_needed(entry: Diagnostic, needed: Collection[str]) -> bool:
    return entry.span is None or entry.span.name in needed


def _stages(program: Program, inference: Inference) -> tuple[Stage, ...]:
    stages: list[Stage] = []
    for unit in program.stages:
        stage = inference.stage(unit, stages[-1] if stages else None)
        if stage is not None:
            stages.append(stage)
    return tuple(stages)


def _groups_never_called(program: Program, inference: Inference) -> list[TypedGroup]:
    """The maps' own groups (not a library's) that no call reached, typed so that their faults show."""
    reached = {id(group.node) for group in inference.groups}
    return [
        inference.group(unit, group, [None] * len(group.parameters))
        for unit in program.stages
        for group in unit.tree.groups
        if id(group) not in reached
    ]


def _typed_choices(groups: Iterable[TypedGroup], inference: Inference) -> list[DefaultTable]:
    """What default rules choose from by type, each choice typed; those that the choices lead to are among them."""
    tables: dict[DefaultTable, None] = {}
    waiting = list(tables_of(groups))
    seen = set(groups)
    while waiting:
        table = waiting.pop()
        if table in tables:
            continue
        tables[table] = None
        for choice in table.choices:
            table.groups[choice] = typed = inference.default(choice)
            new = called_from([typed], seen)
            seen.update(new)
            waiting += tables_of(new)
    return list(tables)


def _found(groups: Iterable[TypedGroup]) -> Iterator[Diagnostic]:
    return (entry for group in groups for entry in group.found)


def has_errors(diagnostics: Sequence[Diagnostic]) -> bool:
    """Does one of them stop the map?"""
    return any(entry.is_error for entry in diagnostics)
