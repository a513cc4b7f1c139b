"""Records of the rows of files, whatever their kind; several files."""

from __future__ import annotations

import gzip
import os
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.source_plan import Order
from fhirmap.sources import open_source
from tests.sources.exports import FLAT, HEAD, STAYS, fails, read, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two exports, long finished."""
    made = tmp_path / "exports"
    made.mkdir()
    write(made / "b.csv", "id;v\n3;c\n")
    write(made / "a.csv", "v;id\na;1\nb;2\n")
    settle(made)
    return made


def settle(folder: Path) -> None:
    """Make files look old, so that no reading waits for them."""
    for path in folder.iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))


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


def test_files_that_are_all_wrong_are_an_error_of_the_check(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "v\nx\n")
    write(tmp_path / "b.csv", "v\nx\n")
    settle(tmp_path)
    with open_source(str(tmp_path), FLAT) as source:
        assert [(entry.code, entry.args["column"]) for entry in source.check()] == [("FM704", "id")]


def test_hidden_and_unfinished_files_are_left(folder: Path) -> None:
    write(folder / ".c.csv", "id;v\n4;d\n")
    write(folder / "~$d.csv", "id;v\n4;d\n")
    write(folder / "e.csv.part", "id;v\n4;d\n")
    settle(folder)
    assert found(folder) == WHOLE
    with open_source(str(folder), FLAT) as source:
        (entry,) = source.check()
    assert (entry.code, entry.args["count"], entry.args["file"]) == ("FM788", 1, "e.csv.part")


def test_a_file_that_is_being_written_is_left_for_the_next_reading(folder: Path) -> None:
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
    error = fails(Path(f"{path}!*.xml"), FLAT)
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


def test_a_file_that_changes_between_two_readings_of_it_stops_the_reading(folder: Path) -> None:
    with open_source(str(folder), FLAT) as source:
        records = source.records()
        next(records)
        write(folder / "b.csv", "id;v\n3;c\n5;e\n")
        with pytest.raises(ConfigError) as caught:
            list(records)
    assert caught.value.code == "FM724"


def test_a_model_for_another_kind_of_file(tmp_path: Path) -> None:
    assert fails(write(tmp_path / "a.json", "[]"), FLAT).code == "FM716"
