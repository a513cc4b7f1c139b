"""A record is of one state of the database, whatever is committed between the statements that read it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from fhirmap.errors import ConfigError
from fhirmap.source_plan import Child, ChildKind, RowLayout, SourceKind, SourcePlan
from fhirmap.sources import open_source
from tests.sources.conftest import Database, columns

KEY: dict[str, Any] = {"primary_key": True, "autoincrement": False}
COUNT = 30
TABLES = ("op", "pose", "acte", "labo")


def fill(database: Database, prefix: str) -> None:
    """An operation, two kinds of rows below it and one that another model joins, all of one version."""
    number = sa.Integer()
    for name in TABLES:
        cells = [sa.Column("id", number, **KEY), sa.Column("id_op", number), sa.Column("v", number)]
        database.fill(f"{prefix}{name}", cells, [{"id": n, "id_op": n, "v": 0} for n in range(1, COUNT + 1)])


def plan(prefix: str, zone: str = "") -> SourcePlan:
    shape = RowLayout("V", columns("v"))
    own = [Child(ChildKind.JOIN, name, name, shape, f"{prefix}{name}", (("id_op", "id"),)) for name in ("pose", "acte")]
    store = SourcePlan(SourceKind.TABLE, f"{prefix}labo", (), shape, zone=zone)
    own.append(Child(ChildKind.JOIN, "labo", "labo", shape, "labo", (("id_op", "id"),), store=store))
    return SourcePlan(SourceKind.TABLE, f"{prefix}op", ("id",), RowLayout("Op", columns("id", "v"), tuple(own)))


@contextmanager
def committed_between(database: Database, prefix: str) -> Iterator[list[int]]:
    """Before each statement of somebody else, a transaction raises the version of every row; how many there were."""
    done: list[int] = []

    def raise_versions(connection: sa.Connection, *_: object) -> None:
        if connection.engine is database.engine:
            return
        done.append(1)
        with database.engine.begin() as own:
            for name in TABLES:
                own.execute(sa.text(f"UPDATE {prefix}{name} SET v = v + 1"))

    sa.event.listen(sa.Engine, "before_cursor_execute", raise_versions)
    try:
        yield done
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", raise_versions)


@pytest.mark.parametrize("zone", ["", "Europe/Paris"])
def test_parents_children_and_joined_rows_are_of_one_state(database: Database, prefix: str, zone: str) -> None:
    if database.kind == "sqlite":
        # Without it, a reader keeps writers from committing: then nothing can change.
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    fill(database, prefix)
    with open_source(database.url, plan(prefix, zone)) as source:
        assert source.check() == []
        with committed_between(database, prefix) as done:
            records = list(source.records())
            assert len(done) >= 4
            seen = {
                version
                for record in records
                for version in (
                    record.values["v"],
                    *(row["v"] for name in ("pose", "acte", "labo") for row in record.values[name]),
                )
            }
            assert len(records) == COUNT
            assert len(seen) == 1
            # The next reading has a snapshot of its own.
            assert {record.values["v"] for record in source.records()} > seen or done


def test_two_readings_at_once_have_each_their_snapshot(database: Database, prefix: str) -> None:
    fill(database, prefix)
    own = plan(prefix)
    own = replace(own, shape=replace(own.shape, children=own.shape.children[:2]))
    with open_source(database.url, own) as source:
        first = source.records()
        next(first)
        second = list(source.records())
        assert len(second) == COUNT
        assert len(list(first)) == COUNT - 1


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_table_that_is_being_altered_is_not_taken_for_empty(
    database: Database, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL shows no row of a table that was rewritten after the snapshot."""
    fill(database, prefix)
    monkeypatch.setattr("fhirmap.sources.sql_snapshot._LOCK_MS", 200)
    with open_source(database.url, plan(prefix)) as source:
        assert source.check() == []
        records = source.records()
        next(records)
        with database.engine.connect() as other, pytest.raises(sa.exc.OperationalError):
            other.exec_driver_sql("SET lock_timeout = 100")
            other.exec_driver_sql(f"ALTER TABLE {prefix}pose ALTER v TYPE bigint")
        assert [len(record.values["pose"]) for record in records] == [1] * (COUNT - 1)
        with database.engine.connect() as other:
            other.exec_driver_sql(f"ALTER TABLE {prefix}pose ALTER v TYPE bigint")
            with pytest.raises(ConfigError) as caught:
                list(source.records())
            assert caught.value.code == "FM724"
            assert "altered" in str(caught.value)
            other.rollback()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_views_that_cannot_be_held_are_read(database: Database, prefix: str) -> None:
    fill(database, prefix)
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE VIEW {prefix}v AS SELECT * FROM {prefix}op")
        connection.exec_driver_sql(f"CREATE MATERIALIZED VIEW {prefix}m AS SELECT * FROM {prefix}op")
    try:
        for name in ("v", "m"):
            seen = SourcePlan(SourceKind.TABLE, f"{prefix}{name}", ("id",), RowLayout("Op", columns("id", "v")))
            with open_source(database.url, seen) as source:
                assert len(list(source.records())) == COUNT
    finally:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"DROP VIEW {prefix}v")
            connection.exec_driver_sql(f"DROP MATERIALIZED VIEW {prefix}m")


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
def test_a_table_that_was_altered_since_the_snapshot_stops_the_reading(database: Database, prefix: str) -> None:
    fill(database, prefix)

    altered: list[bool] = []

    def alter(connection: sa.Connection, _c: object, statement: str, *_: object) -> None:
        if connection.engine is not database.engine and statement.startswith("SELECT") and not altered:
            altered.append(True)
            with database.engine.begin() as own:
                own.exec_driver_sql(f"TRUNCATE TABLE {prefix}pose")

    with open_source(database.url, plan(prefix)) as source:
        assert source.check() == []
        sa.event.listen(sa.Engine, "before_cursor_execute", alter)
        try:
            with pytest.raises(ConfigError) as caught:
                list(source.records())
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", alter)
    assert caught.value.code == "FM724"
    assert "changed" in str(caught.value)
