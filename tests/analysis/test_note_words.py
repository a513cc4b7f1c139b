"""The words of notes: what of them is the map's own."""

from __future__ import annotations

import pytest

from fhirmap.analysis.note_words import words_of
from fhirmap.language.parser import parse_expression


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("'act outside the registry'", "act outside the registry"),
        ("'lot ' & %v & ' is short'", "lot … is short"),
        ("'not done: ' & iif(statut = 'A', 'cancelled', 'planned')", "not done: cancelled/planned"),
        ("'side ' + iif(%v = 'x', %v, 'none')", "side …"),
        ("%a & %b", "…"),
        ("'implant ' & 3 & ': ' & %p.lot.upper()", "implant 3: …"),
    ],
)
def test_words_without_values(expression: str, words: str) -> None:
    node, diagnostics = parse_expression(expression)
    assert not diagnostics
    assert words_of(node) == words
