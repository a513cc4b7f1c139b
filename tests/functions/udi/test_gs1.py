"""GS1 labels: biip says what an intact one holds."""

from __future__ import annotations

from base64 import b64decode

import biip
import pytest
from biip.gs1_messages import GS1Message
from hypothesis import assume, given
from hypothesis import strategies as st

from fhirmap.functions.udi import (
    parse_udi,
    udi_carrier,
)
from tests.functions.udi.labels import GS, labels, raw


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
