"""Records of sheets and Parquet files through models of the language, from the file to the values of the elements."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fhirmap.compilation.maps import compile_map
from fhirmap.records import Fault, Record
from fhirmap.sources import Source, open_source
from tests.sources.files.sheets import Formula, grid, write_xlsx

CASE = """
model Case from sheet 'Poses' key 'N°' names line 4 fill 'N°', 'Né le' until 'TOTAL' null 'N/C' {
  id    : string 1..1 from 'N°'
  born  : date 0..1 from 'Né le' format 'dd/MM/yyyy'
  start : dateTime 0..1 from 'Début' zone 'Europe/Paris'
  hour  : time 0..1 from 'Heure'
  lines : Line 1..* lines repeat 'Qté'
}
model Line {
  ref : string 1..1 from 'Réf'
  lot : string 0..1 from 'Lot'
}
"""
HEAD = ["N°", "Né le", "Début", "Heure", "Réf", "Lot", "Qté"]


@contextmanager
def opened(path: Path, model: str) -> Iterator[tuple[Source, Any]]:
    """The source, and what reads a record of it: every element of the first model, copied."""
    transformer = compile_map(model + copying(model))
    assert transformer.store is not None
    with open_source(str(path), transformer.store) as source:
        yield source, transformer


def copying(model: str) -> str:
    """A group that copies each element of the first model of ``model``."""
    name = model.split()[1]
    lines = [line.split() for line in model.partition("{")[2].partition("\n}")[0].splitlines() if line.strip()]
    elements = "".join(f"  {line[0]} : {line[2]} 0..*\n" for line in lines)
    rules = "".join(f"  src.{line[0]} as v -> tgt.{line[0]} = v;\n" for line in lines)
    return f"model Copy {{\n{elements}}}\ngroup g(source src : {name}, target tgt : Copy) {{\n{rules}}}\n"


def read(path: Path, model: str) -> list[tuple[Record, dict[str, Any], list[Fault]]]:
    with opened(path, model) as (source, transformer):
        assert [entry.message for entry in source.check() if entry.is_error] == []
        found = []
        for record in source.records():
            result = transformer(record.values)
            found.append((record, result.resource or {}, [*record.faults, *result.faults]))
        return found


def test_a_sheet_of_people_from_the_file_to_the_elements(tmp_path: Path) -> None:
    rows = [
        ["Pharmacie"],
        ["Poses de mars"],
        [None],
        HEAD,
        [601, date(1949, 11, 3), datetime(2025, 3, 17, 8, 15), time(8, 15), "CUP", "0012", 1],
        [None, None, None, None, "INS", 729993, 2],
        [602, "01/02/1958", datetime(2025, 3, 18), None, "FEM", "1E5", 1],
        [None, None, None, None, "EMB", "N/C", None],
        ["Total", None, None, None, None, None, 5],
    ]
    path = write_xlsx(tmp_path / "a.xlsx", {"Notes": {"A1": "x"}, "Poses": grid(1, rows)})
    (first, one, no_fault), (second, two, warned) = read(path, CASE)
    assert (first.key, first.origin, second.key, second.origin) == ("601", "a.xlsx:5", "602", "a.xlsx:7")
    assert (one["born"], one["start"], one["hour"]) == (["1949-11-03"], ["2025-03-17T08:15:00+01:00"], ["08:15:00"])
    assert (two["born"], two["start"]) == (["1958-02-01"], ["2025-03-18T00:00:00+01:00"])
    lots = [[(line["ref"], line.get("lot")) for line in case["lines"]] for case in (one, two)]
    assert lots == [[("CUP", "0012"), ("INS", "729993"), ("INS", "729993")], [("FEM", "1E5"), ("EMB", None)]]
    assert no_fault == []
    assert [(fault.code, fault.severity) for fault in warned] == [("FM465", "warning")]


def test_what_one_cell_has_wrong_is_a_fault_of_its_record(tmp_path: Path) -> None:
    rows = [
        HEAD,
        [601, Formula("=NA()", "#N/A"), None, None, "CUP", 1_234_567_890_123_456, 1],
        [602, None, None, None, "FEM", "B", 1],
        [Formula("=NA()", "#N/A"), None, None, None, "FEM", "B", 1],
        [None, None, None, None, "EMB", "C", 1],
    ]
    path = write_xlsx(tmp_path / "a.xlsx", {"Poses": grid(4, rows)})
    found = read(path, CASE)
    codes = [(record.key, [(fault.code, fault.columns) for fault in faults]) for record, _, faults in found]
    assert codes == [
        ("601", [("FM764", ("Né le",)), ("FM779", ()), ("FM410", ("Lot",))]),
        ("602", [("FM779", ())]),
        ("", [("FM764", ("N°",)), ("FM411", ("N°",)), ("FM411", ("lines",))]),
        ("", [("FM717", ("N°",)), ("FM411", ("N°",)), ("FM411", ("lines",))]),
    ]


def test_a_key_of_sixteen_digits_is_none(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, [["id"], [1_234_567_890_123_456], [999_999_999_999_999]])})
    found = read(path, "model M from sheet key 'id' {\n  id : string 1..1\n}\n")
    assert [record.key for record, _, _ in found] == ["", "999999999999999"]
    assert "FM717" in {fault.code for fault in found[0][2]}


def test_a_day_in_the_place_of_a_lot_is_a_warning(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, [["id", "lot"], ["1", date(2025, 12, 3)]])})
    ((_, copied, faults),) = read(path, "model M from sheet key 'id' {\n  id : string 1..1\n  lot : string 0..1\n}\n")
    assert (copied["lot"], [(fault.code, fault.severity) for fault in faults]) == (
        ["2025-12-03"],
        [("FM465", "warning")],
    )


def test_names_that_are_no_paths(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, [["N° interv.", "Réf.", "a[b"], ["A1", "CUP", "x"]])})
    model = """
