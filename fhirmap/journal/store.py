"""Opening the journal's database: permissions, durability, and SQLAlchemy's exceptions turned into ours.

SQLite: WAL, ``synchronous=FULL`` (an acknowledged commit survives a power cut), each transaction opened by ``BEGIN
IMMEDIATE``, the files 0600. PostgreSQL: as the server is set up. No exception that leaves here quotes a statement's
parameters.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, exc, func, inspect, select
from sqlalchemy.engine import make_url

from fhirmap.errors import JournalError
from fhirmap.journal import schema
from fhirmap.journal.soundness import add_functions
from fhirmap.journal.tolerant_cursor import TolerantConnection
from fhirmap.texts import Text, os_reason

__all__ = [
    "UNREADABLE",
    "RunLock",
    "RunMark",
    "engine_of_any_version",
    "has_tables",
    "is_earlier",
    "open_engine",
    "server_clock",
    "shown_name",
    "translated",
    "version_of",
]


_LOGGING_NAME = "fhirmap-journal"
_QUIET = logging.NullHandler()


def open_engine(
    place: str | os.PathLike[str], *, create: bool = True, busy_timeout_s: float = 5.0, read_only: bool = False
) -> Engine:
    """An engine on the journal at ``place``, a path or a ``postgresql://`` URL, its tables there. ``read_only``:
    nothing is written, created or locked, and the tables may be absent.

    Raises: JournalError FM800 (cannot be opened), FM801 (locked), FM803 (disk full), FM804 (corrupt), FM805 (not
    writable), FM806 (of another version), FM807 (database server not reached).
    """
    name = shown_name(place)
    with translated(name):
        engine = engine_of_any_version(place, create=create, busy_timeout_s=busy_timeout_s, read_only=read_only)
        try:
            with engine.begin() as connection:
                if not read_only and engine.dialect.name == "postgresql":
                    # Of several processes that begin together one makes the tables.
                    connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(schema.meta.name))))
                _check_version(connection, name)
                if not read_only:
                    _prepare(connection)
        except BaseException:
            engine.dispose()
            raise
    return engine


def engine_of_any_version(
    place: str | os.PathLike[str], *, create: bool, busy_timeout_s: float = 5.0, read_only: bool = False
) -> Engine:
    """As `open_engine`, whatever the version of the tables: nothing is connected yet, and no table is made."""
    text = os.fspath(place)
    # Rows and parameters hold payloads. hide_parameters keeps them out of exceptions; the level keeps them out of the
    # log even where the root logger listens at DEBUG.
    # A connection that Ctrl-C meets is logged with a traceback where no handler is set up.
    logging.getLogger("sqlalchemy.pool").addHandler(_QUIET)
    logging.getLogger(f"sqlalchemy.engine.Engine.{_LOGGING_NAME}").setLevel(logging.WARNING)
    if "://" not in text:
        return _sqlite_engine(Path(text), create, busy_timeout_s, read_only)
    url = make_url(text)
    if url.get_backend_name() != "postgresql":
        raise JournalError("FM800", journal=shown_name(text), reason=Text("reasons.journal_kind"))
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(url, hide_parameters=True, logging_name=_LOGGING_NAME, pool_pre_ping=True)
    return engine.execution_options(postgresql_readonly=True) if read_only else engine


def _sqlite_engine(path: Path, create: bool, busy_timeout_s: float, read_only: bool) -> Engine:
    settings: dict[str, Any] = {"hide_parameters": True, "logging_name": _LOGGING_NAME}
    if read_only:
        engine = create_engine("sqlite://", creator=lambda: _sqlite_to_read(path, busy_timeout_s), **settings)
        event.listen(engine, "begin", _sqlite_begin_reading)
        return engine
    _private_file(path, create)
    connecting = {"timeout": busy_timeout_s, "factory": TolerantConnection}
    engine = create_engine(f"sqlite:///{path}", connect_args=connecting, **settings)
    event.listen(engine, "connect", _sqlite_connect)
    event.listen(engine, "begin", _sqlite_begin)
    event.listen(engine, "invalidate", _sqlite_let_go)
    return engine


def _sqlite_to_read(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """A connection that writes nothing. Without a log beside it no process has the journal open, and it is read as a
    file that does not change: SQLite would make files beside it otherwise, or fail where it cannot."""
    still = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
    uri = f"file:{quote(str(path.resolve()))}?mode=ro{still}"
    connection = sqlite3.connect(
        uri,
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,
        check_same_thread=False,
        factory=TolerantConnection,
    )
    add_functions(connection)
    return connection


def has_tables(engine: Engine) -> bool:
    """Are the journal's tables there?"""
    return inspect(engine).has_table(schema.meta.name)


