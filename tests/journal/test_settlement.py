"""What an answer makes of an entry, whatever happened to it meanwhile."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fhirmap.errors import InternalError
from fhirmap.journal import EntryState, Lease, LeaseAnswer
from fhirmap.journal.settlement import SETTLED, settlement
from fhirmap.records import Envelope, Receipt
from tests.journal.sending import ACCEPTED, DEFERRED, REFUSED, UNCERTAIN

LEASE = Lease(1, Envelope("k", b"{}", "d", "L", "r"), 1, EntryState.READY, "mine")
ROW = {
    "state": EntryState.SENDING,
    "is_current": True,
    "lease": "mine",
    "in_doubt": False,
    "doubt_settled_at": None,
    "archive": "",
}


def settled(receipt: Receipt, *, not_before: float = 0.0, is_given_up: bool = False, **row: Any) -> dict[str, Any]:
    answer = LeaseAnswer(LEASE, receipt, not_before, is_given_up)
    return dict(zip(SETTLED, settlement(answer, SimpleNamespace(**ROW | row), "[]").values, strict=True))


@pytest.mark.parametrize(
    ("receipt", "row", "state", "in_doubt"),
    [
        (ACCEPTED, {}, "accepted", False),
        (REFUSED, {}, "refused", False),
        (DEFERRED, {}, "deferred", False),
        (UNCERTAIN, {}, "uncertain", True),
        (DEFERRED, {"is_current": False}, "superseded", False),
        (UNCERTAIN, {"is_current": False}, "superseded", True),
        (ACCEPTED, {"is_current": False}, "accepted", False),
        (ACCEPTED, {"state": EntryState.UNCERTAIN, "lease": ""}, "accepted", True),
        (REFUSED, {"lease": "another"}, "sending", True),
    ],
)
def test_the_state_and_the_doubt(receipt: Receipt, row: dict[str, Any], state: str, in_doubt: bool) -> None:
    found = settled(receipt, **row)
    assert (found["state"], found["in_doubt"]) == (state, in_doubt)


def test_only_what_waits_has_a_time_to_wait_for_and_only_what_was_accepted_an_identifier() -> None:
    waits = settled(DEFERRED, not_before=9.0, is_given_up=True)
    assert (waits["not_before"], waits["is_given_up"], waits["identifier_value"]) == (9.0, True, "")
    done = settled(ACCEPTED, not_before=9.0, is_given_up=True)
    assert (done["not_before"], done["is_given_up"], done["identifier_value"]) == (0.0, False, "R-1")
    assert (done["archive"], done["lease"]) == ("pending", "")


def test_the_lease_of_another_worker_stays() -> None:
    assert settled(REFUSED, lease="another")["lease"] == "another"


def test_a_move_that_is_not_planned_is_refused() -> None:
    with pytest.raises(InternalError, match="FM911"):
        settled(ACCEPTED, state=EntryState.GONE)