model Case from sheet key 'N° interv.' {
  id    : string 1..1 from 'N° interv.'
  other : string 0..1 from 'a[b'
  lines : Line 1..* lines
}
model Line {
  ref : string 1..1 from 'Réf.'
}
"""
    ((_, copied, faults),) = read(path, model)
    assert (copied["id"], copied["other"], copied["lines"], faults) == (["A1"], ["x"], [{"ref": "CUP"}], [])


def test_sheets_by_number_without_names_and_with_names_of_the_map(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, [["x"]]), "G": grid(1, [["A1", 2], ["A2", 3]])})
    letters = (
        "model M from sheet 2 key 'A' header none {\n  id : string 1..1 from 'A'\n  n : integer 0..1 from 'B'\n}\n"
    )
    named = "model M from sheet 2 key 'id' names 'id', 'n' {\n  id : string 1..1\n  n : integer 0..1\n}\n"
    assert [copied for _, copied, _ in read(path, letters)] == [{"id": ["A1"], "n": [2]}, {"id": ["A2"], "n": [3]}]
    assert [copied for _, copied, _ in read(path, named)] == [{"id": ["A1"], "n": [2]}, {"id": ["A2"], "n": [3]}]


def test_revisions_and_a_folder_of_workbooks(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    write_xlsx(folder / "1.xlsx", {"F": grid(1, [["id", "rev"], ["A", date(2025, 3, 1)], ["B", date(2025, 3, 1)]])})
    write_xlsx(folder / "2.xlsx", {"F": grid(1, [["id", "rev"], ["A", date(2025, 3, 2)]])})
    (folder / "3.xlsx").write_bytes(b"PK broken")
    model = "model M from sheet key 'id' latest by 'rev' {\n  id : string 1..1\n  rev : date 0..1\n}\n"
    found = [(record.key, record.origin, record.superseded) for record, _, _ in read(folder, model)]
    assert found == [("A", "1.xlsx:2", True), ("B", "1.xlsx:3", False), ("A", "2.xlsx:2", False), ("", "3.xlsx", False)]


def test_the_workbook_of_a_pharmacy(shared_dir: Path) -> None:
    folder = shared_dir / "renacot" / "formats" / "xlsx-pharmacie"
    model = """
model Case from sheet 'Poses DMI' key 'N° interv.' names line 4 fill 'N° interv.' until 'TOTAL' {
  id    : string 1..1 from 'N° interv.'
  nir   : string 1..1 from 'N° Sécu'
  date  : date 1..1 from 'Date pose'
  side  : code 0..1 from 'Côté'
  lines : Line 1..* lines repeat 'Qté'
}
model Line {
  ref : string 1..1 from 'Réf.'
  lot : string 1..1 from 'Lot'
  exp : date 1..1 from 'Péremption' format 'dd/MM/yyyy'
}
"""
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as file:
        expected = list(csv.DictReader(file, delimiter=";"))
    found = read(folder / "poses-dmi-2025-03.xlsx", model)
    for (record, copied, faults), wanted in zip(found, expected, strict=True):
        implants = " + ".join(f"{line['ref']}/{line['lot']}" for line in copied["lines"])
        sides = {"G": "GAUCHE", "D": "DROITE"}
        assert (record.key, *copied["nir"], *copied["date"], sides[copied["side"][0]], implants, faults) == (
            *(wanted[name] for name in ("key", "nir", "date", "side", "implants")),
            [],
        )


def test_parquet_from_the_file_to_the_elements(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table(
        {
            "id": ["0012", "0013"],
            "start": pa.array([datetime(2025, 3, 17, 7, 15, tzinfo=UTC)] * 2, pa.timestamp("ms", "Europe/Paris")),
            "weight": [Decimal("71.50"), None],
            "side": pa.array(["G", "D"]).dictionary_encode(),
            "lots": [["A", "B"], []],
            "site": [{"code": "X"}, None],
            "poses": [[{"lot": "A"}, {"lot": "B"}], None],
        }
    )
    pq.write_table(table, path)
    model = """
model Case from parquet key 'id' {
  id     : string 1..1
  start  : dateTime 0..1
  weight : decimal 0..1
  side   : code 0..1
  lots   : string 0..*
  site   : string 0..1 from 'site.code'
  poses  : Pose 0..* from 'poses'
}
model Pose {
  lot : string 1..1
}
"""
    (first, one, _), (second, two, _) = read(path, model)
    assert (first.key, first.origin, second.key, second.origin) == ("0012", "a.parquet#1", "0013", "a.parquet#2")
    assert one == {
        "id": ["0012"],
        "start": ["2025-03-17T08:15:00+01:00"],
        "weight": [Decimal("71.50")],
        "side": ["G"],
        "lots": ["A", "B"],
        "site": ["X"],
        "poses": [{"lot": "A"}, {"lot": "B"}],
    }
    assert two == {"id": ["0013"], "start": one["start"], "side": ["D"]}
