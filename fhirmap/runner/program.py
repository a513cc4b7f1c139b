"""A project's maps, checked with its target's: what `check` looks at and what is compiled."""

from __future__ import annotations

from fhirmap.compilation.program import CheckedMaps, check_maps
from fhirmap.runner.project import Project

__all__ = ["check_project"]


def check_project(project: Project, fhir_version: str | None = None) -> CheckedMaps:
    """The project's map and its target's map as stages, checked against the target's definitions.

    ``fhir_version``: the release of the base types; by default what the `uses` of the maps name, else R4.

    Raises: ConfigError FM760 where a map cannot be read.
    """
    target = project.map.target
    stages = [project.map.source, *([target.map] if target else [])]
    definitions = [*(target.definitions if target else ()), *project.map.definitions]
    return check_maps(
        *stages,
        imports=project.map.imports,
        definitions=definitions,
        fhir_version=fhir_version,
        allowed=project.map_folders,
    )
