"""Records from CSV files: lines, keys, revisions, columns."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.source_plan import Child, ChildKind, Order, RowLayout, SourceKind, SourcePlan
from fhirmap.sources import open_source, parse_address
from fhirmap.sources.data_signs import DataSign
from fhirmap.sources.files.csv_reader import CsvReader
from fhirmap.sources.files.source_files import FileSet
from tests.sources.conftest import columns
from tests.sources.exports import FLAT, HEAD, STAYS, fails, read, write


def test_lines_of_a_record_may_be_anywhere(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEAD + "1;D;A;1\n2;G;B;1\n1;D;C;2\n\n;;;\n2;;D;1\n3;;E;\n")
    records = read(path, STAYS)
    assert [(r.key, r.values.get("Côté"), [line["Lot"] for line in r.values["lines"]], r.origin) for r in records] == [
        ("1", "D", ["A", "C"], "a.csv:2"),
        ("2", "G", ["B", "D"], "a.csv:3"),
        ("3", None, ["E"], "a.csv:8"),
    ]
    assert not any(record.faults for record in records)


def test_lines_that_contradict_each_other_make_the_record_invalid(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEAD + "1;D;A;1\n1;G;B;1\n1; D\u00a0;C;1\n2;D;B;1\n")
    first, second = read(path, STAYS)
    (fault,) = first.faults
    assert (fault.code, fault.columns, fault.severity, fault.position) == ("FM720", ("Côté",), "error", "a.map:2:3")
    assert first.values["Côté"] is None
    assert len(first.values["lines"]) == 3
    assert second.faults == ()


def test_a_line_with_a_word_that_the_map_takes_for_absent_agrees_with_all(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEAD + "1;SANS;A;1\n1;D;B;1\n2;SANS;C;1\n2;;D;1\n3;D;E;1\n3;G;F;1\n")
    records = read(path, replace(STAYS, nulls=("SANS",)))
    found = [(record.values["Côté"], [fault.code for fault in record.faults]) for record in records]
    assert found == [("D", []), ("SANS", []), (None, ["FM720"])]


def test_a_ragged_line_is_a_fault_and_the_others_go_on(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'id;v\n1;a\n2;b;c\n3\n4;d;\n5;"x"y\n6;f\n')
    records = read(path, FLAT)
    assert [(r.key, dict(r.values), [(f.code, f.args["line"]) for f in r.faults]) for r in records] == [
        ("1", {"id": "1", "v": "a"}, []),
        ("2", {"id": None, "v": None}, [("FM719", 3)]),
        ("3", {"id": None, "v": None}, [("FM719", 4)]),
        ("4", {"id": "4", "v": "d"}, []),
        ("", {"id": None, "v": None}, [("FM719", 6)]),
        ("6", {"id": "6", "v": "f"}, []),
    ]
    stays = write(tmp_path / "b.csv", HEAD + "1;D;A;1\n1;D;B\n2;D;A;1\n")
    assert [(r.key, len(r.values["lines"]), [f.code for f in r.faults]) for r in read(stays, STAYS)] == [
        ("1", 1, ["FM719"]),
        ("2", 1, []),
    ]


def test_headers_are_found_by_what_they_say(tmp_path: Path) -> None:
    decomposed = "  N°\u00a0se\u0301jour ;Co\u0302te\u0301;LOT;Qté;Qté bis;;\n1;D;A;1;2;;\n"
    (record,) = read(write(tmp_path / "a.csv", decomposed), STAYS)
    assert record.values == {"N° séjour": "1", "Côté": "D", "lines": [{"Lot": "A", "Qté": "1"}]}


def test_missing_and_double_columns_are_found_before_reading(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "N° sejour;Côté;Lot;Lot\n1;D;A;1\n")
    with open_source(str(path), STAYS) as source:
        found = source.check()
    assert [(d.code, d.args["column"], d.variant, d.args["position"]) for d in found] == [
        ("FM704", "N° séjour", "", "a.map:1:3"),
        ("FM704", "Lot", "double", "a.map:1:3"),
        ("FM704", "Qté", "", "a.map:2:3"),
    ]
    assert "did you mean `N° sejour`?" in found[0].hint_text
    assert fails(path, STAYS).diagnostic() == found[0]
    write(path, "N° séjour;Côté;Lot;Lot;Qté\n1;D;A;B;1\n")
    assert fails(path, STAYS).diagnostic().variant == "double"


def test_a_wrong_delimiter_is_one_fault(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", '"N° séjour";Côté;Lot;Qté\n1;D;A;1\n')
    with open_source(str(path), replace(STAYS, delimiter=",")) as source:
        (entry,) = source.check()
    assert (entry.code, entry.variant, entry.args["declared"], entry.args["mark"]) == ("FM704", "delimiter", ",", ";")
    assert entry.args["position"] == STAYS.position
    assert fails(path, replace(STAYS, delimiter=",")).diagnostic() == entry
    with open_source(str(path), replace(STAYS, delimiter=";")) as source:
        assert source.check() == []


def test_a_file_of_one_column_has_no_wrong_delimiter(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id\n1\n")
    with open_source(str(path), replace(FLAT, delimiter=",")) as source:
        assert {entry.variant for entry in source.check()} == {""}


def test_empty_and_missing_files(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.csv", "id;v\n"), FLAT) == []
    assert fails(write(tmp_path / "b.csv", ""), FLAT).code == "FM711"
    assert fails(tmp_path / "c.csv", FLAT).code == "FM701"
    (tmp_path / "d.csv").mkdir()
    assert fails(tmp_path / "d.csv", FLAT).code == "FM701"


def test_a_file_that_ends_before_its_line_of_names(tmp_path: Path) -> None:
    plan = replace(FLAT, names_line=9)
    with open_source(str(write(tmp_path / "a.csv", "id;v\n1;a\n")), plan) as source:
        (found,) = source.check()
    assert (found.code, found.variant, found.args["line"], found.is_error) == ("FM711", "short", 9, True)


def test_lines_that_the_names_of_the_model_do_not_fit(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "1;x;y\n2;z;\n3;p;q\n")
    found = [[(f.code, f.variant, f.args) for f in r.faults] for r in read(path, replace(FLAT, names=("id", "v")))]
    assert found[0] == [("FM719", "declared", {"line": 1, "found": 3, "expected": 2})]
    error = fails(path, replace(FLAT, names=("id", "v", "v"))).diagnostic()
    assert (error.code, error.variant, error.args["count"]) == ("FM704", "declared_double", 2)


def test_keys_absent_and_double_and_revised(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id;v;maj\n1;a;31/12/2024\n1;b;02/01/2025\n;c;\n2;d;9\n2;e;10\n3;f;\n3;g;\n")
    revised = replace(FLAT, latest=Order("maj"))
    assert [(r.values.get("v"), r.superseded, [f.code for f in r.faults]) for r in read(path, revised)] == [
        ("a", True, []),
        ("b", False, []),
        ("c", False, ["FM717"]),
        ("d", True, []),
        ("e", False, []),
        ("f", False, ["FM718"]),
        ("g", False, ["FM718"]),
    ]
    assert [r.key for r in read(path, FLAT) if r.faults] == ["1", "1", "", "2", "2", "3", "3"]


def test_memory_holds_open_records_only(tmp_path: Path) -> None:
    body = "".join(f"{n // 2};D;{'x' * 200};1\n" for n in range(20_000))
    path = write(tmp_path / "a.csv", HEAD + body)
    tracemalloc.start()
    with open_source(str(path), STAYS) as source:
        assert sum(1 for _ in source.records()) == 10_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6_000_000


def test_the_documented_export(shared_dir: Path) -> None:
    line = Child(ChildKind.LINES, "l", "l", RowLayout("L", columns("Lot", "UDI", "Qté")))
    plan = replace(STAYS, encoding="cp1252", shape=RowLayout("S", columns("N° séjour", "Côté", "FINESS"), (line,)))
    records = read(shared_dir / "renacot" / "sih" / "c_export_pharmacie.csv", plan)
    assert len(records) == 40
    assert [record.key for record in records if record.faults] == ["000000032"]


def test_revisions_that_cannot_be_compared_are_a_fault(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv", "id;v\n1;2025-01-01\n1;infinity\n2;9\n2;10\n3;31/12/2024\n3;02/01/2025\n4;1\n4;v2\n"
    )
    records = [record for record in read(path, replace(FLAT, latest=Order("v"))) if not record.superseded]
    assert [(record.key, record.values["v"], [fault.code for fault in record.faults]) for record in records] == [
        ("1", "infinity", ["FM756"]),
        ("2", "10", []),
        ("3", "02/01/2025", []),
        ("4", "v2", ["FM756"]),
    ]


def test_a_first_line_of_data_is_reported_by_check_and_refused_by_reading(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "1;149113897061759\n2;254062A95300756\n")
    with open_source(str(path), FLAT) as source:
        (found,) = source.check()
        assert (found.code, found.variant, found.is_error) == ("FM711", "data", True)
        assert str(found.args["sign"]) == str(DataSign.PERSON_NUMBER.shown)
        assert found.args["position"] == FLAT.position
    assert fails(path, FLAT).diagnostic().variant == "data"
    with open_source(str(path), replace(FLAT, names=("id", "v"))) as source:
        assert source.check() == []
        assert [record.key for record in source.records()] == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("id;lot\n1;A12\n", 1),
        ("Patient;MARTIN\n\nid;lot\n1;A12\n2;B13\n", 3),
        ('"Bloc\nopératoire"\nid;lot\n1;A12\n2;B13\n', 3),
        ("Extraction;01/01/2025\nid;lot\n1;A12\n2;B13\n", 2),
        ("DUPONT;JEAN\nid;lot\n1;A\n2;B\n", 2),
    ],
)
def test_the_names_of_a_file_that_no_map_reads_yet(tmp_path: Path, text: str, line: int) -> None:
    file = FileSet(parse_address(str(write(tmp_path / "a.csv", text)))).listing().files[0]
    reader = CsvReader(file, SourcePlan(SourceKind.CSV, "", (), RowLayout("", ())))
    assert (reader.head().names_line, reader.names()) == (line, ("id", "lot"))
    with pytest.raises(ConfigError) as raised:
        refused = write(tmp_path / "b.csv", "Patient\n1;149113897061759\n2;254062A95300756\n")
        file = FileSet(parse_address(str(refused))).listing().files[0]
        CsvReader(file, SourcePlan(SourceKind.CSV, "", (), RowLayout("", ()))).head()
    assert (raised.value.code, raised.value.diagnostic().args["line"]) == ("FM711", 2)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("id;v\n1;a\nTOTAL;1\n", 0),
        ("id;v\n1;a\nTOTAL;1\n\n;;\n", 0),
        ("id;v\n1;a\n total;1\n2;b\n\n3;c\nTotal;2\n", 3),
        ("id;v\n1;a\n2;b\n", 0),
    ],
)
def test_lines_after_the_last_row_are_not_read_and_said(tmp_path: Path, text: str, count: int) -> None:
    path = write(tmp_path / "a.csv", text)
    plan = replace(FLAT, until="Total", delimiter=";")
    with open_source(str(path), plan) as source:
        found = source.check()
        assert "3" not in [record.key for record in source.records()]
    assert [(entry.code, entry.variant, entry.args["count"], entry.is_error) for entry in found] == (
        [("FM759", "lines", count, False)] if count else []
    )
