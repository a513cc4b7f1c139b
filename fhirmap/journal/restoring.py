"""A copy takes the place of a journal's file. The file that was there is kept, and the copy is marked: a run with it
sends nothing until somebody has confirmed it (`continuity.py`)."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from fhirmap.errors import JournalError
from fhirmap.journal.continuity import DOUBT, Doubt, DoubtCause, doubt_to_json
from fhirmap.journal.copies import copy_file, sync_folder
from fhirmap.journal.store import RunLock, engine_of_any_version, translated, version_of
from fhirmap.part_files import part_of, remove_part

__all__ = ["journal_version", "put_in_place"]

_SIDES = ("", "-wal", "-shm")


def journal_version(path: Path) -> str | None:
    """The version of the tables in a file; None where it is no journal.

    Raises: JournalError FM800, FM804.
    """
    with translated(str(path)):
        engine = engine_of_any_version(path, create=False, read_only=True)
        try:
            with engine.begin() as connection:
                return version_of(connection)
        finally:
            engine.dispose()


def put_in_place(copy: Path, path: Path, moment: str) -> Path | None:
    """Puts the journal ``copy`` in the place of the one at ``path``, which is kept under a name with ``moment``; that
    name, None where there was none.

    Raises: JournalError FM800-FM805: the journal is as it was; FM802: a run is at it.
    """
    lock = RunLock(path)
    lock.acquire()
    part = part_of(path)
    try:
        with translated(str(copy)):
            copy_file(copy, part)
        with translated(str(path)):
            _mark(part)
            kept = _set_aside(path, path.with_name(f"{path.name}.before.{moment}")) if path.exists() else None
            part.replace(path)
            sync_folder(path.parent)
    finally:
        remove_part(part)
        lock.release()
    return kept


def _mark(part: Path) -> None:
    with closing(sqlite3.connect(part)) as connection:
        connection.execute("PRAGMA synchronous=FULL")
        with connection:
            connection.execute("DELETE FROM fhirmap_meta WHERE name = ?", [DOUBT])
            said = doubt_to_json(Doubt(DoubtCause.RESTORED))
            connection.execute("INSERT INTO fhirmap_meta (name, value) VALUES (?, ?)", [DOUBT, said])


def _set_aside(path: Path, kept: Path) -> Path:
    """Keeps the file under another name, with what is in the log beside it; nothing of it is left beside ``path``."""
    try:
        copy_file(path, kept)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    except (sqlite3.DatabaseError, JournalError) as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise
        # It is damaged, which may be why another is put in its place: the files are kept as they are.
        for side in _SIDES:
            with suppress(FileNotFoundError):
                path.with_name(path.name + side).replace(kept.with_name(kept.name + side))
    return kept
