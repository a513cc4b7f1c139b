"""What people do to a project's journal between its runs: confirm it, copy it, check it, delete from it."""

from __future__ import annotations

from typing import NamedTuple

from fhirmap.errors import ConfigError
from fhirmap.journal import Journal
from fhirmap.runner.archive import open_archives
from fhirmap.runner.known_elsewhere import identifiers_elsewhere
from fhirmap.runner.project import Project
from fhirmap.runner.run import has_journal, open_journal

__all__ = ["Confirmed", "adopt_archived", "confirm_sending"]


class Confirmed(NamedTuple):
    """How many records wait to be sent; of how many of them the archive has an identifier."""

    waiting: int
    archived: int


def adopt_archived(project: Project) -> int:
    """Takes the records that wait, and that the archive has an identifier of, for accepted. Gives how many.

    Raises: ConfigError FM815 without an archive; JournalError FM800-FM808.
    """
    archives = open_archives(project)
    if not archives:
        raise ConfigError("FM815", variant="no_archive")
    with _own_journal(project) as journal:
        return journal.adopt(identifiers_elsewhere(journal, archives))


def confirm_sending(project: Project) -> Confirmed:
    """What waits may be sent, whatever the archive has of it.

    Raises: JournalError FM800-FM808.
    """
    with _own_journal(project) as journal:
        archived = journal.confirm(identifiers_elsewhere(journal, open_archives(project)))
        return Confirmed(journal.waiting(), archived)


def _own_journal(project: Project) -> Journal:
    """No run is at it meanwhile, where one run works at a time."""
    if not has_journal(project):
        raise ConfigError("FM815", variant="no_journal", journal=str(project.journal.path))
    return open_journal(project, exclusive=True, create=False)
