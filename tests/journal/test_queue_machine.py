"""The journal as a state machine: whatever is put, sent and answered, and wherever the process dies, nothing is lost
or sent after its acceptance was recorded.

A crash is an exception raised before the n-th statement of a transaction, after which the journal is opened anew, as a
new process would. The model knows what a faultless journal would hold.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from fhirmap.journal import Entry, EntryState, Journal
from fhirmap.records import Receipt, ReceiptState
from tests.journal.sending import digest_of, ready

KEYS = some.sampled_from(["k1", "k1", "k2"])
PAYLOADS = some.sampled_from(["a", "a", "b", ""])
ANSWERS = some.sampled_from(["accepted", "accepted", "refused", "deferred", "uncertain"])
FUSES = some.sampled_from([None, None, None, *range(9)])
"""Before which statement the process dies; mostly it does not."""


class _Killed(BaseException):
    """The process is gone."""


class JournalMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "journal.db"
        self.now = 1000.0
        self.fuse: int | None = None
        self.wanted: dict[str, str] = {}
        self.sent: list[tuple[str, str, str]] = []
        self.acknowledged: dict[tuple[str, str], int] = {}
        self.leases: list[Any] = []
        self.open()

    def open(self) -> None:
        self.journal = Journal.open(self.path, "e", "o", exclusive=True, clock=lambda: self.now)
        sa.event.listen(self.journal._engine, "before_cursor_execute", self.burn)
        sa.event.listen(self.journal._engine, "connect", self.hurry)
        self.journal._engine.dispose()
        self.journal.start_run()
        self.journal.recover()
        self.leases = []

    @staticmethod
    def hurry(connection: Any, _record: Any) -> None:
        """A process that dies is not a power cut: the test need not wait for the disk."""
        connection.execute("PRAGMA synchronous=OFF")

    def burn(self, *_: Any) -> None:
        if self.fuse is None:
            return
        self.fuse -= 1
        if self.fuse < 0:
            self.fuse = None
            raise _Killed

    def crash(self) -> None:
        self.fuse = None
        self.journal.close()
        self.open()

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.journal.close()
            self.folder.cleanup()

    def guarded(self, fuse: int | None, action: Any) -> bool:
        """Runs it; false where the process died in it."""
        self.fuse = fuse
        try:
            action()
        except _Killed:
            self.crash()
            return False
        self.fuse = None
        return True

    @rule(key=KEYS, payload=PAYLOADS, fuse=FUSES)
    def read(self, key: str, payload: str, fuse: int | None) -> None:
        """An empty payload is an invalid record."""
        entry = ready(key, payload) if payload else Entry(key, EntryState.INVALID)
        while not self.guarded(fuse, lambda: self.journal.put([entry])):
            fuse = None
        self.wanted[key] = payload

    @rule(fuse=FUSES, count=some.integers(1, 3))
    def lease(self, fuse: int | None, count: int) -> None:
        self.send(fuse, count)

    def send(self, fuse: int | None, count: int) -> None:
        def lease() -> None:
            self.leases += self.journal.lease(count)

        if self.guarded(fuse, lease):
            for found in self.leases:
                key, payload = found.envelope.key, found.envelope.payload.decode()
                if not found.token or (key, payload, found.token) in self.sent:
                    continue
                others = [n for n, (k, p, _) in enumerate(self.sent) if k == key and p != payload]
                # how much had been sent when the acceptance was recorded: what was sent later has that number or more
                since = self.acknowledged.get((key, payload))
                assert since is None or any(n >= since for n in others), "sent after its acceptance was recorded"
                self.sent.append((key, payload, found.token))

    @rule(state=ANSWERS, fuse=FUSES)
    def settle(self, state: str, fuse: int | None) -> None:
        self.answer(state, fuse)

    def answer(self, state: str, fuse: int | None) -> None:
        if not self.leases:
            return
        lease = self.leases.pop(0)
        receipt = Receipt(ReceiptState(state), "", 200)
        if self.guarded(fuse, lambda: self.journal.settle(lease, receipt)) and state == "accepted":
            self.acknowledged[lease.envelope.key, lease.envelope.payload.decode()] = len(self.sent)

    @rule(state=ANSWERS, fuse=FUSES)
    def send_and_answer(self, state: str, fuse: int | None) -> None:
        self.send(None, 3)
        while self.leases:
            self.answer(state, fuse)
            fuse = None

    @rule()
    def die(self) -> None:
        self.crash()

    @rule()
    def retry(self) -> None:
        self.journal.release()

    @invariant()
    def nothing_is_lost(self) -> None:
        """Each key's current row is what the source said last, and waits, was answered, or is invalid."""
        if not hasattr(self, "journal"):
            return
        found = {answer.key: answer for answer in self.journal.answers()}
        assert set(found) == set(self.wanted)
        for key, payload in self.wanted.items():
            if not payload:
                assert found[key].state == "invalid"
                continue
            assert found[key].state != "superseded"
            if found[key].state == "accepted":
                assert (key, payload) in self.acknowledged
        with self.journal._engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT key, digest FROM fhirmap_entry WHERE is_current").all()
        assert sorted((row.key, row.digest) for row in rows) == sorted(
            (key, digest_of(wanted.encode()) if wanted else "") for key, wanted in self.wanted.items()
        )

    @invariant()
    def the_ledger_balances(self) -> None:
        if hasattr(self, "journal"):
            assert self.journal.ledger().balanced

    @invariant()
    def every_doubt_is_listed(self) -> None:
        """Whatever left and has no recorded answer is under way or on the list of possible duplicates."""
        if not hasattr(self, "journal"):
            return
        with self.journal._engine.connect() as connection:
            lost = connection.exec_driver_sql(
                "SELECT count(*) FROM fhirmap_entry e WHERE e.state <> 'sending' AND NOT e.in_doubt AND EXISTS"
                " (SELECT 1 FROM fhirmap_attempt a WHERE a.entry_id = e.id AND a.event = 'sent' AND NOT EXISTS"
                " (SELECT 1 FROM fhirmap_attempt b"
                " WHERE b.entry_id = e.id AND b.number = a.number AND b.event = 'answered'))"
            ).scalar_one()
        assert lost == 0


JournalMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestJournalMachine = JournalMachine.TestCase
