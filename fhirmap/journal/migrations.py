"""From each version of the journal's tables to the next: one function for each, in `STEPS`, executed in one transaction
by `upgrade.py`.

A step knows the tables as they were then and never reads `schema.py`, which goes on changing. A new version is a
function at the end of `STEPS`, `schema.VERSION` one higher, and rows of the old version in `tests/journal/versions`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    and_,
    exists,
    false,
    func,
    insert,
    select,
    update,
)
from sqlalchemy import (
    text as sql_text,
)
from sqlalchemy.schema import CreateColumn, CreateIndex, DefaultClause

from fhirmap.journal.append_only import append_only

__all__ = ["STEPS", "Step", "add_columns"]

Step: TypeAlias = Callable[[Connection], None]
"""Changes the tables of one version to those of the next."""

Default: TypeAlias = str | int | bool
"""What a column holds where a row does not say."""

_ID = BigInteger().with_variant(Integer, "sqlite")


def add_columns(connection: Connection, table: str, *columns: Column[object]) -> None:
    """Adds columns to a table that has rows: each is nullable or has a ``server_default``."""
    holder = Table(table, MetaData(), *columns)
    for column in holder.columns:
        written = CreateColumn(column).compile(dialect=connection.dialect)
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {written}")


def _set_defaults(
    connection: Connection, table: str, defaults: Mapping[str, Default], dropped: Collection[str] = ()
) -> None:
    """Gives columns of a table their defaults, and drops others. SQLite cannot do that to a table that is there: its
    rows are copied to a new one, which takes its name."""
    if connection.dialect.name != "sqlite":
        for name, value in defaults.items():
            default = _default(connection, value)
            connection.exec_driver_sql(f"ALTER TABLE {table} ALTER COLUMN {_quoted(name)} SET DEFAULT {default}")
        for name in dropped:
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN {_quoted(name)}")
        return
    known = MetaData()
    before = Table(table, known, autoload_with=connection)
    kept = [column for column in before.columns if column.name not in dropped]
    after = before.to_metadata(known, name="fhirmap_being_migrated")
    indexes = [CreateIndex(index) for index in before.indexes]
    after.indexes.clear()
    for name in dropped:
        after._columns.remove(after.columns[name])
    for name, value in defaults.items():
        after.columns[name].server_default = DefaultClause(sql_text(_default(connection, value)))
    after.create(connection)
    names = [column.name for column in kept]
    connection.execute(insert(after).from_select(names, select(*kept), include_defaults=False))
    before.drop(connection)
    connection.exec_driver_sql(f"ALTER TABLE {after.name} RENAME TO {table}")
    for index in indexes:
        connection.execute(index)


def _default(connection: Connection, value: Default) -> str:
    if isinstance(value, bool):
        return str(false().compile(dialect=connection.dialect)) if not value else "true"
    return f"'{value}'" if isinstance(value, str) else str(value)


def _quoted(name: str) -> str:
    return f'"{name}"'


# ---- from 1 to 2 -----------------------------------------------------------------------------------------------------


def _identifiers_and_withdrawals(connection: Connection) -> None:
    """What was read, beside what was sent; every identifier; withdrawals. Of what was read before nothing is known."""
    no_bytes = "X''" if connection.dialect.name == "sqlite" else "''"
    add_columns(
        connection,
        "fhirmap_entry",
        Column("read_at", Float, nullable=False, server_default="0"),
        Column("source", String(200), nullable=False, server_default=""),
        Column("read_digest", String(32), nullable=False, server_default=""),
        Column("read_layout", String(32), nullable=False, server_default=""),
        Column("held", Boolean, nullable=False, server_default=false()),
        Column("read_parts", LargeBinary, nullable=False, server_default=sql_text(no_bytes)),
    )
    tables = MetaData()
    entry = Table("fhirmap_entry", tables, autoload_with=connection)
    layout = Table(
        "fhirmap_layout",
        tables,
        Column("digest", String(32), primary_key=True),
        Column("columns", Text, nullable=False),
    )
    identifier = Table(
        "fhirmap_identifier",
        tables,
        Column("id", _ID, primary_key=True, autoincrement=True),
        Column("establishment", String(200), nullable=False),
        Column("operation", String(200), nullable=False),
        Column("key", String(500), nullable=False),
        Column("system", Text, nullable=False, server_default=""),
        Column("value", Text, nullable=False),
        Column("entry_id", _ID, ForeignKey("fhirmap_entry.id"), nullable=False),
        Column("run_id", _ID, nullable=False),
        Column("at", Float, nullable=False),
        Column("is_shared", Boolean, nullable=False, server_default=false()),
    )
    Index("fhirmap_identifier_key", identifier.c.establishment, identifier.c.operation, identifier.c.key)
    Index("fhirmap_identifier_value", identifier.c.establishment, identifier.c.operation, identifier.c.value)
    withdrawal = Table(
        "fhirmap_withdrawal",
        tables,
        Column("id", _ID, primary_key=True, autoincrement=True),
        Column("establishment", String(200), nullable=False),
        Column("operation", String(200), nullable=False),
        Column("key", String(500), nullable=False),
        Column("cause", String(20), nullable=False),
        Column("run_id", _ID, nullable=False),
        Column("at", Float, nullable=False),
        Column("acknowledged_at", Float),
        Column("acknowledged_by", String(200), nullable=False, server_default=""),
        Column("why", Text, nullable=False, server_default=""),
        Column("ended_at", Float),
    )
    Index("fhirmap_withdrawal_key", withdrawal.c.establishment, withdrawal.c.operation, withdrawal.c.key)
    for table in (layout, identifier, withdrawal):
        table.create(connection)
    _note_identifiers(connection, entry, identifier)


def _note_identifiers(connection: Connection, entry: Table, identifier: Table) -> None:
    given = (
        entry.c.establishment,
        entry.c.operation,
        entry.c.key,
        entry.c.identifier_system,
        entry.c.identifier_value,
    )
    first = func.min(entry.c.id)
    query = (
        select(*given, first, func.max(entry.c.settled_run), func.min(entry.c.changed_at))
        .where(entry.c.identifier_value != "")
        .group_by(*given)
        .order_by(first)
    )
    names = ["establishment", "operation", "key", "system", "value", "entry_id", "run_id", "at"]
    connection.execute(insert(identifier).from_select(names, query, include_defaults=False))
    other = identifier.alias()
    same = and_(*(other.c[name] == identifier.c[name] for name in ("establishment", "operation", "system", "value")))
    earlier = exists().where(same, other.c.key != identifier.c.key, other.c.id < identifier.c.id)
    connection.execute(update(identifier).where(earlier).values(is_shared=True))


# ---- from 2 to 3 -----------------------------------------------------------------------------------------------------


def _settled_doubts(connection: Connection) -> None:
    """Who has settled a doubt; whether the map withdrew a record."""
    add_columns(
        connection,
        "fhirmap_entry",
        Column("doubt_settled_at", Float),
        Column("doubt_settled_by", String(200), nullable=False, server_default=""),
        Column("doubt_why", Text, nullable=False, server_default=""),
    )
    add_columns(connection, "fhirmap_withdrawal", Column("by_map", Boolean, nullable=False, server_default=false()))


# ---- from 3 to 4 -----------------------------------------------------------------------------------------------------

_DEFAULTS: Mapping[str, Mapping[str, Default]] = {
    "fhirmap_run": {"map_digest": "", "read": 0, "repeated": 0, "counts": "{}"},
    "fhirmap_entry": {
        **dict.fromkeys(("limit_key", "request_key", "origin", "code", "identifier_system", "identifier_value"), ""),
        **dict.fromkeys(("lease", "archive", "source", "read_digest", "read_layout"), ""),
        **dict.fromkeys(("notes", "faults", "issues"), "[]"),
        **dict.fromkeys(("not_before", "attempts", "last_attempt", "status", "lease_until"), 0),
        **dict.fromkeys(("read_run", "settled_run", "read_at"), 0),
        **dict.fromkeys(("in_doubt", "held"), False),
        **dict.fromkeys(("doubt_settled_by", "doubt_why"), ""),
    },
    "fhirmap_attempt": {"code": "", "status": 0, "duration_s": 0, "issues": "[]"},
    "fhirmap_identifier": {"system": "", "is_shared": False},
    "fhirmap_withdrawal": {"by_map": False, "acknowledged_by": "", "why": ""},
}
"""Until then the program gave them, since then the database does."""


def _payloads_of_their_own(connection: Connection) -> None:
    """Payloads in a table of their own; what a run has given up."""
    add_columns(connection, "fhirmap_entry", Column("is_given_up", Boolean, nullable=False, server_default=false()))
    tables = MetaData()
    entry = Table("fhirmap_entry", tables, autoload_with=connection)
    payload = Table(
        "fhirmap_payload",
        tables,
        Column("entry_id", _ID, ForeignKey("fhirmap_entry.id"), primary_key=True, autoincrement=False),
        Column("payload", LargeBinary, nullable=False),
    )
    payload.create(connection)
    sent = select(entry.c.id, entry.c.payload).where(entry.c.digest != "")
    connection.execute(insert(payload).from_select(["entry_id", "payload"], sent, include_defaults=False))
    connection.exec_driver_sql("DROP INDEX fhirmap_entry_due")
    for name, defaults in _DEFAULTS.items():
        _set_defaults(connection, name, defaults, dropped=["payload"] if name == "fhirmap_entry" else ())
    columns = "establishment, operation, state, is_current, is_given_up, not_before, id"
    connection.exec_driver_sql(f"CREATE INDEX fhirmap_entry_due ON fhirmap_entry ({columns})")


# ---- from 4 to 5 -----------------------------------------------------------------------------------------------------


def _made_by(connection: Connection) -> None:
    """What makes an entry."""
    add_columns(connection, "fhirmap_entry", Column("made_by", String(32), nullable=False, server_default=""))


# ---- from 5 to 6 -----------------------------------------------------------------------------------------------------


def _sealed_and_purged(connection: Connection) -> None:
    """By which key payloads and bodies are encrypted; when they were deleted."""
    add_columns(connection, "fhirmap_entry", Column("purged_at", Float))
    for table in ("fhirmap_payload", "fhirmap_attempt"):
        add_columns(connection, table, Column("sealed_by", String(16), nullable=False, server_default=""))
    key = Table(
        "fhirmap_key", MetaData(), Column("id", String(16), primary_key=True), Column("at", Float, nullable=False)
    )
    key.create(connection)


# ---- from 6 to 7 -----------------------------------------------------------------------------------------------------


def _audit_log(connection: Connection) -> None:
    """The audit log, which begins after the runs that there are."""
    tables = MetaData()
    chain = Table(
        "fhirmap_audit_chain",
        tables,
        Column("id", _ID, primary_key=True, autoincrement=False),
        Column("chain", String(32), nullable=False, unique=True),
        Column("length", _ID, nullable=False),
        Column("head", String(64), nullable=False),
        Column("seal", String(64), nullable=False),
    )
    audit = Table(
        "fhirmap_audit",
        tables,
        Column("chain", String(32), primary_key=True),
        Column("seq", _ID, primary_key=True, autoincrement=False),
        Column("at", Float, nullable=False),
        Column("act", String(30), nullable=False),
        Column("body", Text, nullable=False),
        Column("prev", String(64), nullable=False),
        Column("digest", String(64), nullable=False),
    )
    for table in (chain, audit):
        table.create(connection)
    for statement in append_only(connection.dialect.name):
        connection.exec_driver_sql(statement)
    run = Table("fhirmap_run", tables, autoload_with=connection)
    meta = Table("fhirmap_meta", tables, autoload_with=connection)
    last = connection.execute(select(func.max(run.c.id))).scalar() or 0
    connection.execute(insert(meta).values(name="audit_from", value=str(last)))


# ---- from 7 to 8 -----------------------------------------------------------------------------------------------------


def _shared_by_workers(connection: Connection) -> None:
    """When the next call of a limit key may leave; how many records of a run another one has read since. Which keys are
    in use is said by the rows alone."""
    connection.exec_driver_sql("DROP TABLE fhirmap_key")
    add_columns(connection, "fhirmap_run", Column("reread", Integer, nullable=False, server_default=sql_text("0")))
    turn = Table(
        "fhirmap_turn",
        MetaData(),
        Column("receiver", String(500), primary_key=True),
        Column("limit_key", String(200), primary_key=True),
        Column("free_at", Float, nullable=False),
    )
    turn.create(connection)


# ---- from 8 to 9 -----------------------------------------------------------------------------------------------------


def _doubt_as_json(connection: Connection) -> None:
    """Why a journal may not know what was sent: ``older 2`` becomes JSON. One that was put in the place of another by
    this version has it already."""
    meta = Table("fhirmap_meta", MetaData(), autoload_with=connection)
    is_doubt = meta.c.name == "unconfirmed"
    found = connection.execute(select(meta.c.value).where(is_doubt)).scalar()
    if found is None or found.startswith("{"):
        return
    cause, _, runs = found.partition(" ")
    said = json.dumps({"cause": cause, "runs": int(runs) if runs.isdecimal() else 0})
    connection.execute(update(meta).where(is_doubt).values(value=said))


STEPS: tuple[Step, ...] = (
    _identifiers_and_withdrawals,
    _settled_doubts,
    _payloads_of_their_own,
    _made_by,
    _sealed_and_purged,
    _audit_log,
    _shared_by_workers,
    _doubt_as_json,
)
"""The first makes version 2 of version 1."""
