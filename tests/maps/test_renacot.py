"""The published operation: messages equal to the guide's, and what the map does with what hospitals write."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from fhirmap.records import Result
from fhirmap.runner.engine import Engine

Row = dict[str, Any]
MakeRow = Callable[..., Row]
MakeEngine = Callable[..., Engine]


def errors(result: Result) -> list[str]:
    """Rules that make the record invalid."""
    return [fault.rule for fault in result.faults if fault.severity == "error"]


def warnings(result: Result) -> list[str]:
    """Rules that are reported."""
    return [fault.rule for fault in result.faults if fault.severity == "warning"]


def parameter(message: dict[str, Any] | None, name: str) -> Any:
    """Value of the one parameter of that name; None where there is none."""
    assert message is not None
    found = [entry for entry in message["parameter"] if entry["name"] == name]
    assert len(found) <= 1
    return next((value for entry in found for key, value in entry.items() if key != "name"), None)


def implants(message: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Each implant as part name -> value."""
    assert message is not None
    return [
        {part["name"]: next(value for key, value in part.items() if key != "name") for part in entry["part"]}
        for entry in message["parameter"]
        if entry["name"] == "implants"
    ]


@pytest.mark.parametrize("name", ["PGExample", "PHExample", "PEExample", "PEExampleErreur"])
def test_messages_equal_the_guide_s(
    name: str, row: MakeRow, engine: MakeEngine, example: Callable[[str], dict[str, Any]]
) -> None:
    assert engine().transformer(row(name)).resource == example(name)


@pytest.mark.parametrize("name", ["PGExample", "PHExample", "PEExample"])
def test_the_guide_s_examples_are_valid(name: str, row: MakeRow, engine: MakeEngine) -> None:
    assert errors(engine().transformer(row(name))) == []


def test_the_erroneous_shoulder_breaks_one_rule(row: MakeRow, engine: MakeEngine) -> None:
    assert errors(engine().transformer(row("PEExampleErreur"))) == ["pe-requires-implants-count"]


def test_the_row_is_not_changed(row: MakeRow, engine: MakeEngine) -> None:
    given = row()
    before = deepcopy(given)
    engine().transformer(given)
    assert given == before


# --- who --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("2 54 06 2A 953 007", "254062A95300756"),
        ("100017510100151", "100017510100151"),
        ("190052B961234", "190052B96123420"),
    ],
)
def test_nir_gets_its_key(written: str, sent: str, row: MakeRow, engine: MakeEngine) -> None:
    result = engine().transformer(row(nir=written))
    assert parameter(result.resource, "nir") == sent
    assert "nir-key" not in warnings(result)
    assert errors(result) == []


def test_no_nir_no_parameter(row: MakeRow, engine: MakeEngine) -> None:
    result = engine().transformer(row(nir=None))
    assert parameter(result.resource, "nir") is None
    assert errors(result) == ["required"]
    (fault,) = (fault for fault in result.faults if fault.severity == "error")
    assert (fault.element, fault.columns) == ("Parameters.parameter:nir", ("nir",))
    assert "renacot.map:" in fault.position


def test_national_prefix_of_the_surgeon(row: MakeRow, engine: MakeEngine) -> None:
    result = engine().transformer(row(surgeon="8 10100473148"))
    assert parameter(result.resource, "rpps") == "10100473148"
    assert "rpps-luhn" not in warnings(result)


# --- what -------------------------------------------------------------------------------------------------------------


def test_one_snomed_coding_only(row: MakeRow, engine: MakeEngine) -> None:
    concept = parameter(engine().transformer(row()).resource, "typeProcedure")
    assert len(concept["coding"]) == 1


@pytest.mark.parametrize("side", [None, "?", "L/R"])
def test_unknown_side_is_left_out_and_reported(side: str | None, row: MakeRow, engine: MakeEngine) -> None:
    result = engine().transformer(row(side=side))
    assert parameter(result.resource, "lateralite") is None
    assert errors(result) == []
    assert any("side" in note.text for note in result.notes)


