"""A project's maps, checked with its target's: what `check` looks at and what is compiled."""

from __future__ import annotations

from fhirmap.compilation.program import CheckedMaps, check_maps
from fhirmap.runner.project import Project

__all__ = ["check_project"]


def check_project(project: Project) -> CheckedMaps:
    """The project's map and its target's map as stages, checked against the target's definitions.

    Raises: ConfigError FM760 where a map cannot be read.
    """
    target = project.map.target
    stages = [project.map.source, *([target.map] if target else [])]
    definitions = [*(target.definitions if target else ()), *project.map.definitions]
    return check_maps(*stages, imports=project.map.imports, definitions=definitions)
