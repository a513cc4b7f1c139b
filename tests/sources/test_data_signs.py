"""Texts that are values, and texts that may be names."""

from __future__ import annotations

import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirmap.sources.data_signs import DataSign, bare, data_sign
from fhirmap.texts import language_of

NUMBER = "149113897061759"
CORSICAN = "149112A97061759"


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        (NUMBER, DataSign.PERSON_NUMBER),
        (NUMBER[:13], DataSign.PERSON_NUMBER),
        ("1947010100000", DataSign.PERSON_NUMBER),  # the digits of a day, and five that are no time
        ("1 49 11 38 970 617 59", DataSign.PERSON_NUMBER),
        ("1\u00a049\u202f11 38 970 617", DataSign.PERSON_NUMBER),
        ("1.49.11.38.970.617/59", DataSign.PERSON_NUMBER),
        ("1-49-11-38-970-617-59", DataSign.PERSON_NUMBER),
        (f'="{NUMBER}"', DataSign.PERSON_NUMBER),
        (f"'{NUMBER}", DataSign.PERSON_NUMBER),
        (f"\u200b{NUMBER}\ufeff", DataSign.PERSON_NUMBER),
        (CORSICAN, DataSign.PERSON_NUMBER),
        ("1 49 11 2a 970 617 59", DataSign.PERSON_NUMBER),
        ("1 49 11 2 B 970 617", DataSign.PERSON_NUMBER),
        (f"n° {CORSICAN}", DataSign.PERSON_NUMBER),
        ("1.49113897061759E14", DataSign.LONG_NUMBER),
        (f"{NUMBER}.0", DataSign.LONG_NUMBER),
        (f"MARTIN {NUMBER}", DataSign.LONG_NUMBER),
        ("03661234567890", DataSign.LONG_NUMBER),
        ("(01)03661234567890(17)260101(10)A12", DataSign.LONG_NUMBER),
        ("e3b0c442-98fc-1c14-9afb-f4c8996fb924", DataSign.LONG_NUMBER),
        ("0320000012", DataSign.NUMBER),
        ("320 780 117", DataSign.NUMBER),
        ("12,50", DataSign.DECIMAL),
        ("1 234,50 €", DataSign.DECIMAL),
        ("-0.5", DataSign.DECIMAL),
        ("1,49E+14", DataSign.DECIMAL),
        ("03/11/1949", DataSign.DATE),
        ("3/11/49", DataSign.DATE),
        ("03.11.1949", DataSign.DATE),
        ("1949-11-03", DataSign.DATE),
        ("1949-11-03T08:00:00+01:00", DataSign.DATE),
        ("1949-11-03 08:00:00.000", DataSign.DATE),
        ("03/11/1949 08h30", DataSign.DATE),
        ("03/11/1949 à 08:30", DataSign.DATE),
        ("19491103", DataSign.DATE),
        ("03111949", DataSign.DATE),
        ("20250112083000", DataSign.DATE),
        ("202501120830", DataSign.DATE),
        ("3 novembre 1949", DataSign.DATE),
        ("1er août 2025", DataSign.DATE),
        ("03-nov-49", DataSign.DATE),
        ("3 déc. 2025", DataSign.DATE),
        ("12 May 2025", DataSign.DATE),
        ("00/00/1949", DataSign.DATE),
        ("né le 03/11/1949", DataSign.DATE),
        ("du 01/01/2025 au 31/12/2025", DataSign.DATE),
        ("jean.martin@chu-exemple.fr", DataSign.ADDRESS),
        ("Reprise de prothèse, patient prévenu ce jour", DataSign.LONG_TEXT),
    ],
)
def test_values(text: str, sign: DataSign) -> None:
    assert data_sign(text) is sign


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "id",
        "N° de séjour",
        "N° 12",
        "12",
        "2024",
        "2024-2025",
        "01/2025",
        "2025-01",
        "202501",
        "janv-25",
        "janvier 2025",
        "LPP 2025",
        "Date de naissance (JJ/MM/AAAA)",
        "Lot/Série",
        "GTIN-14",
        "UDI (01)",
        "IPP+NDA",
        "Qté x1000",
        "T2A",
        "Dr. 2",
        "v2.5",
        "8:30",
        "J+30",
        "P001",
        "LOT-2025-A12",
        "code_ccam_1",
        "D",
        "MARTIN",
        "Opérateur principal : n° de praticien",
    ],
)
def test_what_may_be_a_name(text: str) -> None:
    assert data_sign(text) is None


def test_a_sign_has_words_in_both_languages() -> None:
    with language_of("fr"):
        french = {str(sign.shown) for sign in DataSign}
    with language_of("en"):
        assert str(DataSign.DATE.shown) == "a date"
        assert len(french | {str(sign.shown) for sign in DataSign}) == 2 * len(DataSign)


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("\u00a0a \u202f b ", "a b"),
        ('="0012"', "0012"),
        ("'0012", "0012"),
        ("\ufeff0012\u200b", "0012"),
        ("’", ""),
        ("l'âge", "l'âge"),
        ('a="b"', 'a="b'),
    ],
)
def test_what_is_around_a_text(text: str, inside: str) -> None:
    assert bare(text) == inside


sexes, months, places = st.integers(1, 8), st.integers(1, 12), st.sampled_from(["01", "38", "75", "2A", "2B", "99"])
gaps = st.sampled_from(["", " ", "\u00a0", "\u202f", ".", "-", "  "])


@given(sexes, st.integers(0, 99), months, places, st.integers(0, 999), st.integers(0, 999), st.integers(0, 97), gaps)
def test_every_spelling_of_a_persons_number(
    sex: int, year: int, month: int, place: str, town: int, order: int, key: int, gap: str
) -> None:
    parts = [str(sex), f"{year:02}", f"{month:02}", place, f"{town:03}", f"{order:03}", f"{key:02}"]
    for count in (6, 7):
        for text in (gap.join(parts[:count]), gap.join(parts[:count]).lower()):
            assert data_sign(text) is not None, text


@given(
    st.dates(date(1900, 1, 1)),
    st.sampled_from(["%d/%m/%Y", "%d-%m-%y", "%d.%m.%Y", "%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y %H:%M"]),
)
def test_every_day(day: date, form: str) -> None:
    text = format(day, form)
    assert data_sign(text) is DataSign.DATE, text


@given(st.text(string.ascii_letters + " _-éèà'°()", max_size=40))
def test_no_short_words_are_data(text: str) -> None:
    assert data_sign(text) is None


@given(st.text(max_size=80))
def test_any_text_has_an_answer(text: str) -> None:
    sign = data_sign(text)
    assert sign is None or text.strip()
