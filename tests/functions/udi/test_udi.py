"""The functions of the plug-in, for any text."""

from __future__ import annotations

import doctest
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirmap.functions import bundle, udi
from fhirmap.functions.udi import (
    GS1,
    gtin14,
    gtin_check_valid,
    parse_udi,
    udi_carrier,
    udi_check_valid,
    udi_from_gtin,
)
from tests.functions.udi.labels import INVALID_GTINS, VALID_GTINS


def test_examples_of_the_documentation() -> None:
    assert doctest.testmod(udi).failed == 0
    assert doctest.testmod(bundle).failed == 0


@pytest.mark.parametrize("gtin", VALID_GTINS)
def test_right_check_digit(gtin: str) -> None:
    assert gtin_check_valid(gtin)
    assert udi_check_valid(f"(01){gtin}(10)A")
    assert "problems" not in parse_udi(f"01{gtin}10A1")


@pytest.mark.parametrize("gtin", INVALID_GTINS)
def test_wrong_check_digit(gtin: str) -> None:
    assert not gtin_check_valid(gtin)
    assert not udi_check_valid(f"(01){gtin}(10)A")
    assert parse_udi(f"01{gtin}10A1")["problems"] == ["check-digit"]
    assert parse_udi(f"(01){gtin}(10)A1")["deviceIdentifier"] == gtin


@pytest.mark.parametrize("text", ["", "ABC", "01", "0104012345", "(01", "(01)", "(99x)1", "+", "=", "éé"])
def test_unreadable(text: str) -> None:
    assert "unreadable" in parse_udi(text)["problems"]
    assert "humanReadable" not in parse_udi(text)


@given(st.text(max_size=60), st.none() | st.text(max_size=12))
def test_no_text_raises(text: str, lot: str | None) -> None:
    parse_udi(text, lot, lot)
    udi_carrier(text)
    udi_check_valid(text)
    gtin_check_valid(text)


@given(st.text("01279()+$/=&,10]dC\x1dABC", max_size=60))
def test_no_text_of_the_right_signs_raises(text: str) -> None:
    for start in ("", "01", "(01)", "+A123", "=/", "]d2", "+A123BJC5D6E71/$$"):
        parse_udi(start + text, "A", "B")


def test_a_udi_made_of_a_catalogue_number() -> None:
    made = udi_from_gtin("2999100000905", "A558331", None, "2028-04-20")
    assert made == "(01)02999100000905(17)280420(10)A558331"
    assert parse_udi(made)["expiry"] == "2028-04-20"
    assert udi_from_gtin("2,99911E+12") is None
    assert parse_udi(made)["issuer"] == GS1


@pytest.mark.parametrize(
    "expiry",
    [
        "2028",
        "2028-04",
        "2028-04-00",
        "2028-",
        "2028-4",
        "2028-13",
        "2028-02-30",
        "04/2028",
        "20280430",
        "1928-04-30",
        "x",
    ],
)
def test_no_udi_of_half_a_date(expiry: str) -> None:
    assert udi_from_gtin("2999100000905", "A", None, expiry) is None


@pytest.mark.parametrize("lot", ["A" * 21, "LOT 7", "LOT(7)", "LOTé", "A@B", "A%1DB", "A<GS>"])
def test_no_udi_of_what_a_label_cannot_hold(lot: str) -> None:
    assert udi_from_gtin("2999100000905", lot) is None
    assert udi_from_gtin("2999100000905", None, lot) is None


@given(st.sampled_from(VALID_GTINS), st.text(max_size=22), st.text("AB12-./", max_size=22), st.dates())
def test_a_udi_that_is_made_reads_as_what_it_was_made_of(gtin: str, lot: str, serial: str, day: date) -> None:
    made = udi_from_gtin(gtin, lot, serial, day.isoformat())
    if made is None:
        return
    label = parse_udi(made)
    assert (label["deviceIdentifier"], label["expiry"]) == (gtin, day.isoformat())
    assert "problems" not in label
    assert label.get("lot", lot.strip()) == lot.strip()
    assert label.get("serial", serial.strip()) == serial.strip()


@pytest.mark.parametrize("text", ["1234567", "12345678901", "123456789012345", "2,99911E+12", "", "ABC"])
def test_no_gtin(text: str) -> None:
    assert gtin14(text) is None
    assert udi_from_gtin(text) is None
    assert not gtin_check_valid(text)
