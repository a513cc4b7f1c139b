"""GS1 labels: biip says what an intact one holds."""

from __future__ import annotations

from base64 import b64decode
from random import Random

import biip
import pytest
from biip.gs1_messages import GS1Message
from hypothesis import assume, given
from hypothesis import strategies as st

from fhirmap.functions.udi import GS1, gtin_check_valid, parse_udi, udi_carrier, udi_check_valid, udi_from_gtin
from fhirmap.functions.udi.gs1_tables import UNPRINTABLE
from fhirmap.functions.udi.parts import is_gtin_valid
from fhirmap.runtime.cell_text import MISSING
from tests.functions.udi.labels import (
    GS,
    INVALID_GTINS,
    SIGNS,
    VALID_GTINS,
    any_label,
    labels,
    mistyped,
    printed,
    raw,
    scanned,
)


@given(labels(), st.sampled_from(["", "]d2", "]C1"]))
def test_an_intact_label_reads_as_biip_reads_it(parts: list[tuple[str, str]], prefix: str) -> None:
    # A lot of INCONNU and its like is no lot, which biip cannot know.
    assume(all(value.upper() not in MISSING for _, value in parts))
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


@pytest.mark.parametrize("text", ["4012345678901", "04012345678901", "(01)4012345678901"])
def test_ean_13_is_padded(text: str) -> None:
    assert parse_udi(text)["deviceIdentifier"] == "04012345678901"


@pytest.mark.parametrize("text", ["2,99911E+12", "2.99911e+12"])
def test_a_number_cut_by_a_spreadsheet(text: str) -> None:
    assert parse_udi(text) == {"problems": ["exponent"]}


@pytest.mark.parametrize("lot", ["INCONNU", "inconnu", "N/A", "0"])
def test_a_lot_that_says_there_is_none(lot: str) -> None:
    assert "lot" not in parse_udi(f"(01)04012345678901(10){lot}")
    assert "lot" not in parse_udi(f"010401234567890110{lot}")


@pytest.mark.parametrize("lot", ["LOT1", None])
@pytest.mark.parametrize("order", ["17290630" + "10LOT1", "10LOT1" + GS + "17290630"])
def test_an_ean_13_after_the_identifier_of_a_gtin_14(order: str, lot: str | None) -> None:
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


def _body(draw_length: int, rng: Random) -> str:
    return "".join(rng.choice("0123456789") for _ in range(draw_length - 1))


def _gtin(length: int, rng: Random) -> str:
    body = _body(length, rng)
    return next(body + digit for digit in "0123456789" if is_gtin_valid(body + digit))


