"""Statements for many rows: what SQLAlchemy would write, whatever the database."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from fhirmap.journal.row_statement import insert_into, next_numbers, update_of
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
        sa.Column("flag", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("body", sa.LargeBinary),
        sa.Column("share", sa.Float, nullable=False, server_default=sa.text("0.5")),
        sa.Column("at", sa.Float),
    )


def test_rows_are_inserted_with_defaults(connection: sa.Connection) -> None:
    table = a_table()
    table.create(connection)
    rows = [("ready", "é 100 %", True, b"\0a"), ("ready", ":x", False, b"")]
    insert_into(table, "state", "text", "flag", "body").execute(connection, rows)
    insert_into(table, "text", "state").execute(connection, [("?", "sending")])
    found = connection.execute(sa.select(table).order_by(table.c.id)).all()
    assert [tuple(row) for row in found] == [
        (1, "é 100 %", EntryState.READY, True, b"\0a", 0.5, None),
        (2, ":x", EntryState.READY, False, b"", 0.5, None),
        (3, "?", EntryState.SENDING, False, None, 0.5, None),
    ]


def test_rows_are_updated_each_by_its_own_values(connection: sa.Connection) -> None:
    table = a_table()
    table.create(connection)
    insert_into(table, "text", "state").execute(connection, [(text, "ready") for text in "ab"])
    update_of(table, "state", "flag", "text").execute(
        connection, [("sending", True, "c", 2), ("refused", True, "d", 1)]
    )
    found = connection.execute(sa.select(table.c.text, table.c.state, table.c.flag).order_by(table.c.id)).all()
    assert [tuple(row) for row in found] == [("d", EntryState.REFUSED, True), ("c", EntryState.SENDING, True)]


def test_one_value_a_row_is_enough(connection: sa.Connection) -> None:
    table = sa.Table(f"t{uuid.uuid4().hex}", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))
    table.create(connection)
    insert_into(table, "id").execute(connection, [(3,), (1,)])
    assert list(connection.execute(sa.select(table.c.id).order_by(table.c.id)).scalars()) == [1, 3]


def test_numbers_of_rows_to_come_are_new_and_rise(connection: sa.Connection) -> None:
    table = a_table()
    table.create(connection)
    assert list(next_numbers(connection, table, 0)) == []
    first = list(next_numbers(connection, table, 3))
    insert_into(table, "id", "text", "state").execute(connection, [(number, "a", "ready") for number in first])
    second = list(next_numbers(connection, table, 2))
    assert first + second == sorted({*first, *second})
    # A row that takes its number from the database comes after those that were given.
    insert_into(table, "id", "text", "state").execute(connection, [(number, "b", "ready") for number in second])
    connection.execute(sa.insert(table).values(text="c", state=EntryState.READY))
    assert list(connection.execute(sa.select(table.c.text).order_by(table.c.id)).scalars()) == [*"aaa", *"bb", "c"]


def test_no_rows_are_no_statement(connection: sa.Connection) -> None:
    seen: list[Any] = []
    sa.event.listen(connection, "before_cursor_execute", lambda *given: seen.append(given[2]))
    insert_into(attempt, "entry_id").execute(connection, [])
    assert not seen
