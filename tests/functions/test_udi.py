"""UDI labels: biip says what an intact GS1 label holds, the standards' examples what a HIBC one does."""

from __future__ import annotations

import doctest
from base64 import b64decode
from datetime import date

import biip
import pytest
from biip.gs1_messages import GS1Message
from hypothesis import assume, given
from hypothesis import strategies as st

from fhirmap.functions import bundle, udi
from fhirmap.functions.udi import (
    GS1,
    HIBCC,
    ICCBBA,
    gtin_check_valid,
    parse_udi,
    udi_carrier,
    udi_check_valid,
    udi_from_gtin,
)

GS = "\x1d"
VALID_GTINS = (
    "04012345678901",
    "12345678901231",
    "09506000134352",
    "03600002914526",
    "00614141123452",
    "00844588003288",
    "00844588003295",
    "00844588003301",
    "02999100000103",
    "02999200000201",
    "02999300000309",
)
INVALID_GTINS = (
    "00844588003296",
    "00844588003302",
    "00844588003303",
    "00844588003304",
    "00844588003401",
    "00844588003404",
)
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


def test_examples_of_the_documentation() -> None:
    assert doctest.testmod(udi).failed == 0
    assert doctest.testmod(bundle).failed == 0


# --- GS1, intact ------------------------------------------------------------------------------------------------------

VALUES = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789-./_", min_size=1, max_size=20)
DAYS = st.dates(date(2000, 1, 1), date(2049, 12, 31)).map(lambda day: day.strftime("%y%m%d"))


@st.composite
def labels(draw: st.DrawFn) -> list[tuple[str, str]]:
    parts = [("01", draw(st.sampled_from(VALID_GTINS)))]
    others = draw(st.permutations(["11", "17", "10", "21", "240"]))
    for identifier in others[: draw(st.integers(1, 5))]:
        parts.append((identifier, draw(DAYS if identifier in ("11", "17") else VALUES)))
    return parts


def raw(parts: list[tuple[str, str]]) -> str:
    text = ""
    for identifier, value in parts:
        text += identifier + value + (GS if identifier in ("10", "21", "240") else "")
    return text.removesuffix(GS)


@given(labels(), st.sampled_from(["", "]d2", "]C1"]))
def test_an_intact_label_reads_as_biip_reads_it(parts: list[tuple[str, str]], prefix: str) -> None:
    # A lot of INCONNU and its like is no lot, which biip cannot know.
    assume(all(value.upper() not in ("0", "-", "--", ".", "X", "NA", "NC", "ND", "NR", "SANS") for _, value in parts))
    text = raw(parts)
    message = biip.parse(text).gs1_message
    assert message is not None
    label = parse_udi(prefix + text)
    found = {entry.ai.ai: entry for entry in message.element_strings}
    assert label["humanReadable"] == message.as_hri().replace(" ", "") or message.as_hri() == label["humanReadable"]
    assert label["deviceIdentifier"] == found["01"].value
    assert label.get("lot") == (found["10"].value if "10" in found else None)
    assert label.get("serial") == (found["21"].value if "21" in found else None)
    for identifier, name in (("17", "expiry"), ("11", "manufactured")):
        assert label.get(name) == (str(found[identifier].date) if identifier in found else None)
    assert "problems" not in label


@given(labels())
def test_a_printed_label_says_the_same_as_its_scan(parts: list[tuple[str, str]]) -> None:
    printed = "".join(f"({identifier}){value}" for identifier, value in parts)
    assert parse_udi(printed) == parse_udi(raw(parts))
    assert GS1Message.parse_hri(printed).as_hri()


@given(labels())
def test_the_carrier_is_the_scan(parts: list[tuple[str, str]]) -> None:
    printed = "".join(f"({identifier}){value}" for identifier, value in parts)
    for text in (printed, raw(parts), "]d2" + raw(parts)):
        assert b64decode(udi_carrier(text) or "").decode() == raw(parts)


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


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("280200", "2028-02-29"),
        ("270200", "2027-02-28"),
        ("290600", "2029-06-30"),
        ("281231", "2028-12-31"),
        ("991231", "1999-12-31"),
    ],
)
def test_dates(written: str, day: str) -> None:
    assert parse_udi(f"(01)04012345678901(17){written}(10)A")["expiry"] == day


@pytest.mark.parametrize("written", ["290631", "291301", "270229", "290032"])
def test_no_date(written: str) -> None:
    label = parse_udi(f"(01)04012345678901(17){written}(10)A")
    assert "expiry" not in label
    assert label["problems"] == ["date"]


