"""The project's sources by the names that its maps give them: missing ones, unread ones, and where they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fhirmap.diagnostics import Diagnostic, Severity, suggestion
from fhirmap.runner.map_facts import ModelStore
from fhirmap.runner.project import Project
from fhirmap.source_plan import RowLayout, SourcePlan
from fhirmap.sources.address import Address

__all__ = ["other_addresses", "unknown_sources", "unread_sources"]


def unknown_sources(project: Project, stores: Sequence[ModelStore]) -> list[Diagnostic]:
    """FM769 for each model that reads a source which the project does not have, and for an address that was given in
    place of one that no model reads."""
    found: list[Diagnostic] = []
    named: set[str] = set()
    for store in stores:
        name = store.source
        named.add(name)
        if name and name not in project.sources:
            found.append(Diagnostic("FM769", store.span, {"source": name}, **suggestion(name, project.sources)))
        elif not name and not project.has_own_source:
            found.append(Diagnostic("FM769", store.span, {"model": store.model}, variant="own"))
    if project.source.override and named and "" not in named:
        found.append(Diagnostic("FM769", None, {"source": min(named)}, variant="unnamed"))
    return found


def unread_sources(project: Project, stores: Sequence[ModelStore]) -> list[Diagnostic]:
    """FM769, a warning, for each source of the project file that no model reads."""
    named = {store.source for store in stores}
    return [
        Diagnostic(
            "FM769",
            project.source_spans.get(name),
            {"source": name},
            variant="unread",
            severity_override=Severity.WARNING,
        )
        for name in project.sources
        if name not in named
    ]


def other_addresses(project: Project, plan: SourcePlan) -> Mapping[str, Address]:
    """Where the rows are that are joined to those of ``plan``, by the names of their sources.

    Raises: ConfigError FM769, FM700, FM734, FM736, FM738.
    """
    return {store.source: project.source_address(store.source) for store in _stores(plan.shape)}


def _stores(layout: RowLayout) -> Iterator[SourcePlan]:
    for child in layout.children:
        if child.store is not None:
            yield child.store
        yield from _stores(child.shape)
    for column in layout.columns:
        if column.below is not None:
            yield from _stores(column.below)
