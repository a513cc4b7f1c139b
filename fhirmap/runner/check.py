"""What of a project only its maps, its contract and its source can say: for `fhirmap check`. Nothing is compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.runner.archive import archive_diagnostics
from fhirmap.runner.cell_forms import cell_forms
from fhirmap.runner.done_settings import done_diagnostics
from fhirmap.runner.map_facts import MapFacts
from fhirmap.runner.named_sources import other_addresses, unknown_sources, unread_sources
from fhirmap.runner.personal_keys import sampled_keys
from fhirmap.runner.project import Project
from fhirmap.runner.project_maps import ProjectMaps
from fhirmap.runner.since_last import change_faults, unseen_tables
from fhirmap.runner.source import located, open_unchecked
from fhirmap.source_plan import RowLayout, SourcePlan
from fhirmap.sources import Address, open_source

if TYPE_CHECKING:
    from fhirmap.analysis.checked import Checked

__all__ = ["archive_findings", "diagnostics_of_source", "settings_diagnostics", "source_diagnostics"]


_KEYS = 20
"""Records whose keys are compared with the archive's columns."""


def settings_diagnostics(project: Project, facts: MapFacts) -> list[Diagnostic]:
    """What of the project file only its maps and contract show: sources (FM769), rule keys (FM742), and
    record columns (FM743)."""
    return [*unknown_sources(project, facts.stores), *unread_sources(project, facts.stores), *facts.wrong]


def source_diagnostics(project: Project, project_maps: ProjectMaps) -> list[Diagnostic]:
    """What the project's source lacks of what its map names, also where the map has other faults.

    Raises: ConfigError FM70x where the source cannot be opened.
    """
    facts = project_maps.facts()
    plan = facts.plan
    if plan is None or unknown_sources(project, facts.stores):
        return []
    others = other_addresses(project, plan)
    address = project.source_address(plan.source)
    found = diagnostics_of_source(address, facts, lambda: project_maps.maps.checked, others)
    if project.changed_since is not None and not any(entry.is_error for entry in (*facts.diagnostics, *found)):
        with open_unchecked(project, plan) as source:
            found += [*change_faults(project, source), *unseen_tables(project, plan)]
    return [*done_diagnostics(project, plan), *found]


def diagnostics_of_source(
    address: Address | str,
    facts: MapFacts,
    checked: Callable[[], Checked],
    others: Mapping[str, Address | str] | None = None,
) -> list[Diagnostic]:
    """What the source at ``address`` lacks of what a map names, also where the map has other faults. ``checked``: the
    map, asked for where something is lacking. ``others``: where the rows are that are joined, by the names of their
    sources.

    Raises: ConfigError FM70x where the source cannot be opened.
    """
    plan = facts.plan
    if plan is None or any(entry.code in ("FM102", "FM159") for entry in facts.diagnostics):
        return []  # nowhere to look, a query of the map that is not there, or an unknown encoding
    with open_source(address, plan, others) as source:
        lacking = source.check()
        if not facts.has_errors and not any(entry.is_error for entry in lacking):
            lacking += [*cell_forms(source, plan), *sampled_keys(source, plan)]
    tables = _joined_tables(plan.shape)
    absent = {
        (_table(entry, tables, plan), str(entry.args.get("column", ""))): entry
        for entry in lacking
        if entry.code in ("FM703", "FM704") and not entry.variant
    }
    placed: set[int] = set()

    def asked(table: str, column: str) -> Diagnostic | None:
        entry = absent.get((table, column))
        if entry is not None:
            placed.add(id(entry))
        return entry

    named = _named(checked(), asked, facts) if absent else []
    if facts.has_errors:
        return named
    # The map itself knows where each name is written; the rest (the author's SQL, paths) comes with its line.
    return [*named, *(located(entry) for entry in lacking if id(entry) not in placed)]


def _named(checked: Checked, asked: Callable[[str, str], Diagnostic | None], facts: MapFacts) -> list[Diagnostic]:
    """What is lacking, at each place where the map names it."""
    from fhirmap.analysis.checks.unknown_column import unknown_columns

    return [entry for entry in unknown_columns(checked, asked) if not _was_not_read(entry, facts)]


def _joined_tables(layout: RowLayout) -> dict[str, str]:
    """What rows of stores of their own are called, by the places of the map that name their columns."""
    found: dict[str, str] = {}
    for child in layout.children:
        if child.store is not None:
            found[child.store.position] = child.table
            found |= {column.position: child.table for column in child.shape.columns}
        found |= _joined_tables(child.shape)
    for column in layout.columns:
        found |= _joined_tables(column.below) if column.below is not None else {}
    return found


def _table(entry: Diagnostic, joined: Mapping[str, str], plan: SourcePlan) -> str:
    """What `unknown_columns` calls the table of something that is lacking."""
    own = str(entry.args["table"]) if plan.kind.is_sql else ""
    return joined.get(str(entry.args.get("position", "")), own)


def archive_findings(project: Project, plan: SourcePlan | None) -> list[Diagnostic]:
    """What is wrong with the project's archives, with the keys of the first records of its source, where it can be
    read. ``plan``: where the records are, None where the maps cannot run."""
    if project.archive.table is None and project.archive.csv is None:
        return []
    keys: list[str] = []
    with suppress(ConfigError):
        if plan is not None:
            with open_unchecked(project, plan) as source:
                if not any(entry.is_error for entry in source.check()):
                    keys = [record.key for record in islice(source.records(), _KEYS) if record.key]
    return archive_diagnostics(project, keys)


def _was_not_read(entry: Diagnostic, facts: MapFacts) -> bool:
    """Is there a syntax error on the line that names the column? Then it may not have been read as it was meant."""
    broken = [found.span for found in facts.diagnostics if found.code < "FM100" and found.is_error and found.span]
    span = entry.span
    return span is not None and any(place.text is span.text and place.line == span.line for place in broken)
