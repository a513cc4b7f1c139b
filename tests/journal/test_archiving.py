"""What is written back."""

from __future__ import annotations

from fhirmap.journal import Journal, LeaseAnswer
from tests.journal.sending import ACCEPTED, ready


def test_the_archive_list_empties_as_it_is_written_back(journal: Journal) -> None:
    journal.put([ready("1"), ready("2")])
    journal.exchange([LeaseAnswer(lease, ACCEPTED) for lease in journal.lease(2)], 0)
    rows = journal.to_archive()
    assert [(row.key, row.system, row.value) for row in rows] == [("1", "urn:s", "R-1"), ("2", "urn:s", "R-1")]
    assert journal.status().archive_pending == 2
    journal.archived([rows[0].entry_id])
    assert [row.key for row in journal.to_archive()] == ["2"]
