"""Lines of a CSV file by key: the same rows as those that are read one by one."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from fhirmap.source_plan import RowLayout, SourceKind, SourcePlan
from fhirmap.sources.files.csv_reader import CsvReader
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.flat_columns import trimmed
from fhirmap.sources.files.line_index import LineIndex, line_index
from fhirmap.sources.files.source_files import SourceFile
from tests.sources.conftest import columns

PLAN = SourcePlan(SourceKind.CSV, "", ("key",), RowLayout("Row", columns("key", "name")), delimiter=";")
NAMES = ("key", "name")


def file_of(path: Path, raw: str | bytes) -> SourceFile:
    path.write_bytes(raw.encode() if isinstance(raw, str) else raw)
    return SourceFile(path, path.name, path.name)


def indexed(file: SourceFile, plan: SourcePlan = PLAN, keys: Sequence[str] = ("key",)) -> LineIndex | None:
    reader = CsvReader(file, plan)
    return line_index(file, reader, NAMES, [reader.head().names.index(key) for key in keys])


def read(file: SourceFile, plan: SourcePlan = PLAN) -> list[FileRow]:
    return list(CsvReader(file, plan).rows(NAMES))


def same(file: SourceFile, plan: SourcePlan = PLAN) -> None:
    """Is each row found by its key, with its place and faults, and are the others counted?"""
    index = indexed(file, plan)
    assert index is not None
    rows: dict[str, list[FileRow]] = {}
    lost, without = [], []
    for row in read(file, plan):
        key = trimmed(row.cells["key"]) if row.cells["key"] is not None else ""
        rows.setdefault(key, []).append(row)
        if row.is_lost and all(fault.variant != "names" for fault in row.faults):
            lost.append(row.number)
        elif not row.is_lost and not key:
            without.append(row.number)
    rows.pop("", None)
    for key, held in rows.items():
        found = index.rows((key,))
        assert [row.cells for row in found] == [row.cells for row in held]
        assert [(row.faults, row.is_lost) for row in found] == [(row.faults, row.is_lost) for row in held]
        assert all(row.number == other.number for row, other in zip(found, held, strict=True) if other.faults)
    assert [index.number_at(place) for place in index.lost] == lost
    assert [index.number_at(place) for place in index.without_key] == without
    assert index.rows(("absent",)) == []
    index.close()


@pytest.mark.parametrize(
    "text",
    [
        "key;name\n1;a\n2;b\n1;c\n",
        "key;name\r\n1;a\r\n\r\n;;\r\n 2 ;b\r\n;c\r\n",
        "key;name\n1;a\n2;b;c\n3\n4;d;;\n;e\n;\n;f;g\n5;h",
        'key;name\n"1";"a"\n"2";"b;c"\n" 3";"d ""e"""\n4;"f"\n',
        'key;name\n"1";"a"\n"2";""\n"";"x"\n"";""\n"4";"d"',
        'name;key\n"a";"1"\n"b";""\n"";"3"\n',
        'key;name\n1;a "b" c\n2;5" d\n',
        "sep=;\nkey;name\n1;a\n",
        "\ufeffkey;name\n1;é\n\ufeff2;à\nÉ\u00a0;b\n",
        "Export of May\n\nkey;name\n1;a\n2;b\n",
        "key;name\n1;a\nkey;name\n2;b\n",
        "name;key;x\na;1;\nb;2;y\nc\n",
        "key;name\n1;a\0b\n2;c\n",
    ],
)
def test_rows_are_those_that_are_read_one_by_one(tmp_path: Path, text: str) -> None:
    same(file_of(tmp_path / "a.csv", text))


def test_damaged_bytes_are_faults_of_their_line(tmp_path: Path) -> None:
    same(file_of(tmp_path / "a.csv", "key;name\n1;é\n2;é\n".encode() + b"3;\xff\n\xff4;a\n"))
    latin = replace(PLAN, encoding="cp1252")
    same(file_of(tmp_path / "b.csv", "key;name\n1;é\n2;à\né\u00a0;û\n".encode("cp1252")), latin)


def test_lines_without_names_and_several_columns(tmp_path: Path) -> None:
    file = file_of(tmp_path / "a.csv", "1|A|x\n1|B|y\n1||z\n2|A|w\n1|A|v\n")
    plan = replace(PLAN, delimiter="|", names=("key", "site", "name"))
    index = indexed(file, plan, ("site", "key"))
    assert index is not None
    assert [row.cells["name"] for row in index.rows(("A", "1"))] == ["x", "v"]
    assert [row.cells["name"] for row in index.rows(("B", "1"))] == ["y"]
    assert index.rows(("1", "A")) == []
    assert [index.number_at(place) for place in index.without_key] == [3]
    row = index.row_at(index.without_key[0])
    assert row is not None
    assert row.cells == {"key": "1", "name": "z"}
    index.close()


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ('key;name\n1;"a\nb"\n2;c\n', "utf-8"),
        ('key;name\n1;"a"b\n2;c\n', "utf-8"),
        ("key;name\r1;a\r2;b\r", "utf-8"),
        ('"key\nof";"key";name\n1;2;a\n', "utf-8"),
        ("key;name\n1;a\n", "utf-16"),
        ("key;name\n1;a\n", "shift_jis"),
    ],
)
def test_a_file_that_cannot_be_read_by_line_is_left_to_the_reader(tmp_path: Path, text: str, encoding: str) -> None:
    assert indexed(file_of(tmp_path / "a.csv", text.encode(encoding)), replace(PLAN, encoding=encoding)) is None


@pytest.mark.parametrize("seed", range(20))
def test_any_mixture_of_lines_gives_the_same_rows(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    cells = ["", " ", "1", "2 ", '"3"', '"a;b"', '"c ""d"""', "é", "\u00a0x", 'e"f', "NULL", "\ufeffz", "\xff"]
    lines = [";".join(chance.choices(cells, k=chance.choice((2, 2, 2, 1, 3)))) for _ in range(chance.randint(1, 40))]
    end = chance.choice(("\n", "\r\n"))
    same(file_of(tmp_path / "a.csv", "key;name" + end + end.join(lines) + chance.choice(("", end))))


def test_chunks_of_a_large_file_make_one_index_of_a_few_bytes_a_line(tmp_path: Path) -> None:
    lines = (f"{number};{'x' * 60}\n" for number in range(60_000))
    file = file_of(tmp_path / "a.csv", "key;name\n" + "".join(lines) + "60000;a;b\n")
    tracemalloc.start()
    index = indexed(file)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert index is not None
    assert kept < 2_000_000
    assert [len(index.rows((str(number),))) for number in (0, 17_000, 59_999, 60_000, 60_001)] == [1, 1, 1, 1, 0]
    assert [index.number_at(place) for place in index.lost] == [60_002]
    assert index.rows(("60000",))[0].faults[0].args["line"] == 60_002
    index.close()
