"""The queue's promises, one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fhirmap.journal import Entry, EntryState, Journal, LeaseAnswer
from fhirmap.records import UncertainPolicy
from fhirmap.runner.pace import RateLimit
from tests.journal.sending import ACCEPTED, DEFERRED, REFUSED, UNCERTAIN, answer_all, ready, state_of


def test_what_is_put_is_counted_and_can_be_leased_in_order(journal: Journal) -> None:
    counts = journal.put(
        [
            ready("1"),
            ready("2", "b"),
            Entry("3", EntryState.INVALID),
            Entry("4", EntryState.OUT_OF_SCOPE),
            Entry("1", EntryState.SUPERSEDED),
        ]
    )
    assert (counts.ready, counts.invalid, counts.out_of_scope, counts.superseded, counts.read) == (2, 1, 1, 1, 5)
    leases = journal.lease(5)
    assert [lease.envelope.key for lease in leases] == ["1", "2"]
    assert leases[0].envelope.payload == b"a"
    assert journal.lease(5) == []


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


def test_a_deferred_record_waits_for_its_time(journal: Journal, clock: Any) -> None:
    journal.put([ready("1")])
    now = clock()
    journal.settle(journal.lease(1)[0], DEFERRED, not_before=now + 60)
    assert journal.lease(1) == []
    assert journal.next_due() == now + 60
    assert len(journal.lease(1, now + 60)) == 1


def test_what_a_run_gave_up_waits_for_the_next_one(journal: Journal, clock: Any) -> None:
    journal.start_run()
    journal.put([ready("1"), ready("2"), ready("3")])
    for lease, receipt in zip(journal.lease(3), (DEFERRED, UNCERTAIN, DEFERRED), strict=True):
        journal.settle(lease, receipt, not_before=clock() + 120, is_given_up=lease.envelope.key != "3")
    clock.time += 3600
    assert [lease.envelope.key for lease in journal.lease(5)] == ["3"]
    assert journal.next_due() is None
    assert journal.status().next_due == clock() - 3480
    assert journal.release(keys=["1"]) == 1
    assert [lease.envelope.key for lease in journal.lease(5)] == ["1"]
    journal.start_run()
    assert journal.next_due() == clock() - 3480
    assert [lease.envelope.key for lease in journal.lease(5)] == ["2"]


def test_a_given_up_payload_that_comes_back_is_sent(journal: Journal) -> None:
    journal.start_run()
    journal.put([ready("1", "a")])
    journal.settle(journal.lease(1)[0], DEFERRED, is_given_up=True)
    for payload in "ba":
        journal.put([ready("1", payload)])
        lease = journal.lease(5)[0]
        assert lease.envelope.payload == payload.encode()
        journal.settle(lease, ACCEPTED)


def test_a_lease_takes_as_long_however_many_records_were_given_up(tmp_path: Path) -> None:
    def steps(given_up: int) -> int:
        """Blocks of SQLite's instructions of one lease."""
        counted: list[int] = []
        with Journal.open(tmp_path / f"{given_up}.db", "e", "o") as journal:
            journal.put([ready(str(number)) for number in range(given_up + 1)])
            leases = journal.lease(given_up)
            for lease in leases:
                journal.settle(lease, DEFERRED, is_given_up=True)
            with journal._engine.connect() as connection:
                driver: Any = connection.connection.driver_connection
                driver.set_progress_handler(lambda: counted.append(1), 20)
            assert [lease.envelope.key for lease in journal.lease(1)] == [str(given_up)]
        return len(counted)

    assert 0 < steps(200) <= steps(2) + 2


def test_limit_keys_whose_turn_has_not_come_are_passed_over(journal: Journal) -> None:
    journal.put([ready("1", limit_key="A"), ready("2", limit_key="B")])
    turns = RateLimit(1.0)
    assert turns.take("A", 1000.0) is not None
    assert [lease.envelope.key for lease in journal.lease(5, 1000.0, turns=turns)] == ["2"]
    assert [lease.envelope.key for lease in journal.lease(5)] == ["1"]


def test_one_transaction_takes_no_more_calls_of_a_limit_key_than_have_their_turn(journal: Journal) -> None:
    journal.put([ready(str(n), limit_key="A") for n in range(4)] + [ready(f"b{n}", limit_key="B") for n in range(4)])
    found = journal.lease(8, 1000.0, turns=RateLimit(1.0))
    assert [lease.envelope.key for lease in found] == ["0", "b0"]


def test_answers_are_settled_and_others_leased_in_one_transaction(journal: Journal) -> None:
    journal.put([ready(str(n)) for n in range(4)])
    first, second = journal.lease(2)
    done = [LeaseAnswer(first, ACCEPTED), LeaseAnswer(second, DEFERRED, not_before=5e9)]
    begun: list[object] = []
    sa.event.listen(journal._engine, "begin", begun.append)
    found = journal.exchange(done, 5)
    assert len(begun) == 1
    assert found.states == [EntryState.ACCEPTED, EntryState.DEFERRED]
    assert [lease.envelope.key for lease in found.leases] == ["2", "3"]
    assert [found.value for found in journal.identifiers("0")] == ["R-1"]
    assert state_of(journal, "1") == EntryState.DEFERRED


def test_identifiers_of_one_batch_are_compared_with_one_another_too(journal: Journal) -> None:
    journal.put([ready("1"), ready("2")])
    journal.exchange([LeaseAnswer(lease, ACCEPTED) for lease in journal.lease(2)], 0)
    assert [shared.keys for shared in journal.shared_identifiers()] == [("1", "2")]


def test_what_was_being_sent_when_the_process_died_is_uncertain_and_in_doubt(tmp_path: Path) -> None:
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
    with Journal.open(tmp_path / "journal.db", "e", "o", uncertain=UncertainPolicy.HOLD) as journal:
        journal.put([ready("1")])
        journal.settle(journal.lease(1)[0], UNCERTAIN)
        assert journal.lease(1) == []
        assert journal.next_due() is None
        assert journal.release(states=[EntryState.UNCERTAIN]) == 1
        assert len(journal.lease(1)) == 1


def test_release_by_key_by_reason_and_by_state(journal: Journal, clock: Any) -> None:
    journal.put([ready("1"), ready("2"), ready("3"), ready("4")])
    for lease, receipt in zip(journal.lease(4), (ACCEPTED, REFUSED, DEFERRED, REFUSED), strict=True):
        journal.settle(lease, receipt, not_before=clock() + 999)
    assert journal.release(reason="429") == 0
    assert journal.release(keys=["1"]) == 0, "an accepted record is never released"
    assert journal.release(keys=["2"], reason="422") == 1
    assert journal.release(reason="NO SUCH") == 1
    assert journal.release(states=[EntryState.DEFERRED], reason="fm603") == 1
    assert sorted(answer_all(journal, ACCEPTED)) == ["2", "3", "4"]


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
