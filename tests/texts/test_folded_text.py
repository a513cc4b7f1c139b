"""Texts as they are compared: every spelling of a value is the same letters."""

from __future__ import annotations

import pytest

from fhirmap.texts.folded_text import fold, folded_words


@pytest.mark.parametrize(
    "written",
    [
        "1 51 02",
        "1\u00a051\u202f02",
        "1/51.02",
        "1\u200b51\ufeff02",
        "1  -  51__02",
        "1&nbsp;51&#160;02",
        "1&amp;nbsp;51&#xA0;02",
        "1\\u00a051\\u202f02",
        "1%20%2051%C2%A002",
        "１５１０２",
        "١٥١٠٢",
        "1<b>51</b><br/>02",
        "&#49;51\\u003002",
    ],
)
def test_a_number_in_any_spelling(written: str) -> None:
    assert fold(written).letters in ("15102", "151002" if "\\u0030" in written else "15102")


@pytest.mark.parametrize(
    ("written", "letters"),
    [
        ("Zoé", "zoe"),
        ("ZOE\u0301", "zoe"),
        ("d'Ôrmesson-LÉVY", "dormessonlevy"),
        ("Stra\u00dfe", "strasse"),
        ("CŒUR", "coeur"),
        ("caf&eacute;", "cafe"),
        ("caf%C3%A9", "cafe"),
        ("ﬁn", "fin"),
    ],
)
def test_a_name_in_any_spelling(written: str, letters: str) -> None:
    assert fold(written).letters == letters


def test_letters_know_their_places_and_the_words_they_are_in() -> None:
    found = fold("é&nbsp;b-C")
    places = [found.original[start:end] for start, end in zip(found.starts, found.ends, strict=True)]
    assert (found.letters, places, found.gaps) == ("ebc", ["é", "b", "C"], [0, 1, 1])
    assert folded_words("Jean-Éric 12") == ["jean", "eric", "12"]
