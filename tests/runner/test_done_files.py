"""Files whose records are settled leave the folder that is read: `done` in `[source]`."""

from __future__ import annotations

import errno
import os
import signal
import threading
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fhirmap.runner.done_settings import done_diagnostics
from fhirmap.runner.project_file import load_project
from fhirmap.source_plan import Child, ChildKind, RowLayout
from tests.cli.conftest import (
    ROWS,
    Answer,
    Done,
    Receiver,
    Tiny,
    accepted,
    in_process,
    outcome,
    receiver,
    start,
    tiny,
    tiny_map,
    unfolded,
)
from tests.runner.test_incomplete_readings import LONG_AGO, export
from tests.sources.exports import FLAT

__all__ = ["receiver", "tiny"]

Receiving = Callable[..., Receiver]
SOURCE = 'url = "in"\ncomplete = false\ndone = "processed"'


@pytest.fixture
def feed(tiny: Callable[..., Tiny]) -> Tiny:
    """Three stays in two files."""
    found: Tiny = tiny("csv")
    export(found.folder / "in" / "a.csv", ROWS[:2])
    export(found.folder / "in" / "b.csv", ROWS[2:])
    return found.configure(source=SOURCE)


def run(project: Tiny) -> Done:
    return in_process("run", project.folder)


def here(project: Tiny, folder: str = "in") -> list[str]:
    place = project.folder / folder
    return sorted(path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file())


def test_files_that_are_settled_are_moved_and_the_next_night_finds_none(feed: Tiny) -> None:
    read = {name: (feed.folder / "in" / name).read_bytes() for name in here(feed)}
    for looked in (in_process("plan", feed.folder), in_process("run", feed.folder, "--dry-run")):
        assert looked.code == 1
        assert here(feed) == ["a.csv", "b.csv"]
    done = run(feed)
    assert done.code == 0
    assert unfolded("moved 2 files whose records are settled, to `processed`") in unfolded(done.out)
    assert (here(feed), here(feed, "processed")) == ([], ["a.csv", "b.csv"])
    assert {name: (feed.folder / "processed" / name).read_bytes() for name in read} == read
    assert in_process("check", feed.folder).code == 0
    assert run(feed).code == 0
    assert len(feed.sent) == 3


def test_a_name_that_is_there_already_gets_a_number(feed: Tiny) -> None:
    assert run(feed).code == 0
    export(feed.folder / "in" / "a.csv", [("4", *ROWS[0][1:])])
    assert run(feed).code == 0
    export(feed.folder / "in" / "a.csv", [("5", *ROWS[0][1:])])
    assert run(feed).code == 0
    assert here(feed, "processed") == ["a-2.csv", "a-3.csv", "a.csv", "b.csv"]
    assert "5;" in (feed.folder / "processed" / "a-3.csv").read_text(encoding="utf-8")
    assert [stay["parameter"][1]["valueString"] for stay in feed.sent][:3] == ["DURAND", "MARTIN", "PETIT"]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("4;;ROUX;1980-01-02;L4", id="invalid"),
        pytest.param(";151024610204372;ROUX;1980-01-02;L4", id="without-a-key"),
        pytest.param("4;few", id="cells-lost"),
        pytest.param("3;151024610204372;PETIT;1975-12-05;L1003", id="twice"),
    ],
)
def test_a_file_with_a_record_that_is_not_settled_stays(feed: Tiny, line: str) -> None:
    path = feed.folder / "in" / "b.csv"
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    os.utime(path, LONG_AGO)
    done = run(feed)
    assert done.code == 1
    assert "moved 1 file whose records are settled, to `processed`; 1 stays" in unfolded(done.out)
    assert here(feed) == ["b.csv"]


def test_files_that_were_not_read_stay(feed: Tiny) -> None:
    (feed.folder / "in" / "b.csv").write_bytes(b"")
    os.utime(feed.folder / "in" / "b.csv", LONG_AGO)
    export(feed.folder / "in" / "c.csv.part", ROWS)
    assert "; 2 stay" in unfolded(run(feed).out)
    assert here(feed) == ["b.csv", "c.csv.part"]


def test_a_file_whose_records_are_out_of_scope_is_moved(feed: Tiny) -> None:
    path = feed.folder / "tiny.map"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(" as v ->", " as v where (%src.id != '3') ->"), encoding="utf-8")
    assert run(feed).code == 0
    assert (here(feed), feed.ledger["out_of_scope"], len(feed.sent)) == ([], 1, 2)


