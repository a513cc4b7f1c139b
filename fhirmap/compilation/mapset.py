"""A set of maps with what they need, out of files, folders and packages: any of them runs, by its URL or file.

This is the shape of FHIR's `StructureMap/$transform`: a map by canonical URL, content in, a tree out. Inputs are FHIR,
instances of logical models, or trees without a description.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

from fhirmap.analysis.check import Analysis
from fhirmap.analysis.checked import Checked
from fhirmap.analysis.workspace import ParsedMap, Workspace, parsed
from fhirmap.bounded_files import MOST_DEFINITION_BYTES, read_bounded
from fhirmap.compilation.files import library, read_beside, read_map
from fhirmap.compilation.linked import LinkedMaps
from fhirmap.compilation.program import CheckedMaps, installed_functions
from fhirmap.compilation.releases import DEFAULT_RELEASE, release_of
from fhirmap.data import JsonValue
from fhirmap.diagnostics import Diagnostic, MapText
from fhirmap.diagnostics.render import ordered
from fhirmap.errors import ConfigError, FhirmapError, MapError
from fhirmap.interchange.formats import read_document
from fhirmap.interchange.packages import load_definitions
from fhirmap.interchange.structure_map import read_structure_map
from fhirmap.language.nodes import Map
from fhirmap.language.parser import parse
from fhirmap.model.definition import Definitions, Structure
from fhirmap.records import Fault, Result
from fhirmap.runtime.context import Inputs
from fhirmap.runtime.trace import Trace, Tracer
from fhirmap.runtime.transformer import Transformer
from fhirmap.signatures import FunctionSignature
from fhirmap.texts import Text, os_reason

__all__ = ["MapSet", "Runnable", "run", "traced"]

MAP_SUFFIXES = (".map", ".fml", ".txt")
_FORBIDDEN = frozenset(("FM501", "FM502", "FM503", "FM506", "FM507", "FM511", "FM514"))
"""Faults of the validator that stop a transform: a value that its element cannot hold, by its type, its form or the
list of its codes. What is missing may come later."""


@dataclass(frozen=True)
class Runnable:
    """A map of the set, checked. ``target``: the structure it fills, where known. ``linked``: the maps that it shares
    groups with. ``tracer``: what runs it for a trace.

    Its Python is made when it first runs: a set may hold hundreds of maps of which few do.
    """

    maps: CheckedMaps
    target: Structure | None
    linked: LinkedMaps
    tracer: Tracer | None = None

    @cached_property
    def transformer(self) -> Transformer | Tracer:
        """The compiled map."""
        return self.tracer or self.linked.transformer(self.maps)

    @property
    def checked(self) -> Checked:
        """The map and what it imports, typed."""
        return self.maps.checked

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Warnings about the map."""
        return self.maps.diagnostics

    @property
    def reads_model(self) -> bool:
        """Is its source a `model` of the map itself, so that an input is one raw record of it?"""
        source = self.checked.stages[0].source
        return self.checked.model(source) is not None

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the inputs, in their order."""
        return tuple(entry.name for entry in self.checked.stages[0].entry.parameters if entry.mode == "source")


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """Maps that see one another: ``texts``, and the StructureMap resources of the set; what is known of them."""

    texts: tuple[MapText, ...]
    names: frozenset[str]
    workspace: Workspace
    analysis: Analysis
    linked: LinkedMaps


class MapSet:
    """Maps, structures, value sets and concept maps found in ``places`` (files, folders, FHIR packages).

    ``fhir_version``: STU3, R4, R4B or R5, the release whose base types hold; by default the one that the `uses` of
    ``map_file`` name, where it is given, else R4. What cannot be read is in ``diagnostics``, and
    raised with those of the first map that is asked for.

    Example: `MapSet(["maps", "xver.tgz"]).transform("http://example.org/StructureMap/x", {"a": 1}).resource`
    """

    def __init__(
        self,
        places: Iterable[str | Path] = (),
        *,
        fhir_version: str | None = None,
        map_file: str | Path | None = None,
        functions: Mapping[str, FunctionSignature] | None = None,
    ) -> None:
        found = [Path(entry) for entry in places]
        self._maps = [path for path in found if path.is_dir() or path.suffix in MAP_SUFFIXES]
        structured = [path for path in found if path.is_dir() or path.suffix not in MAP_SUFFIXES]
        self.definitions: Definitions
        release = fhir_version or (self._release_in(Path(map_file)) if map_file is not None else None)
        self.definitions, self.diagnostics = load_definitions(structured, fhir_version=release or DEFAULT_RELEASE)
        self._functions = functions
        self._lock = RLock()
        self._runnables: dict[str, Runnable] = {}
        self._parsed: dict[str, ParsedMap] = {}
        self._converted: dict[str, ParsedMap] = {}
        self._by_folder: dict[Path, _Neighbours] = {}

    # --- maps ---------------------------------------------------------------------------------------------------------

    def runnable(self, wanted: str | Path) -> Runnable:
        """The map at a URL or in a file, checked once.

        Raises: ``MapError`` with every diagnostic, where it cannot run; ``ConfigError`` FM762 where no map of the set
        has that URL.
        """
        key = str(wanted)
        with self._lock:
            known = self._runnables.get(key)
            if known is None:
                known = self._runnables[key] = self._checked(self._map(wanted))
            return known

    def _checked(self, parsed_map: ParsedMap) -> Runnable:
        neighbours = self._neighbours_of(parsed_map[0])
        program = neighbours.workspace.program([parsed_map])
        checked, found = neighbours.analysis.check(program)
        maps = CheckedMaps(checked, ordered([*self.diagnostics, *found]), tuple(unit.name for unit in program.stages))
        if maps.has_errors:
            raise MapError(maps.diagnostics)
        target = checked.stages[-1].target if checked.stages else None
        structure = self.definitions.structure(target.structure or target.name) if target is not None else None
        return Runnable(maps, structure, neighbours.linked)

    def _map(self, wanted: str | Path) -> ParsedMap:
        if isinstance(wanted, Path) or "://" not in wanted:
            path = Path(wanted)
            known = self._by_path.get(path.resolve())
            return self._resource_map(path) or self._parse(known or MapText(str(path), read_map(path)))
        url, _, version = wanted.partition("|")
        for text in self._texts:
            if url in text.text:
                tree, diagnostics = self._parse(text)
                if tree.url == url and version in ("", tree.version):
                    return tree, diagnostics
        held = self.definitions.structure_map(wanted)
        if held is None:
            raise ConfigError("FM762", url=wanted)
        return self._converted_map(*held)

    def _release_in(self, path: Path) -> str | None:
        """The release that the `uses` of a map's file name; None where they name none, or it cannot be read."""
        self.definitions, self.diagnostics = load_definitions([])
        try:
            tree, _ = self._resource_map(path) or parse(read_map(path), str(path))
        except FhirmapError:
            return None  # said when the map is asked for
        return release_of([tree])

    def _resource_map(self, path: Path) -> ParsedMap | None:
        """The map that a file holds as a StructureMap resource; None for a text."""
        try:
            content = read_bounded(path, MOST_DEFINITION_BYTES)
        except OSError as error:
            raise ConfigError("FM760", file=str(path), reason=os_reason(error, "cannot_be_read")) from None
        if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"<")):
            return None
        found = read_document(content, str(path), self.definitions)
        if isinstance(found, Diagnostic):
            raise MapError([found])
        if found.get("resourceType") != "StructureMap":
            raise ConfigError("FM760", file=str(path), reason=Text("reasons.no_map"))
        return read_structure_map(found, str(path))

    def _converted_map(self, name: str, resource: Mapping[str, Any]) -> ParsedMap:
        """The map that a StructureMap resource of the set is."""
        if name not in self._converted:
            self._converted[name] = read_structure_map(resource, name)
        return self._converted[name]

    def _parse(self, text: MapText) -> ParsedMap:
        """The tree of a text, parsed once."""
        if text.name not in self._parsed:
            self._parsed[text.name] = parsed(text)
        return self._parsed[text.name]

    # --- what a map sees ----------------------------------------------------------------------------------------------

    def _neighbours_of(self, tree: Map) -> _Neighbours:
        """Where a map finds what it imports: in the set, and in the folder that it is in itself."""
        if not tree.imports:
            return self._neighbours(())
        name = tree.span.text.name
        folder = Path(name).parent
        if folder not in self._by_folder:
            beside = [text for text in library([folder]) if Path(text.name).resolve() not in self._by_path]
            self._by_folder[folder] = self._neighbours((*self._texts, *beside)) if beside else self._own_neighbours
        found = self._by_folder[folder]
        # What is none of the maps that others see must not be seen by the next one that is asked for.
        return found if name in found.names else self._neighbours(found.texts)

    def _neighbours(self, texts: Sequence[MapText]) -> _Neighbours:
        maps = [self._converted_map(*held) for held in self.definitions.structure_maps()] if texts else []
        workspace = Workspace(texts, maps, read=read_beside, parse=self._parse)
        functions = installed_functions() if self._functions is None else self._functions
        names = frozenset((*(text.name for text in texts), *(tree.span.text.name for tree, _ in maps)))
        analysis = Analysis(self.definitions, functions)
        return _Neighbours(tuple(texts), names, workspace, analysis, LinkedMaps(self._lock))

    @cached_property
    def _own_neighbours(self) -> _Neighbours:
        return self._neighbours(self._texts)

    @cached_property
    def _texts(self) -> tuple[MapText, ...]:
        """The texts of the set, and of the library that fhirmap brings."""
        return library(self._maps)

    @cached_property
    def _by_path(self) -> Mapping[Path, MapText]:
        return {Path(text.name).resolve(): text for text in self._texts}

    # --- running ------------------------------------------------------------------------------------------------------

    def transform(self, wanted: str | Path, content: Mapping[str, Any] | None = None, **named: JsonValue) -> Result:
        """What the map at a URL, or in a file, makes of ``content``, or of several inputs by the names of its sources.

        A map of which no rule fires gives an empty instance of its target, as `$transform` does; one that reads a
        `model` gives none then: the record is out of scope.
        """
        runnable = self.runnable(wanted)
        return run(runnable, content, named)


