"""Records of the rows of files, whatever their kind; several files."""

from __future__ import annotations

import gzip
import json
import os
import threading
import time
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.source_plan import Child, ChildKind, Order, RowLayout, SourceKind, SourcePlan
from fhirmap.sources import open_source
from fhirmap.sources.files.csv_reader import CsvReader
from fhirmap.sources.files.file_rows import FileRow
from tests.sources.conftest import columns
from tests.sources.exports import FLAT, HEAD, STAYS, fails, read, settle, write
from tests.sources.records_of import read_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two exports, long finished."""
    made = tmp_path / "exports"
    made.mkdir()
    write(made / "b.csv", "id;v\n3;c\n")
    write(made / "a.csv", "v;id\na;1\nb;2\n")
    settle(made)
    return made


def found(where: Path | str) -> list[tuple[str, str | None, str, list[str]]]:
    return [(r.key, r.values.get("v"), r.origin, [f.code for f in r.faults]) for r in read(Path(where), FLAT)]


WHOLE: list[tuple[str, str | None, str, list[str]]] = [
    ("1", "a", "a.csv:2", []),
    ("2", "b", "a.csv:3", []),
    ("3", "c", "b.csv:2", []),
]


def test_the_files_of_a_folder_are_read_in_the_order_of_their_names(folder: Path) -> None:
    assert found(folder) == WHOLE
    assert found(folder / "*.csv") == WHOLE
    assert found(folder / "b*") == WHOLE[2:]
    assert found(folder.parent / "*" / "a.csv") == [
        ("1", "a", "exports/a.csv:2", []),
        ("2", "b", "exports/a.csv:3", []),
    ]


def test_a_key_in_two_files_is_double_and_the_latest_revision_counts(folder: Path) -> None:
    write(folder / "c.csv", "id;v\n1;A\n")
    settle(folder)
    assert [(key, codes) for key, _, _, codes in found(folder) if codes] == [("1", ["FM718"]), ("1", ["FM718"])]
    revised = read(folder, replace(FLAT, latest=Order("v")))
    assert [(r.key, r.superseded) for r in revised] == [("1", False), ("2", False), ("3", False), ("1", True)]


def test_the_lines_of_a_record_may_be_in_several_files(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", HEAD + "1;D;A;1\n2;G;B;1\n")
    write(tmp_path / "b.csv", HEAD + "1;;C;1\n")
    settle(tmp_path)
    assert [(r.key, [line["Lot"] for line in r.values["lines"]]) for r in read(tmp_path, STAYS)] == [
        ("2", ["B"]),
        ("1", ["A", "C"]),
    ]


def test_records_that_may_lack_lines_say_so(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", HEAD + "1;D;A;1\n2;G;B;1\n")
    settle(tmp_path)
    assert [r.faults for r in read(tmp_path, STAYS)] == [(), ()]
    write(tmp_path / "b.csv", "")
    settle(tmp_path)
    warned = [("FM779", "warning")]
    assert [(r.key, [(f.code, f.severity) for f in r.faults]) for r in read(tmp_path, STAYS)][:2] == [
        ("1", warned),
        ("2", warned),
    ]
    alone = write(tmp_path / "b.csv", HEAD + '1;D;A;1\n2;"x"y;B;9\n')
    assert [(r.key, [f.code for f in r.faults]) for r in read(alone, STAYS)] == [
        ("1", ["FM779"]),
        ("", ["FM719"]),
    ]


def test_what_is_compressed_in_an_archive_is_said(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", "id;v\n1;a\n")
        archive.writestr("b.csv.gz", gzip.compress(b"id;v\n2;b\n"))
        archive.writestr("c.zip", b"PK")
    records = read(tmp_path / "a.zip", FLAT)
    assert [(r.key, r.origin, [(f.code, f.variant) for f in r.faults]) for r in records] == [
        ("1", "a.zip!a.csv:2", []),
        ("", "a.zip!b.csv.gz", [("FM702", "packed")]),
        ("", "a.zip!c.zip", [("FM702", "packed")]),
    ]


def test_lines_of_an_older_revision_are_a_superseded_record(tmp_path: Path) -> None:
    text = (
        "N° séjour;Côté;Lot;Qté;maj\n1;D;A;1;2025-01-01\n1;D;B;1;2025-01-02\n1;D;C;1;2025-01-02\n2;G;E;1;2025-01-01\n"
    )
    records = read(write(tmp_path / "a.csv", text), replace(STAYS, latest=Order("maj")))
    assert [(r.key, [line["Lot"] for line in r.values["lines"]], r.superseded) for r in records] == [
        ("1", ["A"], True),
        ("1", ["B", "C"], False),
        ("2", ["E"], False),
    ]


def test_a_broken_file_costs_itself(folder: Path) -> None:
    write(folder / "aa.csv", "v\nx\n")
    write(folder / "ab.csv", "")
    (folder / "ac.csv").write_bytes("id;v\n9;é\n8;è\n7;à\n".encode("cp1252"))
    settle(folder)
    assert found(folder) == [
        *WHOLE,
        ("", None, "aa.csv", ["FM704"]),
        ("", None, "ab.csv", ["FM711"]),
        ("", None, "ac.csv", ["FM705"]),
    ]
    with open_source(str(folder), FLAT) as source:
        assert not [entry for entry in source.check() if entry.is_error]


def test_a_wrong_line_of_several_files_is_said_with_its_file(folder: Path) -> None:
    write(folder / "b.csv", 'id;v\n3;c\n4;d;e\n5;x\0\n6;"f\n7;g\n8;h"\n')
    settle(folder)
    faults = [fault for record in read(folder, FLAT) for fault in record.faults if "line" in fault.args]
    said = [Diagnostic(fault.code, args=fault.args, variant=fault.variant).message for fault in faults]
    assert [fault.code for fault in faults] == ["FM719", "FM723", "FM719"]
    assert said[0] == "line 3 of `b.csv` has 3 fields, the first line has 2"
    assert "line 4 of `b.csv`" in said[1]
    # Of one file, it is clear which.
    (alone,) = [fault for fault in read(folder / "b.csv", FLAT)[1].faults if fault.code == "FM719"]
    assert alone.args["line"] == 3


@pytest.mark.parametrize("plan", [FLAT, STAYS])
def test_a_reading_goes_on_with_what_it_read_when_the_files_are_read_anew(tmp_path: Path, plan: SourcePlan) -> None:
    texts = ("id;v\n1;a\n2;b\n", "id;v\n3;c\n") if plan is FLAT else (HEAD + "1;D;A;1\n2;D;A;1\n", HEAD + "3;D;A;1\n")
    for name, text in zip("ab", texts, strict=True):
        write(tmp_path / f"{name}.csv", text)
    settle(tmp_path)
    with open_source(str(tmp_path), plan) as source:
        wanted = list(source.records())
        for end in (source.count, source.close):
            records = source.records()
            found = [next(records)]
            write(tmp_path / "a.csv", texts[0].splitlines()[0] + "\n")
            settle(tmp_path)
            end()
            found += records
            assert found == wanted
            assert source.count() == 1
            write(tmp_path / "a.csv", texts[0])
            settle(tmp_path)


def test_a_broken_archive_costs_itself(folder: Path) -> None:
    (folder / "a.zip").write_bytes(b"PK\x03\x04 no archive")
    settle(folder)
    assert found(folder) == [*WHOLE, ("", None, "a.zip", ["FM702"])]
    with open_source(str(folder), FLAT) as source:
        assert not [entry for entry in source.check() if entry.is_error]
    with pytest.raises(ConfigError, match="damaged"), open_source(str(folder / "a.zip"), FLAT) as source:
        source.check()


def test_a_file_that_lacks_a_column_beside_the_key_costs_itself(folder: Path) -> None:
    write(folder / "aa.csv", "id;w\n9;x\n1;y\n")
    settle(folder)
    assert found(folder) == [*WHOLE, ("", None, "aa.csv", ["FM704"])]
    lines = folder.parent / "lines"
    lines.mkdir()
    write(lines / "a.csv", HEAD + "1;D;A;1\n")
    write(lines / "b.csv", "N° séjour;Côté;Lot\n1;D;B\n")
    settle(lines)
    assert [(r.key, [f.code for f in r.faults]) for r in read(lines, STAYS)] == [("1", ["FM779"]), ("", ["FM704"])]


def test_a_file_that_has_a_column_twice_or_another_delimiter_says_so_and_costs_itself(folder: Path) -> None:
    write(folder / "aa.csv", "id;v;v\n9;x;y\n")
    write(folder / "ab.csv", "id,v\n8,x\n")
    settle(folder)
    records = read(folder, replace(FLAT, delimiter=";", position="a.map:9:1"))
    faults = {record.origin: record.faults for record in records if record.faults}
    assert {name: (fault.code, fault.variant, fault.args["position"]) for name, (fault,) in faults.items()} == {
        "aa.csv": ("FM704", "double", "a.map:2:3"),
        "ab.csv": ("FM704", "delimiter", "a.map:9:1"),
    }
    assert [record.key for record in records if not record.faults] == ["1", "2", "3"]


def test_hidden_and_unfinished_files_are_left(folder: Path) -> None:
    write(folder / ".c.csv", "id;v\n4;d\n")
    write(folder / "~$d.csv", "id;v\n4;d\n")
    write(folder / "e.csv.part", "id;v\n4;d\n")
    settle(folder)
    assert found(folder) == WHOLE
    with open_source(str(folder), FLAT) as source:
        (entry,) = source.check()
    assert (entry.code, entry.args["count"], entry.args["file"]) == ("FM788", 1, "e.csv.part")


def test_a_file_that_is_being_written_is_left_for_the_next_reading(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fhirmap.sources.files.source_files._QUIET_NS", 2_000_000_000)
    growing = folder / "c.csv"
    write(growing, "id;v\n4;d\n")
    stop = threading.Event()

    def grow() -> None:
        while not stop.wait(0.05):
            with growing.open("ab") as file:
                file.write(b"5;e\n")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        assert found(folder) == WHOLE
    finally:
        stop.set()
        writer.join()
    os.utime(growing, (1_700_000_000, 1_700_000_000))
    assert [key for key, *_ in found(folder)][:4] == ["1", "2", "3", "4"]


def test_a_file_that_was_finished_just_now_is_read(folder: Path) -> None:
    write(folder / "c.csv", "id;v\n4;d\n")
    assert [key for key, *_ in found(folder)] == ["1", "2", "3", "4"]
    future = time.time() + 3600
    os.utime(folder / "c.csv", (future, future))
    assert [key for key, *_ in found(folder)] == ["1", "2", "3", "4"]


def test_members_of_an_archive(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "exports.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mars/a.csv", "id;v\n1;a\n")
        archive.writestr("mars/b.txt", "id;v\n2;b\n")
        archive.writestr("__MACOSX/mars/a.csv", "x")
    assert found(path) == [("1", "a", "exports.zip!mars/a.csv:2", []), ("2", "b", "exports.zip!mars/b.txt:2", [])]
    assert [key for key, *_ in found(f"{path}!*.csv")] == ["1"]
    error = fails(Path(f"{path}!nord/*"), FLAT)
    assert (error.code, error.diagnostic().variant) == ("FM701", "members")
    path.rename(folder / "c.zip")
    settle(folder)
    assert [origin for _, _, origin, _ in found(folder)] == [
        "a.csv:2", "a.csv:3", "b.csv:2", "c.zip!mars/a.csv:2", "c.zip!mars/b.txt:2",
    ]  # fmt: skip


def test_a_packed_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"id;v\n1;a\n"))
    assert found(path) == [("1", "a", "a.csv.gz:2", [])]
    path.write_bytes(gzip.compress(os.urandom(5000))[:2000])
    assert fails(path, FLAT).code == "FM702"


def test_an_archive_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK\x03\x04 no archive")
    assert fails(path, FLAT).code == "FM702"


def test_no_file(tmp_path: Path) -> None:
    for where in (tmp_path, tmp_path / "*.csv"):
        error = fails(where, FLAT)
        assert (error.code, error.diagnostic().variant) == ("FM701", "files")
    assert fails(tmp_path / "a.csv", FLAT).diagnostic().variant == ""


def test_a_file_that_comes_while_others_are_read_is_read_the_next_time(folder: Path) -> None:
    with open_source(str(folder), FLAT) as source:
        records = source.records()
        assert next(records).key == "1"
        write(folder / "c.csv", "id;v\n4;d\n")
        assert [record.key for record in records] == ["2", "3"]
        assert [record.key for record in source.records()] == ["1", "2", "3", "4"]


def test_records_are_those_of_the_moment_at_which_files_are_read(folder: Path) -> None:
    """A file that changes later changes no record of this reading; the next one has it."""
    with open_source(str(folder), FLAT) as source:
        records = source.records()
        assert next(records).key == "1"
        write(folder / "b.csv", "id;v\n3;c\n5;e\n")
        assert [record.key for record in records] == ["2", "3"]
        assert [record.key for record in source.records()] == ["1", "2", "3", "5"]


@pytest.fixture
def growing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files named `b.csv` get a line just before their end is reached."""
    rows = CsvReader.rows

    def growing_rows(reader: CsvReader, needed: Collection[str]) -> Iterator[FileRow]:
        yield from rows(reader, needed)
        if reader._file.name == "b.csv":
            with reader._file.path.open("a") as file:
                file.write("9;z\n")

    monkeypatch.setattr(CsvReader, "rows", growing_rows)


