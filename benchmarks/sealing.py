"""What encryption of the journal costs, measured: `python -m benchmarks.sealing [records]`.

A payload of the usual size encrypted and decrypted, by itself. Then the journal alone, with and without a key by turns:
records put, leased and answered in batches as a run does it; the least CPU time of some rounds counts.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
import timeit
from pathlib import Path

from fhirmap.journal import Entry, EntryState, Journal, LeaseAnswer
from fhirmap.journal.sealing import Sealing
from fhirmap.records import Receipt, ReceiptState

RECORDS, ROUNDS, BATCH = 5_000, 3, 100
PAYLOAD_BYTES, ANSWER_BYTES = 6_000, 500
_CALLS = 10_000


def by_itself() -> tuple[float, float]:
    """Microseconds to encrypt and to decrypt one payload."""
    sealing = Sealing([os.urandom(32)], "establishment", "operation")
    content, digest = os.urandom(PAYLOAD_BYTES), "0" * 64
    sealed = sealing.seal_payload("1", digest, content)
    seal = min(timeit.repeat(lambda: sealing.seal_payload("1", digest, content), number=_CALLS, repeat=ROUNDS))
    opened = min(timeit.repeat(lambda: sealing.open_payload("1", digest, *sealed), number=_CALLS, repeat=ROUNDS))
    return seal / _CALLS * 1e6, opened / _CALLS * 1e6


def cpu_of_journal(records: int, *keys: bytes) -> float:
    """CPU seconds of a new journal that takes in ``records``, sends them and has their answers."""
    contents = [os.urandom(PAYLOAD_BYTES) for _ in range(records)]
    items = [
        Entry(str(number), EntryState.READY, content, hashlib.sha256(content).hexdigest(), "limit")
        for number, content in enumerate(contents)
    ]
    receipt = Receipt(ReceiptState.ACCEPTED, "", 200, identifier_value="R", body=os.urandom(ANSWER_BYTES))
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        with Journal.open(Path(folder) / "journal.db", "e", "o", exclusive=True, encryption_keys=keys) as journal:
            journal.start_run()
            for start in range(0, records, BATCH):
                journal.put(items[start : start + BATCH])
            leases = journal.lease(BATCH)
            while leases:
                leases = journal.exchange([LeaseAnswer(one, receipt) for one in leases], BATCH).leases
        return time.process_time() - started


def main(arguments: list[str]) -> int:
    """Measure and print."""
    records = int(arguments[0]) if arguments else RECORDS
    seal, opened = by_itself()
    print(f"  a payload of {PAYLOAD_BYTES:,} bytes: encrypted in {seal:.1f} µs, decrypted in {opened:.1f} µs")
    plain, sealed = [], []
    for _ in range(ROUNDS):
        plain.append(cpu_of_journal(records))
        sealed.append(cpu_of_journal(records, os.urandom(32)))
    for name, seconds in (("plain", min(plain)), ("sealed", min(sealed))):
        print(f"  {name:>6}  {records:,} records  {seconds / records * 1e6:6.1f} µs of CPU each")
    print(f"  sealed: {min(sealed) / min(plain):.2f} times the CPU time of the journal alone")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
