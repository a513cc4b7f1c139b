"""A project's maps, checked with its target's: what `check` looks at and what is compiled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fhirmap.analysis.typed import Checked
from fhirmap.diagnostics import Diagnostic
from fhirmap.embedding import checked_map, map_name
from fhirmap.runner.project import Project

__all__ = ["CheckedMaps", "check_maps", "check_project"]


@dataclass(frozen=True, slots=True)
class CheckedMaps:
    """Maps that run together, typed, with everything to say about them. ``files``: their names, in order of stages."""

    checked: Checked
    diagnostics: tuple[Diagnostic, ...]
    files: tuple[str, ...]

    @property
    def has_errors(self) -> bool:
        """Is one of the diagnostics an error?"""
        return any(entry.is_error for entry in self.diagnostics)


def check_project(project: Project) -> CheckedMaps:
    """The project's map and its target's map as stages, checked against the target's definitions.

    Raises: ConfigError FM760 where a map cannot be read.
    """
    target = project.map.target
    stages = [project.map.source, *([target.map] if target else [])]
    definitions = [*(target.definitions if target else ()), *project.map.definitions]
    return check_maps(stages, imports=project.map.imports, definitions=definitions)


def check_maps(
    stages: Sequence[Path], *, imports: Iterable[Path] = (), definitions: Iterable[Path] = ()
) -> CheckedMaps:
    """The maps ``stages``, in order, checked; ``imports``: files and folders that they may import besides the library.

    Raises: ConfigError FM760 where a map cannot be read.
    """
    checked, diagnostics = checked_map(*stages, imports=imports, definitions=definitions)
    return CheckedMaps(checked, diagnostics, tuple(map_name(stage) for stage in stages))
