"""A project's maps, definitions and functions, put together: what `check` looks at and what is compiled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fhirmap.analysis.check import check
from fhirmap.analysis.typed import Checked
from fhirmap.analysis.workspace import load
from fhirmap.diagnostics import Diagnostic, MapText
from fhirmap.diagnostics.render import ordered
from fhirmap.errors import ConfigError
from fhirmap.language import nodes
from fhirmap.language.parser import parse
from fhirmap.model.packages import load_definitions
from fhirmap.plugins import find_plugins
from fhirmap.plugins import load as load_plugin
from fhirmap.runner.project import Project
from fhirmap.runner.target import library_folder
from fhirmap.runtime.functions import FunctionSignature, functions_of

__all__ = ["CheckedMaps", "check_maps", "check_project", "installed_functions"]


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
    trees: list[nodes.Map] = []
    found: list[Diagnostic] = []
    paths: dict[str, Path] = {}
    for path in stages:
        tree, diagnostics = parse(_text_of(path), str(path))
        trees.append(tree)
        found += diagnostics
        paths[str(path)] = path
    library = [MapText(str(path), _text_of(path)) for path in _maps_below([*imports, library_folder()])]
    paths |= {text.name: Path(text.name) for text in library}

    def read(map_name: str, file: str) -> bytes:
        return (paths[map_name].parent / file).read_bytes()

    program, loading = load(trees, library=library, read=read)
    tank, reading = load_definitions(definitions)
    checked, checking = check(program, tank, installed_functions())
    return CheckedMaps(checked, ordered([*found, *loading, *reading, *checking]), tuple(paths)[: len(trees)])


def installed_functions() -> Mapping[str, FunctionSignature]:
    """Signatures of the functions that plug-ins offer, by name.

    Raises: ConfigError FM748, FM749.
    """
    modules = [load_plugin(plugin) for plugin in find_plugins("fhirmap.functions").values()]
    return {entry.name: entry for module in modules for entry in functions_of(module)}


def _maps_below(places: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for place in places:
        found += sorted([*place.rglob("*.map"), *place.rglob("*.fml")]) if place.is_dir() else [place]
    return list(dict.fromkeys(found))


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError("FM760", file=str(path), reason=error.strerror or "cannot be read") from None
    except UnicodeDecodeError as error:
        raise ConfigError("FM760", file=str(path), reason=f"not UTF-8 at byte {error.start}") from None
