"""The journal's tables, as SQLAlchemy Core. SQL in sight, no ORM.

`entry` holds one row for each (establishment, operation, record key, payload digest). A record without a payload to
send (invalid, out of scope) has the empty digest. `is_current` marks the row with what the source said last of its
key. `read_digest`, `read_layout` and `read_parts` say what was read when an entry was put last, without a value of it
(`entries.ReadValues`); `layout` has the names of the columns of each `read_layout`. `attempt` is only ever appended to:
one row when a request is about to leave, one when its answer was read or is known to be lost. `identifier` holds every
identifier that a receiver ever gave to a key, `withdrawal` every time that an accepted record was no longer declared.
An entry is in doubt since an answer to one of its requests was lost, until somebody notes that this is settled.
Times are seconds since the epoch (UTC), as floats.
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

from fhirmap.journal.states import ArchiveState, AttemptEvent, EntryState, WithdrawalCause

__all__ = [
    "VERSION",
    "attempt",
    "checkpoint",
    "entry",
    "identifier",
    "layout",
    "meta",
    "metadata",
    "run",
    "withdrawal",
]

VERSION = 3
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
    Column("doubt_settled_at", Float),
    Column("doubt_settled_by", String(200), nullable=False, default=""),
    Column("doubt_why", Text, nullable=False, default=""),
    Column("lease", String(80), nullable=False, default=""),
    Column("lease_until", Float, nullable=False, default=0.0),
    Column("archive", _words(ArchiveState, 10), nullable=False, default=ArchiveState.NONE),
    Column("read_run", _ID, nullable=False, default=0),
    Column("settled_run", _ID, nullable=False, default=0),
    Column("read_at", Float, nullable=False, default=0.0),
    Column("source", String(200), nullable=False, default=""),
    Column("read_digest", String(32), nullable=False, default=""),
    Column("read_layout", String(32), nullable=False, default=""),
    Column("held", Boolean, nullable=False, default=False),
    Column("read_parts", LargeBinary, nullable=False, default=b""),
    # last, so that a database reaches the others without reading it
    Column("payload", LargeBinary, nullable=False, default=b""),
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

layout = Table(
    "fhirmap_layout",
    metadata,
    Column("digest", String(32), primary_key=True),
    Column("columns", Text, nullable=False),
)

identifier = Table(
    "fhirmap_identifier",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("establishment", String(200), nullable=False),
    Column("operation", String(200), nullable=False),
    Column("key", String(500), nullable=False),
    Column("system", Text, nullable=False, default=""),
    Column("value", Text, nullable=False),
    Column("entry_id", _ID, ForeignKey("fhirmap_entry.id"), nullable=False),
    Column("run_id", _ID, nullable=False),
    Column("at", Float, nullable=False),
    Column("is_shared", Boolean, nullable=False, default=False),
)
Index("fhirmap_identifier_key", identifier.c.establishment, identifier.c.operation, identifier.c.key)
Index("fhirmap_identifier_value", identifier.c.establishment, identifier.c.operation, identifier.c.value)

withdrawal = Table(
    "fhirmap_withdrawal",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("establishment", String(200), nullable=False),
    Column("operation", String(200), nullable=False),
    Column("key", String(500), nullable=False),
    Column("cause", _words(WithdrawalCause, 20), nullable=False),
    Column("by_map", Boolean, nullable=False, default=False),
    Column("run_id", _ID, nullable=False),
    Column("at", Float, nullable=False),
    Column("acknowledged_at", Float),
    Column("acknowledged_by", String(200), nullable=False, default=""),
    Column("why", Text, nullable=False, default=""),
    Column("ended_at", Float),
)
Index("fhirmap_withdrawal_key", withdrawal.c.establishment, withdrawal.c.operation, withdrawal.c.key)