def test_shoulder_type_off_the_shoulder_is_sent_and_refused(row: MakeRow, engine: MakeEngine) -> None:
    result = engine().transformer(row("PGExample", design="anatomic"))
    assert parameter(result.resource, "peType") is not None
    assert errors(result) == ["pe-requires-type"]


# --- implants ---------------------------------------------------------------------------------------------------------


def with_piece(row: Row, **changes: Any) -> Row:
    row["pieces"][0] = {key: value for key, value in {**row["pieces"][0], **changes}.items() if value is not None}
    return row


SCAN = "(01)00844588003288(17)350315"


@pytest.mark.parametrize(
    ("changes", "lot"),
    [
        ({"lot": "COLUMN", "scan": f"{SCAN}(10)LABEL(21)SN1"}, "COLUMN"),
        ({"lot": None, "scan": f"{SCAN}(10)LABEL(21)SN1"}, "LABEL"),
        ({"lot": None, "scan": f"{SCAN}(21)SN1"}, "SN1"),
        ({"lot": None, "serial": "SN2", "scan": SCAN}, "SN2"),
        ({"lot": None, "serial": "SN2", "scan": f"{SCAN}(10)LABEL"}, "LABEL"),
        ({"lot": None, "scan": f"{SCAN}(10)INCONNU"}, None),
    ],
)
def test_lot_or_serial(changes: dict[str, Any], lot: str | None, row: MakeRow, engine: MakeEngine) -> None:
    result = engine().transformer(with_piece(row(), **changes))
    assert implants(result.resource)[0].get("lot") == lot
    assert errors(result) == ([] if lot else ["required"])


def test_two_lots_that_differ_are_reported(row: MakeRow, engine: MakeEngine) -> None:
    result = engine().transformer(with_piece(row(), lot="COLUMN", scan=f"{SCAN}(10)LABEL"))
    assert [note.text for note in result.notes] == [
        "implant 1: the lot on the label is not the lot of the column",
    ]


def test_expired_is_reported(row: MakeRow, engine: MakeEngine) -> None:
    result = engine().transformer(with_piece(row(), lot="X1", scan="(01)00844588003288(17)250314(10)X1"))
    assert [note.text for note in result.notes] == ["implant 1: expired on the day of the operation"]


def test_a_raw_scan_is_sent_as_people_read_it(row: MakeRow, engine: MakeEngine) -> None:
    result = engine().transformer(with_piece(row(), lot="L1", scan="]d20100844588003288" + "10L1\x1d17350315"))
    assert implants(result.resource)[0]["udi"] == "(01)00844588003288(10)L1(17)350315"


def test_an_unreadable_label_goes_as_it_is(row: MakeRow, engine: MakeEngine) -> None:
    result = engine().transformer(with_piece(row(), scan="ETIQUETTE 12"))
    assert implants(result.resource)[0]["udi"] == "ETIQUETTE 12"
    assert errors(result) == []
    assert [note.text for note in result.notes] == ["implant 1, label: it cannot be read"]


def test_a_number_cut_by_a_spreadsheet_does_not(row: MakeRow, engine: MakeEngine) -> None:
    result = engine().transformer(with_piece(row(), scan="2,99911E+12"))
    assert "udi" not in implants(result.resource)[0]
    assert errors(result) == ["required"]


def test_no_label_but_a_catalogue(row: MakeRow, engine: MakeEngine) -> None:
    result = engine().transformer(with_piece(row(), scan=None, gtin="00844588003288"))
    assert implants(result.resource)[0]["udi"] == "(01)00844588003288(10)A213B456"
    assert len(result.notes) == 1


CATALOGUE = "00844588003288"
MADE = "the catalogue's GTIN"


