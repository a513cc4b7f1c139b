"""CSV files as hospitals export them."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.records import Record
from fhirmap.sources import open_source
from fhirmap.stores import Child, Order, Shape, StorePlan
from tests.sources.conftest import columns

LINES = Child("lines", "lines", "lines", Shape("Line", columns("Lot", "Qté")))
STAYS = StorePlan("csv", "", ("N° séjour",), Shape("Stay", columns("N° séjour", "Côté"), (LINES,)), delimiter=";")
FLAT = StorePlan("csv", "", ("id",), Shape("Row", columns("id", "v")))
HEAD = "N° séjour;Côté;Lot;Qté\r\n"


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def read(path: Path, plan: StorePlan) -> list[Record]:
    with open_source(str(path), plan) as source:
        return list(source.records())


def fails(path: Path, plan: StorePlan) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(path, plan)
    return caught.value


@pytest.mark.parametrize(
    ("written", "declared"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-8-sig", "cp1252"),
        ("cp1252", "cp1252"),
        ("utf-16", ""),
        ("mac-roman", "mac-roman"),
    ],
)
def test_encodings_and_byte_order_marks(tmp_path: Path, written: str, declared: str) -> None:
    path = write(tmp_path / "a.csv", HEAD + "1;D;é–’œ;1\r\n", written)
    (record,) = read(path, replace(STAYS, encoding=declared))
    assert record == Record("1", {"N° séjour": "1", "Côté": "D", "lines": [{"Lot": "é–’œ", "Qté": "1"}]}, "a.csv:2")


def test_a_wrong_encoding_is_told_with_byte_and_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id;v\n1;ok\n2;caf\u00e9\n", "cp1252")
    error = fails(path, FLAT)
    assert (error.code, "byte 15, line 3" in str(error)) == ("FM705", True)
    far = write(tmp_path / "b.csv", "id;v\n" + "1;x\n" * 700_000 + "2;é\n", "cp1252")
    assert f"byte {5 + 4 * 700_000 + 2}, line 700002" in str(fails(far, FLAT))


def test_utf8_declared_as_an_8_bit_encoding_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id;v\n1;é\n")
    error = fails(path, replace(FLAT, encoding="cp1252"))
    assert (error.code, "UTF-8" in str(error), "line 2" in str(error)) == ("FM705", True, True)
    assert fails(path, replace(FLAT, encoding="utf-7777")).code == "FM705"
    assert fails(path, replace(FLAT, encoding="utf-16")).code == "FM705"


def test_lines_of_a_record_may_stand_anywhere(tmp_path: Path) -> None:
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
    assert "Côté" not in first.values
    assert len(first.values["lines"]) == 3
    assert second.faults == ()


def test_quoted_fields_hold_delimiters_newlines_and_quotes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'id;v\r\n1;"a;b\r\nc ""d"""\r\n2;3" vis\r\n')
    assert [(r.values["v"], r.origin) for r in read(path, FLAT)] == [
        ('a;b\r\nc "d"', "a.csv:2"),
        ('3" vis', "a.csv:4"),
    ]


def test_a_ragged_line_is_a_fault_and_the_others_go_on(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'id;v\n1;a\n2;b;c\n3\n4;d;\n5;"x"y\n6;f\n')
    records = read(path, FLAT)
    assert [(r.key, dict(r.values), [(f.code, f.args["line"]) for f in r.faults]) for r in records] == [
        ("1", {"id": "1", "v": "a"}, []),
        ("2", {}, [("FM719", 3)]),
        ("3", {}, [("FM719", 4)]),
        ("4", {"id": "4", "v": "d"}, []),
        ("", {}, [("FM719", 6)]),
        ("6", {"id": "6", "v": "f"}, []),
    ]
    stays = write(tmp_path / "b.csv", HEAD + "1;D;A;1\n1;D;B\n2;D;A;1\n")
    assert [(r.key, len(r.values["lines"]), [f.code for f in r.faults]) for r in read(stays, STAYS)] == [
        ("1", 1, ["FM719"]),
        ("2", 1, []),
    ]


def test_an_unclosed_quote_stops_before_the_first_record(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'id;v\n1;a\n2;"b\n3;c\n4;d\n')
    error = fails(path, FLAT)
    assert (error.code, "line 3" in str(error)) == ("FM712", True)


def test_nul_and_giant_cells(tmp_path: Path) -> None:
    giant = "x" * 5_000_000
    path = write(tmp_path / "a.csv", f"id;v\n1;a\0b\n2;{giant}\n3;c\n")
    records = read(path, FLAT)
    assert [(r.key, len(r.values["v"]), [f.code for f in r.faults]) for r in records] == [
        ("1", 0, ["FM723"]),
        ("2", 5_000_000, []),
        ("3", 1, []),
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
    assert fails(path, STAYS).code == "FM704"
    with open_source(str(path), replace(FLAT, where="v = 1")) as source:
        assert "FM715" in [entry.code for entry in source.check()]


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_the_delimiter_is_found_where_none_is_declared(tmp_path: Path, delimiter: str) -> None:
    path = write(tmp_path / "a.csv", f"id{delimiter}v{delimiter}last\n1{delimiter}x{delimiter}a b\n")
    assert read(path, FLAT)[0].values == {"id": "1", "v": "x"}


def test_empty_and_missing_files(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.csv", "id;v\n"), FLAT) == []
    assert fails(write(tmp_path / "b.csv", ""), FLAT).code == "FM711"
    assert fails(tmp_path / "c.csv", FLAT).code == "FM701"
    (tmp_path / "d.csv").mkdir()
    assert fails(tmp_path / "d.csv", FLAT).code == "FM702"


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


def test_a_file_that_changes_while_it_is_read_stops_the_reading(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id;v\n1;a\n2;b\n")
    records = open_source(str(path), FLAT).records()
    next(records)
    write(path, "id;v\n1;a\n2;b\n3;c\n")
    with pytest.raises(ConfigError) as caught:
        list(records)
    assert caught.value.code == "FM724"


def test_memory_holds_open_records_only(tmp_path: Path) -> None:
    body = "".join(f"{n // 2};D;{'x' * 200};1\n" for n in range(20_000))
    path = write(tmp_path / "a.csv", HEAD + body)
    tracemalloc.start()
    assert sum(1 for _ in open_source(str(path), STAYS).records()) == 10_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6_000_000


def test_the_documented_export(shared_dir: Path) -> None:
    line = Child("lines", "l", "l", Shape("L", columns("Lot", "UDI", "Qté")))
    plan = replace(STAYS, encoding="cp1252", shape=Shape("S", columns("N° séjour", "Côté", "FINESS"), (line,)))
    records = read(shared_dir / "renacot" / "sih" / "c_export_pharmacie.csv", plan)
    assert len(records) == 40
    assert [record.key for record in records if record.faults] == ["000000032"]
