"""What a reading left out."""

from __future__ import annotations

from fhirmap.sources.readings import NOTHING, Unread
from fhirmap.texts import language_of


def test_what_was_left_out_is_said_in_one_line() -> None:
    assert not NOTHING
    assert Unread(rows=1)
    assert Unread(2, 0, 1).diagnostic().message == (
        "2 files could not be read and 1 row could not be read: no record is taken for withdrawn this time"
    )
    with language_of("fr"):
        shown = Unread(unfinished=1).diagnostic().message
    assert shown.startswith("1 fichier est en cours d'écriture\N{NO-BREAK SPACE}: aucun enregistrement")
