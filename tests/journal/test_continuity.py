"""Which journal it is, and what another one may have sent."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from fhirmap.journal import ArchivedIdentifier, Doubt, DoubtCause, Entry, EntryState, Journal, ReadValues
from fhirmap.journal.copies import copy_file
from fhirmap.journal.purging import PURGED_STATES
from fhirmap.journal.store import RunMark
from tests.journal.sending import ACCEPTED, UNCERTAIN, answer_all, digest_of, ready, state_of


def test_each_journal_has_a_name_and_each_run_its_number(tmp_path: Path) -> None:
    names = set()
    for name in ("a.db", "b.db", "a.db"):
        with Journal.open(tmp_path / name, "e", "o", exclusive=True) as journal:
            number = journal.start_run()
            names.add(journal.mark().journal)
            assert journal.mark().run == number
            assert journal.doubt() is None
    assert len(names) == 2


def opened(path: Path) -> Journal:
    return Journal.open(path, "e", "o", exclusive=True)


def run_of(path: Path, *keys: str, copy: Path | None = None) -> Doubt | None:
    """A run that sends ``keys``, and nothing where it is in doubt, which it gives. ``copy``: made during it."""
    with opened(path) as journal:
        journal.start_run()
        doubt = journal.doubt()
        if doubt is None:
            journal.put([ready(key) for key in keys])
            if copy:
                copy_file(path, copy)
            answer_all(journal, ACCEPTED)
        journal.finish_run(3 if doubt else 0)
    return doubt


@pytest.mark.parametrize(
    "content",
    [
        b"no mark",
        b"{}",
        b'{"journal": 1, "run": "x"}',
        b'{"journal": "a", "run": 1, "attempt": "x"}',
        b'{"journal": "", "run": 1}',
        b"[]",
        b"[" * 2000,
        b"\xff\xfe",
        bytes(80),
    ],
)
def test_a_mark_that_cannot_be_read_is_a_doubt_until_it_is_settled(tmp_path: Path, content: bytes) -> None:
    path, lock = tmp_path / "journal.db", tmp_path / "journal.db.lock"
    assert run_of(path, "1") is None
    lock.write_bytes(content)
    assert run_of(path, "2") == Doubt(DoubtCause.UNREADABLE)
    assert lock.read_bytes() == content
    with opened(path) as journal:
        journal.confirm({})
    assert run_of(path, "2") is None


def test_an_empty_file_of_the_lock_and_one_without_attempts_say_nothing(tmp_path: Path) -> None:
    path, lock = tmp_path / "journal.db", tmp_path / "journal.db.lock"
    assert run_of(path, "1") is None
    name = json.loads(lock.read_bytes())["journal"]
    for content in ("", json.dumps({"journal": name, "run": 1})):
        lock.write_text(content, encoding="utf-8")
        with opened(path) as journal:
            assert journal.doubt() is None


@pytest.mark.parametrize("settled", ["confirm", "adopt", "confirm before a run"])
def test_each_older_copy_is_recognised_whichever_was_here_before(tmp_path: Path, settled: str) -> None:
    path, lock = tmp_path / "journal.db", tmp_path / "journal.db.lock"
    copies = []
    for number in range(1, 4):
        assert run_of(path, str(number)) is None
        copies.append(tmp_path / f"{number}.db")
        copy_file(path, copies[-1])
    mark = lock.read_bytes()
    if settled != "confirm before a run":
        for copy, runs in ((copies[0], 2), (copies[1], 1), (copies[0], 2)):
            shutil.copy(copy, path)
            assert run_of(path, "4") == Doubt(DoubtCause.OLDER, runs)
            assert run_of(path, "4") == Doubt(DoubtCause.OLDER, runs)
            assert lock.read_bytes() == mark
    shutil.copy(copies[2], path)
    assert run_of(path) is None, "the journal of the last run goes on"
    highest = json.loads(lock.read_bytes())["run"]

    shutil.copy(copies[0], path)
    with opened(path) as journal:
        assert journal.doubt() is not None
        if settled == "adopt":
            journal.adopt({})
        else:
            journal.confirm({})
    assert json.loads(lock.read_bytes())["run"] > highest
    assert run_of(path, "4") is None
    assert run_of(path, "5") is None
    for copy in copies:
        shutil.copy(copy, path)
        assert run_of(path, "4") is not None


@pytest.mark.parametrize("how", ["ended", "cut short"])
def test_a_copy_made_during_the_last_run_is_older(tmp_path: Path, how: str) -> None:
    path, copy = tmp_path / "journal.db", tmp_path / "copy.db"
    assert run_of(path, "1") is None
    if how == "ended":
        assert run_of(path, "2", copy=copy) is None
    else:
        with opened(path) as journal:
            journal.start_run()
            journal.put([ready("2")])
            copy_file(path, copy)
            answer_all(journal, ACCEPTED)
    shutil.copy(copy, path)
    assert run_of(path) == Doubt(DoubtCause.OLDER)
    with opened(path) as journal:
        journal.confirm({})
    assert run_of(path) is None


def test_a_killed_run_and_a_purge_leave_the_journal_that_it_is(tmp_path: Path) -> None:
    path, lock = tmp_path / "journal.db", tmp_path / "journal.db.lock"
    assert run_of(path, "1") is None
    begun = lock.read_bytes()
    assert run_of(path, "2") is None
    lock.write_bytes(begun)
    assert run_of(path, "3") is None
    with opened(path) as journal:
        assert journal.purge(PURGED_STATES, time.time() + 1000, is_archived=False).records == 3
    assert run_of(path, "4") is None


def test_a_doubt_lasts_until_somebody_settles_it(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.db", "e", "o", exclusive=True) as journal:
        first = journal.start_run()
        journal.compare(RunMark(journal.mark().journal, first + 3))
        assert journal.doubt() == Doubt(DoubtCause.OLDER, 3)
    with Journal.open(tmp_path / "journal.db", "e", "o", exclusive=True) as journal:
        assert journal.doubt() == Doubt(DoubtCause.OLDER, 3)
        journal.compare(RunMark("another", 1))
        assert journal.doubt() == Doubt(DoubtCause.OTHER)
        journal.confirm({})
        assert journal.doubt() is None


def test_only_what_waits_is_compared_and_only_what_is_unknown_is_found(journal: Journal) -> None:
    journal.put([ready("1")])
    answer_all(journal, ACCEPTED)
    journal.put([ready("1", "changed"), ready("2"), ready("3")])
    assert [key for keys in journal.keys_to_send() for key in keys] == ["1", "2", "3"]
    archived = {
        "1": ArchivedIdentifier("urn:s", "R-1"),
        "2": ArchivedIdentifier("urn:s", "R-2"),
    }
    assert journal.unknown_among(archived) == ["2"]


def test_adopted_records_are_accepted_and_their_changes_are_sent(journal: Journal) -> None:
    journal.put([ready("1"), ready("2")])
    assert journal.adopt({"1": ArchivedIdentifier("urn:s", "R-9", ("R-7",)), "8": ArchivedIdentifier("", "R-8")}) == 1
    assert state_of(journal, "1") == EntryState.ACCEPTED
    assert [one.value for one in journal.identifiers("1")] == ["R-7", "R-9"]
    assert journal.to_archive() == []
    assert [event["event"] for event in journal.history("1")] == ["adopted"]
    assert answer_all(journal, ACCEPTED) == ["2"]
    assert journal.ledger().balanced
    assert journal.verify_audit().breaks == ()
    assert [str(one.act) for one in journal.audit_records()].count("adopted") == 1
    journal.start_run()
    assert journal.put([ready("1"), ready("2")]).unchanged == 2
    assert journal.put([ready("1", "other")]).ready == 1


def test_another_payload_of_the_same_reading_is_held(journal: Journal) -> None:
    read = ReadValues("same", "l", ("x",), lambda: b"1234")
    journal.put([Entry("1", EntryState.READY, b"a", digest_of(b"a"), read=read)])
    journal.adopt({"1": ArchivedIdentifier("urn:s", "R-9")})
    journal.start_run()
    assert journal.put([Entry("1", EntryState.READY, b"b", digest_of(b"b"), read=read)]).held == 1


def test_one_in_doubt_is_adopted_and_stays_for_somebody_to_look_at(journal: Journal) -> None:
    journal.put([ready("1")])
    answer_all(journal, UNCERTAIN)
    assert journal.adopt({"1": ArchivedIdentifier("urn:s", "R-9")}) == 1
    assert state_of(journal, "1") == EntryState.ACCEPTED
    assert [answer.key for answer in journal.doubts()] == ["1"]


def test_an_identifier_that_two_records_have_is_shown(journal: Journal) -> None:
    journal.put([ready("1"), ready("2")])
    journal.adopt({key: ArchivedIdentifier("urn:s", "R-9") for key in ("1", "2")})
    assert [shared.keys for shared in journal.shared_identifiers()] == [("1", "2")]
