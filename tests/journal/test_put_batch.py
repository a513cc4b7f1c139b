"""Chunks of entries."""

from __future__ import annotations

from typing import Any

from fhirmap.journal import Entry, EntryState
from fhirmap.journal.connection import CHUNK
from fhirmap.journal.put_batch import chunks_of_distinct_keys
from tests.journal.sending import ready


def test_no_key_comes_twice_in_a_chunk() -> None:
    entries = [ready("1"), ready("2"), ready("1", "b"), ready("3"), ready("3", "b")]
    chunks = [[entry.key for entry in chunk] for chunk in chunks_of_distinct_keys(entries)]
    assert chunks == [["1", "2"], ["1", "3"], ["3"]]


def test_superseded_entries_are_only_counted() -> None:
    entries = [ready("1"), Entry("1", EntryState.SUPERSEDED), Entry("1", EntryState.SUPERSEDED)]
    assert [len(chunk) for chunk in chunks_of_distinct_keys(entries)] == [3]


def test_a_chunk_is_no_longer_than_a_statement_takes() -> None:
    entries = [ready(str(number)) for number in range(2 * CHUNK + 1)]
    assert [len(chunk) for chunk in chunks_of_distinct_keys(entries)] == [CHUNK, CHUNK, 1]
    assert list(chunks_of_distinct_keys([])) == []


def test_a_record_that_stays_what_it_is_keeps_the_time_of_its_state(journal: Any, clock: Any) -> None:
    for state in (EntryState.INVALID, EntryState.INVALID, EntryState.OUT_OF_SCOPE, EntryState.OUT_OF_SCOPE):
        clock.time += 100
        journal.start_run()
        journal.put([Entry("1", state)])
    assert [answer.changed_at for answer in journal.answers()] == [clock.time - 100]
