"""Keys that look like a person's number are shown by a hash that only the journal's secret gives."""

from __future__ import annotations

import pytest

from fhirmap.texts.shown_keys import hide, is_shown_form, looks_personal, show_with, shown_data, shown_key, shown_words

NUMBER = "151024610204372"


@pytest.fixture(autouse=True)
def _secret() -> None:
    show_with(b"secret")


@pytest.mark.parametrize(
    "key",
    [
        NUMBER,
        NUMBER[:13],
        "1 51 02 46 102 043 72",
        "1\u00a051\u202f02/46.102-043  72",
        "1\u200b51024610204372",
        "2 84 05 2A 123 456 78",
        "２８４０５７５１２３４５６",
        f"K7|{NUMBER}",
        f"{NUMBER[:13]}|2025-03-12",
        f"IPP{NUMBER}",
        f"nir={NUMBER};1",
        "284203512345634",  # a month of an incomplete birth, and its check digits
        "254062A95300756",
        "100017510100151007",  # with a count after it, and before it
        "7100017510100151",
    ],
)
def test_what_looks_like_the_number_of_a_person(key: str) -> None:
    assert looks_personal(key)
    assert is_shown_form(shown_key(key))
    assert not any(sign.isdigit() for sign in shown_key(key))


@pytest.mark.parametrize(
    "key",
    [
        "",
        "K1",
        "20250312001",
        "2025031200123",  # a day and a number
        "2025-03-12 14:05:33.123",
        "1234567890123",  # month 45
        "5510246102043",
        "551024610204372",
        "15102461020437",
        "1510246102043731",  # no check digits
        "151002461020437",
        "RIVAGES-2025-000123",
    ],
)
def test_what_does_not(key: str) -> None:
    assert not looks_personal(key)
    assert shown_key(key) == key


def test_a_hash_is_the_same_for_one_secret_and_key_alone() -> None:
    first = shown_key(NUMBER)
    assert shown_key(NUMBER) == first != shown_key(NUMBER[:13])
    show_with(b"other")
    assert shown_key(NUMBER) != first
    show_with(b"")
    own = shown_key(NUMBER)
    assert own not in (first, "") and shown_key(NUMBER) == own


def test_words_show_the_hash_of_the_number_in_them() -> None:
    assert shown_words(f"STAY id={NUMBER}, twice") == f"STAY id={shown_key(NUMBER)}, twice"
    assert shown_words("row 12\x1b[0m") == "row 12\\x1b[0m"


def test_hidden_texts_are_shown_by_their_hash_whatever_they_look_like() -> None:
    show_with(b"secret")
    hide(["R-DUPONT"])
    assert is_shown_form(shown_key("R-DUPONT"))
    data = {"identifiers": ["R-DUPONT", "R-1"], NUMBER: 1, "count": 3, "none": None}
    shown = shown_data(data)
    assert shown == {"identifiers": [shown_key("R-DUPONT"), "R-1"], shown_key(NUMBER): 1, "count": 3, "none": None}
