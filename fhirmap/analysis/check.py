"""A program is checked: names, types, then one check after another. All faults of all its maps come back at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fhirmap.analysis.inference import Inference
from fhirmap.analysis.scope import Scope
from fhirmap.analysis.typed import Checked, Program, Stage
from fhirmap.diagnostics import Diagnostic
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
    """What is known of ``program``, and every fault found in it, file by file and top to bottom.

    ``functions``: signatures of plug-in functions by name (`plugins.load_functions`). ``syntax``: what parsing the
    texts reported, so that nothing that only follows from it is reported again.
    """
    from fhirmap.analysis.checks import run_checks

    scope = Scope(program, definitions)
    inference = Inference(scope, functions or {})
    stages = _stages(program, inference)
    _groups_never_called(program, inference)
    checked = Checked(program, scope.definitions, stages, tuple(inference.groups), scope.models, functions or {})
    return checked, ordered(run_checks(checked, scope.diagnostics, syntax))


def _stages(program: Program, inference: Inference) -> tuple[Stage, ...]:
    stages: list[Stage] = []
    for unit in program.stages:
        stage = inference.stage(unit, stages[-1] if stages else None)
        if stage is not None:
            stages.append(stage)
    return tuple(stages)


def _groups_never_called(program: Program, inference: Inference) -> None:
    """Type the maps' own groups (not a library's) that no call reached, so that their faults show."""
    reached = {id(group.node) for group in inference.groups}
    for unit in program.stages:
        for group in unit.tree.groups:
            if id(group) not in reached:
                inference.group(unit, group, [None] * len(group.parameters))


def has_errors(diagnostics: Sequence[Diagnostic]) -> bool:
    """Does one of them stop the map?"""
    return any(entry.is_error for entry in diagnostics)