def _mistyped(number: str, rng: Random) -> str:
    """One digit changed, two neighbours swapped, one left out, or one typed twice."""
    at = rng.randrange(len(number) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return number[:at] + rng.choice([digit for digit in "0123456789" if digit != number[at]]) + number[at + 1 :]
    if kind == 1:
        return number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    return number[:at] + number[at] * (0 if kind == 2 else 2) + number[at + 1 :]


@pytest.mark.parametrize("length", [8, 12, 13, 14])
def test_a_mistyped_number_alone_is_never_a_label(length: int) -> None:
    rng = Random(length)
    for _ in range(3000):
        gtin = _gtin(length, rng)
        assert parse_udi(gtin)["deviceIdentifier"] == gtin.zfill(14)
        text = _mistyped(gtin, rng)
        label = parse_udi(text)
        assert not {"lot", "serial", "expiry", "manufactured"} & label.keys(), text
        # A digit more or less makes a number of another length, which one in ten times has a right check digit.
        reported = label.get("problems", [])
        assert gtin_check_valid(text) == ("check-digit" not in reported and reported != ["ambiguous"])
        assert udi_check_valid(text) == ("check-digit" not in reported)
        assert label.get("humanReadable", "(01)")[:4] == "(01)"


@pytest.mark.parametrize(
    "text", ["3109998508210", "96385075", "3109998508210.0", "3 109998 508210", '="3109998508210"']
)
def test_a_mistyped_ean(text: str) -> None:
    label = parse_udi(text)
    assert label["problems"] == ["check-digit"]
    assert label["humanReadable"] == f"(01){label['deviceIdentifier']}"


@pytest.mark.parametrize("text", ["96385074", "'96385074", '="96385074"', "96385074.0", " 9638 5074 "])
def test_an_ean_8(text: str) -> None:
    assert parse_udi(text)["humanReadable"] == "(01)00000096385074"
    assert "problems" not in parse_udi(text)


def test_a_number_that_is_a_date_and_a_lot_as_well_says_so() -> None:
    assert parse_udi("17300611")["problems"] == ["check-digit"]
    assert parse_udi("17300612")["problems"] == ["ambiguous"]
    assert parse_udi("1730063010123", "123")["lot"] == "123"


@given(st.text("0123456789", min_size=1, max_size=16))
def test_checks_of_a_number_never_contradict_each_other(text: str) -> None:
    reported = "check-digit" in parse_udi(text).get("problems", ())
    assert udi_check_valid(text) != reported
    if len(text) in (8, 12, 13, 14):
        assert gtin_check_valid(text) != reported


@given(labels(), st.sampled_from(INVALID_GTINS + VALID_GTINS), st.sampled_from(["", "]d2", "]C1"]))
def test_checks_of_a_label_never_contradict_each_other(parts: list[tuple[str, str]], gtin: str, prefix: str) -> None:
    parts = [("01", gtin), *parts[1:]]
    for text in (prefix + raw(parts), "".join(f"({identifier}){value}" for identifier, value in parts)):
        reported = "check-digit" in parse_udi(text).get("problems", ())
        assert udi_check_valid(text) != reported
        assert gtin_check_valid(gtin) != reported


def _contradictions(text: str) -> list[str]:
    """What the functions say of a label that cannot be true at once."""
    label = parse_udi(text)
    problems = label.get("problems", [])
    is_valid = "check-digit" not in problems
    found = [] if udi_check_valid(text) == is_valid else ["udi_check_valid"]
    device, shown = label.get("deviceIdentifier"), label.get("humanReadable")
    if label.get("issuer") == GS1 and device and gtin_check_valid(device) != is_valid:
        found.append("gtin_check_valid")
    if shown:
        of_print = {key: value for key, value in parse_udi(shown).items() if key != "problems"}
        of_label = {key: value for key, value in label.items() if key in of_print or "unprintable" not in problems}
        of_label.pop("problems", None)
        if of_print != of_label or udi_check_valid(shown) != is_valid:
            found.append("humanReadable")
    return found


@pytest.mark.parametrize("signs", [SIGNS, SIGNS.replace("(", "").replace(")", "")])
def test_whatever_identifiers_a_label_has_it_is_read_and_printed_and_read_again(signs: str) -> None:
    rng = Random(82)
    for _ in range(1500):
        parts = any_label(rng, signs)
        held = dict(parts)
        forms = [scanned(parts), "]d2" + scanned(parts)]
        if not any(UNPRINTABLE.search(value) for value in held.values()):
            forms.append(printed(parts))
        for text in forms:
            label = parse_udi(text)
            assert _contradictions(text) == [], text
            assert label["deviceIdentifier"] == held["01"], text
            for name, identifier in (("lot", "10"), ("serial", "21")):
                value = held.get(identifier, "")
                assert label.get(name, "") == ("" if value.upper() in MISSING else value), text
            is_printed = not any(UNPRINTABLE.search(value) for value in held.values())
            assert label.get("problems", []) == ([] if is_printed else ["unprintable"]), text
            assert b64decode(udi_carrier(text) or "").decode() == scanned(parts), text
        text = mistyped(rng.choice(forms), rng)
        assert _contradictions(text) == [], text


@given(labels(), st.randoms())
def test_parts_in_any_order(parts: list[tuple[str, str]], rng: Random) -> None:
    shuffled = rng.sample(parts, len(parts))
    expected = parse_udi(raw(parts))
    found = parse_udi(raw(shuffled))
    assert {**found, "humanReadable": ""} == {**expected, "humanReadable": ""}


def test_a_label_without_a_device_is_no_udi_to_show() -> None:
    label = parse_udi("1730063010R620137")
    assert (label["expiry"], label["lot"], label["problems"]) == ("2030-06-30", "R620137", ["no-device-identifier"])
    assert "humanReadable" not in label
    assert "humanReadable" not in parse_udi("(17)300630(10)R620137")


@pytest.mark.parametrize(
    "text", ["10LOT7788", "10 vis de 4mm", "1012A", "21 pièces", "240REF", "96385O74", "31O9998508219"]
)
def test_a_text_that_begins_like_a_label_is_none(text: str) -> None:
    assert parse_udi(text)["problems"] == ["unreadable"]


@pytest.mark.parametrize("identifier", ["41l", "418", "3109", "3256"])
def test_what_is_no_identifier_is_read_in_no_form(identifier: str) -> None:
    value = "9501101020917" if identifier[0] == "4" else "123456"
    assert parse_udi("0104012345678901" + identifier + value)["problems"] == ["unreadable"]
    assert parse_udi(f"(01)04012345678901({identifier}){value}")["problems"] == ["unreadable"]


def test_a_lot_label_is_read_where_its_prefix_or_the_row_says_that_it_is_one() -> None:
    assert parse_udi("]C110LOT7788")["lot"] == "LOT7788"
    assert parse_udi("10LOT7788", "lot 7788")["lot"] == "LOT7788"


@pytest.mark.parametrize("lot", ["LOT@7", "LOTé7", "LOT$7", "LOT`7", "A" * 21])
@pytest.mark.parametrize("form", ["(01)04012345678901(17)290630(10){}", "010401234567890117290630" + "10{}"])
def test_what_gs1_does_not_allow_is_left_out_and_reported(lot: str, form: str) -> None:
    label = parse_udi(form.format(lot))
    assert "lot" not in label
    assert label["humanReadable"] == "(01)04012345678901(17)290630"
    assert label["problems"] == (["too-long"] if len(lot) > 20 else ["characters"])


@pytest.mark.parametrize("value", ["AB(1)C", "A(21)S", "(", "A)", "Q<GS>", "A<FNC1>B", "A%1dB"])
@pytest.mark.parametrize("identifier", ["10", "21"])
def test_what_would_be_read_as_something_else_is_not_printed(identifier: str, value: str) -> None:
    label = parse_udi(f"010401234567890191X{GS}{identifier}{value}{GS}17290630")
    assert label.get("lot" if identifier == "10" else "serial") == value
    assert label["humanReadable"] == "(01)04012345678901(91)X(17)290630"
    assert label["problems"] == ["unprintable"]
    lot, serial = (value, None) if identifier == "10" else (None, value)
    assert udi_from_gtin("04012345678901", lot, serial) is None
    found = parse_udi(f"(01)04012345678901({identifier}){value}")
    assert value not in (found.get("lot"), found.get("serial"))


def test_a_part_that_is_not_printed_is_in_what_the_barcode_holds() -> None:
    scan = "0104012345678901" + "10AB(1)C" + GS + "17290630"
    label = parse_udi(scan)
    assert label == {
        "issuer": GS1,
        "deviceIdentifier": "04012345678901",
        "lot": "AB(1)C",
        "expiry": "2029-06-30",
        "humanReadable": "(01)04012345678901(17)290630",
        "problems": ["unprintable"],
    }
    assert b64decode(udi_carrier(scan) or "").decode() == scan


@pytest.mark.parametrize(
    "text",
    [
        "(01)4012345678901(10)A1<GS>(21)B",
        "UDI : (01)04012345678901(10)A1(21)B",
        "[01]04012345678901[10]A1[21]B",
        "]d20104012345678901" + "10A1]d221B",
        "]d20104012345678901" + "10A1<GS>21B",
    ],
)
def test_the_carrier_of_a_label_holds_what_is_read(text: str) -> None:
    assert parse_udi(text)["humanReadable"] == "(01)04012345678901(10)A1(21)B"
    assert b64decode(udi_carrier(text) or "").decode() == "0104012345678901" + "10A1" + GS + "21B"


@pytest.mark.parametrize("text", ["(01)04012345678901(45)A", "(01)04012345678901(10)A(1)", "(01)04012345678901(10)A B"])
def test_no_carrier_of_what_is_no_label(text: str) -> None:
    assert udi_carrier(text) is None


def test_expiry_and_production_with_a_time() -> None:
    label = parse_udi("(01)04012345678901(7003)2906301230(8008)25010112(10)A")
    assert (label["expiry"], label["manufactured"], label["lot"]) == ("2029-06-30", "2025-01-01", "A")
    label = parse_udi("0104012345678901" + "70032906301230" + GS + "80082501011230" + GS + "10A")
    assert (label["expiry"], label["manufactured"], label["lot"]) == ("2029-06-30", "2025-01-01", "A")
    assert parse_udi("0104012345678901" + "70032906301230" + "10A")["problems"] == ["gs-lost"]
    assert parse_udi("(01)04012345678901(7003)2906302530")["problems"] == ["date"]
    assert parse_udi("(01)04012345678901(7003)290630")["problems"] == ["date"]


@pytest.mark.parametrize(
    "text",
    [
        "(01)04012345678901(17)290630(17)290730(10)A",
        "(01)04012345678901(17)290630(7003)2907301200(10)A",
        "0104012345678901" + "17290630" + "10A" + GS + "17290730",
    ],
)
def test_two_expiries_that_differ(text: str) -> None:
    label = parse_udi(text)
    assert "expiry" not in label
    assert (label["problems"], label["humanReadable"]) == (["two-values"], "(01)04012345678901(10)A")


def test_the_same_part_twice_is_one() -> None:
    label = parse_udi("(01)04012345678901(17)290630(7003)2906301200(10)A(10)A")
    assert label["humanReadable"] == "(01)04012345678901(17)290630(7003)2906301200(10)A"
    assert "problems" not in label


@pytest.mark.parametrize(
    "text",
    [
        "（01）04012345678901（10）A1",
        "[01]04012345678901[10]A1",
        "UDI : (01) 04012345678901 (10) A1",
        "]d2(01)04012345678901(10)A1",
        "01 04012345678901 10 A1",
        "0104012345678901\r\n10A1",
        "'0104012345678901" + "10A1",
        "(01)4012345678901(10)A1",
    ],
)
def test_other_ways_to_write_a_label(text: str) -> None:
    assert parse_udi(text)["humanReadable"] == "(01)04012345678901(10)A1"
