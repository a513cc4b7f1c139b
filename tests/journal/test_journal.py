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


def test_a_journal_that_cannot_be_opened_to_its_end_lets_the_next_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_named: object) -> None:
        raise JournalError("FM803", journal="journal.db", reason="full")

    with monkeypatch.context() as patched, pytest.raises(JournalError):
        patched.setattr(Journal, "_show_keys", full)
        Journal.open(tmp_path / "journal.db", "e", "o", exclusive=True)
    Journal.open(tmp_path / "journal.db", "e", "o", exclusive=True).close()