# --- GS1, damaged -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shown", ["<GS>", "^]", "~", "#", "\\x1d", "{GS}", "[GS]", "␝", "|"])
def test_a_separator_that_became_text_is_read(shown: str) -> None:
    label = parse_udi(f"010401234567890110LOT7{shown}21S42")
    assert (label["lot"], label["serial"]) == ("LOT7", "S42")
    assert label["humanReadable"] == "(01)04012345678901(10)LOT7(21)S42"


def test_a_lost_separator_is_put_back_where_the_source_knows_the_lot() -> None:
    label = parse_udi("01040123456789011729063010X891523A21SN7536", "X891523A", "SN7536")
    assert (label["lot"], label["serial"], label["problems"]) == ("X891523A", "SN7536", ["gs-lost"])
    assert label["humanReadable"] == "(01)04012345678901(17)290630(10)X891523A(21)SN7536"
    assert parse_udi("01040123456789011729063010X891523A21SN7536", None, "SN7536")["lot"] == "X891523A"
    assert parse_udi("010401234567890110X891523A17290630", "X891523A")["expiry"] == "2029-06-30"


def test_nobody_can_put_it_back_from_the_label_alone() -> None:
    label = parse_udi("010401234567890110A21S4")
    assert label["lot"] == "A21S4"
    assert "problems" not in label


def test_a_value_too_long_for_a_lot_is_cut_where_there_is_one_way_only() -> None:
    label = parse_udi("010401234567890110ABCDEFGHJKLMNPQ17290630")
    assert (label["lot"], label["expiry"], label["problems"]) == ("ABCDEFGHJKLMNPQ", "2029-06-30", ["gs-lost"])


@given(st.text("ABC0123456789", min_size=1, max_size=20))
def test_a_lot_that_agrees_with_its_column_is_never_cut(lot: str) -> None:
    assume(lot != "0")
    label = parse_udi(f"010401234567890110{lot}", lot)
    assert label["lot"] == lot
    assert "problems" not in label


def test_another_lot_than_the_column_is_no_lost_separator() -> None:
    label = parse_udi("01040123456789011729063010A24885Z", "A248853")
    assert label["lot"] == "A24885Z"
    assert "problems" not in label


def test_two_barcodes_in_one_field() -> None:
    label = parse_udi("]C10104012345678901]C11729063010ABC123")
    assert label["humanReadable"] == "(01)04012345678901(17)290630(10)ABC123"


def test_french_keyboard() -> None:
    azerty = str.maketrans("0123456789AQZW", "à&é\"'(-è_çQAWZ")
    text = "01040123456789011729063010QA12Z".translate(azerty)
    label = parse_udi(text)
    assert label["humanReadable"] == "(01)04012345678901(17)290630(10)QA12Z"
    assert label["problems"] == ["keyboard-layout"]


@pytest.mark.parametrize("text", ["4012345678901", "04012345678901", "(01)4012345678901"])
def test_ean_13_is_padded(text: str) -> None:
    assert parse_udi(text)["deviceIdentifier"] == "04012345678901"


@pytest.mark.parametrize("text", ["2,99911E+12", "2.99911e+12"])
def test_a_number_cut_by_a_spreadsheet(text: str) -> None:
    assert parse_udi(text) == {"problems": ["exponent"]}


@pytest.mark.parametrize("text", ["", "ABC", "01", "0104012345", "(01", "(01)", "(99x)1", "+", "=", "éé"])
def test_unreadable(text: str) -> None:
    assert "unreadable" in parse_udi(text)["problems"]
    assert "humanReadable" not in parse_udi(text)


@pytest.mark.parametrize("lot", ["INCONNU", "inconnu", "N/A", "0"])
def test_a_lot_that_says_there_is_none(lot: str) -> None:
    assert "lot" not in parse_udi(f"(01)04012345678901(10){lot}")
    assert "lot" not in parse_udi(f"010401234567890110{lot}")


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


# --- HIBC -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "parts"), HIBC.items())
def test_hibc(text: str, parts: dict[str, str]) -> None:
    assert parse_udi(text) == {"issuer": HIBCC, **parts, "humanReadable": text}
    assert udi_check_valid(text)


@given(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=18),
    st.text("ABCDEFG0123456789", min_size=1, max_size=18),
)
def test_hibc_check_character_may_be_any_sign(article: str, lot: str) -> None:
    assume(lot not in ("0", "NA", "NC", "ND", "NR", "X"))
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
def test_the_quick_judgement_of_a_check_character_agrees_with_reading(rest: str, check: str) -> None:
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


