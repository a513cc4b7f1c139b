"""Messages of HL7 v2 as models read them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from fhirmap.records import Record
from fhirmap.runner.read_values import reader_of_values
from fhirmap.source_plan import SourcePlan
from fhirmap.sources import open_source
from tests.sources.files.hl7_exports import header, message, plan
from tests.sources.records_of import read_model

OPERATION = """
model Operation from hl7 path 'OBR' key '3.1' latest by '../MSH.7' {
  number  : string   1..1 from '3.1'
  act     : code     1..1 from '4.1'
  start   : dateTime 0..1 from '7' format 'hl7' zone 'Europe/Paris'
  day     : date     0..1 from '7' format 'hl7'
  ins     : string   0..1 from '../PID.3[5=INS].1'
  family  : string   0..1 from '../PID.5.1'
  sex     : code     0..1 from '../PID.8'
  side    : code     0..1 from 'OBX[3.1=20228-3].5.1'
  surgeon : string   0..1 from 'PRT[4.1=OP].5.1'
  pieces  : Piece    0..* from 'DEV'
}

model Piece {
  place  : integer 1..1 from position
  udi    : string  0..1 from '2.1'
  maker  : string  0..1 from '5'
  ref    : string  0..1 from '8'
  lot    : string  0..1 from '10'
  expiry : date    0..1 from '13' format 'hl7'
}
"""
PATIENT = "PID|1||7001^^^CH^PI~2491138970617^^^NIR^INS||DUVAL^Anne||19491108|F"


def order(number: str, *, at: str = "202503170815") -> str:
    return f"OBR|1||{number}^BLOC|NEKA020^^CCAM|||{at}"


def test_an_operation_and_its_pieces(tmp_path: Path) -> None:
    path = tmp_path / "lot.hl7"
    segments = [
        order("B-1"),
        "PRT||UC||OP^^participation|10999000010^CHIR",
        "OBX|1|CWE|20228-3^Cote||7771000^gauche^SCT",
        "OBX|2|ST|IMPL||CUP",
        "DEV|AD|01029\\X1D\\21S^^2.51|||Orthalys \\T\\ Cie|||CUP-52||H54\\T\\7|||20281106",
        "DEV|AD|||||||||V9",
    ]
    path.write_text(message(PATIENT, *segments), encoding="utf-8", newline="")
    found = read_model(path, OPERATION)
    assert found.checks == []
    (record,) = found.records
    assert (record.key, record.origin, record.faults) == ("B-1", "lot.hl7:3", [])
    assert record.values == {
        "number": "B-1",
        "act": "NEKA020",
        "start": "2025-03-17T08:15:00+01:00",
        "day": "2025-03-17",
        "ins": "2491138970617",
        "family": "DUVAL",
        "sex": "F",
        "side": "7771000",
        "surgeon": "10999000010",
        "pieces": [
            {
                "place": 1,
                "udi": "01029\x1d21S",
                "maker": "Orthalys & Cie",
                "ref": "CUP-52",
                "lot": "H54&7",
                "expiry": "2028-11-06",
            },
            {"place": 2, "lot": "V9"},
        ],
    }


def test_a_later_message_replaces_an_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "lot.hl7"
    first, second = message(PATIENT, order("B-1"), order("B-2")), message(order("B-1"), "DEV|||||||||||L2", number="2")
    later = second.replace("20250317081500", "20250318081500")
    path.write_text(first + later, encoding="utf-8", newline="")
    found = read_model(path, OPERATION)
    states = [(record.key, record.superseded) for record in found.records]
    assert states == [("B-1", True), ("B-2", False), ("B-1", False)]


def test_the_segment_of_a_record_is_read_by_its_name_too(tmp_path: Path) -> None:
    path = tmp_path / "lot.hl7"
    path.write_text(message(order("B-1"), order("B-2")), encoding="utf-8", newline="")
    models = "model A from hl7 path 'OBR' key 'OBR.3.1' { n : string 1..1 from 'OBR.3.1' act : code 1..1 from 'OBR.4' }"
    found = read_model(path, models)
    assert [(entry.code, entry.args["column"]) for entry in found.checks] == [("FM786", "OBR.4")]
    assert [(record.key, record.values["n"]) for record in found.records] == [("B-1", "B-1"), ("B-2", "B-2")]


def test_messages_of_other_types_are_left_out_by_a_condition(tmp_path: Path) -> None:
    path = tmp_path / "lot.hl7"
    path.write_text(message(PATIENT, kind="ADT^A08") + message(PATIENT, order("B-1")), encoding="utf-8", newline="")
    found = read_model(path, OPERATION)
    assert [(record.key, record.faults[:1]) for record in found.records] == [("", ["FM784 lacking"]), ("B-1", [])]
    conditional = OPERATION.replace("latest by", "where \"[../MSH.9.1] = 'ORU'\" latest by")
    assert [(record.key, record.faults) for record in read_model(path, conditional).records] == [("B-1", [])]


def test_a_condition_that_cannot_be_read_leaves_nothing_out(tmp_path: Path) -> None:
    path = tmp_path / "lot.hl7"
    path.write_text(message(PATIENT.replace("|F", "|\\Zx\\"), order("B-1")), encoding="utf-8", newline="")
    conditional = OPERATION.replace("latest by", "where \"[../PID.8] = 'F'\" latest by")
    assert [record.faults for record in read_model(path, conditional).records] == [["FM785"]]


def test_repetitions_where_one_value_is_read(tmp_path: Path) -> None:
    path = tmp_path / "lot.hl7"
    path.write_text(message(PATIENT), encoding="utf-8", newline="")
    model = "model A from hl7 key 'MSH.10' { ids : string {n} from 'PID.3.1' name : string 0..1 from 'PID.5' }"
    several = read_model(path, model.replace("{n}", "0..*")).records[0]
    assert (several.values, several.faults) == ({"ids": ["7001", "2491138970617"], "name": "DUVAL"}, ["FM786"])
    assert read_model(path, model.replace("{n}", "0..1")).records[0].faults == ["FM786", "FM412"]


def test_rows_of_the_components_of_a_field(tmp_path: Path) -> None:
    path = tmp_path / "lot.hl7"
    path.write_text(message(PATIENT), encoding="utf-8", newline="")
    models = """
    model A from hl7 key 'MSH.10' { ids : Id 0..* from 'PID.3' }
    model Id { value : string 1..1 from '1' kind : code 0..1 from '5' message : string 0..1 from '../MSH.10' }
    """
    (record,) = read_model(path, models).records
    assert record.values["ids"] == [
        {"value": "7001", "kind": "PI", "message": "1"},
        {"value": "2491138970617", "kind": "INS", "message": "1"},
    ]


def test_null_and_empty_are_absent(tmp_path: Path) -> None:
    path = tmp_path / "lot.hl7"
    path.write_text(message('PID|1||""|||||""'), encoding="utf-8", newline="")
    elements = "id : string 0..1 from 'PID.3.1' sex : code 1..1 from 'PID.8' n : string 0..1 from 'MSH.10'"
    (record,) = read_model(path, f"model A from hl7 key 'MSH.10' {{ {elements} }}").records
    assert (record.values, record.faults) == ({"n": "1"}, ["FM411"])


def values_read(path: Path, plan_of: SourcePlan) -> list[str]:
    with open_source(str(path), plan_of) as source:
        return [reader_of_values(plan_of)(record).digest for record in map(_checked, source.records())]


def _checked(record: Record) -> Record:
    assert record.faults == ()
    return record


@pytest.mark.parametrize("name", ["PID.5.2", "PID.3[5=INS].4", "MSH.11"])
def test_what_changes_in_a_component_is_another_record(tmp_path: Path, name: str) -> None:
    path = tmp_path / "lot.hl7"
    path.write_text(message(PATIENT), encoding="utf-8", newline="")
    before = values_read(path, plan(name))
    assert values_read(path, plan(name)) == before
    changed = message(PATIENT).replace("Anne", "Marie").replace("^NIR", "^NIA").replace("|P|", "|T|")
    path.write_text(changed, encoding="utf-8", newline="")
    assert values_read(path, plan(name)) != before


def test_a_batch_of_the_public_formats_gives_the_expected_records(shared_dir: Path) -> None:
    folder = shared_dir / "renacot" / "formats" / "hl7v2-oru"
    if not folder.exists():
        pytest.skip("the shared folder has no public formats")
    found = read_model(folder / "lot-20250322.hl7", OPERATION)
    assert (found.checks, [record.faults for record in found.records]) == ([], [[], [], []])
    sides = {"7771000": "GAUCHE", "24028007": "DROITE"}
    read = {
        key: [
            values["ins"],
            values["day"],
            sides[values["side"]],
            " + ".join(f"{piece['ref']}/{piece['lot']}" for piece in values["pieces"]),
        ]
        for key, values in found.current.items()
    }
    with (folder / "expected.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    expected = {row["key"]: [row["nir"], row["date"], row["side"], row["implants"]] for row in rows}
    assert read == expected


def test_a_header_alone_is_a_message(tmp_path: Path) -> None:
    path = tmp_path / "lot.hl7"
    path.write_text(header("7"), encoding="utf-8")
    (record,) = read_model(path, "model A from hl7 key 'MSH.10' { n : string 1..1 from 'MSH.10' }").records
    assert (record.key, record.values, record.faults) == ("7", {"n": "7"}, [])


def test_of_a_file_that_cannot_be_read_that_alone_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.hl7").write_text(message(PATIENT, order("B-1")), encoding="utf-8", newline="")
    (tmp_path / "data" / "b.hl7").write_text("no message", encoding="utf-8")
    found = read_model(tmp_path / "data", OPERATION)
    assert [(record.key, record.origin, record.faults) for record in found.records] == [
        ("B-1", "a.hl7:3", ["FM779 revision"]),
        ("", "b.hl7", ["FM784 none"]),
    ]
