"""Runs that read only what has changed: no row is lost, nothing is taken for gone, what they do not see is said."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import Done, Tiny, in_process, tiny, unfolded

__all__ = ["tiny"]


def write(project: Tiny, *statements: str) -> None:
    connection = sqlite3.connect(project.data)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def rows(project: Tiny) -> None:
    write(project, "ALTER TABLE STAY ADD maj TEXT", "UPDATE STAY SET maj = '2026-01-0' || id || ' 10:00:00'")


@pytest.fixture
def project(tiny: Callable[..., Tiny]) -> Tiny:
    """Three stays of three days, all of them sent."""
    found: Tiny = tiny("sqlite")
    rows(found)
    found.configure(source='url = "stays.sqlite"\nchanged_since = "maj"\noverlap = 0')
    assert ran(found).code == 0
    assert found.ledger["read"] == 3
    return found


def ran(project: Tiny, *arguments: str) -> Done:
    done = in_process("run", project.folder, *arguments)
    assert "Traceback" not in done.out + done.err
    return done


def status(project: Tiny) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(in_process("status", project.folder, "--json").out)
    return found


def plan(project: Tiny, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(in_process("plan", project.folder, "--json", *arguments).out)
    return found


def test_only_what_has_changed_is_read_and_nothing_is_gone(project: Tiny) -> None:
    write(project, "UPDATE STAY SET lot = 'L9', maj = '2026-01-04 09:00:00' WHERE id = '1'")
    write(project, "DELETE FROM STAY WHERE id = '2'")
    foreseen = plan(project)
    assert (foreseen["read"], foreseen["changed_by_source"], foreseen["withdrawn"]) == (2, ["1"], [])
    assert foreseen["not_whole"]["code"] == "FM789"
    done = ran(project)
    assert done.code == 0
    assert "only what has changed since the last reading was read" in unfolded(done.out)
    assert (project.ledger["read"], project.ledger["accepted"]) == (2, 1)
    assert len(project.sent) == 4
    assert status(project)["withdrawn"] == []
    assert [entry["key"] for entry in plan(project, "--full")["withdrawn"]] == ["2"]
    assert ran(project, "--full").code == 1
    assert [entry["key"] for entry in status(project)["withdrawn"]] == ["2"]
    # The next one goes on from there.
    assert ran(project).code == 1
    assert project.ledger["read"] == 1


def test_far_fewer_records_than_before_are_no_cause_to_stop(project: Tiny) -> None:
    assert ran(project).code == 0
    assert project.ledger["read"] == 1


def test_another_map_and_another_column_read_everything(project: Tiny) -> None:
    assert plan(project)["read"] == 1
    path = project.folder / "tiny.map"
    path.write_text(path.read_text().replace("'lot', p.value", "'lot2', p.value"))
    assert plan(project)["read"] == 3
    assert ran(project).code in (0, 1)
    assert plan(project)["read"] == 1
    project.configure(source='url = "stays.sqlite"\nchanged_since = {STAY = "maj"}\noverlap = 0')
    assert plan(project)["read"] == 3


def test_another_place_and_resend_read_everything(project: Tiny) -> None:
    copy = project.folder / "copy.sqlite"
    copy.write_bytes(project.data.read_bytes())
    assert plan(project, "--resend")["read"] == 3
    assert plan(project, "--source", str(copy))["read"] == 3
    project.configure(source='url = "copy.sqlite"\nchanged_since = "maj"\noverlap = 0')
    assert plan(project)["read"] == 3


def test_what_the_overlap_covers_is_read_again(project: Tiny) -> None:
    write(project, "INSERT INTO STAY VALUES ('4', '1', 'X', '1950-01-01', 'L', '2026-01-03 09:00:00')")
    assert plan(project)["new"] == []
    # As it is without a setting.
    project.configure(source='url = "stays.sqlite"\nchanged_since = "maj"')
    assert plan(project)["new"] == ["4"]


def test_a_reading_that_ends_early_moves_no_mark(project: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, "UPDATE STAY SET lot = lot || 'x', maj = '2026-01-05 09:00:00'")
    monkeypatch.setattr("fhirmap.runner.ingest._BATCH", 1)
    defaults = __import__("fhirmap.runner.ingest", fromlist=["ingest"]).ingest.__kwdefaults__
    monkeypatch.setitem(defaults, "batch", 1)

    def interrupt(_bar: object, done: int, _total: int | None = None) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("fhirmap.cli.progress.ProgressBar.update", interrupt)
        assert ran(project).code == 130
    assert len(project.sent) == 3
    assert ran(project).code == 0
    assert project.ledger["read"] == 3
    assert len(project.sent) == 6


def test_files_have_no_such_column(tiny: Callable[..., Tiny]) -> None:
    project = tiny("csv")
    project.configure(source='url = "stays.csv"\nchanged_since = "maj"')
    for command in ("plan", "run"):
        in_process(command, project.folder).reported("FM667", 2, "files are read whole", "fhirmap.toml:")
    checked = in_process("check", project.folder)
    assert (checked.code, "error[FM667]" in checked.out) == (2, True)
    assert project.sent == []


def test_tables_whose_changes_are_not_seen_are_named(project: Tiny) -> None:
    assert "FM667" not in in_process("check", project.folder).err
    path = project.folder / "tiny.map"
    text = path.read_text().replace("  lot  : string", "  acts : Act 0..* join 'ACT' on 'stay' = 'id'\n  lot  : string")
    path.write_text(text.replace("group tiny", "model Act { code : string 0..1 from 'code' }\n\ngroup tiny"))
    write(project, "CREATE TABLE ACT (stay TEXT, code TEXT, maj TEXT)")
    done = in_process("check", project.folder)
    assert done.code == 0, done.out
    assert "a row of `ACT` that changes alone" in unfolded(done.out + done.err)
    project.configure(source='url = "stays.sqlite"\nchanged_since = {STAY = "maj", act = "maj"}')
    done = in_process("check", project.folder)
    assert (done.code, "FM667" in done.out + done.err) == (0, False)


@pytest.mark.parametrize(
    ("setting", "code", "words"),
    [
        ('changed_since = "majj"', "FM704", "maj"),
        ('changed_since = {SAY = "maj"}', "FM667", "STAY"),
        ('changed_since = "name"', "FM667", "STAY.name"),
        ("changed_since = 5", "FM733", "a text or a table"),
        ('changed_since = ""', "FM734", "changed_since"),
        ("changed_since = {}", "FM734", "changed_since"),
        ('changed_since = "maj"\noverlap = -1', "FM735", "overlap"),
        ("overlap = 5", "FM734", "changed_since"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_said(tiny: Callable[..., Tiny], setting: str, code: str, words: str) -> None:
    project = tiny("sqlite")
    rows(project)
    project.configure(source=f'url = "stays.sqlite"\n{setting}')
    in_process("run", project.folder).reported(code, 2, words)
    assert project.sent == []


def test_a_column_that_is_renamed_stops_before_anything_is_sent(project: Tiny) -> None:
    write(project, "UPDATE STAY SET lot = 'L9', maj = '2026-01-04 09:00:00'")
    write(project, "ALTER TABLE STAY RENAME maj TO modifie")
    ran(project).reported("FM704", 2, "maj")
    write(project, "ALTER TABLE STAY RENAME modifie TO maj", "ALTER TABLE STAY RENAME lot TO numero_lot")
    ran(project).reported("FM704", 2, "lot")
    assert len(project.sent) == 3
    write(project, "ALTER TABLE STAY RENAME numero_lot TO lot")
    assert ran(project).code == 0
    assert len(project.sent) == 6
