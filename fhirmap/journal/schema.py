"""The journal's tables, as SQLAlchemy Core. SQL in sight, no ORM.

`entry` holds one row for each (establishment, operation, record key, payload digest), and `payload` the bytes of those
that are sent, so that what becomes of an entry is written without them. A record without a payload to send (invalid,
out of scope) has the empty digest. `is_current` marks the row with what the source said last of its key; `is_given_up`
one that the run which sent it last sends no more. `read_digest`, `read_layout` and `read_parts` say what was read when
an entry was put last, without a value of it (`entries.ReadValues`); `layout` has the names of the columns of each
`read_layout`; `made_by` is that of `entries.Entry`; `purged_at` says when its payload and the bodies of its answers
were deleted. `sealed_by` names the key that encrypts a payload or a body (`sealing.py`). `attempt` is only ever
appended to: one row when a request is about to leave, one when its answer was read or is known to be lost.
`identifier` holds every identifier that a receiver ever gave to a key, `withdrawal` every time that an accepted record
was no longer declared. An entry is in doubt since an answer to one of its requests was lost, until somebody notes that
this is settled.
`audit` and `audit_chain` are the audit log (`audit_chain.py`), which is read as it is stored.
`turn` says when the next call of a limit key may leave for a receiver, whoever makes it.
Times are seconds since the epoch (UTC), as floats.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    false,
)
from sqlalchemy import (
    text as sql_text,
)

from fhirmap.journal.append_only import append_only
from fhirmap.journal.states import ArchiveState, AttemptEvent, EntryState, WithdrawalCause
from fhirmap.journal.stored_cells import Bytes, Count, KeptText, Seconds, Words

__all__ = [
    "VERSION",
    "attempt",
    "audit",
    "audit_chain",
    "checkpoint",
    "entry",
    "identifier",
    "layout",
    "meta",
    "metadata",
    "payload",
    "run",
    "turn",
    "withdrawal",
]

VERSION = 9
"""Of the tables below. A journal of another version is refused, never guessed at."""

metadata = MetaData()


_ID = BigInteger().with_variant(Integer, "sqlite")
_NUMBER = Count(wide=True)
_ZERO = sql_text("0")

meta = Table(
    "fhirmap_meta",
    metadata,
    Column("name", KeptText(60), primary_key=True),
    Column("value", KeptText(), nullable=False),
)

run = Table(
    "fhirmap_run",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("establishment", KeptText(200), nullable=False),
    Column("operation", KeptText(200), nullable=False),
    Column("started_at", Seconds(), nullable=False),
    Column("finished_at", Seconds()),
    Column("map_digest", KeptText(64), nullable=False, server_default=""),
    Column("read", Count(), nullable=False, server_default=_ZERO),
    Column("repeated", Count(), nullable=False, server_default=_ZERO),
    Column("reread", Count(), nullable=False, server_default=_ZERO),
    Column("exit_code", Count()),
    Column("counts", KeptText(), nullable=False, server_default="{}"),
)

entry = Table(
    "fhirmap_entry",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("establishment", KeptText(200), nullable=False),
    Column("operation", KeptText(200), nullable=False),
    Column("key", KeptText(500, is_key=True), nullable=False),
    Column("digest", KeptText(64), nullable=False),
    Column("state", Words(EntryState, EntryState.UNREADABLE, 20), nullable=False),
    Column("is_current", Boolean, nullable=False),
    Column("limit_key", KeptText(200), nullable=False, server_default=""),
    Column("request_key", KeptText(100), nullable=False, server_default=""),
    Column("origin", KeptText(), nullable=False, server_default=""),
    Column("notes", KeptText(), nullable=False, server_default="[]"),
    Column("faults", KeptText(), nullable=False, server_default="[]"),
    Column("first_seen_at", Seconds(), nullable=False),
    Column("changed_at", Seconds(), nullable=False),
    Column("not_before", Seconds(), nullable=False, server_default=_ZERO),
    Column("attempts", Count(), nullable=False, server_default=_ZERO),
    Column("last_attempt", _NUMBER, nullable=False, server_default=_ZERO),
    Column("code", KeptText(10), nullable=False, server_default=""),
    Column("status", Count(), nullable=False, server_default=_ZERO),
    Column("issues", KeptText(), nullable=False, server_default="[]"),
    Column("identifier_system", KeptText(), nullable=False, server_default=""),
    Column("identifier_value", KeptText(), nullable=False, server_default=""),
    Column("in_doubt", Boolean, nullable=False, server_default=false()),
    Column("doubt_settled_at", Seconds()),
    Column("doubt_settled_by", KeptText(200), nullable=False, server_default=""),
    Column("doubt_why", KeptText(), nullable=False, server_default=""),
    Column("is_given_up", Boolean, nullable=False, server_default=false()),
    Column("lease", KeptText(80), nullable=False, server_default=""),
    Column("lease_until", Seconds(), nullable=False, server_default=_ZERO),
    Column("archive", Words(ArchiveState, ArchiveState.UNREADABLE, 10), nullable=False, server_default=""),
    Column("read_run", _NUMBER, nullable=False, server_default=_ZERO),
    Column("settled_run", _NUMBER, nullable=False, server_default=_ZERO),
    Column("read_at", Seconds(), nullable=False, server_default=_ZERO),
    Column("source", KeptText(200), nullable=False, server_default=""),
    Column("read_digest", KeptText(32), nullable=False, server_default=""),
    Column("read_layout", KeptText(32), nullable=False, server_default=""),
    Column("made_by", KeptText(32), nullable=False, server_default=""),
    Column("held", Boolean, nullable=False, server_default=false()),
    Column("read_parts", Bytes(), nullable=False),
    Column("purged_at", Seconds()),
    UniqueConstraint("establishment", "operation", "key", "digest", name="fhirmap_entry_identity"),
)
Index(
    "fhirmap_entry_due",
    entry.c.establishment,
    entry.c.operation,
    entry.c.state,
    entry.c.is_current,
    entry.c.is_given_up,
    entry.c.not_before,
    entry.c.id,
)
Index("fhirmap_entry_archive", entry.c.establishment, entry.c.operation, entry.c.archive, entry.c.id)
Index("fhirmap_entry_run", entry.c.read_run)

payload = Table(
    "fhirmap_payload",
    metadata,
    Column("entry_id", _ID, ForeignKey("fhirmap_entry.id"), primary_key=True, autoincrement=False),
    Column("payload", Bytes(), nullable=False),
    Column("sealed_by", KeptText(16), nullable=False, server_default=""),
)

attempt = Table(
    "fhirmap_attempt",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("entry_id", _ID, ForeignKey("fhirmap_entry.id"), nullable=False, index=True),
    Column("run_id", _NUMBER, nullable=False),
    Column("number", Count(), nullable=False),
    Column("event", Words(AttemptEvent, AttemptEvent.UNREADABLE, 10), nullable=False),
    Column("at", Seconds(), nullable=False),
    Column("state", Words(EntryState, EntryState.UNREADABLE, 20), nullable=False),
    Column("code", KeptText(10), nullable=False, server_default=""),
    Column("status", Count(), nullable=False, server_default=_ZERO),
    Column("duration_s", Seconds(), nullable=False, server_default=_ZERO),
    Column("issues", KeptText(), nullable=False, server_default="[]"),
    Column("body", Bytes(), nullable=False),
    Column("sealed_by", KeptText(16), nullable=False, server_default=""),
)

checkpoint = Table(
    "fhirmap_checkpoint",
    metadata,
    Column("establishment", KeptText(200), primary_key=True),
    Column("operation", KeptText(200), primary_key=True),
    Column("name", KeptText(200), primary_key=True),
    Column("value", KeptText(), nullable=False),
    Column("at", Seconds(), nullable=False),
)

turn = Table(
    "fhirmap_turn",
    metadata,
    Column("receiver", KeptText(500), primary_key=True),
    Column("limit_key", KeptText(200), primary_key=True),
    Column("free_at", Seconds(), nullable=False),
)

layout = Table(
    "fhirmap_layout",
    metadata,
    Column("digest", KeptText(32), primary_key=True),
    Column("columns", KeptText(), nullable=False),
)

identifier = Table(
    "fhirmap_identifier",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("establishment", KeptText(200), nullable=False),
    Column("operation", KeptText(200), nullable=False),
    Column("key", KeptText(500, is_key=True), nullable=False),
    Column("system", KeptText(), nullable=False, server_default=""),
    Column("value", KeptText(), nullable=False),
    Column("entry_id", _ID, ForeignKey("fhirmap_entry.id"), nullable=False),
    Column("run_id", _NUMBER, nullable=False),
    Column("at", Seconds(), nullable=False),
    Column("is_shared", Boolean, nullable=False, server_default=false()),
)
Index("fhirmap_identifier_key", identifier.c.establishment, identifier.c.operation, identifier.c.key)
Index("fhirmap_identifier_value", identifier.c.establishment, identifier.c.operation, identifier.c.value)

withdrawal = Table(
    "fhirmap_withdrawal",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("establishment", KeptText(200), nullable=False),
    Column("operation", KeptText(200), nullable=False),
    Column("key", KeptText(500, is_key=True), nullable=False),
    Column("cause", Words(WithdrawalCause, WithdrawalCause.UNREADABLE, 20), nullable=False),
    Column("by_map", Boolean, nullable=False, server_default=false()),
    Column("run_id", _NUMBER, nullable=False),
    Column("at", Seconds(), nullable=False),
    Column("acknowledged_at", Seconds()),
    Column("acknowledged_by", KeptText(200), nullable=False, server_default=""),
    Column("why", KeptText(), nullable=False, server_default=""),
    Column("ended_at", Seconds()),
)
Index("fhirmap_withdrawal_key", withdrawal.c.establishment, withdrawal.c.operation, withdrawal.c.key)

audit_chain = Table(
    "fhirmap_audit_chain",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=False),
    Column("chain", String(32), nullable=False, unique=True),
    Column("length", _ID, nullable=False),
    Column("head", String(64), nullable=False),
    Column("seal", String(64), nullable=False),
)

audit = Table(
    "fhirmap_audit",
    metadata,
    Column("chain", String(32), primary_key=True),
    Column("seq", _ID, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("act", String(30), nullable=False),
    Column("body", Text, nullable=False),
    Column("prev", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
)


@event.listens_for(audit, "after_create")
def _refuse_changes(_table: Table, connection: Connection, **_settings: object) -> None:
    for statement in append_only(connection.dialect.name):
        connection.exec_driver_sql(statement)
