"""Programs are checked: names, types, then one check after another. All faults of all their maps come back at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.checks import GROUP_CHECKS, MAP_CHECKS, PROGRAM_CHECKS, Check
from fhirmap.analysis.checks.too_many_calls import too_many_calls
from fhirmap.analysis.consequences import Consequences, reported_once
from fhirmap.analysis.inference import Inference
from fhirmap.analysis.meetings import Meetings
from fhirmap.analysis.reach import Reach, as_warning, called_from, without_errors
from fhirmap.analysis.scope import Scope
from fhirmap.analysis.typed import DefaultTable, Program, Stage, TypedGroup, Unit
from fhirmap.diagnostics import Cause, Diagnostic
from fhirmap.diagnostics.catalog import page
from fhirmap.diagnostics.render import ordered
from fhirmap.model.definition import Definitions
from fhirmap.signatures import FunctionSignature


@dataclass(frozen=True, slots=True)
class _Choices:
    """What a choice by type may lead to. ``found``: what is wrong there, which stops no program."""

    groups: Mapping[TypedGroup, None]
    found: tuple[Diagnostic, ...]


_ALONE = Program((), ())


class Analysis:
    """What is known of maps that run together or apart: each of them, each group and each choice by type is looked at
    once, in whatever programs it is.

    ``functions``: signatures of plug-in functions by name (`plugins.load_functions`). ``elsewhere``: errors in groups
    of imported maps that a program does not reach are said of it, too, as warnings.
    """

    def __init__(
        self,
        definitions: Definitions,
        functions: Mapping[str, FunctionSignature] | None = None,
        *,
        elsewhere: bool = False,
    ) -> None:
        self._functions = functions or {}
        self._elsewhere = elsewhere
        self._scope = Scope(definitions)
        self._inference = Inference(self._scope, self._functions)
        self._meetings = Meetings()
        self._of_maps: dict[Unit, tuple[Diagnostic, ...]] = {}
        self._of_groups: dict[TypedGroup, tuple[Diagnostic, ...]] = {}
        self._choices: dict[DefaultTable, _Choices] = {}
        self._aside: dict[Unit, tuple[int, tuple[Diagnostic, ...]]] = {}

    def check(self, program: Program) -> tuple[Checked, tuple[Diagnostic, ...]]:
        """What is known of ``program``, and every fault in it and in what it imports, file by file, top to bottom.

        A fault outside of what the program surely reaches is a warning; a group with one that an item calls for by its
        type is a fault of that item's record (FM408).
        """
        self._scope.declare(program.units)
        noted: list[Diagnostic] = []
        with self._scope.noting(noted):
            stages = self._stages(program)
        entries = [stage.entry for stage in stages]
        groups = called_from([*entries, *self._never_called(program, called_from(entries))])
        endless = list(too_many_calls(self._checked(_ALONE, groups=tuple(groups))))
        if endless:
            # The other checks follow the calls: they would not end either.
            faults = [entry for unit in program.units for entry in unit.syntax]
            return self._checked(program, stages, tuple(groups)), ordered([*faults, *noted, *_found(groups), *endless])
        choices = [self._chosen_by(table) for table in dict.fromkeys(_tables(groups))]
        later = dict.fromkeys(group for choice in choices for group in choice.groups if group not in groups)
        checked = self._checked(program, stages, tuple(groups), tuple(later))
        reach = Reach.of(program, groups)
        near = [unit for unit in program.units if unit in reach.units]
        imported = [unit for unit in near if unit not in program.stages] if self._elsewhere else []
        spare = [entry for unit in imported for entry in self._spare(unit, [*groups, *later])]
        known = [*noted, *(entry for unit in near for entry in unit.declared), *_found(groups)]
        found = [
            *known,
            *(entry for unit in near for entry in self._of_map(unit)),
            *(entry for group in groups for entry in self._of_group(group)),
            *self._errors(spare),
            *_run(PROGRAM_CHECKS, checked),
        ]
        kept = _explained(found, self._checked(Program(program.stages, tuple(near)), stages, tuple(groups)))
        needed = _needing_imports(known, groups)
        faults = [entry for unit in near for entry in (*unit.syntax, *_needed(unit.faults, needed))]
        aside = [entry for unit in program.units if unit not in reach.units for entry in self._beside(unit)]
        far = (entry for choice in choices for entry in choice.found)
        return checked, ordered([*reach.weighed([*faults, *kept]), *aside, *far])

    def _checked(
        self,
        program: Program,
        stages: tuple[Stage, ...] = (),
        groups: tuple[TypedGroup, ...] = (),
        later: tuple[TypedGroup, ...] = (),
    ) -> Checked:
        scope = self._scope
        return Checked(program, scope.definitions, stages, groups, later, scope.models, self._functions, self._meetings)

    def _stages(self, program: Program) -> tuple[Stage, ...]:
        stages: list[Stage] = []
        for unit in program.stages:
            before = stages[-1] if stages else None
            stage = self._inference.stage(unit, before, is_alone=len(program.stages) == 1)
            if stage is not None:
                stages.append(stage)
        return tuple(stages)

    def _never_called(self, program: Program, groups: Iterable[TypedGroup]) -> list[TypedGroup]:
        """The maps' own groups (not a library's) that no call reaches, typed so that their faults show."""
        return [group for unit in program.stages for group in self._spare(unit, groups)]

    # --- looked at once -----------------------------------------------------------------------------------------------

    def _of_map(self, unit: Unit) -> tuple[Diagnostic, ...]:
        """What the checks find in a map's declarations."""
        known = self._of_maps.get(unit)
        if known is None:
            checked = self._checked(Program((), (unit,)))
            known = self._of_maps[unit] = tuple(_run(MAP_CHECKS, checked))
        return known

    def _of_group(self, group: TypedGroup) -> tuple[Diagnostic, ...]:
        """What the checks find in the rules of a group."""
        known = self._of_groups.get(group)
        if known is None:
            checked = self._checked(_ALONE, groups=(group,))
            known = self._of_groups[group] = tuple(_run(GROUP_CHECKS, checked))
        return known

    def _beside(self, unit: Unit) -> tuple[Diagnostic, ...]:
        """What is wrong with a map of which nothing is surely reached: warnings."""
        size, known = self._aside.get(unit, (-1, ()))
        if size != len(unit.declared):  # a constant is typed when a group of its map is
            groups = self._spare(unit) if self._elsewhere else []
            checked = self._checked(Program((), (unit,)), groups=tuple(groups))
            found = _explained([*unit.declared, *self._of_map(unit), *self._errors(groups)], checked)
            known = tuple(map(as_warning, (*unit.syntax, *unit.faults, *found)))
            self._aside[unit] = len(unit.declared), known
        return known

    def _spare(self, unit: Unit, reached: Iterable[TypedGroup] = ()) -> list[TypedGroup]:
        """The groups of a map that are not among ``reached``, typed so that their faults show."""
        known = {id(node) for group in reached for _, node in group.parts}
        return [
            self._inference.group(unit, group, [None] * len(group.parameters))
            for group in unit.tree.groups
            if id(group) not in known
        ]

    def _errors(self, groups: Collection[TypedGroup]) -> list[Diagnostic]:
        """The errors in the rules of groups that are not called: what else is said of them is their own map's."""
        stated = chain(_found(groups), *(self._of_group(group) for group in groups))
        return [entry for entry in stated if entry.is_error]

    def _chosen_by(self, table: DefaultTable) -> _Choices:
        """What a choice by type may lead to, each group of it typed, those with an error taken out of the choice."""
        known = self._choices.get(table)
        if known is not None:
            return known
        tables: dict[DefaultTable, None] = {}
        groups: dict[TypedGroup, None] = {}
        waiting = [table]
        while waiting:
            each = waiting.pop()
            if each in tables:
                continue
            tables[each] = None
            for choice in each.choices:
                if choice not in each.groups:
                    each.groups[choice] = self._inference.default(choice)
                typed = each.groups[choice]
                if typed is not None:
                    new = called_from([typed], groups)
                    groups.update(new)
                    waiting += _tables(new)
        found = self._found_later(groups)
        units = dict.fromkeys(unit for group in groups for unit, _ in group.parts)
        stated = [(*unit.syntax, *unit.faults, *unit.declared, *self._of_map(unit)) for unit in units]
        without_errors(tables, groups, [*chain.from_iterable(stated), *found])
        known = self._choices[table] = _Choices(groups, tuple(map(as_warning, found)))
        return known

    def _found_later(self, groups: Collection[TypedGroup]) -> list[Diagnostic]:
        """What is wrong with groups that only the type of an item may call for."""
        units = tuple(dict.fromkeys(unit for group in groups for unit, _ in group.parts))
        checked = self._checked(_ALONE, groups=tuple(groups))
        endless = list(too_many_calls(checked))
        if endless:
            return endless
        found = [
            *_found(groups),
            *(entry for group in groups for entry in self._of_group(group)),
            *_run(PROGRAM_CHECKS, checked),
        ]
        return _explained(found, self._checked(Program((), units), groups=tuple(groups)))