def run(
    runnable: Runnable,
    content: Mapping[str, Any] | None,
    named: Mapping[str, Any] | None = None,
    *,
    strict: bool = False,
) -> Result:
    """The outcome of one input, or of several by name.

    Faults of the validator are warnings, all but those of a value that its element cannot hold: parts of a
    resource may be made by one map and the rest by another.
    Raises: ``ConfigError`` FM763 for an input that the map does not have; ``TransformFailed`` FM458 where one is
    missing.
    """
    given: Mapping[str, Any] = content if content is not None else {}
    names = runnable.sources
    if named or len(names) > 1:
        inputs = {**({names[0]: content} if content is not None else {}), **(named or {})}
        unknown = next((name for name in inputs if name not in names), None)
        if unknown is not None:
            raise ConfigError("FM763", name=unknown, inputs=", ".join(names))
        given = Inputs(inputs)
    result = runnable.transformer(given, strict=strict)
    faults = tuple(_severity(fault) for fault in result.faults)
    resource = result.resource
    if resource is None and not runnable.reads_model:
        target = runnable.target
        resource = {"resourceType": target.type} if target is not None and target.says_type else {}
    return replace(result, resource=resource, faults=faults)


def traced(
    runnable: Runnable,
    content: Mapping[str, Any] | None,
    named: Mapping[str, Any] | None = None,
    *,
    with_values: bool = False,
) -> tuple[Result, Trace]:
    """As `run`, with the trace of it. The map is compiled again, for tracing."""
    tracer = Tracer(runnable.linked.alone(runnable.maps, trace=True), with_values=with_values)
    result = run(replace(runnable, tracer=tracer), content, named)
    return result, tracer.trace


def _severity(fault: Fault) -> Fault:
    is_validators = fault.code.startswith("FM5")
    return replace(fault, severity="warning") if is_validators and fault.code not in _FORBIDDEN else fault
