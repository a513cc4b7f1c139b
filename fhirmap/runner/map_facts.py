"""What commands need of a project's maps: values, found once and kept while nothing changes (`project_maps`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fhirmap.compiler.compiled_map import CompiledMap
from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.source_plan import SourcePlan

__all__ = ["CompiledProject", "ElementOrigin", "MapFacts", "ModelStore", "NoteWords", "TracedProject"]


@dataclass(frozen=True, slots=True)
class ModelStore:
    """A model that says where its rows are: by the name of a source, empty for the project's own."""

    model: str
    source: str
    span: Span


@dataclass(frozen=True, slots=True)
class MapFacts:
    """What the analysis says of maps that run together. ``files``: their names, in order of stages; ``plan``: where the
    records of the first model live, None where it does not say; ``wrong``: what their project asks of them that they do
    not have, rules and columns."""

    files: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]
    stores: tuple[ModelStore, ...]
    plan: SourcePlan | None
    wrong: tuple[Diagnostic, ...] = ()

    @property
    def has_errors(self) -> bool:
        """Is one of the diagnostics an error?"""
        return any(entry.is_error for entry in self.diagnostics)


@dataclass(frozen=True, slots=True)
class NoteWords:
    """What a `log` says, `…` where a value of the record would be, and the map's file and the rule that it is in."""

    file: str
    rule: str
    words: str


@dataclass(frozen=True, slots=True)
class CompiledProject:
    """Maps without errors as Python, with the contract's validator, and what is said of their records.

    ``rules``: names of rules by the `file:line` they are on; ``notes`` and ``calculations`` by `file:line:col`.
    ``foreign``: modules of functions that the maps may call and that are not fhirmap's own.
    """

    map: CompiledMap
    diagnostics: tuple[Diagnostic, ...]
    stores: tuple[ModelStore, ...]
    rules: Mapping[str, str]
    notes: Mapping[str, NoteWords]
    calculations: Mapping[str, str]
    foreign: frozenset[str]


@dataclass(frozen=True, slots=True)
class ElementOrigin:
    """A rule that writes an element, where it is, and the columns that the value comes from."""

    rule: str
    position: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TracedProject:
    """The maps compiled for tracing, and their lineage: element path to the rules that write it, in text order."""

    map: CompiledMap
    lineage: Mapping[str, tuple[ElementOrigin, ...]]
