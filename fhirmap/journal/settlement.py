"""What becomes of an entry after an answer to one of its leases. Decided here and nowhere else."""

from __future__ import annotations

from typing import NamedTuple

from fhirmap.journal.connection import Row
from fhirmap.journal.entries import LeaseAnswer
from fhirmap.journal.row_statement import RowValues
from fhirmap.journal.schema import entry
from fhirmap.journal.states import ArchiveState, EntryState, check_move
from fhirmap.records import ReceiptState

__all__ = ["DECISIVE", "SETTLED", "Settlement", "settlement"]

DECISIVE = (
    entry.c.id,
    entry.c.key,
    entry.c.state,
    entry.c.is_current,
    entry.c.lease,
    entry.c.in_doubt,
    entry.c.doubt_settled_at,
    entry.c.archive,
)
"""What a settlement needs of a row."""

SETTLED = (
    *("state", "in_doubt", "doubt_settled_at", "not_before", "is_given_up", "code", "status", "issues"),
    *("identifier_system", "identifier_value", "lease", "archive"),
)
"""What it says of an entry."""


class Settlement(NamedTuple):
    """The state of an entry after an answer, and the values of `SETTLED`."""

    state: EntryState
    values: RowValues


def settlement(answer: LeaseAnswer, row: Row, issues: str) -> Settlement:
    """What an answer makes of the entry that its lease is of. ``issues``: those of its receipt, as JSON.

    Raises: InternalError FM911 for a move that is not planned.
    """
    lease, receipt = answer.lease, answer.receipt
    before = row.state
    state = EntryState(receipt.state)
    late = row.lease != lease.token or before != EntryState.SENDING
    if late and state != EntryState.ACCEPTED:
        state = before  # another worker has it by now; only an acceptance still counts
    elif not row.is_current and state in (EntryState.DEFERRED, EntryState.UNCERTAIN):
        state = EntryState.SUPERSEDED
    if state != before:
        check_move(before, state)
    accepted = state == EntryState.ACCEPTED
    waits = state in (EntryState.DEFERRED, EntryState.UNCERTAIN)
    doubted = receipt.state == ReceiptState.UNCERTAIN or late
    doubt = (bool(row.in_doubt) or doubted, None if doubted else row.doubt_settled_at)
    turn = (answer.not_before, answer.is_given_up and not late) if waits else (0.0, False)
    said = (receipt.code, receipt.status, issues)
    given = (receipt.identifier_system, receipt.identifier_value) if accepted else ("", "")
    token = row.lease if late and state == EntryState.SENDING else ""
    archive = ArchiveState.PENDING if receipt.state == ReceiptState.ACCEPTED else row.archive
    return Settlement(state, (str(state), *doubt, *turn, *said, *given, token, str(archive)))
