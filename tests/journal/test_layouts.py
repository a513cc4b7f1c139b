"""Is what was read the same? By the whole, else by the columns that both readings have."""

from __future__ import annotations

from fhirmap.journal import Entry, EntryState, Journal, ReadValues
from tests.journal.sending import ACCEPTED, answer_all, digest_of


def read(layout: str, **columns: str) -> ReadValues:
    """Columns with one letter each as their fingerprint."""
    parts = b"".join(value.encode() * 4 for value in columns.values())
    return ReadValues("-".join(columns.values()), layout, tuple(columns), lambda: parts)


def entry(payload: str, values: ReadValues | None) -> Entry:
    return Entry("1", EntryState.READY, payload.encode(), digest_of(payload.encode()), read=values)


def put(journal: Journal, payload: str, values: ReadValues | None) -> str:
    """What became of it: the name of the one count that is not zero."""
    journal.start_run()
    counts = journal.put([entry(payload, values)])
    answer_all(journal, ACCEPTED)
    return next(name for name in ("ready", "held", "unchanged", "pending") if getattr(counts, name))


def test_the_same_reading_is_held_and_another_one_sent(journal: Journal) -> None:
    assert put(journal, "a", read("l", x="1", y="1")) == "ready"
    assert put(journal, "b", read("l", x="1", y="1")) == "held"
    assert put(journal, "b", read("l", x="1", y="2")) == "ready"


def test_a_map_that_reads_more_or_less_is_compared_by_what_both_read(journal: Journal) -> None:
    put(journal, "a", read("l", x="1", y="1"))
    assert put(journal, "b", read("more", x="1", y="1", z="1")) == "held"
    assert put(journal, "c", read("less", x="1")) == "held"
    assert put(journal, "d", read("less", x="2")) == "ready"


def test_a_change_of_a_column_that_the_map_came_to_read_is_a_change_of_the_source(journal: Journal) -> None:
    put(journal, "a", read("l", x="1"))
    assert put(journal, "b", read("more", x="1", z="1")) == "held"
    assert put(journal, "c", read("more", x="1", z="2")) == "ready"


def test_a_change_that_no_payload_shows_is_not_taken_for_one_of_the_map_later(journal: Journal) -> None:
    put(journal, "a", read("l", x="1", y="1"))
    assert put(journal, "a", read("l", x="1", y="2")) == "unchanged"
    assert put(journal, "b", read("l", x="1", y="2")) == "held"


def test_a_map_that_reads_other_columns_altogether_is_held(journal: Journal) -> None:
    put(journal, "a", read("l", x="1"))
    assert put(journal, "b", read("other", y="1")) == "held"
    assert put(journal, "b", read("other", y="2")) == "ready"


def test_without_a_reading_another_payload_is_sent(journal: Journal) -> None:
    put(journal, "a", None)
    assert put(journal, "b", read("l", x="1")) == "ready"
    assert put(journal, "c", None) == "ready"
