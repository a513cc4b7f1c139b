"""The receiver's identifiers, written back beside the hospital's own records: into a table, a CSV, or both.

The journal knows what is still to be written back, so an interruption between answer and archive loses nothing: the
next run goes on. Writing twice gives the same row. A row that cannot be written does not keep back the others: it is
reported, and tried again by the next run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError, JournalError
from fhirmap.runner.archive_csv import CsvArchive
from fhirmap.runner.archive_row import Unwritten
from fhirmap.runner.project import ArchiveTable, Project
from fhirmap.sources.address import Address, parse_address
from fhirmap.texts import Text

if TYPE_CHECKING:
    from fhirmap.journal import Accepted, ArchivedIdentifier, Journal

__all__ = ["Archive", "Archived", "archive", "archive_diagnostics", "open_archives"]

_BATCH = 4_000


@dataclass(frozen=True, slots=True)
class Archived:
    """What one archiving wrote: how many, the first and the last identifier, and where. ``unwritten``: what could not
    be. ``replaced``: identifiers that took the place of an earlier one where the table has no column for that one."""

    count: int = 0
    first: str = ""
    last: str = ""
    places: tuple[str, ...] = ()
    unwritten: tuple[Unwritten, ...] = ()
    replaced: int = 0


class Archive(Protocol):
    """A place identifiers are written to."""

    @property
    def name(self) -> str:
        """Whom people know."""

    @property
    def keeps_earlier(self) -> bool:
        """Is there a column for the identifiers that a record had before?"""

    def check(self) -> None:
        """Raises what `write` would raise for every row."""

    def diagnostics(self, keys: Iterable[str]) -> Iterator[Diagnostic]:
        """What is wrong with it; ``keys``: some of those that will be written."""

    def identifiers(self, keys: Sequence[str]) -> Mapping[str, ArchivedIdentifier]:
        """What it has of these records.

        Raises: JournalError FM808 where it cannot be read; ConfigError FM796, FM669.
        """

    def write(self, rows: Sequence[Accepted]) -> list[Unwritten]:
        """Writes them; those that are there are written over. Gives those that could not be written."""


def archive(journal: Journal, archives: Sequence[Archive]) -> Archived:
    """Writes what the journal has as accepted and not written back, to every archive.

    Raises: JournalError FM808 where one cannot be written at all; everything is still in the journal.
    """
    if not archives:
        return Archived()
    with journal.archiving():
        return _archive(journal, archives)


def _archive(journal: Journal, archives: Sequence[Archive]) -> Archived:
    count, first, last, replaced = 0, "", "", 0
    unwritten: list[Unwritten] = []
    after: Accepted | None = None
    forgets = not all(place.keeps_earlier for place in archives)
    while rows := journal.to_archive(_BATCH, after=after):
        after = rows[-1]
        failed = [entry for place in archives for entry in place.write(rows)]
        unwritten += failed
        keys = {entry.key for entry in failed}
        written = [row for row in rows if row.key not in keys]
        journal.archived([row.entry_id for row in written])
        values = [row.value for row in written if row.value]
        count += len(written)
        replaced += sum(forgets and bool(row.earlier) for row in written)
        first, last = first or next(iter(values), ""), values[-1] if values else last
    return Archived(count, first, last, tuple(place.name for place in archives), tuple(unwritten), replaced)


def open_archives(project: Project) -> list[Archive]:
    """The archives that a project names; none is a fine answer.

    Raises: ConfigError FM796 where the table's database is not known.
    """
    found: list[Archive] = []
    if project.archive.table is not None:
        # SQLAlchemy is not loaded for an archive in a file.
        from fhirmap.runner.archive_table import TableArchive

        found.append(TableArchive(_address(project, project.archive.table), project.archive.table))
    if project.archive.csv is not None:
        found.append(CsvArchive(project.archive.csv))
    return found


def archive_diagnostics(project: Project, keys: Iterable[str]) -> list[Diagnostic]:
    """What is wrong with the project's archives, for `check` and `doctor`: nothing is written or created. ``keys``:
    some of those that will be written."""
    some = list(keys)
    found: list[Diagnostic] = []
    try:
        for place in open_archives(project):
            found += place.diagnostics(some)
    except (ConfigError, JournalError) as error:
        found.append(error.diagnostic())
    return found


def _address(project: Project, table: ArchiveTable) -> Address:
    address = project.source_address() if table.url is None else parse_address(table.url.reveal(), project.folder)
    if address.kind != "sql":
        raise ConfigError("FM796", table=table.table, reason=Text("run.archive.no_database"))
    return address
