"""Identities against python-stdnum and the published numbers."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.fr import nir as stdnum_nir

from fhirmap.functions import identity
from fhirmap.functions.identity import (
    finess_luhn_valid,
    finess_number,
    lot_number,
    nir_key,
    nir_key_valid,
    nir_number,
    nir_with_key,
    rpps_luhn_valid,
    rpps_number,
    spreadsheet_exponent,
)

KEYS = {
    "1000175101001": "51",
    "1891275125012": "82",
    "1234567890122": "12",
    "2850315123456": "59",
    "2690549588157": "80",
    "1450699951123": "77",
    "2551297955042": "36",
    "254062A953007": "56",
    "190052B961234": "20",
    "166012A950001": "19",
    "280122B989998": "35",
    "2320163970456": "71",
    "1970112345678": "60",
}
DEPARTMENTS = st.sampled_from([f"{number:02d}" for number in range(1, 100)] + ["2A", "2B"])
BODIES = st.builds(
    "{}{:02d}{:02d}{}{:06d}".format,
    st.integers(1, 8),
    st.integers(0, 99),
    st.integers(1, 99),
    DEPARTMENTS,
    st.integers(0, 999999),
)


def test_examples_of_the_documentation() -> None:
    assert doctest.testmod(identity).failed == 0


@pytest.mark.parametrize(("number", "key"), KEYS.items())
def test_key_of_known_numbers(number: str, key: str) -> None:
    assert nir_key(number) == key
    assert nir_with_key(number) == number + key
    assert nir_key_valid(number + key)


@given(BODIES)
def test_key_agrees_with_stdnum(body: str) -> None:
    assert nir_key(body) == stdnum_nir.calc_check_digits(body)
    assert nir_key_valid(body + stdnum_nir.calc_check_digits(body))


@given(BODIES, st.integers(0, 99))
def test_only_the_right_key_is_valid(body: str, other: int) -> None:
    assert nir_key_valid(f"{body}{other:02d}") == stdnum_nir.is_valid(f"{body}{other:02d}")


@given(BODIES, st.sampled_from([" ", ".", "\u00a0", "\u202f", "-"]), st.lists(st.integers(1, 12), max_size=6))
def test_separators_do_not_matter(body: str, separator: str, places: list[int]) -> None:
    written = body
    for place in places:
        written = written[:place] + separator + written[place:]
    assert nir_number(written) == body
    assert nir_with_key(written) == nir_with_key(body)
    assert nir_key(written.lower()) == nir_key(body)


def test_a_wrong_key_is_kept_and_reported() -> None:
    assert nir_with_key("1000175101001", "52") == "100017510100152"
    assert not nir_key_valid("100017510100152")


def test_a_key_of_one_digit_gets_its_zero_back() -> None:
    assert nir_with_key("2540629953007", "7") == "254062995300707"


@pytest.mark.parametrize("text", ["", " ", "-", "..", "\u00a0"])
def test_separators_alone_are_no_number(text: str) -> None:
    assert nir_with_key(text) is None


def test_a_number_that_has_its_key_ignores_the_column() -> None:
    assert nir_with_key("1 00 01 75 101 001 51", "99") == "100017510100151"


@pytest.mark.parametrize("text", ["", "12345", "1,00017E+14", "ABCDEFGHIJKLM", "2C40629953007"])
def test_what_is_no_nir_is_left_to_the_contract(text: str) -> None:
    assert nir_key(text) is None
    assert len(nir_with_key(text) or "") <= 13
    assert not nir_key_valid(text)


@pytest.mark.parametrize("text", ["１２３４５６７８９０１２３", "٣٣٣٣٣٣٣٣٣٣٣٣٣"])
def test_only_ascii_digits_count(text: str) -> None:
    assert nir_key(text) is None
    assert not rpps_luhn_valid(text[:11])


@pytest.mark.parametrize(
    "number",
    [
        "10100473148",
        "10999000010",
        "10999000028",
        "10999000036",
        "10999010019",
        "10000000009",
        "81010120129",
        "10999999997",
    ],
)
def test_valid_rpps(number: str) -> None:
    assert rpps_luhn_valid(number)


@pytest.mark.parametrize(
    "number", ["12345678901", "10012345678", "10101201234", "10102727017", "1099900001", "109990000100"]
)
def test_invalid_rpps(number: str) -> None:
    assert not rpps_luhn_valid(number)


@given(st.from_regex(r"[0-9]{11}", fullmatch=True))
def test_rpps_luhn_agrees_with_stdnum(number: str) -> None:
    if number.isascii():
        assert rpps_luhn_valid(number) == (luhn.is_valid(number) and number != "0" * 11)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("810100473148", "10100473148"),
        ("10100473148.0", "10100473148"),
        (" 10 100 473 148 ", "10100473148"),
        ("1,0999E+10", "1,0999E+10"),
        ("109990099", "109990099"),
        ("81010047314", "81010047314"),
    ],
)
def test_rpps_as_sources_write_it(written: str, number: str) -> None:
    assert rpps_number(written) == number


@pytest.mark.parametrize(
    "number", ["310780259", "990000127", "991000340", "992000562", "750100042", "010780005", "2A9990015"]
)
def test_valid_finess(number: str) -> None:
    assert finess_luhn_valid(number)


@pytest.mark.parametrize("number", ["123456789", "987654321", "000112233", "99000012", "2A999001X", "2A99900150"])
def test_invalid_finess(number: str) -> None:
    assert not finess_luhn_valid(number)


def test_finess_is_tidied() -> None:
    assert finess_number("992 000 562\u00a0") == "992000562"


@pytest.mark.parametrize("text", ["N/A", "inconnu", "-", "0", " SANS ", "1,23457E+11", "2.99911e+12", "", "1,20E5"])
def test_no_lot(text: str) -> None:
    assert lot_number(text) is None


@pytest.mark.parametrize("text", ["0000", "XXX", "VRAI", "néant", "non renseigné", "mars-12", "12-Mar", "févr.-12"])
def test_what_people_and_spreadsheets_write_is_no_lot(text: str) -> None:
    assert lot_number(text) is None


def test_blanks_in_a_lot_are_plain() -> None:
    assert lot_number("A12\u00a0B\u202f3") == "A12 B 3"


def test_fillers_are_no_numbers_of_persons() -> None:
    assert not finess_luhn_valid("000000000")
    assert not nir_key_valid("000000000000097")
    assert nir_with_key("0000000000000") == "0000000000000"


@pytest.mark.parametrize("text", ["A213B456", "B729993A", "K767-1", "007", "MAR-12", "123E4567", "12E5", "SN0"])
def test_a_lot(text: str) -> None:
    assert lot_number(text) == text
    assert not spreadsheet_exponent(text)
