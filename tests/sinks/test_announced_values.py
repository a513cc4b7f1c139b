"""What a cue announces, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.sinks.announced_values import announced_values, labelled_numbers
from fhirmap.texts.folded_text import fold


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("né le 2/2", [("date", "22")]),
        ("le champ ne 2 fois", []),
        ("birthDate[1] 3", []),
        ("NIR 284", [("number", "284")]),
        ("NIR 15 caractères", []),
        ("NIR 28405 puis 10123456", [("number", "28405puis10123456")]),
        ("token: expired", []),
        ("token", []),
        ("token x", []),
        ("token=a&secret=b", [("token", "a"), ("token", "b")]),
        ("Authorization: Basic dXNlcg", [("token", "dxnlcg")]),
        ("api_key=a-b.c d", [("token", "abc")]),
    ],
)
def test_after_a_cue(words: str, found: list[tuple[str, str]]) -> None:
    folded = fold(words)
    assert [(kind, folded.letters[start:end]) for kind, start, end in announced_values(folded)] == found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("sexe 1 année 41 mois 02 commune 123", ["1annee41mois02commune123"]),
        ("sexe 1 année 41 mois 02", []),
        ("1 41 02 123", []),
        ("code 1 ou code 2 ou code 3 ou code 4567", []),
    ],
)
def test_numbers_whose_parts_have_labels(words: str, found: list[str]) -> None:
    folded = fold(words)
    assert [folded.letters[start:end] for start, end in labelled_numbers(folded)] == found