def test_hibc_labels_scanned_one_behind_the_other() -> None:
    first = with_check("+Z1ARFE12L0")
    text = first + with_check(f"+$$3290630LOT5{first[-1]}")
    label = parse_udi(text)
    assert (label["deviceIdentifier"], label["lot"], label["expiry"]) == ("Z1ARFE12L0", "LOT5", "2029-06-30")
    assert "problems" not in label


def test_hibc_secondary_alone_names_no_device() -> None:
    label = parse_udi(with_check("+$$3290630LOT5G"))
    assert (label["lot"], label["problems"]) == ("LOT5", ["no-device-identifier"])


# --- ICCBBA -----------------------------------------------------------------------------------------------------------


def test_iccbba() -> None:
    label = parse_udi("=/A9999XYZ100T0944=,000025=A99971312345600=>014032=}013032&,1000000000000XYZ123")
    assert label["issuer"] == ICCBBA
    assert (label["deviceIdentifier"], label["serial"], label["lot"]) == (
        "A9999XYZ100T0944",
        "000025",
        "000000000000XYZ123",
    )
    assert (label["expiry"], label["manufactured"]) == ("2014-02-01", "2013-02-01")


# --- made of the catalogue --------------------------------------------------------------------------------------------


def test_a_udi_made_of_a_catalogue_number() -> None:
    made = udi_from_gtin("2999100000905", "A558331", None, "2028-04-20")
    assert made == "(01)02999100000905(17)280420(10)A558331"
    assert parse_udi(made)["expiry"] == "2028-04-20"
    assert udi_from_gtin("2,99911E+12") is None
    assert parse_udi(made)["issuer"] == GS1


# --- what scanners and spreadsheets leave of a label ------------------------------------------------------------------


@pytest.mark.parametrize("lot", ["LOT1", None])
@pytest.mark.parametrize("order", ["17290630" + "10LOT1", "10LOT1" + GS + "17290630"])
def test_an_ean_13_behind_the_identifier_of_a_gtin_14(order: str, lot: str | None) -> None:
    udi = parse_udi("01" + "2999300000200" + order, lot)
    assert (udi["deviceIdentifier"], udi["lot"], udi["expiry"]) == ("02999300000200", "LOT1", "2029-06-30")
    assert "problems" not in udi


@pytest.mark.parametrize(
    ("gtin", "rest"), [("02999300000201", "17290630" + "10LOT1"), ("02999376118107", "10LOT1" + GS + "17290630")]
)
@pytest.mark.parametrize("lot", ["LOT1", None])
def test_a_wrong_check_digit_alone_makes_no_ean_13(gtin: str, rest: str, lot: str | None) -> None:
    udi = parse_udi("01" + gtin + rest, lot)
    assert (udi["deviceIdentifier"], udi["lot"], udi["problems"]) == (gtin, "LOT1", ["check-digit"])


def test_a_lot_that_ends_in_an_expiry_date_was_two_parts() -> None:
    udi = parse_udi("01" + "02999300000200" + "10X504883A" + "17250704")
    assert (udi["lot"], udi["expiry"], udi["problems"]) == ("X504883A", "2025-07-04", ["gs-lost"])


def test_such_a_lot_stays_whole_where_the_label_has_its_date_or_the_column_says_so() -> None:
    whole = "X504883A17250704"
    assert parse_udi("01" + "02999300000200" + "17250704" + "10" + whole)["lot"] == whole
    assert parse_udi("01" + "02999300000200" + "10" + whole, whole)["lot"] == whole


def test_two_lost_separators() -> None:
    udi = parse_udi("01" + "02999300000200" + "21SN52445" + "10M995691" + "17260607", "M995691", "SN52445")
    assert udi["humanReadable"] == "(01)02999300000200(21)SN52445(10)M995691(17)260607"
    assert udi["problems"] == ["gs-lost"]


@pytest.mark.parametrize("primary", ["+ZN02FE282R0/", "+ZB04X10$", "+ZA01H489N9S"])
def test_two_hibc_labels_whatever_the_first_one_s_check_character(primary: str) -> None:
    second = with_check("+$$3291022X847108" + primary[-1])
    udi = parse_udi(primary + second)
    assert (udi["deviceIdentifier"], udi["lot"], udi["expiry"]) == (primary[1:-1], "X847108", "2029-10-22")
    assert udi["humanReadable"] == primary + second


def test_a_space_trimmed_from_the_second_of_two_labels_comes_back() -> None:
    assert parse_udi("+ZA01H489N9S+$$2110529S")["humanReadable"].endswith("S ")