@pytest.mark.usefixtures("growing")
def test_a_file_that_changes_while_it_is_read_is_not_taken(folder: Path) -> None:
    """Alone it stops the reading, before its first record; of several it costs itself."""
    assert fails(folder / "b.csv", FLAT).code == "FM724"
    with open_source(str(folder), FLAT) as source:
        found = [(record.key, [fault.code for fault in record.faults]) for record in source.records()]
        assert found == [("1", []), ("2", []), ("", ["FM724"])]


def test_a_model_for_another_kind_of_file(tmp_path: Path) -> None:
    assert fails(write(tmp_path / "a.json", "[]"), FLAT).code == "FM716"


def test_a_condition_leaves_out_records_and_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id;v;del\n1;a;0\n2;b;1\n3;c;\n2;d;0\n")
    kept = read(path, replace(FLAT, where="del = 0"))
    assert [(r.key, r.values["v"], r.faults) for r in kept] == [("1", "a", ()), ("2", "d", ())]
    lines = write(tmp_path / "b.csv", HEAD + "1;D;A;1\n1;G;B;0\n2;D;C;0\n")
    (record,) = read(lines, replace(STAYS, where="[Qté] > '0'"))
    assert (record.key, [line["Lot"] for line in record.values["lines"]], record.faults) == ("1", ["A"], ())


