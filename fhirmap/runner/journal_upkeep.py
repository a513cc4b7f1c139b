"""What people do to a project's journal between its runs: confirm it, copy it, check it, delete from it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from fhirmap.errors import ConfigError, JournalError
from fhirmap.journal import AuditAct, EntryState, FindingKind, Journal, JournalFinding, Purged, Rekeyed
from fhirmap.journal.copies import copy_file
from fhirmap.journal.restoring import journal_version, put_in_place
from fhirmap.journal.store import is_earlier, translated
from fhirmap.runner.archive import open_archives
from fhirmap.runner.encryption_keys import encryption_keys
from fhirmap.runner.known_elsewhere import identifiers_elsewhere
from fhirmap.runner.own_files import require_other_file
from fhirmap.runner.project import ArchiveSettings, Project
from fhirmap.runner.run import has_journal, look_into_journal, open_journal

__all__ = ["Confirmed", "adopt_archived", "back_up", "confirm_sending", "purge", "rekey", "restore", "verify_journal"]


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
        raise _no_journal(project)
    return open_journal(project, exclusive=True, create=False)


def verify_journal(project: Project) -> list[JournalFinding]:
    """What of the project's journal is not as it has to be; nothing is written.

    Raises: ConfigError FM815 where there is none; JournalError FM800-FM807.
    """
    journal = look_into_journal(project)
    if journal is None:
        raise _no_journal(project)
    with journal:
        return journal.verify()


def back_up(project: Project, target: Path, *, overwrite: bool = False) -> list[JournalFinding]:
    """Copies the project's journal to ``target``, also while a run writes to it; what of the copy is not as it has to
    be.

    Raises: ConfigError FM815 (no journal, on a server, ``target`` is there); JournalError FM800-FM806: there is no copy
    then.
    """
    path = _own_file(project)
    if target.exists():
        if path.samefile(target):
            raise ConfigError("FM815", variant="itself", file=str(target))
        if not overwrite:
            raise ConfigError("FM815", variant="exists", file=str(target))
    require_other_file(project, target)
    with translated(str(target)):
        copy_file(path, target)
    keys = encryption_keys(project.journal)
    journal = Journal.look(target, project.journal_name, project.target_name, encryption_keys=keys)
    if journal is None:
        raise ConfigError("FM815", variant="not_a_journal", file=str(target))
    with journal:
        return journal.verify()


def restore(project: Project, copy: Path) -> Path | None:
    """Puts ``copy`` in the place of the project's journal; where the one that was there is kept, if there was one.
    Nothing is sent until somebody has confirmed it (FM812).

    Raises: ConfigError FM815 (on a server, no journal, another project's); JournalError FM800-FM806, FM802 during a
    run: the journal is as it was.
    """
    if project.journal.url is not None:
        raise ConfigError("FM815", variant="on_server")
    path = project.journal.path
    if path.exists() and path.samefile(copy):
        raise ConfigError("FM815", variant="itself", file=str(copy))
    version = journal_version(copy)
    if version is None:
        raise ConfigError("FM815", variant="not_a_journal", file=str(copy))
    if not is_earlier(version):
        journal = Journal.look(copy, project.journal_name, project.target_name)
        if journal is None:
            raise ConfigError("FM815", variant="not_a_journal", file=str(copy))
        with journal:
            if journal.last_run() is None:
                raise ConfigError("FM815", variant="other_project", file=str(copy), project=project.journal_name)
            if any(one.kind == FindingKind.DAMAGED_FILE for one in journal.verify()):
                raise JournalError("FM804", journal=str(copy), reason="integrity_check")
    moment = datetime.fromtimestamp(time.time(), UTC).strftime("%Y%m%dT%H%M%SZ")
    kept = put_in_place(copy, path, moment)
    if not is_earlier(version):
        with open_journal(project, create=False) as journal:
            journal.note(AuditAct.RESTORED, {"copy-sha256": _file_digest(copy)})
    return kept


def purge(project: Project, states: Collection[EntryState], days: int, *, dry_run: bool = False) -> Purged:
    """Deletes payloads, notes and answers of records that came to one of ``states`` more than ``days`` days ago.

    Raises: ConfigError FM815; JournalError FM800-FM807, FM802 during a run.
    """
    with _own_journal(project) as journal:
        before = time.time() - days * 86_400
        is_archived = project.archive != ArchiveSettings()
        return journal.purge(states, before, is_archived=is_archived, dry_run=dry_run)


def rekey(project: Project) -> Rekeyed:
    """Encrypts payloads and answers with the first of the project's keys, those that are plain too.

    Raises: ConfigError FM815 (no journal, no key), FM735-FM738, FM797; JournalError FM800-FM807, FM802 during a run.
    """
    if not project.journal.encryption_keys:
        raise ConfigError("FM815", variant="no_key")
    with _own_journal(project) as journal:
        return journal.rekey()


def _own_file(project: Project) -> Path:
    if project.journal.url is not None:
        raise ConfigError("FM815", variant="on_server")
    if not project.journal.path.exists():
        raise _no_journal(project)
    return project.journal.path


def _no_journal(project: Project) -> ConfigError:
    return ConfigError("FM815", variant="no_journal", journal=str(project.journal.path))


def _file_digest(path: Path) -> str:
    """SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