def test_a_file_of_which_the_condition_keeps_nothing_is_moved(feed: Tiny) -> None:
    path = feed.folder / "tiny.map"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(" key 'id'", " key 'id' where \"id <> '3'\""), encoding="utf-8")
    assert run(feed).code == 0
    assert (here(feed), len(feed.sent)) == ([], 2)


def test_refused_and_deferred_records_keep_their_files(feed: Tiny, receiver: Receiving) -> None:
    at = receiver(lambda number, _body: accepted(number) if number < 3 else outcome(422, "no"))
    feed.to(at.url, limits="rate_per_s = 500\nconcurrency = 1\nattempts = 1\nbackoff_s = 0")
    assert run(feed).code == 1
    assert (here(feed), here(feed, "processed")) == (["b.csv"], ["a.csv"])


def test_what_only_the_map_changed_is_held_and_its_file_stays(feed: Tiny) -> None:
    feed.configure(source='url = "in"\ncomplete = false')
    assert run(feed).code == 0
    path = feed.folder / "tiny.map"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("p.name = 'lot'", "p.name = 'batch'"), encoding="utf-8")
    feed.configure(source=SOURCE)
    run(feed)
    assert here(feed) == ["a.csv", "b.csv"]
    assert in_process("run", feed.folder, "--resend").code == 0
    assert here(feed) == []


def test_a_file_that_changed_since_it_was_read_is_not_moved(feed: Tiny, receiver: Receiving) -> None:
    def answer(number: int, _body: bytes) -> Answer:
        if number == 1:
            export(feed.folder / "in" / "a.csv", [*ROWS[:2], ("4", *ROWS[0][1:])])
            (feed.folder / "in" / "b.csv").unlink()
        return accepted(number)

    feed.to(receiver(answer).url)
    done = run(feed)
    assert done.code == 0, done
    assert here(feed) == ["a.csv"]
    assert not (feed.folder / "processed").exists()
    assert run(feed).code == 0
    assert (here(feed), here(feed, "processed")) == ([], ["a.csv"])


def test_a_run_that_is_killed_before_it_moves_moves_next_time(feed: Tiny, receiver: Receiving) -> None:
    arrived, over = threading.Event(), threading.Event()

    def answer(number: int, _body: bytes) -> Answer:
        if number == 3:
            arrived.set()
            over.wait(60)
        return accepted(number)

    at = receiver(answer)
    feed.to(at.url, limits="rate_per_s = 500\nconcurrency = 1\nattempts = 1\nbackoff_s = 0")
    process = start("run", feed.folder)
    assert arrived.wait(60)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    over.set()
    assert here(feed) == ["a.csv", "b.csv"], "nothing is moved before the end"
    run(feed)
    assert (here(feed), here(feed, "processed")) == ([], ["a.csv", "b.csv"])
    assert len(set(at.received)) == 3


def test_a_folder_that_cannot_be_made_is_a_warning(feed: Tiny) -> None:
    (feed.folder / "processed").write_text("a file", encoding="utf-8")
    done = run(feed)
    assert done.code == 0
    assert "FM798" in done.out
    assert here(feed) == ["a.csv", "b.csv"]