def test_a_condition_that_cannot_be_decided_keeps_the_row_with_its_fault(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id;v\n1;a\n2;b\x00\n3\n4;c\n")
    found_ = read(tmp_path / "a.csv", replace(FLAT, where="v = 'a'"))
    assert [(r.key, [f.code for f in r.faults]) for r in found_] == [("1", []), ("2", ["FM723"]), ("3", ["FM719"])]


def test_records_and_lines_come_in_the_order_that_the_map_asks_for(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id;v\n1;10\n2;9\n3;\n4;9\n")
    assert [r.key for r in read(path, replace(FLAT, order=(Order("v"),)))] == ["3", "2", "4", "1"]
    assert [r.key for r in read(path, replace(FLAT, order=(Order("v", True), Order("id", True))))] == [
        "1",
        "4",
        "2",
        "3",
    ]
    lines = write(tmp_path / "b.csv", HEAD + "1;D;A;10\n1;D;B;9\n")
    (child,) = STAYS.shape.children
    ordered = replace(STAYS, shape=replace(STAYS.shape, children=(replace(child, order=(Order("Qté"),)),)))
    (record,) = read(lines, ordered)
    assert [line["Lot"] for line in record.values["lines"]] == ["B", "A"]


def test_lines_of_documents(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.ndjson",
        '{"op": {"id": 1}, "side": "D", "lot": "A"}\n{"op": {"id": 2}, "lot": "B"}\n{"op": {"id": 1}, "lot": "C"}\n',
    )
    lines = Child(ChildKind.LINES, "lines", "lines", RowLayout("Line", columns("lot")))
    shape = RowLayout("Op", columns("op.id", "side"), (lines,))
    first, second = read(path, SourcePlan(SourceKind.JSON, "", ("op.id",), shape))
    assert (first.key, first.origin) == ("2", "a.ndjson:2")
    assert second.values["side"] == "D" and second.values["op.id"] == 1
    assert [line["lot"] for line in second.values["lines"]] == ["A", "C"]


def test_a_blank_key_is_taken_from_above_and_reading_ends_at_the_total(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEAD + "601;D;A;1\n;;B;1\n602;G;C;1\nTotal;;;3\n;;D;9\n")
    plan = replace(STAYS, fill=("N° séjour",), until="TOTAL")
    assert [(r.key, [line["Lot"] for line in r.values["lines"]]) for r in read(path, plan)] == [
        ("601", ["A", "B"]),
        ("602", ["C"]),
    ]


def test_a_file_without_a_line_of_names(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "149113897061759;MARTIN;03/11/1949\n261037595501426;PETIT;02/03/1961\n")
    numbered = SourcePlan(SourceKind.CSV, "", ("1",), RowLayout("Row", columns("1", "3")), names_line=0)
    assert [(r.key, r.values["3"], r.origin) for r in read(path, numbered)] == [
        ("149113897061759", "03/11/1949", "a.csv:1"),
        ("261037595501426", "02/03/1961", "a.csv:2"),
    ]
    named = replace(FLAT, names=("id", "nom", "v"))
    assert [r.values["v"] for r in read(path, named)] == ["03/11/1949", "02/03/1961"]
    error = fails(path, FLAT)
    assert (error.code, error.diagnostic().variant) == ("FM711", "data")
    shown = f"{error} {error.diagnostic().message} {error.diagnostic().args}"
    assert not any(cell in shown for cell in ("149113897061759", "MARTIN", "1949"))


def test_a_line_of_a_record_reads_what_is_around_it_in_its_own_document(tmp_path: Path) -> None:
    model = """
    model Op from json path 'pieces' key 'op' { side : code 0..1 from 'side'  lines : Line 1..* lines }
    model Line { lot : string 0..1 from 'lot'  scan : string 0..1 from '../scan' }
    """
    for name, scan, lots in (("a", "S1", "AB"), ("b", "S2", "C")):
        pieces = [{"op": 1, "side": "D", "lot": lot} for lot in lots]
        write(tmp_path / f"{name}.json", json.dumps({"scan": scan, "pieces": pieces}))
    settle(tmp_path)
    (record,) = read_model(tmp_path, model).records
    assert record.values == {
        "side": "D",
        "lines": [{"lot": "A", "scan": "S1"}, {"lot": "B", "scan": "S1"}, {"lot": "C", "scan": "S2"}],
    }
