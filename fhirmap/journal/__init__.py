"""The journal: the only memory. Kill the process anywhere, start again: nothing is lost, nothing is delivered as two
things.

What it owns: one row for each (establishment, operation, record key, payload digest), a list of attempts that only
grows, identifiers and withdrawals, the runs, the source checkpoints. `states.py` has the legal moves, `decision.py`
what becomes of an entry, `queue.py` what a run does, `withdrawals.py` what the receiver holds and the source no longer
declares, `withdrawal_change.py` what becomes of that, `audit.py` the log of who
did what, `ledger.py` the account of a run, `reading.py` what people ask, `store.py` the database, `sealing.py` the
encryption of payloads and answers, `codec.py` the JSON in its columns; `migrations.py` has the way from each earlier
version of the tables, which `upgrade.py` goes.

Invariants:

- `put`, `lease` and `settle` are one transaction each, committed before they return. A request leaves only after its
  lease is committed; an answer counts only once its settlement is.
- A payload whose acceptance is recorded is never leased again, unless another payload of that key was sent in between.
- What a payload was made of is known beside it: another payload of the same values is held, never sent by itself.
- Every identifier that a receiver gave is kept, and so is each time that an accepted record was no longer declared.
- Of each key one row is current: what the source said last. Only current rows are sent.
- Payload bytes and answer bodies live here and nowhere else; the file is readable by its owner alone.

Absent on purpose: sending, waiting, limits (`runner.deliver`), and any opinion about what an answer means
(`sinks.outcome`).
"""

from fhirmap.journal.audit_chain import AuditAct, AuditProof, BreakKind
from fhirmap.journal.audit_reading import AuditRecord
from fhirmap.journal.continuity import ArchivedIdentifier, Doubt, DoubtCause
from fhirmap.journal.decision import Decision, Step
from fhirmap.journal.entries import (
    Accepted,
    Counts,
    DayCounts,
    Entry,
    Exchanged,
    Identifier,
    Lease,
    LeaseAnswer,
    Ledger,
    ReadValues,
    Reason,
    RecordedAnswer,
    RecordReading,
    RunSummary,
    SharedIdentifier,
    Status,
    Withdrawal,
)
from fhirmap.journal.figures import BUCKETS_S, Figures
from fhirmap.journal.journal import Journal
from fhirmap.journal.purging import Purged
from fhirmap.journal.reading import grouped_reasons
from fhirmap.journal.rekeying import Rekeyed
from fhirmap.journal.states import PENDING, EntryState, WithdrawalCause
from fhirmap.journal.store import RunLock
from fhirmap.journal.upgrade import Migration
from fhirmap.journal.verification import FindingKind, JournalFinding
from fhirmap.journal.withdrawal_change import ForeseenWithdrawals

__all__ = [
    "BUCKETS_S",
    "PENDING",
    "Accepted",
    "ArchivedIdentifier",
    "AuditAct",
    "AuditProof",
    "AuditRecord",
    "BreakKind",
    "Counts",
    "DayCounts",
    "Decision",
    "Doubt",
    "DoubtCause",
    "Entry",
    "EntryState",
    "Exchanged",
    "Figures",
    "FindingKind",
    "ForeseenWithdrawals",
    "Identifier",
    "Journal",
    "JournalFinding",
    "Lease",
    "LeaseAnswer",
    "Ledger",
    "Migration",
    "Purged",
    "ReadValues",
    "Reason",
    "RecordReading",
    "RecordedAnswer",
    "Rekeyed",
    "RunLock",
    "RunSummary",
    "SharedIdentifier",
    "Status",
    "Step",
    "Withdrawal",
    "WithdrawalCause",
    "grouped_reasons",
]
