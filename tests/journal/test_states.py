"""The legal moves of an entry."""

from __future__ import annotations

import pytest

from fhirmap.errors import InternalError
from fhirmap.journal import EntryState
from fhirmap.journal.states import MOVES, check_move


def test_no_move_but_the_planned_ones() -> None:
    for before in EntryState:
        for after in EntryState:
            if after not in MOVES[before]:
                with pytest.raises(InternalError, match="FM911"):
                    check_move(before, after)
    assert EntryState.SENDING not in MOVES[EntryState.ACCEPTED]
