"""Payloads and answers encrypted in the journal: no byte of them in its files, and nothing sent that is not what was
put."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from fhirmap.journal import EntryState, FindingKind, Journal
from fhirmap.journal.copies import copy_file
from fhirmap.journal.sealing import Sealing, encryption_key_id
from fhirmap.records import Receipt, ReceiptState
from tests.journal.sending import answer_all, digest_of, ready, state_of

URL = os.environ.get("FHIRMAP_TEST_POSTGRESQL", "")
FIRST, SECOND = bytes(range(32)), bytes(range(1, 33))
ANSWERED = Receipt(ReceiptState.ACCEPTED, "", 200, identifier_value="R-1", body=b"answer-canary" * 9)

Opening = Callable[..., Journal]


@pytest.fixture
def opened(tmp_path: Path, clock: Any) -> Iterator[Opening]:
    """``opened(key, …)``: the journal with these keys, its run begun; the one before is closed."""
    with ExitStack() as stack:

        def at(*keys: bytes) -> Journal:
            stack.close()
            made = Journal.open(
                tmp_path / "journal.db", "ch-test", "associer", exclusive=True, clock=clock, encryption_keys=keys
            )
            stack.enter_context(made)
            made.start_run("map")
            return made

        yield at


def records(*keys: str) -> list[Any]:
    return [ready(key, f"payload-canary {key} " + "x" * 3000) for key in keys]


def edit(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(statement, values).rowcount > 0


def one_value(path: Path, query: str) -> Any:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchone()[0]


@pytest.mark.parametrize("keys", [(FIRST,), (FIRST, SECOND)])
def test_no_file_has_a_byte_of_a_payload_or_an_answer(opened: Opening, tmp_path: Path, keys: tuple[bytes, ...]) -> None:
    journal = opened(*keys)
    journal.put(records(*map(str, range(30))))
    copy_file(tmp_path / "journal.db", tmp_path / "before.db")
    leases = journal.lease(30)
    assert leases[7].envelope.payload.startswith(b"payload-canary 7 ")
    for lease in leases:
        journal.settle(lease, ANSWERED)
    copy_file(tmp_path / "journal.db", tmp_path / "after.db")
    files = sorted(file.name for file in tmp_path.iterdir())
    assert {"journal.db", "journal.db-wal", "before.db", "after.db"} <= set(files)
    assert all(b"canary" not in (tmp_path / name).read_bytes() for name in files)
    assert journal.verify() == []
    assert journal.payload(leases[7].entry_id) == leases[7].envelope.payload
    assert one_value(tmp_path / "journal.db", "SELECT DISTINCT sealed_by FROM fhirmap_payload") == encryption_key_id(
        FIRST
    )


def test_without_a_key_the_same_search_finds_them(opened: Opening, tmp_path: Path) -> None:
    opened().put(records("1"))
    assert b"canary" in (tmp_path / "journal.db-wal").read_bytes()


def test_an_existing_journal_goes_on_with_a_key(opened: Opening) -> None:
    opened().put(records("1", "2"))
    journal = opened(FIRST)
    assert journal.put([*records("1", "2"), *records("3")]).pending == 2
    assert answer_all(journal, ANSWERED) == ["1", "2", "3"]
    assert journal.verify() == []


def test_what_an_absent_key_encrypts_waits_and_is_made_anew(opened: Opening) -> None:
    opened(FIRST).put(records("1", "2"))
    journal = opened(SECOND)
    journal.put(records("3"))
    assert answer_all(journal, ANSWERED) == ["3"]
    [first, second] = [answer for answer in journal.answers() if answer.key in "12"]
    assert (first.state, first.code, second.code) == (EntryState.DEFERRED, "FM814", "FM814")
    assert journal.missing_keys() == (encryption_key_id(FIRST),)
    assert journal.damaged_count() == 2
    [found] = journal.verify()
    assert (found.kind, found.keys, found.detail) == (FindingKind.KEY_MISSING, ("1", "2"), encryption_key_id(FIRST))

    journal = opened(SECOND)
    assert journal.put(records("1")).pending == 1
    assert answer_all(journal, ANSWERED) == ["1"], "the next reading made its payload again"
    journal = opened(SECOND, FIRST)
    assert answer_all(journal, ANSWERED) == ["2"], "or somebody gave the key"
    assert journal.missing_keys() == ()
    assert journal.verify() == []


def test_nothing_is_sent_encrypted_where_no_key_is_given_any_more(opened: Opening) -> None:
    opened(FIRST).put(records("1"))
    journal = opened()
    assert answer_all(journal, ANSWERED) == []
    assert journal.missing_keys() == (encryption_key_id(FIRST),)
    journal = opened()
    journal.put(records("1"))
    assert [lease.envelope.payload[:16] for lease in journal.lease(9)] == [b"payload-canary 1"]


_PAYLOAD = "UPDATE fhirmap_payload SET payload"
TAMPERED = {
    "a flipped bit": f"{_PAYLOAD} = CAST(substr(payload, 1, 40) || X'00' || substr(payload, 42) AS BLOB)",
    "another nonce": f"{_PAYLOAD} = CAST(X'000000000000000000000000' || substr(payload, 13) AS BLOB)",
    "cut short": "UPDATE fhirmap_payload SET payload = substr(payload, 1, 20)",
    "shorter than a nonce": "UPDATE fhirmap_payload SET payload = X'0102'",
    "empty": "UPDATE fhirmap_payload SET payload = X''",
    "text": "UPDATE fhirmap_payload SET payload = 'payload'",
    "said to be plain": "UPDATE fhirmap_payload SET sealed_by = ''",
    "another key": f"UPDATE fhirmap_payload SET sealed_by = '{encryption_key_id(SECOND)}'",
    "another record's": "UPDATE fhirmap_payload SET payload = (SELECT payload FROM fhirmap_payload WHERE entry_id = 1)",
}


@pytest.mark.parametrize("statement", list(TAMPERED.values()), ids=list(TAMPERED))
def test_what_was_tampered_with_is_not_sent(opened: Opening, tmp_path: Path, statement: str) -> None:
    journal = opened(FIRST, SECOND)
    journal.put(records("1", "2"))
    edit(tmp_path / "journal.db", f"{statement} WHERE entry_id = 2")
    kinds = {one.kind for one in journal.verify()}
    assert FindingKind.PAYLOAD_CHANGED in kinds
    assert kinds <= {FindingKind.PAYLOAD_CHANGED, FindingKind.UNREADABLE_ROW}
    assert answer_all(journal, ANSWERED) == ["1"]
    assert {answer.key: answer.code for answer in journal.answers()}["2"] == "FM811"
    journal = opened(FIRST, SECOND)
    journal.put(records("2"))
    assert answer_all(journal, ANSWERED) == ["2"]


def test_the_same_payload_of_two_records_is_not_the_same_row(opened: Opening, tmp_path: Path) -> None:
    """Their digests are the same, so that only what is authenticated beside the bytes distinguishes them."""
    journal = opened(FIRST)
    journal.put([ready("1", "same"), ready("2", "same")])
    edit(
        tmp_path / "journal.db",
        "UPDATE fhirmap_payload SET payload = (SELECT payload FROM fhirmap_payload WHERE entry_id = 1) "
        "WHERE entry_id = 2",
    )
    assert answer_all(journal, ANSWERED) == ["1"]


def test_an_answer_in_another_row_is_found(opened: Opening, tmp_path: Path) -> None:
    journal = opened(FIRST)
    journal.put(records("1", "2"))
    answer_all(journal, ANSWERED)
    assert journal.verify() == []
    edit(
        tmp_path / "journal.db",
        "UPDATE fhirmap_attempt SET body = (SELECT body FROM fhirmap_attempt WHERE entry_id = 1 AND event = 'answered')"
        " WHERE entry_id = 2 AND event = 'answered'",
    )
    [found] = journal.verify()
    assert (found.kind, found.keys) == (FindingKind.ANSWER_CHANGED, ("2",))


def test_what_is_empty_stays_so_and_no_two_ciphertexts_are_the_same() -> None:
    sealing = Sealing([FIRST], "e", "o")
    assert sealing.seal_answer(1, 1, b"") == (b"", "")
    seals = {sealing.seal_payload("1", "d", b"content").content for _ in range(100)}
    assert len(seals) == 100
    assert {len(content) for content in seals} == {12 + len(b"content") + 16}


@pytest.mark.parametrize(
    "other",
    [
        lambda sealed: Sealing([FIRST], "e2", "o").open_payload("1", "d", *sealed),
        lambda sealed: Sealing([FIRST], "e", "o2").open_payload("1", "d", *sealed),
        lambda sealed: Sealing([FIRST], "eo", "").open_payload("1", "d", *sealed),
        lambda sealed: Sealing([FIRST], "e", "o").open_payload("1d", "", *sealed),
        lambda sealed: Sealing([FIRST], "e", "o").open_payload("1", "d2", *sealed),
        lambda sealed: Sealing([FIRST], "e", "o").open_answer(1, 1, *sealed),
    ],
)
def test_what_belongs_elsewhere_does_not_open(other: Callable[[Any], bytes | None]) -> None:
    sealed = Sealing([FIRST], "e", "o").seal_payload("1", "d", b"content")
    assert Sealing([SECOND, FIRST], "e", "o").open_payload("1", "d", *sealed) == b"content"
    assert other(sealed) is None


@pytest.mark.skipif(not URL, reason="FHIRMAP_TEST_POSTGRESQL names no server")
def test_on_a_server(clock: Any) -> None:
    name = f"sealed-{uuid.uuid4().hex}"

    def at(*keys: bytes) -> Journal:
        return Journal.open(URL, name, "op", exclusive=True, clock=clock, encryption_keys=keys)

    with at(FIRST) as journal:
        journal.start_run()
        journal.put(records("1", "2"))
        assert answer_all(journal, ANSWERED) == ["1", "2"]
        journal.put(records("3"))
    with at(SECOND) as journal:
        journal.start_run()
        assert answer_all(journal, ANSWERED) == []
        assert journal.missing_keys() == (encryption_key_id(FIRST),)
    with at(SECOND, FIRST) as journal:
        done = journal.rekey()
        assert (done.payloads, done.answers, done.changed, done.locked) == (3, 2, 0, 0)
    with at(SECOND) as journal:
        assert journal.verify() == []
        journal.start_run()
        assert answer_all(journal, ANSWERED) == ["3"]
        assert state_of(journal, "3") == EntryState.ACCEPTED


def test_the_digest_is_of_the_plain_payload(opened: Opening, tmp_path: Path) -> None:
    opened(FIRST).put([ready("1", "content")])
    assert one_value(tmp_path / "journal.db", "SELECT digest FROM fhirmap_entry") == digest_of(b"content")
