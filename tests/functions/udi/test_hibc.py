"""HIBC labels: the standard's examples, check characters, two labels scanned as one."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fhirmap.functions.udi import (
    HIBCC,
    parse_udi,
    udi_check_valid,
)
from fhirmap.runtime.cell_text import MISSING

HIBC = {
    "+A123BJC5D6E71G": {"deviceIdentifier": "A123BJC5D6E71"},
    "+ZA01FE352R0O": {"deviceIdentifier": "ZA01FE352R0"},
    "+ZN02TI980L0/$$3281225B3748741S": {"deviceIdentifier": "ZN02TI980L0", "expiry": "2028-12-25", "lot": "B3748741"},
    "+ZK03BE364N0/$$3280420M2883264": {"deviceIdentifier": "ZK03BE364N0", "expiry": "2028-04-20", "lot": "M288326"},
    "+ZB04X10$": {"deviceIdentifier": "ZB04X10"},
    "+ZM05CU123L0/$$+3290531S77120C": {"deviceIdentifier": "ZM05CU123L0", "expiry": "2029-05-31", "serial": "S77120"},
    "+ZA01ST77N0/$$7LOT42%": {"deviceIdentifier": "ZA01ST77N0", "lot": "LOT42"},
    "+ZN02HE32R0/$$0630LOT9U": {"deviceIdentifier": "ZN02HE32R0", "expiry": "2030-06-30", "lot": "LOT9"},
    "+ZK03GL5N0/$$2063030LOT9Z": {"deviceIdentifier": "ZK03GL5N0", "expiry": "2030-06-30", "lot": "LOT9"},
    "+ZB04IN36L0/$LOT77S": {"deviceIdentifier": "ZB04IN36L0", "lot": "LOT77"},
    "+ZM05HS11R0/$+SER123S": {"deviceIdentifier": "ZM05HS11R0", "serial": "SER123"},
}
HIBC_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"


def with_check(text: str) -> str:
    return text + HIBC_SIGNS[sum(map(HIBC_SIGNS.index, text)) % 43]


@pytest.mark.parametrize(("text", "parts"), HIBC.items())
def test_hibc(text: str, parts: dict[str, str]) -> None:
    assert parse_udi(text) == {"issuer": HIBCC, **parts, "humanReadable": text}
    assert udi_check_valid(text)


@given(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=18),
    st.text("ABCDEFG0123456789", min_size=1, max_size=18),
)
def test_hibc_check_character_may_be_any_sign(article: str, lot: str) -> None:
    assume(lot not in MISSING)
    text = with_check(f"+Z1AR{article}0/$$3290630{lot}")
    label = parse_udi(text)
    assert (label["deviceIdentifier"], label["lot"], label["humanReadable"]) == (f"Z1AR{article}0", lot, text)
    assert "problems" not in label
    # A reader that trims takes a check character away that is a space.
    assert parse_udi(text.strip()) == label


def test_hibc_wrong_check_character() -> None:
    label = parse_udi("+ZA01HE344R0/$$3290531B2478335")
    assert label["problems"] == ["check-digit"]
    assert label["lot"] == "B247833"
    assert not udi_check_valid("+ZA01HE344R0/$$3290531B2478335")


@given(st.text("ABC0123456789-. $/+%", min_size=1, max_size=12), st.sampled_from(HIBC_SIGNS))
def test_the_quick_check_of_a_check_character_agrees_with_reading(rest: str, check: str) -> None:
    for text in (f"+Z1AR{rest}0{check}", with_check(f"+Z1AR{rest}0")):
        if "unreadable" not in parse_udi(text).get("problems", ()):
            assert udi_check_valid(text) == ("check-digit" not in parse_udi(text).get("problems", ()))


def test_hibc_lower_case_and_extra_parts() -> None:
    text = with_check("+Z1ARFE12L0/$$7LOT5/14D20300115/16D20250301/SSER1")
    label = parse_udi(text.lower())
    assert (label["lot"], label["serial"]) == ("LOT5", "SER1")
    assert (label["expiry"], label["manufactured"]) == ("2030-01-15", "2025-03-01")


def test_hibc_julian_and_hour() -> None:
    assert parse_udi(with_check("+Z1ARFE12L0/$$528060LOT5"))["expiry"] == "2028-02-29"
    assert parse_udi(with_check("+Z1ARFE12L0/$$428022915LOT5"))["expiry"] == "2028-02-29"
    assert parse_udi(with_check("+Z1ARFE12L0/$$528400LOT5"))["problems"] == ["date"]


def test_hibc_labels_scanned_one_after_the_other() -> None:
    first = with_check("+Z1ARFE12L0")
    text = first + with_check(f"+$$3290630LOT5{first[-1]}")
    label = parse_udi(text)
    assert (label["deviceIdentifier"], label["lot"], label["expiry"]) == ("Z1ARFE12L0", "LOT5", "2029-06-30")
    assert "problems" not in label


def test_hibc_secondary_alone_names_no_device() -> None:
    label = parse_udi(with_check("+$$3290630LOT5G"))
    assert (label["lot"], label["problems"]) == ("LOT5", ["no-device-identifier"])


@pytest.mark.parametrize("primary", ["+ZN02FE282R0/", "+ZB04X10$", "+ZA01H489N9S"])
def test_two_hibc_labels_whatever_the_first_one_s_check_character(primary: str) -> None:
    second = with_check("+$$3291022X847108" + primary[-1])
    udi = parse_udi(primary + second)
    assert (udi["deviceIdentifier"], udi["lot"], udi["expiry"]) == (primary[1:-1], "X847108", "2029-10-22")
    assert udi["humanReadable"] == primary + second


def test_a_space_trimmed_from_the_second_of_two_labels_comes_back() -> None:
    assert parse_udi("+ZA01H489N9S+$$2110529S")["humanReadable"].endswith("S ")


# One for each check character.
PRIMARIES = {text[-1]: text for text in (with_check(f"+ZB04{a}{b}0") for a in HIBC_SIGNS[:36] for b in "059KZ")}
DATED = {
    "$$3290630": "2029-06-30",
    "$$2063029": "2029-06-30",
    "$$0629": "2029-06-30",
    "$$429063023": "2029-06-30",
    "$$529181": "2029-06-30",
    "$$62918123": "2029-06-30",
    "$$8243290630": "2029-06-30",
    "$$9000243290630": "2029-06-30",
    "29181": "2029-06-30",
    "$$7": None,
    "$": None,
}


@pytest.mark.parametrize(("written", "expiry"), DATED.items())
def test_two_labels_in_either_order_whatever_the_link_and_the_check_character(written: str, expiry: str | None) -> None:
    assert PRIMARIES.keys() == set(HIBC_SIGNS)
    checks = set()
    for at, primary in enumerate(PRIMARIES.values()):
        lot = f"L{HIBC_SIGNS[at % 36]}"
        secondary = with_check(f"+{written}{lot}{primary[-1]}")
        checks.add(secondary[-1])
        for text in (primary + secondary, secondary + primary, f"{primary}\r\n{secondary}"):
            label = parse_udi(text)
            found = (label.get("deviceIdentifier"), label.get("lot"), label.get("expiry"))
            assert found == (primary[1:-1], lot, expiry), text
            assert "problems" not in label
        alone = parse_udi(secondary)
        assert (alone["lot"], alone.get("expiry"), alone["problems"]) == (lot, expiry, ["no-device-identifier"])
    assert len(checks) > 10


def test_a_second_label_of_another_article() -> None:
    assert parse_udi(with_check("+A123BJC5D6E71") + with_check("+$$3290630LOT5X"))["problems"] == ["link"]


def test_two_dates_of_a_label_that_differ() -> None:
    assert parse_udi(with_check("+Z1ARFE12L0/$$3290630LOT5/14D20290701"))["problems"] == ["two-values"]
    assert parse_udi(with_check("+Z1ARFE12L0/$$3290630LOT5/14D20290630"))["expiry"] == "2029-06-30"


def test_a_date_of_four_digits_is_of_its_own_century() -> None:
    assert parse_udi(with_check("+Z1ARFE12L0/$$7LOT5/14D20770101"))["expiry"] == "2077-01-01"


@pytest.mark.parametrize(
    ("rest", "problem"), [("$$LOT5", "unreadable"), ("$$7" + "L" * 19, "too-long"), ("$$429063024L", "date")]
)
def test_what_a_secondary_part_cannot_say(rest: str, problem: str) -> None:
    label = parse_udi(with_check(f"+Z1ARFE12L0/{rest}"))
    assert label["problems"] == [problem]
    assert "lot" not in label or problem == "date"


def test_as_printed_and_with_a_symbology_prefix() -> None:
    assert parse_udi("*+A123BJC5D6E71G*") == parse_udi("]C0+A123BJC5D6E71G") == parse_udi("+A123BJC5D6E71G")
