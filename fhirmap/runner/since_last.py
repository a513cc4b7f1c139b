"""What a run reads of its source: everything, or what has changed since it was read last.

The journal holds the marks of the last reading, put once all of its records are. They hold for the same map, target and
version, the same columns and the same place: where one of these is another, everything is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fhirmap.diagnostics import Diagnostic, Severity, listed
from fhirmap.records import Record
from fhirmap.runner.project import Project
from fhirmap.source_plan import ChildKind, SourcePlan
from fhirmap.sources import Source
from fhirmap.sources.changes import ChangeColumns, ChangedSource, Marks
from fhirmap.sources.names import match

if TYPE_CHECKING:
    from fhirmap.journal import Journal
    from fhirmap.runner.engine import Engine

__all__ = ["SourceReading", "change_faults", "source_reading", "unseen_tables"]

_CHECKPOINT = "changed"


@dataclass(frozen=True, slots=True)
class SourceReading:
    """``records``: to be read once. ``checkpoints``: to be put when all of them are in the journal. ``is_partial``: the
    reading says nothing of records that it does not hold."""

    records: Iterator[Record]
    checkpoints: Mapping[str, str] = field(default_factory=dict)
    is_partial: bool = False

    def diagnostic(self) -> Diagnostic:
        """FM789, of a partial one: nothing is gone this time, and why."""
        return Diagnostic("FM789", variant="changed")


def change_faults(project: Project, source: Source) -> list[Diagnostic]:
    """Why the settings of ``changed_since`` do not go with a source: FM667, FM704.

    Raises: ConfigError where the source cannot be read.
    """
    columns = project.changed_since
    if columns is None:
        return []
    span = project.source.changed_span
    found = source.check_changes(columns) if isinstance(source, ChangedSource) else [Diagnostic("FM667")]
    return [replace(entry, span=span) for entry in found]


def unseen_tables(project: Project, plan: SourcePlan) -> list[Diagnostic]:
    """FM667, a warning, for tables of which a row that changes alone does not make its record read.

    Raises: ConfigError FM769, FM700, FM734, FM736, FM738.
    """
    columns = project.changed_since
    if columns is None or not plan.kind.is_sql:
        return []
    own = plan.name if "" in columns.by_table else ""
    tables = [child.table for shape in plan.shape.walk() for child in shape.children if child.kind == ChildKind.JOIN]
    seen = [*columns.by_table, own]
    unseen = [
        name for name in dict.fromkeys((plan.name, *tables)) if not any(match(key, [name]) for key in seen if key)
    ]
    if not unseen:
        return []
    args = {"tables": listed(tuple(unseen))}
    span = project.source.changed_span
    return [Diagnostic("FM667", span, args, variant="unseen", severity_override=Severity.WARNING)]


@contextmanager
def source_reading(
    engine: Engine, source: Source, journal: Journal | None, *, is_whole: bool
) -> Iterator[SourceReading]:
    """A reading of the project's source. ``journal``: what was read before, nothing where it is None; ``is_whole``:
    everything is to be read.

    Raises: ConfigError where the source cannot be read; JournalError.
    """
    columns = engine.project.changed_since
    if columns is None or not isinstance(source, ChangedSource):
        yield SourceReading(source.records())
        return
    kind = _kind(engine, columns)
    since = {} if is_whole or journal is None else _marks(journal.checkpoint(_CHECKPOINT), kind)
    with source.changes(columns, since) as found:
        value = json.dumps({"kind": kind, "marks": dict(found.marks)}, ensure_ascii=False)
        yield SourceReading(found.records, {_CHECKPOINT: value}, found.is_partial)


def _marks(value: str | None, kind: str) -> Marks:
    """The marks that hold for readings of this kind."""
    try:
        held = json.loads(value) if value else {}
    except (ValueError, RecursionError):  # a damaged row of the journal: everything is read
        return {}
    match held:
        case {"kind": str(known), "marks": dict(marks)} if known == kind and all(
            isinstance(mark, str) for mark in marks.values()
        ):
            return marks
        case _:
            return {}


def _kind(engine: Engine, columns: ChangeColumns) -> str:
    """The same for readings whose marks hold for one another."""
    project = engine.project
    parts = (
        engine.digest,
        engine.made_by,
        project.source_address(engine.plan.source).shown,
        sorted(columns.by_table.items()),
        sorted(project.severities.items()),
    )
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