def test_across_devices_a_file_is_copied(feed: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    replace, refused = Path.replace, []

    def elsewhere(path: Path, target: Path) -> Path:
        if path.parent.name == "in":
            refused.append(path.name)
            raise OSError(errno.EXDEV, "another device")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", elsewhere)
    assert run(feed).code == 0
    assert refused == ["a.csv", "b.csv"]
    assert (here(feed), here(feed, "processed")) == ([], ["a.csv", "b.csv"])
    assert "MARTIN" in (feed.folder / "processed" / "a.csv").read_text(encoding="utf-8")
    assert (feed.folder / "processed" / "a.csv").stat().st_mtime == LONG_AGO[0]


def test_an_archive_in_a_folder_is_moved_whole_once_all_of_it_is_settled(feed: Tiny) -> None:
    inner = feed.folder / "in"
    with zipfile.ZipFile(inner / "night.zip", "w") as archive:
        for name in ("a.csv", "b.csv"):
            archive.write(inner / name, name)
            (inner / name).unlink()
        archive.writestr("c.csv", "id;nir;name;born;lot\n4;;X;;\n")
    os.utime(inner / "night.zip", LONG_AGO)
    assert run(feed).code == 1
    assert here(feed) == ["night.zip"]
    with zipfile.ZipFile(inner / "night.zip", "w") as archive:
        archive.writestr("c.csv", f"id;nir;name;born;lot\n4;{ROWS[0][1]};X;;\n")
    os.utime(inner / "night.zip", LONG_AGO)
    assert run(feed).code == 0
    assert (here(feed), here(feed, "processed")) == ([], ["night.zip"])


def test_files_of_folders_keep_their_folders(feed: Tiny) -> None:
    for name in ("theatre", "ward"):
        export(feed.folder / "in" / name / "a.csv", ROWS[:1] if name == "ward" else ROWS[1:])
    feed.configure(source='url = "in/*/*.csv"\ncomplete = false\ndone = "processed"')
    assert run(feed).code == 0
    assert here(feed, "processed") == ["theatre/a.csv", "ward/a.csv"]


def test_another_place_on_the_command_line_is_left_as_it_is(feed: Tiny) -> None:
    export(feed.folder / "other" / "a.csv", ROWS)
    assert in_process("run", feed.folder, "--source", str(feed.folder / "other")).code == 0
    assert (here(feed), here(feed, "other")) == (["a.csv", "b.csv"], ["a.csv"])


def test_without_it_an_empty_folder_is_an_error_and_one_that_is_not_there_always_is(feed: Tiny) -> None:
    for path in (feed.folder / "in").iterdir():
        path.unlink()
    feed.configure(source='url = "in"\ncomplete = false')
    run(feed).reported("FM701", 3)
    feed.configure(source=SOURCE)
    assert run(feed).code == 0
    (feed.folder / "in").rmdir()
    run(feed).reported("FM701", 3)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('url = "in"\ndone = "processed"', "needs `complete = false`"),
        ('url = "stays.csv"\ncomplete = false\ndone = "processed"', "`stays.csv` is neither"),
        ('url = "in"\ncomplete = false\ndone = "in"', "would be read again"),
        ('url = "in/**/*.csv"\ncomplete = false\ndone = "in/done"', "would be read again"),
    ],
)
def test_where_files_may_not_be_moved_the_project_says_so(feed: Tiny, source: str, words: str) -> None:
    feed.configure(source=source)
    checked = in_process("check", feed.folder)
    assert (checked.code, "error[FM799]" in checked.out, words in unfolded(checked.out)) == (2, True, True)
    for command in ("plan", "run"):
        in_process(command, feed.folder).reported("FM799", 2, words, "fhirmap.toml:")
    assert here(feed) == ["a.csv", "b.csv"]


def test_lines_of_a_record_may_be_in_several_files_so_none_is_moved(feed: Tiny) -> None:
    text = tiny_map("csv key 'id' delimiter ';'").replace(
        "  lot  : string 0..1 from 'lot'\n}",
        "  lots : Lot 0..* lines\n}\nmodel Lot {\n  lot : string 0..1 from 'lot'\n}",
    )
    text = text.replace("  src.lot as v -> tgt.parameter as p, p.name = 'lot', p.value = v \"lot\";\n", "")
    (feed.folder / "tiny.map").write_text(text, encoding="utf-8")
    run(feed).reported("FM799", 2, "`Stay` is made of lines")


def test_a_folder_below_the_one_that_is_read_may_hold_what_is_done(feed: Tiny) -> None:
    feed.configure(source='url = "in"\ncomplete = false\ndone = "in/done"')
    assert run(feed).code == 0
    assert here(feed) == ["done/a.csv", "done/b.csv"]
    assert run(feed).code == 0


def test_files_that_are_joined_to_records_stay(feed: Tiny) -> None:
    other = replace(FLAT, source="orders")
    stores = [replace(FLAT, key=()), replace(FLAT, key=(), source="wards")]
    found = []
    for root in (FLAT, other):
        for store in stores:
            child = Child(ChildKind.JOIN, "rows", "rows", RowLayout("Row", ()), on=(("id", "id"),), store=store)
            plan = replace(root, shape=replace(root.shape, children=(child,)))
            found.append([entry.variant for entry in done_diagnostics(load_project(feed.folder), plan)])
    assert found == [["joined"], [], ["joined"], []]
