"""The journal's promises, one by one."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from fhirmap.errors import InternalError, JournalError
from fhirmap.journal import Entry, Journal
from fhirmap.journal import states as st
from fhirmap.records import Fault, Issue, Note, Receipt

ACCEPTED = Receipt("accepted", "", 200, identifier_system="urn:s", identifier_value="R-1")
REFUSED = Receipt("refused", "FM661", 422, (Issue("error", "processing", "no such operation"),))
DEFERRED = Receipt("deferred", "FM603", 503)
UNCERTAIN = Receipt("uncertain", "FM650")


def ready(key: str, payload: str = "a", limit_key: str = "L") -> Entry:
    return Entry(key, "ready", payload.encode(), f"digest-{payload}", limit_key)


def answer_all(journal: Journal, receipt: Receipt) -> list[str]:
    leases = journal.lease(100)
    for lease in leases:
        journal.settle(lease, receipt)
    return [lease.envelope.key for lease in leases]


def state_of(journal: Journal, key: str) -> str:
    return next(answer.state for answer in journal.answers() if answer.key == key)


def test_what_is_put_is_counted_and_can_be_leased_in_order(journal: Journal) -> None:
    counts = journal.put(
        [ready("1"), ready("2", "b"), Entry("3", "invalid"), Entry("4", "out_of_scope"), Entry("1", "superseded")]
    )
    assert (counts.ready, counts.invalid, counts.out_of_scope, counts.superseded, counts.read) == (2, 1, 1, 1, 5)
    leases = journal.lease(5)
    assert [lease.envelope.key for lease in leases] == ["1", "2"]
    assert leases[0].envelope.payload == b"a"
    assert journal.lease(5) == []


def test_the_same_payload_is_not_sent_twice(journal: Journal) -> None:
    journal.put([ready("1"), ready("2")])
    first, second = journal.lease(2)
    journal.settle(first, ACCEPTED)
    journal.settle(second, REFUSED)
    counts = journal.put([ready("1"), ready("2")])
    assert counts.unchanged == 2
    assert journal.lease(5) == []


def test_another_payload_takes_the_place_of_the_former_even_of_an_accepted_one(journal: Journal) -> None:
    journal.put([ready("1", "a"), ready("2", "a")])
    lease = journal.lease(1)[0]
    journal.settle(lease, ACCEPTED)
    journal.put([ready("1", "b"), ready("2", "b")])
    sent = [(lease.envelope.key, lease.envelope.payload) for lease in journal.lease(5)]
    assert sent == [("1", b"b"), ("2", b"b")]


def test_a_payload_that_is_back_after_another_was_sent_is_a_new_request(journal: Journal) -> None:
    keys = []
    for payload in "aba":
        journal.start_run()
        journal.put([ready("1", payload)])
        lease = journal.lease(1)[0]
        keys.append(lease.envelope.request_key)
        journal.settle(lease, ACCEPTED)
    assert len(set(keys)) == 3


def test_a_payload_that_is_back_after_another_that_never_left_is_unchanged(journal: Journal) -> None:
    journal.put([ready("1", "a")])
    answer_all(journal, ACCEPTED)
    journal.start_run()
    journal.put([ready("1", "b")])
    journal.start_run()
    assert journal.put([ready("1", "a")]).unchanged == 1
    assert journal.lease(5) == []
    assert state_of(journal, "1") == "accepted"


def test_a_record_that_became_invalid_is_not_sent_and_comes_back_when_it_is_corrected(journal: Journal) -> None:
    journal.put([ready("1")])
    journal.start_run()
    journal.put([Entry("1", "invalid", faults=(Fault("FM500"),))])
    assert journal.lease(5) == []
    journal.start_run()
    journal.put([ready("1")])
    assert answer_all(journal, ACCEPTED) == ["1"]


def test_the_request_key_is_the_same_at_each_attempt_at_a_payload_and_only_there(journal: Journal) -> None:
    journal.put([ready("1"), ready("2")])
    first = {lease.envelope.key: lease for lease in journal.lease(5)}
    for lease in first.values():
        journal.settle(lease, DEFERRED)
    second = {lease.envelope.key: lease for lease in journal.lease(5)}
    for key in "12":
        assert first[key].envelope.request_key == second[key].envelope.request_key
        assert (first[key].number, second[key].number) == (1, 2)
    assert first["1"].envelope.request_key != first["2"].envelope.request_key


def test_a_deferred_record_waits_for_its_time(journal: Journal, clock: object) -> None:
    journal.put([ready("1")])
    now = journal._clock()
    journal.settle(journal.lease(1)[0], DEFERRED, not_before=now + 60)
    assert journal.lease(1) == []
    assert journal.next_due() == now + 60
    assert len(journal.lease(1, now + 60)) == 1


def test_limit_keys_whose_turn_has_not_come_are_passed_over(journal: Journal) -> None:
    journal.put([ready("1", limit_key="A"), ready("2", limit_key="B")])
    assert [lease.envelope.key for lease in journal.lease(5, avoid={"A"})] == ["2"]
    assert [lease.envelope.key for lease in journal.lease(5)] == ["1"]


def test_what_was_in_the_air_when_the_process_died_is_uncertain_and_in_doubt(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "e", "o") as first:
        first.start_run()
        first.put([ready("1"), ready("2")])
        first.lease(1)
    with Journal.open(path, "e", "o") as second:
        second.start_run()
        assert second.recover() == 1
        assert second.recover() == 0
        assert [answer.key for answer in second.status().possible_duplicates] == ["1"]
        assert [lease.envelope.key for lease in second.lease(5)] == ["1", "2"]
        assert [event["event"] for event in second.history("1")] == ["sent", "lost", "sent"]


def test_uncertain_records_can_be_held(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.db", "e", "o", uncertain="hold") as journal:
        journal.put([ready("1")])
        journal.settle(journal.lease(1)[0], UNCERTAIN)
        assert journal.lease(1) == []
        assert journal.next_due() is None
        assert journal.release(states=["uncertain"]) == 1
        assert len(journal.lease(1)) == 1


def test_release_by_key_by_reason_and_by_state(journal: Journal) -> None:
    journal.put([ready("1"), ready("2"), ready("3"), ready("4")])
    for lease, receipt in zip(journal.lease(4), (ACCEPTED, REFUSED, DEFERRED, REFUSED), strict=True):
        journal.settle(lease, receipt, not_before=journal._clock() + 999)
    assert journal.release(reason="429") == 0
    assert journal.release(keys=["1"]) == 0, "an accepted record is never released"
    assert journal.release(keys=["2"], reason="422") == 1
    assert journal.release(reason="NO SUCH") == 1
    assert journal.release(states=["deferred"], reason="fm603") == 1
    assert sorted(answer_all(journal, ACCEPTED)) == ["2", "3", "4"]


def test_the_ledger_says_where_each_record_read_has_ended(journal: Journal) -> None:
    journal.put([ready(key) for key in "123456"])
    for lease, receipt in zip(journal.lease(4), (ACCEPTED, REFUSED, DEFERRED, UNCERTAIN), strict=True):
        journal.settle(lease, receipt, not_before=journal._clock() + 99)
    assert journal.finish_run(0).equation() == (
        "read 6 = accepted 1 + refused 1 + invalid 0 + out of scope 0 + unchanged 0 + pending 4"
    )
    journal.start_run()
    counts = journal.put(
        [ready("1"), ready("2"), ready("3"), ready("5", "b"), ready("5", "c"), ready("5", "c"), Entry("7", "invalid"),
         Entry("7", "out_of_scope"), Entry("8", "superseded")]
    )  # fmt: skip
    assert counts.read == 9
    ledger = journal.finish_run(0, read=9)
    assert (ledger.unchanged, ledger.pending, ledger.superseded, ledger.out_of_scope) == (2, 2, 4, 1)
    assert ledger.balanced


def test_a_ledger_that_does_not_balance_is_our_bug(journal: Journal) -> None:
    journal.put([ready("1")])
    with pytest.raises(InternalError, match="FM910"):
        journal.finish_run(0, read=2)


def test_records_of_earlier_runs_that_are_sent_now_stand_beside_the_ledger(journal: Journal) -> None:
    journal.put([ready("1"), ready("2")])
    journal.start_run()
    journal.put([ready("2")])
    answer_all(journal, ACCEPTED)
    ledger = journal.finish_run(0, read=1)
    assert (ledger.accepted, ledger.balanced) == (1, True)
    assert journal.carried() == {"accepted": 1}


def test_a_late_acceptance_still_counts_and_a_late_failure_does_not(journal: Journal) -> None:
    journal.put([ready("1"), ready("2")])
    late = journal.lease(2)
    journal.recover()
    again = journal.lease(2)
    assert journal.settle(late[0], ACCEPTED) == "accepted"
    assert journal.settle(late[1], REFUSED) == "sending"
    assert journal.settle(again[1], ACCEPTED) == "accepted"
    assert {answer.in_doubt for answer in journal.answers()} == {True}


def test_a_payload_replaced_while_it_was_under_way_is_not_sent_again(journal: Journal) -> None:
    journal.put([ready("1", "a")])
    lease = journal.lease(1)[0]
    journal.put([ready("1", "b")])
    assert journal.settle(lease, UNCERTAIN) == "superseded"
    assert [lease.envelope.payload for lease in journal.lease(5)] == [b"b"]
    assert [answer.key for answer in journal.status().possible_duplicates] == ["1"]


def test_the_archive_list_empties_as_it_is_written_back(journal: Journal) -> None:
    journal.put([ready("1"), ready("2")])
    journal.settle_all([(lease, ACCEPTED) for lease in journal.lease(2)])
    rows = journal.to_archive()
    assert [(row.key, row.system, row.value) for row in rows] == [("1", "urn:s", "R-1"), ("2", "urn:s", "R-1")]
    assert journal.status().archive_pending == 2
    journal.archived([rows[0].entry_id])
    assert [row.key for row in journal.to_archive()] == ["2"]


def test_status_groups_by_the_receivers_words(journal: Journal) -> None:
    journal.put([ready("1"), ready("2"), Entry("3", "invalid", notes=(Note("look"),))])
    answer_all(journal, REFUSED)
    status = journal.status()
    assert status.states == {"refused": 2, "invalid": 1}
    reason = status.reasons[0]
    assert (reason.count, reason.status, reason.words, reason.keys) == (2, 422, "no such operation", ("1", "2"))


def test_checkpoints_are_kept_with_the_batch(journal: Journal) -> None:
    assert journal.checkpoint("INTERVENTION") is None
    journal.put([ready("1")], {"INTERVENTION": "2025-03-15"})
    journal.put([], {"INTERVENTION": "2025-03-16"})
    assert journal.checkpoint("INTERVENTION") == "2025-03-16"


def test_establishments_and_operations_do_not_see_each_other(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    for establishment, operation in (("a", "x"), ("b", "x"), ("a", "y")):
        with Journal.open(path, establishment, operation) as journal:
            assert journal.put([ready("1")]).ready == 1
            assert len(journal.lease(5)) == 1


def test_no_move_but_the_planned_ones() -> None:
    for before in st.STATES:
        for after in st.STATES:
            if after not in st.MOVES[before]:
                with pytest.raises(InternalError, match="FM911"):
                    st.check_move(before, after)
    assert "sending" not in st.MOVES["accepted"]


# ---- the file ----------------------------------------------------------------------------------------------


def test_the_files_are_readable_by_their_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        with Journal.open(tmp_path / "journal.db", "e", "o", exclusive=True) as journal:
            journal.put([ready("1")])
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(former)
    assert set(modes) == {"journal.db", "journal.db-wal", "journal.db-shm", "journal.db.lock"}
    assert set(modes.values()) == {0o600}


def test_a_file_that_others_may_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.touch(mode=0o644)
    Journal.open(path, "e", "o").close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_runs_do_not_share_a_file_and_a_look_does_not_disturb(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "e", "o", exclusive=True):
        with pytest.raises(JournalError, match="FM802"):
            Journal.open(path, "e", "o", exclusive=True)
        with Journal.open(path, "e", "o") as other:
            assert other.status().states == {}
    Journal.open(path, "e", "o", exclusive=True).close()


def test_a_locked_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "e", "o", busy_timeout_s=0.05) as journal:
        other = sqlite3.connect(path)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(JournalError, match="FM801") as caught:
            journal.put([ready("1")])
        assert str(path) in str(caught.value)
        other.close()
        assert journal.put([ready("1")]).ready == 1


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_file_that_is_no_journal_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(content)
    with pytest.raises(JournalError, match=r"FM80[04]"):
        Journal.open(path, "e", "o")
    assert path.read_bytes() == content


def test_a_full_disk_is_told_and_nothing_recorded_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "e", "o") as journal:
        journal.put([ready("1")])
        with journal._engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        big = Entry("2", "ready", os.urandom(200_000), "digest-big")
        with pytest.raises(JournalError, match="FM803"):
            journal.put([big])
        assert [lease.envelope.key for lease in journal.lease(5)] == ["1"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(JournalError, match=r"FM80[05]"):
        Journal.open(tmp_path / "journal.db", "e", "o")


def test_a_missing_folder_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="FM800"):
        Journal.open(tmp_path / "no" / "journal.db", "e", "o")
    with pytest.raises(JournalError, match="FM800"):
        Journal.open(tmp_path / "journal.db", "e", "o", create=False)
    assert not (tmp_path / "journal.db").exists()


def test_a_journal_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    Journal.open(path, "e", "o").close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE fhirmap_meta SET value = '99'")
    connection.commit()
    connection.close()
    with pytest.raises(JournalError, match="FM806"):
        Journal.open(path, "e", "o")


def test_a_database_server_that_is_not_there_is_told_without_its_password() -> None:
    with pytest.raises(JournalError, match="FM807") as caught:
        Journal.open("postgresql://someone:canary-password@127.0.0.1:1/none?connect_timeout=1", "e", "o")
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_no_payload_in_the_log_even_at_debug(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Journal.open(tmp_path / "journal.db", "e", "o") as journal:
        journal.put([Entry("1", "ready", b"canary-284051012345678", "d")])
        lease = journal.lease(1)[0]
        journal.settle(lease, Receipt("refused", "FM660", 400, body=b"canary-body"))
        journal.status()
        journal.history("1")
    assert "canary" not in caplog.text


def test_durability_is_what_it_says(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.db", "e", "o") as journal, journal._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
