"""The journal's tables, as SQLAlchemy Core: entry, attempt, run, checkpoint, meta. SQL in sight, no ORM.

`entry` holds one row for each (establishment, operation, record key, payload digest). A record without a payload to
send (invalid, out of scope) has the empty digest. `is_current` marks the row with what the source said last of its
key. `attempt` is only ever appended to: one row when a request is about to leave, one when its answer was read or is
known to be lost. Times are seconds since the epoch (UTC), as floats.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Enum,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from fhirmap.journal.states import ArchiveState, AttemptEvent, EntryState

__all__ = ["VERSION", "attempt", "checkpoint", "entry", "meta", "metadata", "run"]

VERSION = 1
"""Of the tables below. A journal of another version is refused, never guessed at."""

metadata = MetaData()


def _words(states: type[StrEnum], length: int) -> Enum:
    """A text column that holds the values of ``states``, and no others."""
    return Enum(
        states, native_enum=False, length=length, values_callable=lambda entries: [entry.value for entry in entries]
    )


_ID = BigInteger().with_variant(Integer, "sqlite")

meta = Table(
    "fhirmap_meta", metadata, Column("name", String(60), primary_key=True), Column("value", Text, nullable=False)
)

run = Table(
    "fhirmap_run",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("establishment", String(200), nullable=False),
    Column("operation", String(200), nullable=False),
    Column("started_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("map_digest", String(64), nullable=False, default=""),
    Column("read", Integer, nullable=False, default=0),
    Column("repeated", Integer, nullable=False, default=0),
    Column("exit_code", Integer),
    Column("counts", Text, nullable=False, default="{}"),
)

entry = Table(
    "fhirmap_entry",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("establishment", String(200), nullable=False),
    Column("operation", String(200), nullable=False),
    Column("key", String(500), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("state", _words(EntryState, 20), nullable=False),
    Column("is_current", Boolean, nullable=False),
    Column("payload", LargeBinary, nullable=False, default=b""),
    Column("limit_key", String(200), nullable=False, default=""),
    Column("request_key", String(100), nullable=False, default=""),
    Column("origin", Text, nullable=False, default=""),
    Column("notes", Text, nullable=False, default="[]"),
    Column("faults", Text, nullable=False, default="[]"),
    Column("first_seen_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
    Column("not_before", Float, nullable=False, default=0.0),
    Column("attempts", Integer, nullable=False, default=0),
    Column("last_attempt", _ID, nullable=False, default=0),
    Column("code", String(10), nullable=False, default=""),
    Column("status", Integer, nullable=False, default=0),
    Column("issues", Text, nullable=False, default="[]"),
    Column("identifier_system", Text, nullable=False, default=""),
    Column("identifier_value", Text, nullable=False, default=""),
    Column("in_doubt", Boolean, nullable=False, default=False),
    Column("lease", String(80), nullable=False, default=""),
    Column("lease_until", Float, nullable=False, default=0.0),
    Column("archive", _words(ArchiveState, 10), nullable=False, default=ArchiveState.NONE),
    Column("read_run", _ID, nullable=False, default=0),
    Column("settled_run", _ID, nullable=False, default=0),
    UniqueConstraint("establishment", "operation", "key", "digest", name="fhirmap_entry_identity"),
)
Index(
    "fhirmap_entry_due",
    entry.c.establishment,
    entry.c.operation,
    entry.c.state,
    entry.c.is_current,
    entry.c.not_before,
    entry.c.id,
)
Index("fhirmap_entry_archive", entry.c.establishment, entry.c.operation, entry.c.archive, entry.c.id)
Index("fhirmap_entry_run", entry.c.read_run)

attempt = Table(
    "fhirmap_attempt",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("entry_id", _ID, ForeignKey("fhirmap_entry.id"), nullable=False, index=True),
    Column("run_id", _ID, nullable=False),
    Column("number", Integer, nullable=False),
    Column("event", _words(AttemptEvent, 10), nullable=False),
    Column("at", Float, nullable=False),
    Column("state", _words(EntryState, 20), nullable=False),
    Column("code", String(10), nullable=False, default=""),
    Column("status", Integer, nullable=False, default=0),
    Column("duration_s", Float, nullable=False, default=0.0),
    Column("issues", Text, nullable=False, default="[]"),
    Column("body", LargeBinary, nullable=False, default=b""),
)

checkpoint = Table(
    "fhirmap_checkpoint",
    metadata,
    Column("establishment", String(200), primary_key=True),
    Column("operation", String(200), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("value", Text, nullable=False),
    Column("at", Float, nullable=False),
)
