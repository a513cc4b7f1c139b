"""Statements for many rows: what SQLAlchemy would write, whatever the database."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from fhirmap.journal.row_statement import RowStatement, insert_into
from fhirmap.journal.schema import attempt, entry
from fhirmap.journal.states import EntryState

URLS = ["sqlite://", *filter(None, [os.environ.get("FHIRMAP_TEST_POSTGRESQL")])]


@pytest.fixture(params=URLS, ids=lambda url: url.partition(":")[0])
def connection(request: pytest.FixtureRequest) -> Iterator[sa.Connection]:
    engine = sa.create_engine(request.param)
    with engine.connect() as opened, opened.begin() as transaction:
        yield opened
        transaction.rollback()
    engine.dispose()


def a_table() -> sa.Table:
    return sa.Table(
        f"t{uuid.uuid4().hex}",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("state", entry.c.state.type.copy(), nullable=False),
        sa.Column("flag", sa.Boolean, nullable=False, default=False),
        sa.Column("body", sa.LargeBinary, nullable=False, default=b""),
        sa.Column("share", sa.Float, nullable=False, default=0.5),
        sa.Column("at", sa.Float),
    )


def test_rows_are_inserted_with_defaults_and_common_values(connection: sa.Connection) -> None:
    table = a_table()
    table.create(connection)
    rows = [{"text": "é 100 %", "flag": True, "body": b"\0a"}, {"text": ":x", "flag": False, "body": b""}]
    insert_into(table).execute(connection, rows, {"state": EntryState.READY})
    found = connection.execute(sa.select(table).order_by(table.c.id)).all()
    assert [tuple(row) for row in found] == [
        (1, "é 100 %", EntryState.READY, True, b"\0a", 0.5, None),
        (2, ":x", EntryState.READY, False, b"", 0.5, None),
    ]


def test_rows_are_updated_each_by_its_own_values(connection: sa.Connection) -> None:
    table = a_table()
    table.create(connection)
    insert_into(table).execute(connection, [{"text": text, "state": EntryState.READY} for text in "ab"])
    new = {name: sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in ("text", "state", "flag")}
    change = RowStatement(sa.update(table).where(table.c.id == sa.bindparam("row")).values(new), {"new_flag": True})
    rows = [{"row": 2, "new_state": EntryState.SENDING}, {"row": 1, "new_state": EntryState.REFUSED}]
    change.execute(connection, rows, {"new_text": "c"})
    found = connection.execute(sa.select(table.c.text, table.c.state, table.c.flag).order_by(table.c.id)).all()
    assert [tuple(row) for row in found] == [("c", EntryState.REFUSED, True), ("c", EntryState.SENDING, True)]


def test_no_rows_are_no_statement(connection: sa.Connection) -> None:
    seen: list[Any] = []
    sa.event.listen(connection, "before_cursor_execute", lambda *given: seen.append(given[2]))
    insert_into(attempt).execute(connection, [])
    assert not seen
