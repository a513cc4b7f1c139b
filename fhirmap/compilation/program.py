"""Maps that run together, parsed and checked: the one way from stages, library and definitions to a checked program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from fhirmap.analysis.check import check
from fhirmap.analysis.checked import Checked
from fhirmap.analysis.workspace import ParsedMap, load, parsed
from fhirmap.collector import collecting_later
from fhirmap.compilation.files import NamedFiles, library, map_name, read_map, reader_of
from fhirmap.compilation.releases import DEFAULT_RELEASE, release_of
from fhirmap.diagnostics import Diagnostic, MapText
from fhirmap.diagnostics.render import ordered
from fhirmap.interchange.packages import load_definitions
from fhirmap.language.nodes import Map
from fhirmap.model.definition import Definitions
from fhirmap.plugins import find_plugins
from fhirmap.plugins import load as load_plugin
from fhirmap.runtime.functions import functions_of
from fhirmap.signatures import FunctionSignature

__all__ = ["CheckedMaps", "MapSource", "check_maps", "installed_functions", "map_text"]

MapSource = str | Path | MapText | Map
"""A map: its file, its text (a string with a line break or a brace, or a `MapText`), or its tree."""


_UNNAMED = "<string>"
"""What a text without a file is shown by."""


@dataclass(frozen=True, slots=True)
class CheckedMaps:
    """Maps that run together, typed, with everything to say about them. ``files``: their names, in order of stages.

    ``named``: digests of the files that they name, as they were read, by name of the map and of the file.
    """

    checked: Checked
    diagnostics: tuple[Diagnostic, ...]
    files: tuple[str, ...]
    named: Mapping[tuple[str, str], bytes] = field(default_factory=dict)

    @property
    def has_errors(self) -> bool:
        """Is one of the diagnostics an error?"""
        return any(entry.is_error for entry in self.diagnostics)


@collecting_later
def check_maps(  # noqa: PLR0913 - named settings
    *sources: MapSource,
    name: str | None = None,
    folder: str | Path | None = None,
    imports: Iterable[str | Path] = (),
    definitions: Definitions | Iterable[str | Path] | None = None,
    functions: Mapping[str, FunctionSignature] | None = None,
    fhir_version: str | None = None,
    allowed: Iterable[Path] = (),
) -> CheckedMaps:
    """The maps ``sources`` as stages of one another, checked. The options are those of `fhirmap.check`.

    ``allowed``: folders whose files the maps may name, beside those of their own folders.

    Raises: ConfigError FM760 where a map cannot be read.
    """
    stages = [_stage(source, name) for source in sources]
    texts = [tree.span.text.name for (tree, _), source in zip(stages, sources, strict=True) if _is_text(source, name)]
    folders = {} if folder is None else dict.fromkeys(texts, Path(folder))
    if folder is not None:
        imports = [*imports, folder]
    release = fhir_version or release_of(tree for tree, _ in stages) or DEFAULT_RELEASE
    known, loading = _definitions(definitions, release)
    read = NamedFiles(reader_of(folders, () if folders else {_UNNAMED}, allowed))
    program = load(stages, library=library(imports, without=_files(folders)), read=read)
    checked, found = check(program, known, installed_functions() if functions is None else functions)
    files = tuple(unit.name for unit in program.stages)
    return CheckedMaps(checked, ordered([*loading, *found]), files, read.digests)


@cache
def installed_functions() -> Mapping[str, FunctionSignature]:
    """Signatures of the functions of installed plug-ins, by name.

    Raises: ConfigError FM748 where two of them clash, FM749 where one cannot be loaded.
    """
    found: dict[str, FunctionSignature] = {}
    for plugin in find_plugins("fhirmap.functions").values():
        found.update({entry.name: entry for entry in functions_of(load_plugin(plugin))})
    return found


def map_text(source: str | Path | MapText, name: str | None = None) -> MapText:
    """The text of a map that is given as a file, a text, or both at once.

    Raises: ConfigError FM760 where a file cannot be read.
    """
    if isinstance(source, MapText):
        return source
    if isinstance(source, str) and _is_text(source, name):
        return MapText(name or _UNNAMED, source)
    return MapText(name or map_name(Path(source)), read_map(Path(source)))


def _is_text(source: MapSource, name: str | None) -> bool:
    """Is it a text, not a path? A string is one where it looks like one, or where its name is given beside it."""
    if isinstance(source, str):
        return name is not None or "\n" in source or "{" in source
    return isinstance(source, MapText)


def _files(folders: Mapping[str, Path]) -> list[Path]:
    """The files that texts of these names and folders may be newer than."""
    return [path for name, base in folders.items() for path in (Path(name), base / name)]


def _stage(source: MapSource, name: str | None) -> ParsedMap:
    return (source, ()) if isinstance(source, Map) else parsed(map_text(source, name))


def _definitions(
    given: Definitions | Iterable[str | Path] | None, release: str
) -> tuple[Definitions, tuple[Diagnostic, ...]]:
    if isinstance(given, Definitions):
        return given, ()
    return load_definitions([Path(entry) for entry in given or ()], fhir_version=release)
