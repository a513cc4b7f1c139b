"""What a database's errors are reported as."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from fhirmap.errors import ConfigError
from fhirmap.source_plan import RowLayout, SourceKind, SourcePlan
from fhirmap.sources import open_source
from fhirmap.sources.sql_errors import config_error
from tests.sources.conftest import Database, columns
from tests.sources.theatre import code_of, small, theatre, theatre_plan


@pytest.mark.parametrize(
    ("error", "variant"),
    [
        (ModuleNotFoundError(name="psycopg"), "postgresql"),
        (ModuleNotFoundError(name="pymysql"), "mariadb"),
        (ModuleNotFoundError(name="oracledb"), ""),
        (sa.exc.NoSuchModuleError("x"), "unknown"),
    ],
)
def test_a_missing_driver_is_named_with_what_installs_it(error: Exception, variant: str) -> None:
    found = config_error(error, "x://h/d").diagnostic()
    assert (found.code, found.variant) == ("FM710", variant)
    assert str(getattr(error, "name", None) or "") in found.message + found.hint_text


@pytest.mark.parametrize(
    ("where", "near"),
    [("statut <> ", ""), ("no_such = 1", "no_such"), ("statut = 'A' AND", ""), ("nofunction(statut)", "")],
)
def test_sql_that_the_database_refuses_is_reported_before_reading(
    database: Database, prefix: str, where: str, near: str
) -> None:
    theatre(database, prefix, count=2)
    with open_source(database.url, replace(theatre_plan(prefix), where=where)) as source:
        found = source.check()
    assert [entry.code for entry in found] == ["FM715"]
    assert near in found[0].message


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_types_that_postgresql_does_not_compare_are_named(database: Database, prefix: str) -> None:
    theatre(database, prefix, count=2)
    with open_source(database.url, replace(theatre_plan(prefix), where="now() = 'x'::text")) as source:
        (found,) = source.check()
    assert (found.code, found.variant) == ("FM715", "types")
    assert (found.args["one"], found.args["other"]) == ("timestamp with time zone", "text")


def test_the_condition_of_a_child_is_reported_at_the_child(database: Database, prefix: str) -> None:
    theatre(database, prefix, count=2)
    plan = theatre_plan(prefix)
    wrong = tuple(
        replace(entry, where="no_such = 1", position=f"a.map:{9 + n}:5") for n, entry in enumerate(plan.shape.children)
    )
    with open_source(database.url, replace(plan, shape=replace(plan.shape, children=wrong))) as source:
        found = source.check()
    assert [(entry.code, entry.args["position"]) for entry in found] == [
        ("FM715", f"a.map:{9 + n}:5") for n in range(len(wrong))
    ]


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    plan = SourcePlan(SourceKind.TABLE, "t", ("id",), RowLayout("T", columns("id")))
    for url in ("postgresql://reader:s3cret@127.0.0.1:1/bloc", "mysql://reader:s3cret@127.0.0.1:1/bloc"):
        with pytest.raises(ConfigError) as caught:
            open_source(url, plan).check()
        assert caught.value.code == "FM708"
        assert "s3cret" not in str(caught.value)
        assert "reader:***@127.0.0.1:1" in str(caught.value)


def test_a_refused_login_and_an_unknown_database_are_distinguished(database: Database) -> None:
    if database.kind == "sqlite":
        pytest.skip("SQLite knows no login")
    plan = SourcePlan(SourceKind.TABLE, "t", ("id",), RowLayout("T", columns("id")))
    url = sa.make_url(database.url)
    stranger = url.set(username="fm_stranger", password="s3cret").render_as_string(hide_password=False)
    elsewhere = url.set(database="fm_no_such_database").render_as_string(hide_password=False)
    with pytest.raises(ConfigError) as refused:
        open_source(stranger, plan).check()
    assert (refused.value.code, "s3cret" in str(refused.value)) == ("FM709", False)
    with pytest.raises(ConfigError) as unknown:
        open_source(elsewhere, plan).check()
    assert unknown.value.code == "FM708"
    assert "no such database" in str(unknown.value)


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    plan = small(tmp_path / "a.sqlite")
    assert code_of(tmp_path / "b.sqlite", plan) == "FM701"
    assert not (tmp_path / "b.sqlite").exists()
    assert code_of(f"sqlite:///{tmp_path}", plan) == "FM702"


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    plan = small(tmp_path / "a.sqlite")
    (tmp_path / "b.sqlite").write_bytes(b"id;v\n1;x\n" * 400)
    assert code_of(tmp_path / "b.sqlite", plan) == "FM706"
    whole = (tmp_path / "a.sqlite").read_bytes()
    (tmp_path / "c.sqlite").write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))
    assert code_of(tmp_path / "c.sqlite", plan) == "FM706"


def test_a_locked_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fhirmap.sources.sql_engine._LOCK_S", 0.05)
    plan = small(tmp_path / "a.sqlite")
    holder = sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert code_of(tmp_path / "a.sqlite", plan) == "FM707"
    holder.close()