def check(
    program: Program, definitions: Definitions, functions: Mapping[str, FunctionSignature] | None = None
) -> tuple[Checked, tuple[Diagnostic, ...]]:
    """What is known of a program that runs alone, and every fault found in it (`Analysis.check`)."""
    return Analysis(definitions, functions, elsewhere=True).check(program)


def _run(checks: Iterable[Check], checked: Checked) -> Iterator[Diagnostic]:
    return (entry for check in checks for entry in check(checked))


def _explained(found: Sequence[Diagnostic], checked: Checked) -> list[Diagnostic]:
    """``found`` without what only follows from something else in it, or in the texts of the maps."""
    syntax = [entry for unit in checked.program.units for entry in unit.syntax]
    consequences = Consequences.of(checked, found, syntax)
    return reported_once([entry for entry in found if not consequences.explain(entry)], checked)


def _needing_imports(found: Iterable[Diagnostic], groups: Iterable[TypedGroup]) -> set[str]:
    """Names of the maps with a name that nothing declares, or a rule that looks for a group by types: what such a map
    imports is needed."""
    missing = (entry for entry in found if Cause.MISSING_IMPORT in page(entry.code).follows_from)
    unknown = {entry.span.name for entry in missing if entry.span is not None}
    searching = {rule.unit.name for group in groups for rule in group.walk() if rule.default is not None}
    return unknown | searching


def _needed(faults: Iterable[Diagnostic], needing: Collection[str]) -> Iterator[Diagnostic]:
    """``faults``, a missing import a warning where nothing of it is needed."""
    for entry in faults:
        is_needed = entry.code != "FM100" or entry.span is None or entry.span.name in needing
        yield entry if is_needed else as_warning(entry)


def _tables(groups: Iterable[TypedGroup]) -> Iterator[DefaultTable]:
    return (table for group in groups for table in group.tables)


def _found(groups: Iterable[TypedGroup]) -> Iterator[Diagnostic]:
    return (entry for group in groups for entry in group.found)


def has_errors(diagnostics: Sequence[Diagnostic]) -> bool:
    """Does one of them stop the map?"""
    return any(entry.is_error for entry in diagnostics)
