"""Lines of fixed width as models read them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from fhirmap.compilation.maps import compile_map
from fhirmap.sources import open_source
from tests.sources.records_of import read_model

STAY = """
model Stay from fixed key '1-4' where "[5] = '2'" encoding 'cp1252' {
  number : string  1..1 from 1..4
  name   : string  0..1 from 6..13
  start  : date    0..1 from 14..21 format 'ddMMyyyy'
  price  : decimal 0..1 from 22..28 decimals 3
  codes  : string  0..* from 33 count 29..30 width 4
  acts   : Act     0..* from after 'codes' count 31..32 width 16
}

model Act {
  day  : date   0..1 from 1..8 format 'ddMMyyyy'
  code : code   1..1 from 9..15
  side : code   0..1 from 16
  stay : string 1..1 from '../1-4'
}
"""


def line(number: str, kind: str = "2", *, rest: str = "0000") -> str:
    return f"{number}{kind}NOËL    170320250389500{rest}"


def test_positions_groups_and_decimals(tmp_path: Path) -> None:
    path = tmp_path / "stays.txt"
    lines = [
        line("A001", rest="0201I10 E1191803" + "2025NEKA020G"),
        line("A002", "1", rest="xx"),
        line("A003", rest="0000"),
        "A0042NOËL",
    ]
    path.write_bytes("\r\n".join(lines).encode("cp1252"))
    found = read_model(path, STAY)
    assert found.checks == []
    assert [(record.key, record.origin, record.faults) for record in found.records] == [
        ("A001", "stays.txt:1", []),
        ("A003", "stays.txt:3", []),
        ("A004", "stays.txt:4", ["FM766 count"]),
    ]
    assert found.records[0].values == {
        "number": "A001",
        "name": "NOËL",
        "start": "2025-03-17",
        "price": found.records[0].values["price"],
        "codes": ["I10", "E119"],
        "acts": [{"day": "2025-03-18", "code": "NEKA020", "side": "G", "stay": "A001"}],
    }
    assert str(found.records[0].values["price"]) == "389.500"
    assert "acts" not in found.records[1].values


def test_text_after_the_last_group_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "stays.txt"
    path.write_bytes(line("A001", rest="0100I10 more").encode("cp1252"))
    (record,) = read_model(path, STAY).records
    assert (record.faults, record.values["codes"]) == (["FM767"], ["I10"])


def test_positions_that_no_line_reaches_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "stays.txt"
    path.write_bytes(line("A001").encode("cp1252"))
    found = read_model(path, STAY.replace("from 6..13", "from 76..83"))
    assert [(entry.code, entry.variant) for entry in found.checks] == [("FM726", "positions")]


# --- three files with one number in common ----------------------------------------------------------------------------

PMSI = """
model Stay from fixed key '33-52' encoding 'cp1252' {
  diagnoses : code   0..* from 178 count 119..120 width 8
  documents : code   0..* from after 'diagnoses' count 121..122 width 8
  acts      : Act    0..* from after 'documents' count 123..125 width 29
  person    : Person 0..1 join on '29-48' = '33-52'
  devices   : Device 0..* join on '12-31' = '33-52'
}

model Act {
  day      : date 0..1 from 1..8 format 'ddMMyyyy'
  code     : code 1..1 from 9..15
  activity : code 0..1 from 20
}

model Person from fixed source 'persons' where "[49-52] = 'V016'" encoding 'cp1252' {
  insured : string 0..1 from 1..15
  own     : string 0..1 from 62..76
}

model Device from fixed source 'devices' where "[10-11] = '02'" encoding 'cp1252' {
  day    : date    0..1 from 42..49 format 'ddMMyyyy'
  lpp    : string  1..1 from 58..72
  count  : integer 1..1 from 73..82
  amount : decimal 0..1 from 83..92 decimals 3
}

model Expected {
  person : string 0..1
  day    : date   0..1
  pieces : Piece  0..*
}

model Piece {
  lpp    : string  0..1
  count  : integer 0..1
  amount : decimal 0..1
}

group main(source src : Stay, target tgt : Expected) {
  src -> tgt.person = ((src.person.own | src.person.insured).first()) "person";
  src -> tgt.day = ((src.devices.day | src.acts.where(activity = '1').day).first()) "day";
  src.devices as d -> tgt.pieces as p then {
    d.lpp as v -> p.lpp = v "lpp";
    d.count as v -> p.count = v "count";
    d.amount as v -> p.amount = v "amount";
  } "piece";
}
"""


def read_stays(folder: Path, stays: str, persons: str, devices: str) -> dict[str, dict[str, Any]]:
    """What the map makes of each stay, none of which has a fault."""
    transformer = compile_map(PMSI)
    assert transformer.store is not None
    others = {"persons": str(folder / persons), "devices": str(folder / devices)}
    found: dict[str, dict[str, Any]] = {}
    with open_source(str(folder / stays), transformer.store, others) as source:
        assert source.check() == []
        for record in source.records():
            result = transformer(record.values)
            assert (record.faults, result.faults) == ((), ())
            found[record.key] = result.resource or {}
    return found


def stay(number: str, groups: str, counts: str) -> str:
    return f"{'': <32}{number:<20}".ljust(118) + counts.ljust(59) + groups


def test_files_that_have_one_number_in_common_are_joined(tmp_path: Path) -> None:
    act = "17032025NEKA020   01".ljust(29)
    stays = [stay("S1", f"{'I10':<8}{act}", "0100001"), stay("S2", act, "0000001")]
    persons = [f"INSURED1{'':<20}{'S1':<20}V016".ljust(61) + "OWN1", f"INSURED2{'':<20}{'S2':<20}V016", "other"]
    devices = [
        f"{'':<9}02{'S2':<20}{'':<18}{'':<8}{'3165427':<15}{2:010}{389500:010}",
        f"{'':<9}01{'S2':<20}{'':<18}{'':<8}{'9999999':<15}{2:010}{389500:010}",
        f"{'':<9}02{'S1':<20}{'':<10}18032025{'':<8}{'3117204':<15}{1:010}{1:010}",
    ]
    for name, lines in (("a.txt", stays), ("b.txt", persons), ("c.txt", devices)):
        (tmp_path / name).write_bytes("\r\n".join(lines).encode("cp1252"))
    found = read_stays(tmp_path, "a.txt", "b.txt", "c.txt")
    assert {key: (values["person"], values["day"]) for key, values in found.items()} == {
        "S1": ("OWN1", "2025-03-18"),
        "S2": ("INSURED2", "2025-03-17"),
    }
    pieces = [
        (key, piece["lpp"], piece["count"], str(piece["amount"])) for key in found for piece in found[key]["pieces"]
    ]
    assert pieces == [("S1", "3117204", 1, "0.001"), ("S2", "3165427", 2, "389.500")]


def test_three_files_of_the_public_formats_give_the_expected_records(shared_dir: Path) -> None:
    folder = shared_dir / "renacot" / "formats" / "pmsi-fichcomp"
    if not folder.exists():
        pytest.skip("the shared folder has no public formats")
    names = [f"992000562.2025.3.{name}.txt" for name in ("rss", "vidhosp", "fichcomp")]
    read = {
        key: [
            values["person"],
            values["day"],
            " + ".join(f"LPP {piece['lpp']} x{piece['count']}" for piece in values["pieces"]),
        ]
        for key, values in read_stays(folder, *names).items()
    }
    with (folder / "expected.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert read == {row["key"]: [row["nir"], row["date"], row["implants"]] for row in rows}
