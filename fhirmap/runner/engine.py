"""A project ready to work: its maps compiled into one transformer with its contract's validator, its source checked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from fhirmap.compilation.executed import transformer_from
from fhirmap.compilation.files import map_path
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError, ProjectError
from fhirmap.records import Record
from fhirmap.runner.columns import LimitKey, RecordsColumn
from fhirmap.runner.map_facts import CompiledProject, TracedProject
from fhirmap.runner.named_sources import unknown_sources
from fhirmap.runner.project import Project
from fhirmap.runner.project_file import load_project
from fhirmap.runner.project_maps import ProjectMaps
from fhirmap.runner.result_maker import ResultMaker
from fhirmap.runner.rule_words import RuleWords, read_words, words_of_target
from fhirmap.runtime.transformer import Transformer
from fhirmap.sinks.settings import IdentifiersOf
from fhirmap.source_plan import SourcePlan
from fhirmap.texts import language

__all__ = ["Engine", "build_engine", "compile_project", "paths_up"]

_UNREPEATABLE = frozenset(("now", "today", "time_of_day", "uuid", "reference", "pointer"))
"""Of the runtime: what asks for the time, and what may draw an id."""


@dataclass(frozen=True)
class Engine:
    """What `run` and `preview` need of a project."""

    project: Project
    maps: ProjectMaps
    compiled: CompiledProject
    transformer: Transformer
    blamed: Mapping[str, str]
    """Rule key -> the element that a rule of the target is about."""

    @property
    def plan(self) -> SourcePlan:
        """Where the records live.

        Raises: ConfigError FM752 where the map's first model has no store.
        """
        if self.transformer.store is None:
            raise ConfigError("FM752", map=str(self.project.map.source))
        return self.transformer.store

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Warnings about the maps."""
        return self.compiled.diagnostics

    @property
    def rules(self) -> Mapping[str, str]:
        """Names of rules by the `file:line` they are on, for reasons."""
        return self.compiled.rules

    @cached_property
    def note_words(self) -> Mapping[str, str]:
        """What the maps' notes say in their own words, by ``file:line:col``: a note of a record may quote it. In the
        current language where there are words beside the map."""
        by_folder: dict[Path, RuleWords] = {}

        def in_language(map_file: str, rule: str) -> str:
            folder = map_path(map_file).parent
            if folder not in by_folder:
                by_folder[folder] = read_words(folder, language())
            return by_folder[folder].get(rule, {}).get("note", "")

        notes = self.compiled.notes
        return {position: in_language(note.file, note.rule) or note.words for position, note in notes.items()}

    @property
    def digest(self) -> str:
        """Digest of maps and compiler, for the journal."""
        return self.transformer.digest

    @cached_property
    def made_by(self) -> str:
        """The same as long as the same record makes the same entry of the journal; empty where it need not, at any
        time: where the map or a rule asks for the time, may draw an id, or calls a function that is not fhirmap's own.

        The year is in it, of the machine and of Greenwich, since the century of a year of two digits depends on it.
        """
        if not self.transformer.names.isdisjoint(_UNREPEATABLE | self.compiled.foreign):
            return ""
        now = datetime.now(UTC)
        parts = f"{self.digest} {now.year} {now.astimezone().year}"
        return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()

    @cached_property
    def columns(self) -> tuple[RecordsColumn, ...]:
        """The columns of ``[records]``.

        Raises: ProjectError FM743.
        """
        return self.maps.records()

    @cached_property
    def limit_key(self) -> LimitKey:
        """What the receiver's rate limit counts a result by; empty where the target does not say."""
        return LimitKey(self.maps.limit())

    @cached_property
    def identifiers_of(self) -> IdentifiersOf:
        """Where in an answer the receiver's identifier is, as the target says; nowhere where it does not.

        Raises: ProjectError FM743.
        """
        columns = self.maps.receipt()

        def identifiers(answer: Mapping[str, Any]) -> Iterator[Any]:
            return (found for column in columns for found in column.found(dict(answer), {}))

        return identifiers

    @cached_property
    def result(self) -> ResultMaker:
        """What gives a record's result, with the source's own faults and the places of the target's rules."""
        return ResultMaker(self.transformer, self.blamed, self.compiled.calculations, self.words)

    @cached_property
    def words(self) -> RuleWords:
        """What the target's rules say in the current language; empty in the contract's own."""
        return words_of_target(self.project.map.target)

    def read(self, record: Record) -> Mapping[str, Any]:
        """The record as its model reads it: `%source` of the columns. What cannot be read is absent."""
        return self.transformer.read(record.values).values

    def origin_of(self, element: str) -> tuple[str, tuple[str, ...]] | None:
        """The map rule's place and the source columns of an element, for answers that name one."""
        places = self.transformer.places
        return next((places[path] for path in paths_up(element) if path in places), None)

    @cached_property
    def traced(self) -> TracedProject:
        """The maps compiled for tracing, and their lineage."""
        return self.maps.traced()


def paths_up(element: str) -> Iterator[str]:
    """The element and those above it; then the same without slice names, for a target whose profile has no slices."""
    for path in dict.fromkeys((element, re.sub(r":[^.]+", "", element))):
        while path:
            yield path
            path = path.rpartition(".")[0]


def build_engine(project: Project, fhir_version: str | None = None) -> Engine:
    """The project's maps checked and compiled, its contract's rules set to the project's severities; what was kept of
    the same maps is taken.

    ``fhir_version``: as for `check_project`.

    Raises: MapError with every diagnostic of the maps; ProjectError FM742 for rules that the contract does not
    have, FM769 for sources that the project does not have; ConfigError FM749 for a plug-in that cannot be loaded.
    """
    maps = ProjectMaps(project, fhir_version)
    compiled = maps.compiled()
    wrong = unknown_sources(project, compiled.stores)
    if wrong:
        raise ProjectError(wrong)
    target = project.map.target
    blamed = {rule.key: rule.element for rule in (target.rules if target else ()) if rule.element}
    try:
        transformer = transformer_from(compiled.map)
    except ImportError:
        # A module of functions that was there when the maps were compiled: their check says whose it is.
        maps.maps  # noqa: B018 - asked for what it raises
        raise
    return Engine(project, maps, compiled, transformer, blamed)


def compile_project(folder: str | Path) -> Transformer:
    """The transformer of a project folder: its map and its target's, with the contract's validator.

    Raises: MapError, ProjectError, ConfigError, each with everything that is wrong.
    """
    return build_engine(load_project(folder)).transformer
