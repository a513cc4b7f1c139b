"""Which journal it is, and what another one may have sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.journal import ArchivedIdentifier, Doubt, Entry, EntryState, Journal, ReadValues
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


@pytest.mark.parametrize("content", [b"", b"no mark", b"{}", b'{"journal": 1, "run": "x"}', b"[]", b"\xff\xfe"])
def test_a_file_of_the_lock_without_a_mark_says_nothing(tmp_path: Path, content: bytes) -> None:
    Journal.open(tmp_path / "journal.db", "e", "o").close()
    (tmp_path / "journal.db.lock").write_bytes(content)
    with Journal.open(tmp_path / "journal.db", "e", "o", exclusive=True) as journal:
        assert journal.doubt() is None


def test_a_doubt_lasts_until_somebody_settles_it(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.db", "e", "o", exclusive=True) as journal:
        first = journal.start_run()
        journal.compare(RunMark(journal.mark().journal, first + 3))
        assert journal.doubt() == Doubt("older", 3)
    with Journal.open(tmp_path / "journal.db", "e", "o", exclusive=True) as journal:
        assert journal.doubt() == Doubt("older", 3)
        journal.compare(RunMark("another", 1))
        assert journal.doubt() == Doubt("other")
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
