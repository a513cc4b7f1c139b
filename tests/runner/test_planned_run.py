"""A plan says beforehand what the run then reports of withdrawn records, day by day."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fhirmap.cli import commands
from fhirmap.journal import Withdrawal
from fhirmap.runner.engine import build_engine
from fhirmap.runner.planned_run import make_plan
from fhirmap.runner.project_file import load_project
from fhirmap.runner.report_lines import report_lines
from fhirmap.runner.run import look_into_journal, open_journal, run

PROJECT = """\
[map]
source = "p.map"
[source]
url = "op.sqlite"
least_share = {share}
[sink]
kind = "ndjson"
path = "out.ndjson"
"""
MAP = """\
model Op from table 'op' key 'id' latest by 'rev' {
  name  : string 1..1 from 'name' null '?'
  state : code   0..1 from 'state'
}
model Result { name : string 0..1 }
group main(source src : Op, target tgt : Result) {
  src where (state = 'done') then { src.name as v -> tgt.name = v; };
}
"""


class Days:
    """A source that changes from day to day; keys `a` and more, each of one revision."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "fhirmap.toml").write_text(PROJECT.format(share="0"), encoding="utf-8")
        (folder / "p.map").write_text(MAP, encoding="utf-8")
        self.sql("create table op (id text, rev integer, name text, state text)")
        self.sql("insert into op values " + ", ".join(f"('{key}', 1, '{key}', 'done')" for key in "abcde"))

    def sql(self, statements: str, file: str = "op.sqlite") -> None:
        with closing(sqlite3.connect(self.folder / file)) as connection:
            connection.executescript(statements)

    def day(self, statements: str = "") -> list[tuple[str, str, bool]]:
        """What waits for somebody after a run, which the plan before it must say too: key, cause, is it new?"""
        self.sql(statements)
        planned = shown(make_plan(build_engine(load_project(self.folder))).withdrawn)
        found = shown(run(build_engine(load_project(self.folder))).report.withdrawn)
        assert planned == found
        return found

    def acknowledge(self, *keys: str) -> None:
        with open_journal(load_project(self.folder)) as journal:
            assert journal.acknowledge(keys, "somebody", "a reason") == ()


def shown(withdrawn: Any) -> list[tuple[str, str, bool]]:
    entries: list[Withdrawal] = list(withdrawn)
    return sorted((entry.key, str(entry.cause), entry.is_new) for entry in entries)


@pytest.fixture
def days(tmp_path: Path) -> Days:
    return Days(tmp_path)


def test_each_day_the_plan_and_the_run_agree(days: Days) -> None:
    assert days.day() == []
    found = days.day(
        "delete from op where id = 'a'; update op set state = 'planned' where id in ('b', 'e');"
        "update op set name = '?' where id = 'c'; update op set name = 'other' where id = 'd';"
    )
    causes = [("a", "gone"), ("b", "out_of_scope"), ("c", "invalid"), ("e", "out_of_scope")]
    assert found == [(key, cause, True) for key, cause in causes]
    assert days.day() == [(key, cause, False) for key, cause in causes]
    # back as it was, before and after somebody took note of it; out of scope, and then gone; corrected
    days.acknowledge("b", "e")
    found = days.day(
        "insert into op values ('a', 1, 'a', 'done'); update op set state = 'done' where id = 'b';"
        "delete from op where id = 'e'; update op set name = 'c2' where id = 'c';"
    )
    assert found == [("b", "returned", True)]
    assert days.day() == [("b", "returned", False)]
    assert days.day("update op set state = 'planned' where id = 'b'") == [("b", "out_of_scope", True)]
    assert days.day("update op set state = 'done', name = 'b2' where id = 'b'") == []


def test_a_reading_that_is_invalid_and_then_gone(days: Days) -> None:
    days.day()
    assert days.day("update op set name = '?' where id = 'a'") == [("a", "invalid", True)]
    assert days.day("delete from op where id = 'a'") == [("a", "gone", True)]
    days.acknowledge("a")
    assert days.day() == []


def test_older_revisions_are_no_records_of_a_reading(days: Days) -> None:
    """Four of five keys are gone; revisions of the one that is left make no records of it."""
    (days.folder / "fhirmap.toml").write_text(PROJECT.format(share="0.5"), encoding="utf-8")
    days.day()
    days.sql("delete from op where id > 'a'; insert into op select id, rev + 1, name, state from op")
    days.sql("insert into op select id, rev + 2, name, state from op")
    plan = make_plan(build_engine(load_project(days.folder)))
    assert plan.stopped_by is not None
    assert run(build_engine(load_project(days.folder))).exit_code == 3


def test_what_the_own_source_holds_is_its_own_whichever_held_it_first(days: Days) -> None:
    days.sql("delete from op where id > 'c'")
    days.day()
    days.sql(
        "create table op (id text, rev integer, name text, state text);"
        "insert into op values ('a', 1, 'a2', 'done'), ('y', 1, 'y', 'done'), ('z', 1, 'z', 'done');",
        "other.sqlite",
    )
    other = load_project(days.folder, source=str(days.folder / "other.sqlite"))
    assert run(build_engine(other)).report.ledger.accepted == 3
    # `y` comes to the own source too; `a`, which the other one changed, leaves it
    found = days.day("insert into op values ('y', 1, 'y', 'done'); delete from op where id = 'a'")
    assert found == [("a", "gone", True)]
    days.acknowledge("a")
    assert days.day("delete from op where id = 'y'") == [("y", "gone", True)]
    journal = look_into_journal(load_project(days.folder))
    assert journal is not None
    assert [entry.state for entry in journal.answers(keys=["z"])] == ["accepted"], "never one of the own source's"
    journal.close()


@pytest.mark.parametrize(
    ("before", "after"), [("state = 'done'", "state = 'ok'"), ("null '?'", "null '?', 'a'"), ("1..1 from", "1..1 from")]
)
def test_what_the_map_withdraws_is_said_to_be_the_map_s(days: Days, before: str, after: str) -> None:
    days.sql("delete from op where id > 'b'")
    days.day()
    days.sql("update op set name = '?' where id = 'b'")
    (days.folder / "p.map").write_text(MAP.replace(before, after), encoding="utf-8")
    engine = build_engine(load_project(days.folder))
    planned = {entry.key: entry.by_map for entry in make_plan(engine).withdrawn}
    report = run(engine).report
    assert planned == {entry.key: entry.by_map for entry in report.withdrawn}
    assert planned == ({"a": True, "b": False} if before != after else {"b": False})
    assert ("by the map: the source had not changed" in " ".join("\n".join(report_lines(report)).split())) == (
        before != after
    )
    later = run(engine).report
    assert planned == {entry.key: entry.by_map for entry in later.withdrawn}, "said until somebody has dealt with it"
    assert planned == {entry.key: entry.by_map for entry in make_plan(engine).withdrawn}
    for command in (("--withdrawn",), ("--key", "a")):
        shown = CliRunner().invoke(commands, ["status", str(days.folder), *command], standalone_mode=False).output
        assert ("by the map" in shown) == (before != after)
