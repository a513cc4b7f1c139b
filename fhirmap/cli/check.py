"""``fhirmap check``: everything that is wrong, in one go, nothing read or sent."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fhirmap.cli.localized import FilePath, argument, define, option
from fhirmap.cli.release import release_option
from fhirmap.cli.screen import echo_json, screen_width

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirmap.analysis.checked import Checked
    from fhirmap.compilation.program import CheckedMaps
    from fhirmap.diagnostics import Diagnostic
    from fhirmap.errors import ConfigError

_REFUSED = frozenset(("FM706", "FM711", "FM712", "FM713", "FM757", "FM758", "FM780"))
"""What stops a run as a source out of reach does, though the file was reached: its content is wrong."""


@define("check")
@argument("places", nargs=-1, type=FilePath())
@option("--source", multiple=True)
@option("--offline", is_flag=True)
@option(
    "--import",
    "imports",
    multiple=True,
    type=FilePath(exists=True),
)
@option(
    "--definitions",
    multiple=True,
    type=FilePath(exists=True),
)
@release_option()
@option("--strict-fml", is_flag=True)
@option("--one-line", is_flag=True)
@option("--json", "as_json", is_flag=True)
def command(
    places: tuple[Path, ...],
    source: tuple[str, ...],
    offline: bool,
    imports: tuple[Path, ...],
    definitions: tuple[Path, ...],
    fhir_version: str | None,
    strict_fml: bool,
    one_line: bool,
    as_json: bool,
) -> int:
    """Check the project folders or maps PLACES (default: this folder) and report every fault at once."""
    from fhirmap.diagnostics.render import (
        diagnostic_to_json,
        diagnostic_to_line,
        ordered,
        render_diagnostics,
        summary,
    )

    found: list[Diagnostic] = []
    files: list[str] = []
    is_portable = True
    started = time.perf_counter()
    for place in places or (Path(),):
        if place.is_dir() or place.suffix == ".toml":
            diagnostics, names, checked = _check_folder(place, source, offline, fhir_version)
        else:
            from fhirmap.compilation.program import check_maps

            folders = [*imports, place.parent]
            maps = check_maps(place, imports=folders, definitions=definitions, fhir_version=fhir_version)
            diagnostics, names, checked = list(maps.diagnostics), maps.files, lambda maps=maps: maps.checked
            if source and not offline:
                diagnostics += _of_source(source, place, maps)
        if strict_fml and checked is not None:
            from fhirmap.analysis.strict import extensions

            used = extensions(checked())
            is_portable = is_portable and not used
            diagnostics += used
        found += diagnostics
        files += names
    shown = ordered(found)
    if as_json:
        echo_json({"files": files, "diagnostics": [diagnostic_to_json(e) for e in shown]})
    elif one_line:
        click.echo("".join(diagnostic_to_line(entry) + "\n" for entry in shown), nl=False)
    else:
        click.echo(render_diagnostics(shown, colour=sys.stdout.isatty(), width=screen_width()), nl=False)
        click.echo(("\n" if shown else "") + summary(shown, files, time.perf_counter() - started))
    if any(entry.is_error for entry in shown):
        return 2
    return 0 if is_portable else 1


def _check_folder(
    place: Path, source: tuple[str, ...], offline: bool, fhir_version: str | None
) -> tuple[list[Diagnostic], tuple[str, ...], Callable[[], Checked] | None]:
    """What is wrong with a project: its file, its maps, and the columns of its source. The maps themselves are checked
    again where they are asked for and what was kept of them sufficed."""
    from fhirmap.errors import ConfigError
    from fhirmap.runner.check import archive_findings, settings_diagnostics, source_diagnostics
    from fhirmap.runner.project_file import read_project
    from fhirmap.runner.project_maps import ProjectMaps

    project, diagnostics = read_project(place, source=source)
    if project is None:
        return diagnostics, (str(place / "fhirmap.toml" if place.is_dir() else place),), None
    project_maps = ProjectMaps(project, fhir_version)
    facts = project_maps.facts()
    found = [*diagnostics, *facts.diagnostics, *settings_diagnostics(project, facts)]
    if not offline:
        try:
            found += source_diagnostics(project, project_maps)
        except ConfigError as fault:
            found += _unread(fault)
        found += archive_findings(project, None if facts.has_errors else facts.plan)
    return found, facts.files, lambda: project_maps.maps.checked


def _of_source(source: tuple[str, ...], place: Path, maps: CheckedMaps) -> list[Diagnostic]:
    """What a source lacks of what a single map names."""
    from fhirmap.errors import ConfigError
    from fhirmap.runner.check import diagnostics_of_source
    from fhirmap.runner.map_work import facts_of
    from fhirmap.runner.project_file import given_sources

    given, facts = given_sources(source), facts_of(maps)
    plan = facts.plan
    try:
        if plan is None and not maps.has_errors:
            raise ConfigError("FM752", map=str(place))
        if plan is not None and plan.source not in given:
            variant = "not_given" if plan.source else "own"
            raise ConfigError("FM769", variant=variant, source=plan.source, model=plan.shape.model)
        if plan is None:
            return []
        return diagnostics_of_source(given[plan.source], facts, lambda: maps.checked, given)
    except ConfigError as fault:
        return _unread(fault)


def _unread(fault: ConfigError) -> list[Diagnostic]:
    """A source that is there and cannot be read as declared stops a run too: that is the map's error."""
    from fhirmap.cli.faults import EXIT_UNREACHABLE, exit_code
    from fhirmap.diagnostics import Diagnostic
    from fhirmap.errors import ProjectError
    from fhirmap.runner.source import located

    if isinstance(fault, ProjectError):
        return list(fault.diagnostics)
    found = fault.diagnostic()
    is_refused = found.code in _REFUSED or (found.code == "FM702" and found.variant == "damaged")
    if exit_code(fault.code) == EXIT_UNREACHABLE and not is_refused:
        return [Diagnostic("FM761", None, {"reason": found.message})]
    return [located(found)]
