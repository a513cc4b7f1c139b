"""One journal, opened and closed."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.errors import JournalError
from fhirmap.journal import Journal
from tests.journal.sending import ready


def test_establishments_and_operations_do_not_see_each_other(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    for establishment, operation in (("a", "x"), ("b", "x"), ("a", "y")):
        with Journal.open(path, establishment, operation) as journal:
            assert journal.put([ready("1")]).ready == 1
            assert len(journal.lease(5)) == 1


def test_two_runs_do_not_share_a_file_and_a_look_does_not_disturb(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "e", "o", exclusive=True):
        with pytest.raises(JournalError, match="FM802"):
            Journal.open(path, "e", "o", exclusive=True)
        with Journal.open(path, "e", "o") as other:
            assert other.status().states == {}
    Journal.open(path, "e", "o", exclusive=True).close()
