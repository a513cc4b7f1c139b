"""A copy of a journal's file: consistent while a run writes to it, complete or absent, readable by its owner alone."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from fhirmap.errors import JournalError
from fhirmap.part_files import part_of, remove_left, remove_part

__all__ = ["copy_file", "sync_folder"]


_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def copy_file(path: Path, target: Path) -> None:
    """Copies the SQLite journal at ``path`` to ``target``, by SQLite's own way, which sees one state of it. What
    killed processes have left in the folder of ``target`` is removed.

    Raises: JournalError FM804 where ``path`` is damaged; sqlite3.Error, OSError; ``target`` is as it was.
    """
    part = part_of(target)
    remove_left(target.parent)
    try:
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(part)) as copy:
            try:
                source.backup(copy)
                # One file, whatever the mode of the original, and what is in it is what was read.
                copy.execute("PRAGMA journal_mode=DELETE")
                found = str(copy.execute("PRAGMA quick_check(1)").fetchone()[0])
            except sqlite3.DatabaseError as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGED:
                    raise
                found = error.sqlite_errorname
        if found != "ok":
            raise JournalError("FM804", journal=str(path), reason="quick_check")
        descriptor = os.open(part, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        part.replace(target)
        sync_folder(target.parent)
    finally:
        remove_part(part)


def sync_folder(folder: Path) -> None:
    """Makes sure that the names in it survive a loss of power, where the system can do that."""
    if os.name == "nt":  # pragma: no cover - a folder cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
