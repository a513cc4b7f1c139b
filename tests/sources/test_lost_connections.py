"""A server that is lost, or silent, while it is read: the reading ends with its code, and shows nothing secret."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import pytest
import sqlalchemy as sa

from fhirmap.errors import ConfigError
from fhirmap.source_plan import Child, ChildKind, RowLayout, SourceKind, SourcePlan
from fhirmap.sources import open_source
from tests.sources.conftest import Database, columns
from tests.sources.gate import gate_to

COUNT, LONG = 1200, 8000
servers = pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)


@pytest.fixture(autouse=True)
def _nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Any:
    """What SQLAlchemy logs of errors would be on the screen, where no one has set up logging."""
    caplog.set_level(logging.WARNING)
    yield
    assert caplog.records == []


def fill(database: Database, prefix: str) -> SourcePlan:
    """More rows than buffers on the way hold."""
    key: dict[str, Any] = {"primary_key": True, "autoincrement": False}
    number = sa.Integer()
    rows = [{"id": n, "v": "x" * LONG} for n in range(COUNT)]
    database.fill(f"{prefix}op", [sa.Column("id", number, **key), sa.Column("v", sa.Text())], rows)
    database.fill(
        f"{prefix}p", [sa.Column("id", number, **key), sa.Column("v", sa.Text())], [{"id": n, "v": "y"} for n in (1, 2)]
    )
    child = Child(ChildKind.JOIN, "p", "p", RowLayout("P", columns("v")), f"{prefix}p", (("id", "id"),))
    return SourcePlan(SourceKind.TABLE, f"{prefix}op", ("id",), RowLayout("Op", columns("id", "v"), (child,)))


def lost(url: sa.URL, plan: SourcePlan, read: int = 10) -> ConfigError:
    with open_source(url.render_as_string(hide_password=False), plan) as source:
        assert source.check() == []
        with pytest.raises(ConfigError) as caught:
            assert len(list(source.records())) < read
    assert "s3cret" not in str(caught.value) + repr(caught.value.diagnostic())
    return caught.value


@servers
def test_a_connection_that_is_cut(database: Database, prefix: str) -> None:
    plan = fill(database, prefix)
    with gate_to(database.url) as (gate, url):
        secret = url.set(password="s3cret") if database.kind == "postgresql" else url
        gate.most = 300_000
        found = lost(secret, plan)
        assert (found.code, "closed the connection" in str(found)) == ("FM724", True)
        gate.most = None
        with open_source(url.render_as_string(hide_password=False), plan) as source:
            assert len(list(source.records())) == COUNT


@servers
def test_a_server_that_is_silent(database: Database, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = fill(database, prefix)
    monkeypatch.setattr("fhirmap.sources.sql_engine._ANSWER_S", 0.5)
    with gate_to(database.url) as (gate, url):
        gate.most, gate.is_silent = 300_000, True
        found = lost(url, plan)
        assert (found.code, "did not answer" in str(found)) == ("FM724", True)


@servers
def test_a_server_that_is_silent_before_the_first_row(
    database: Database, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = fill(database, prefix)
    monkeypatch.setattr("fhirmap.sources.sql_engine._ANSWER_S", 0.5)
    with gate_to(database.url) as (gate, url):
        with open_source(url.render_as_string(hide_password=False), plan) as source:
            assert source.check() == []
        whole = gate.passed
        gate.passed, gate.most, gate.is_silent = 0, whole // 2, True
        with open_source(url.render_as_string(hide_password=False), plan) as source:
            with pytest.raises(ConfigError) as caught:
                source.check()
            assert caught.value.code in ("FM724", "FM708")


@servers
def test_a_session_that_is_ended_by_the_server(database: Database, prefix: str) -> None:
    plan = fill(database, prefix)
    sessions: list[Any] = []

    def note(connection: Any, _record: object) -> None:
        sessions.append(connection.info.backend_pid if database.kind == "postgresql" else connection.thread_id())

    sa.event.listen(sa.engine.Engine, "connect", note)
    try:
        with open_source(database.url, plan) as source:
            records = source.records()
            next(records)
            own = sessions[-1]
            with database.engine.begin() as connection:
                kill = "SELECT pg_terminate_backend({})" if database.kind == "postgresql" else "KILL {}"
                connection.exec_driver_sql(kill.format(own))
            with pytest.raises(ConfigError) as caught:
                list(records)
    finally:
        sa.event.remove(sa.engine.Engine, "connect", note)
    assert (caught.value.code, "closed the connection" in str(caught.value)) == ("FM724", True)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_statement_that_takes_too_long(database: Database, prefix: str) -> None:
    fill(database, prefix)
    query = f"SELECT id, v FROM {prefix}op WHERE pg_sleep(0.05) IS NOT NULL"
    plan = SourcePlan(SourceKind.QUERY, "q", ("id",), RowLayout("Op", columns("id", "v")), query=query)
    url = sa.make_url(database.url).update_query_dict({"options": "-c statement_timeout=300"})
    address = url.render_as_string(hide_password=False)
    with open_source(address, plan) as source, pytest.raises(ConfigError) as caught:
        list(source.records())
    assert (caught.value.code, "took too long" in str(caught.value)) == ("FM724", True)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_deadlock_of_which_the_reading_is_the_victim(database: Database, prefix: str) -> None:
    """Somebody locks the two tables in the other order; the reader's session looks for deadlocks first."""
    plan = fill(database, prefix)
    url = sa.make_url(database.url).update_query_dict({"options": "-c deadlock_timeout=100"})
    errors: list[ConfigError] = []

    def read() -> None:
        with open_source(url.render_as_string(hide_password=False), plan) as source:
            try:
                list(source.records())
            except ConfigError as error:
                errors.append(error)

    with database.engine.begin() as other:
        other.exec_driver_sql("SET deadlock_timeout = 20000")
        other.exec_driver_sql(f"LOCK TABLE {prefix}p IN ACCESS EXCLUSIVE MODE")
        reader = threading.Thread(target=read)
        reader.start()
        waiting = f"SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{prefix}p'::regclass"
        with database.engine.connect() as watching:
            while reader.is_alive() and not watching.exec_driver_sql(waiting).scalar():
                time.sleep(0.01)
        other.exec_driver_sql(f"LOCK TABLE {prefix}op IN ACCESS EXCLUSIVE MODE")
    reader.join(60)
    assert [error.code for error in errors] == ["FM724"]
    assert "another transaction" in str(errors[0])
    with open_source(database.url, plan) as source:
        assert len(list(source.records())) == COUNT


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
def test_a_table_that_somebody_has_locked(database: Database, prefix: str) -> None:
    plan = fill(database, prefix)
    with database.engine.connect() as other, open_source(database.url, plan) as source:
        assert source.check() == []
        sa.event.listen(source._engine, "connect", _impatient)  # type: ignore[attr-defined]
        other.exec_driver_sql(f"LOCK TABLES {prefix}op WRITE")
        with pytest.raises(ConfigError) as caught:
            list(source.records())
        other.exec_driver_sql("UNLOCK TABLES")
    assert (caught.value.code, "locked" in str(caught.value)) == ("FM724", True)


def _impatient(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION lock_wait_timeout = 1")
