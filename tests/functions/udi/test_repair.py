"""Damaged GS1 labels: what is put right, and what is left as it is."""

from __future__ import annotations

from base64 import b64decode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fhirmap.functions.udi import parse_udi, udi_carrier
from fhirmap.runtime.repairs import begin

SHOWN = ["<GS>", "^]", "^", "~", "#", "\\x1d", "\\u001D", "{GS}", "[GS]", "(GS)", "␝", "|", "&#29;", "%1D", "\x1e"]
SHOWN += ["\r\n", "<FNC1>", "<fnc1>", "{FNC1}", "[FNC1]", "]C1", "]d2", "]Q3", " \x1d "]
SHOWN += [
    "\\X1D\\",
    "\\x1d\\",
    "\\X1D",
    "<0x1D>",
    "<1D>",
    "{0x1D}",
    "[0x1D]",
    "\\u{1d}",
    "&#x1d;",
    "_x001D_",
    "_x001d_",
]


@pytest.mark.parametrize("shown", SHOWN)
def test_a_separator_that_became_text_is_read(shown: str) -> None:
    label = parse_udi(f"010401234567890110LOT7{shown}21S42")
    assert (label["lot"], label["serial"]) == ("LOT7", "S42")
    assert label["humanReadable"] == "(01)04012345678901(10)LOT7(21)S42"
    carrier = b64decode(udi_carrier(f"010401234567890110LOT7{shown}21S42") or "").decode()
    assert carrier == "010401234567890110LOT7\x1d21S42"


@pytest.mark.parametrize(
    "text",
    [
        "{01}04012345678901{17}290630{10}LOT7{21}S42",
        "{01} 04012345678901 {17} 290630 {10} LOT7 {21} S42",
        "(01)04012345678901{17}290630[10]LOT7(21)S42",
        "{01}04012345678901{17}290630{10}LOT7<GS>{21}S42",
        "UDI : {01}04012345678901{17}290630{10}LOT7{21}S42",
        "]C1{01}04012345678901{17}290630{10}LOT7{21}S42",
        '="{01}04012345678901{17}290630{10}LOT7{21}S42"',
    ],
)
def test_braces_are_read_as_parentheses(text: str) -> None:
    label = parse_udi(text)
    assert label["humanReadable"] == "(01)04012345678901(17)290630(10)LOT7(21)S42"
    assert "problems" not in label


def test_braces_that_do_not_close_are_no_label() -> None:
    assert parse_udi("{01}04012345678901{10LOT7")["problems"] == ["unreadable"]


@pytest.mark.parametrize(
    ("text", "article", "noted"),
    [
        ("(01)4012345678901(10)A", "04012345678901", ["gtin_zero"]),
        ("{01}4012345678901{10}A", "04012345678901", ["gtin_zero"]),
        ("(01) 401234567890 (10)A", "00401234567890", ["gtin_zero"]),
        ("01401234567890110A", "04012345678901", ["gtin_zero"]),
        ("(01)04012345678901(10)A", "04012345678901", []),
        ("010401234567890110A", "04012345678901", []),
        ("4012345678901", "04012345678901", []),
    ],
)
def test_zeros_that_an_article_lacks_are_a_warning_of_the_record(text: str, article: str, noted: list[str]) -> None:
    found = kept()
    assert parse_udi(text)["deviceIdentifier"] == article
    assert found == noted


def kept() -> list[str]:
    """What is reported from now on."""
    found: list[str] = []

    class Run:
        def repaired(self, variant: str, caller: object) -> None:
            found.append(variant)

    begin(Run())
    return found


def test_a_lost_separator_is_put_back_where_the_source_knows_the_lot() -> None:
    label = parse_udi("01040123456789011729063010X891523A21SN7536", "X891523A", "SN7536")
    assert (label["lot"], label["serial"], label["problems"]) == ("X891523A", "SN7536", ["gs-lost"])
    assert label["humanReadable"] == "(01)04012345678901(17)290630(10)X891523A(21)SN7536"
    assert parse_udi("01040123456789011729063010X891523A21SN7536", None, "SN7536")["lot"] == "X891523A"
    assert parse_udi("010401234567890110X891523A17290630", "X891523A")["expiry"] == "2029-06-30"


def test_no_one_can_put_it_back_from_the_label_alone() -> None:
    label = parse_udi("010401234567890110A21S4")
    assert label["lot"] == "A21S4"
    assert "problems" not in label


def test_a_value_too_long_for_a_lot_is_cut_where_there_is_one_way_only() -> None:
    label = parse_udi("010401234567890110ABCDEFGHJKLMNPQ17290630")
    assert (label["lot"], label["expiry"], label["problems"]) == ("ABCDEFGHJKLMNPQ", "2029-06-30", ["gs-lost"])


@given(st.text("ABC0123456789", min_size=1, max_size=20))
def test_a_lot_that_agrees_with_its_column_is_never_cut(lot: str) -> None:
    assume(lot.strip("0"))  # zeros alone are no lot
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


@pytest.mark.parametrize("shown", SHOWN)
def test_the_article_last(shown: str) -> None:
    label = parse_udi(f"10LOT7788{shown}21S42{shown}0104012345678901")
    assert label["humanReadable"] == "(10)LOT7788(21)S42(01)04012345678901"
    assert "problems" not in label


@pytest.mark.parametrize("known", [("LOT77", "SN12345"), ("lot77", None), (None, "SN12345"), ("LOT 77", "N/A")])
@pytest.mark.parametrize(
    "text",
    [
        "21SN12345" + "10LOT77" + "0104012345678901" + "17290630",
        "10LOT77" + "21SN12345" + "17290630" + "0104012345678901",
        "21SN12345" + "0104012345678901" + "17290630" + "10LOT77",
        "0104012345678901" + "21SN12345" + "10LOT77" + "17290630",
        "17290630" + "0104012345678901" + "10LOT77" + "21SN12345",
    ],
)
def test_no_separator_at_all_where_the_row_knows_the_lot_or_the_serial(text: str, known: tuple[str, str]) -> None:
    label = parse_udi(text, *known)
    assert (label["lot"], label["serial"], label["expiry"]) == ("LOT77", "SN12345", "2029-06-30")
    assert (label["deviceIdentifier"], label["problems"]) == ("04012345678901", ["gs-lost"])


def test_a_blank_in_the_place_of_a_separator_is_reported() -> None:
    label = parse_udi("010401234567890110LOT7 21S42")
    assert (label["lot"], label["serial"], label["problems"]) == ("LOT7", "S42", ["gs-lost"])
    assert "problems" not in parse_udi("010401234567890110LOT7 21S42", "LOT7")
    assert parse_udi("010401234567890110ABC 2101", "ABC 2101")["lot"] == "ABC2101"
    assert parse_udi("010401234567890110ABC 123")["lot"] == "ABC123"