@pytest.mark.parametrize(
    ("scan", "sent", "notes"),
    [
        ("3109998508210", "(01)00844588003288(10)A213B456", [f"label: check-digit, UDI made of {MADE}"]),
        ("(01)00844588003289(21)S1", "(01)00844588003288(10)A213B456(21)S1", [f"check-digit, UDI made of {MADE}"]),
        ("1735031510A213B456", "(01)00844588003288(10)A213B456", ["it names no article", f"UDI made of {MADE}"]),
        ("(17)350315(10)A213B456", "(01)00844588003288(10)A213B456", ["it names no article", f"UDI made of {MADE}"]),
        ("+$$3350315A213B456GT", "(01)00844588003288(10)A213B456", ["it names no article", f"UDI made of {MADE}"]),
        ("ETIQUETTE", "(01)00844588003288(10)A213B456", ["it cannot be read", f"UDI made of {MADE}"]),
        ("00844588003295", "(01)00844588003295", ["the GTIN on the label is not the catalogue's"]),
        ("844588003288", "(01)00844588003288", []),
        ("+A123BJC5D6E71G", "+A123BJC5D6E71G", []),
        ("(01)00844588003288(17)350315(7003)3504151200", "(01)00844588003288", ["label: two different values"]),
    ],
)
@pytest.mark.parametrize("gtin", [CATALOGUE, CATALOGUE[2:], "0844588003288"])
def test_a_label_and_a_catalogue(
    scan: str, sent: str, notes: list[str], gtin: str, row: MakeRow, engine: MakeEngine
) -> None:
    result = engine().transformer(with_piece(row(), scan=scan, gtin=gtin))
    assert implants(result.resource)[0]["udi"] == sent
    found = [note.text for note in result.notes if note.text.startswith("implant 1")]
    assert len(found) == len(notes)
    assert all(note in text for note, text in zip(notes, found, strict=True)), found
    assert not [fault for fault in result.faults if fault.rule == "udi-check-digit" and "implants[0]" in str(fault)]


def test_a_wrong_check_digit_without_a_better_one_is_sent_and_reported(row: MakeRow, engine: MakeEngine) -> None:
    for gtin in (None, "00844588003289", "N/A"):
        result = engine().transformer(with_piece(row("PHExample"), scan="(01)00844588003289(10)A213B456", gtin=gtin))
        assert implants(result.resource)[0]["udi"] == "(01)00844588003289(10)A213B456"
        assert "udi-check-digit" in warnings(result)


def test_a_lot_that_no_label_can_hold_is_not_in_a_udi_that_is_made(row: MakeRow, engine: MakeEngine) -> None:
    result = engine().transformer(with_piece(row(), scan=None, gtin=CATALOGUE, lot="LOT (7)"))
    assert implants(result.resource)[0]["udi"] == "(01)00844588003288"
    assert "the lot cannot be on a label" in str([note.text for note in result.notes])


def twice(row: Row, **changes: Any) -> Row:
    with_piece(row, **changes)
    row["pieces"].append(dict(row["pieces"][0]))
    return row


def test_one_piece_scanned_twice_is_sent_once(row: MakeRow, engine: MakeEngine) -> None:
    for changes in ({"serial": "SN1"}, {"scan": f"{SCAN}(10)A213B456(21)SN1"}):
        result = engine().transformer(twice(row(), **changes))
        assert len(implants(result.resource)) == 3
        assert [note.text for note in result.notes] == ["implant 4: scanned twice, sent once"]


def test_two_pieces_of_one_lot_are_both_sent(row: MakeRow, engine: MakeEngine) -> None:
    result = engine().transformer(twice(row(), kind="FIXATION"))
    assert len(implants(result.resource)) == 4
    assert [note.text for note in result.notes] == ["implant 4: same article and lot as an earlier row, both sent"]


def test_a_quantity_is_no_repeated_scan(row: MakeRow, engine: MakeEngine) -> None:
    result = engine().transformer(with_piece(row(), quantity=2, kind="FIXATION"))
    assert len(implants(result.resource)) == 4
    assert result.notes == ()
