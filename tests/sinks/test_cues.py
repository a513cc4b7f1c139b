"""Words that say what comes after them, alone and put together in keys."""

from __future__ import annotations

import pytest

from fhirmap.sinks.cues import BIRTHS, NUMBERS, SECRETS, cues_of, given_names, is_cue, labels, words_between
from fhirmap.sinks.plain_words import plain_words
from fhirmap.texts.folded_text import folded_words


@pytest.mark.parametrize("word", ["nom", "patientname", "nomnaissance", "birthname", "familyname", "nomdenaissance"])
def test_cues_of_names(word: str) -> None:
    assert is_cue(word)


@pytest.mark.parametrize(
    "word", ["filename", "naissance", "nomenclature", "naissanceusage", "nom" * 100, "denomination"]
)
def test_what_is_no_cue_of_a_name(word: str) -> None:
    assert not is_cue(word)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("datedenaissance", BIRTHS),
        ("patientbirthdate", BIRTHS),
        ("numeronir", NUMBERS),
        ("patientnir", NUMBERS),
        ("accesstoken", SECRETS),
        ("motdepasse", SECRETS),
    ],
)
def test_other_cues(word: str, kind: str) -> None:
    assert cues_of(word) == (kind,)


def test_given_names_are_no_plain_words() -> None:
    assert {"marie", "jean"} <= given_names()
    assert given_names().isdisjoint(plain_words())


def test_all_words_are_folded() -> None:
    assert all(folded_words(word) == [word] for word in (*words_between(), *labels()))
