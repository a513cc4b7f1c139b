"""The journal: the only memory. Kill the process anywhere, start again: nothing is lost, nothing is delivered as two
things.

What it owns: one row for each (establishment, operation, record key, payload digest), a list of attempts that only
grows, the runs, the source checkpoints. `states.py` has the legal moves, `queue.py` what a run does, `ledger.py` the
account of a run, `reading.py` what people ask, `store.py` the database, `codec.py` the JSON in its columns. Invariants:

- `put`, `lease` and `settle` are one transaction each, committed before they return. A request leaves only after its
  lease is committed; an answer counts only once its settlement is.
- A payload whose acceptance is recorded is never leased again, unless another payload of that key was sent in between.
- Of each key one row is current: what the source said last. Only current rows are sent.
- Payload bytes and answer bodies live here and nowhere else; the file is readable by its owner alone.

Absent on purpose: sending, waiting, limits (`runner.deliver`), and any opinion about what an answer means
(`sinks.outcome`).
"""

from fhirmap.journal.entries import Accepted, Counts, Entry, Lease, Ledger, Reason, RecordedAnswer, RunSummary, Status
from fhirmap.journal.journal import Journal
from fhirmap.journal.reading import grouped_reasons
from fhirmap.journal.states import PENDING, EntryState

__all__ = [
    "PENDING",
    "Accepted",
    "Counts",
    "Entry",
    "EntryState",
    "Journal",
    "Lease",
    "Ledger",
    "Reason",
    "RecordedAnswer",
    "RunSummary",
    "Status",
    "grouped_reasons",
]
