"""The checked program of what a command is given: a project, a map's text, or a StructureMap resource."""

from __future__ import annotations

from pathlib import Path

from fhirmap.analysis.checked import Checked
from fhirmap.compilation.program import check_maps
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import MapError
from fhirmap.runner.program import check_project
from fhirmap.runner.project_file import load_project


def checked_place(
    place: Path, imports: tuple[Path, ...], definitions: tuple[Path, ...], fhir_version: str | None
) -> tuple[Checked, tuple[Diagnostic, ...]]:
    """The program of a place, and what is to be said of it.

    Raises: MapError with every diagnostic, where one of them is an error.
    """
    if place.is_dir() or place.suffix == ".toml":
        maps = check_project(load_project(place), fhir_version)
        checked, diagnostics = maps.checked, maps.diagnostics
    elif place.suffix in (".json", ".xml"):
        from fhirmap.compilation.mapset import MapSet

        runnable = MapSet([*imports, *definitions], fhir_version=fhir_version, map_file=place).runnable(place)
        checked, diagnostics = runnable.checked, runnable.diagnostics
    else:
        folders = [*imports, place.parent]
        maps = check_maps(place, imports=folders, definitions=definitions, fhir_version=fhir_version)
        checked, diagnostics = maps.checked, maps.diagnostics
    if any(entry.is_error for entry in diagnostics):
        raise MapError(diagnostics)
    return checked, diagnostics
