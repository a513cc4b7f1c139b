"""Counts and ledgers."""

from __future__ import annotations

from fhirmap.journal import Counts, Ledger


def test_counts_add_up_and_a_key_read_twice_is_read_once_more() -> None:
    total = Counts(ready=2, repeated=1) + Counts(invalid=1, unchanged=3)
    assert total == Counts(ready=2, invalid=1, unchanged=3, repeated=1)
    assert total.read == 6


def test_a_ledger_balances_where_everything_read_is_somewhere() -> None:
    ledger = Ledger(read=4, accepted=1, refused=1, superseded=1, pending=1)
    assert ledger.balanced
    assert "superseded 1" in ledger.equation()
    assert not Ledger(read=4, accepted=3).balanced
    assert "superseded" not in Ledger(read=0).equation()