def shown_name(place: str | os.PathLike[str]) -> str:
    """A path, or a URL without its password.

    Raises: JournalError FM800 for a text that is no URL of a database.
    """
    text = os.fspath(place)
    if "://" not in text:
        return text
    try:
        return make_url(text).render_as_string(hide_password=True)
    except exc.ArgumentError:
        raise JournalError(
            "FM800", journal=Text("reasons.journal_url"), reason=Text("reasons.not_database_url")
        ) from None


def _private_file(path: Path, create: bool) -> None:
    """Makes sure that the file exists and is readable by its owner alone, before a first byte is in it. SQLite gives
    ``-wal`` and ``-shm`` the mode of the main file."""
    flags = os.O_RDWR | (os.O_CREAT if create else 0)
    descriptor = os.open(path, flags, 0o600)
    try:
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
    for suffix in ("-wal", "-shm"):
        side = path.with_name(path.name + suffix)
        if side.exists():
            side.chmod(0o600)


def _sqlite_connect(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions are opened by _sqlite_begin alone
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
    add_functions(connection)


def _sqlite_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _sqlite_let_go(connection: sqlite3.Connection, *_: object) -> None:
    """SQLAlchemy closes a connection that is interrupted, with what it has begun. SQLite keeps its lock as long as a
    statement of it is remembered, which the interruption's traceback does."""
    connection.rollback()


def _sqlite_begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _check_version(connection: Connection, name: str) -> None:
    """Before anything of a journal of another version is touched."""
    found = version_of(connection)
    if found not in (None, str(schema.VERSION)):
        variant = ""
        if is_earlier(found):
            variant = "earlier" if connection.dialect.name == "sqlite" else "earlier_on_server"
        raise JournalError("FM806", variant=variant, journal=name, found=found, expected=schema.VERSION)


def version_of(connection: Connection) -> str | None:
    """The version of the tables that are there, as it is written; None where there are none."""
    if not inspect(connection).has_table(schema.meta.name):
        return None
    found = connection.execute(_VERSION).scalar()
    return None if found is None else str(found)


_LOOKS_AT_CLOCK = 12
"""The shortest way there and back says the time best."""


def server_clock(engine: Engine) -> Callable[[], float]:
    """The time of the database's server, which all its workers have in common, whatever their machines say."""
    asked = select(func.extract("epoch", func.clock_timestamp()))
    found: list[tuple[float, float]] = []
    with engine.connect() as connection:
        for _ in range(_LOOKS_AT_CLOCK):
            before = time.monotonic()
            there = float(connection.execute(asked).scalar_one())
            after = time.monotonic()
            found.append((after - before, there - (before + after) / 2))
    _, offset = min(found)
    return lambda: time.monotonic() + offset


def is_earlier(version: str) -> bool:
    """Is it one that `migrations` starts from?"""
    return version.isascii() and version.isdecimal() and 1 <= int(version) < schema.VERSION


def _prepare(connection: Connection) -> None:
    schema.metadata.create_all(connection)
    if connection.execute(_VERSION).scalar() is None:
        connection.execute(schema.meta.insert().values(name="version", value=str(schema.VERSION)))


_VERSION = select(schema.meta.c.value).where(schema.meta.c.name == "version")


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turns what the database or the file system raises into a `JournalError` about the journal ``name``."""
    try:
        yield
    except exc.DBAPIError as error:
        raise _journal_error(error.orig, name) from None
    except exc.SQLAlchemyError as error:
        raise JournalError("FM800", journal=name, reason=type(error).__name__) from None
    except (sqlite3.Error, OSError) as error:
        raise _journal_error(error, name) from None


_SQLITE_CODES = {
    sqlite3.SQLITE_BUSY: "FM801",
    sqlite3.SQLITE_LOCKED: "FM801",
    sqlite3.SQLITE_FULL: "FM803",
    sqlite3.SQLITE_CORRUPT: "FM804",
    sqlite3.SQLITE_NOTADB: "FM804",
    sqlite3.SQLITE_READONLY: "FM805",
    sqlite3.SQLITE_PERM: "FM805",
}
_OS_CODES = {errno.ENOSPC: "FM803", errno.EDQUOT: "FM803", errno.EROFS: "FM805", errno.EACCES: "FM805"}


def _journal_error(error: BaseException | None, name: str) -> JournalError:
    if isinstance(error, sqlite3.Error):
        # the low byte is the primary result code, the rest its refinement
        found = getattr(error, "sqlite_errorcode", 0)
        # of this refinement SQLite's documentation says that the disk is full
        code = "FM803" if found == sqlite3.SQLITE_IOERR_SHMSIZE else _SQLITE_CODES.get(found & 0xFF, "FM800")
        reason = getattr(error, "sqlite_errorname", type(error).__name__)
        return JournalError(code, journal=name, reason=reason)
    if isinstance(error, OSError):
        code = _OS_CODES.get(error.errno or 0, "FM800")
        return JournalError(code, journal=name, reason=os_reason(error))
    state = getattr(error, "sqlstate", None) or ""
    if state == "53100":
        return JournalError("FM803", journal=name, reason="disk_full")
    if not state or state.startswith(("08", "28", "3D", "57P")):
        return JournalError("FM807", journal=name, reason=state or type(error).__name__)
    return JournalError("FM800", journal=name, reason=f"{type(error).__name__} {state}")


class RunMark(NamedTuple):
    """Which journal a run worked with, the number of that run, and that of the journal's last attempt, which `purge`
    keeps. The later of two marks of one journal is the greater one."""

    journal: str
    run: int
    attempt: int = 0


UNREADABLE = RunMark("", 0)
"""A run was here, and what it left cannot be read."""
_MARK_BYTES = 1000
_ASKED_S = 0.05
_LOCKED = (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)


class RunLock:
    """Only one run at a time on a SQLite journal, or in a folder of results: an advisory lock on a file next to it,
    which the system drops when the process dies."""

    def __init__(self, journal_path: Path) -> None:
        self._journal = str(journal_path)
        self._path = journal_path.with_name(journal_path.name + ".lock")
        self._file: IO[bytes] | None = None

    def acquire(self) -> None:
        """Raises: JournalError FM802 where another run holds it."""
        with translated(self._journal):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            self._file = os.fdopen(descriptor, "r+b")
        for last in (False, True):
            try:
                _lock(self._file)
                return
            except OSError:
                if last:
                    self._file.close()
                    self._file = None
                    raise JournalError("FM802", journal=self._journal) from None
            time.sleep(_ASKED_S)  # somebody may only have asked whether it is held

    @property
    def is_held(self) -> bool:
        """Does some run hold it? Nothing is made for the question, and a run that begins meanwhile asks once more. Of
        a file that may not be read, as of none, nothing is known."""
        try:
            file = self._path.open("rb")
        except OSError:
            return False
        with file:
            try:
                _lock(file)
            except OSError as error:
                return error.errno in _LOCKED
        return False

    def mark(self) -> RunMark | None:
        """What the last run left here; None where there was none (the file is empty), `UNREADABLE` where the file holds
        something else."""
        assert self._file is not None
        with translated(self._journal):
            self._file.seek(0)
            content = self._file.read(_MARK_BYTES)
        if not content:
            return None
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            return UNREADABLE
        match found:
            # a version that noted no attempts may have been here
            case {"journal": str(journal), "run": int(run)}:
                attempt = found.get("attempt", 0)
                return RunMark(journal, run, attempt) if journal and isinstance(attempt, int) else UNREADABLE
            case _:
                return UNREADABLE

    def leave(self, mark: RunMark) -> None:
        """Says which journal is worked with.

        Raises: JournalError FM800, FM803.
        """
        assert self._file is not None
        with translated(self._journal):
            self._file.seek(0)
            self._file.write(f"{json.dumps(mark._asdict())}\n".encode())
            self._file.truncate()
            self._file.flush()
            os.fsync(self._file.fileno())

    def release(self) -> None:
        """Lets the next run in."""
        if self._file is not None:
            self._file.close()
            self._file = None


if os.name == "nt":  # pragma: no cover
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
