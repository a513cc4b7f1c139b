"""Words of receivers that are no names, as the comparison reads them."""

from __future__ import annotations

from fhirmap.sinks.plain_words import CUES, OF_CUES, OF_NAMES, PARTICLES, STATES, TITLES, plain_words
from fhirmap.texts.folded_text import folded_words


def test_every_word_is_folded() -> None:
    assert all(folded_words(word) == [word] for word in (*plain_words(), *CUES, *OF_CUES, *STATES, *TITLES))
    assert {"echec", "patient", "unknown"} <= plain_words()
    assert all(len(word) <= 4 for word in (*PARTICLES, *OF_NAMES))
