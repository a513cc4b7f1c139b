"""Rows by the text of their key."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from fhirmap.records import Fault, TreeText
from fhirmap.sources.key_index import KeyIndex, KeyPlaces


class Alike(str):
    """A text whose hash is another's."""

    __slots__ = ()

    def __hash__(self) -> int:
        return 7


def test_rows_of_a_key_come_in_the_order_in_which_they_were_put_in() -> None:
    with KeyIndex[int]() as index:
        for number, key in enumerate(("a", "b", "a", "A", "a ", "b")):
            index.add(key, number)
        assert [list(index.rows(key)) for key in ("a", "b", "A", "a ", "c", "")] == [[0, 2], [1, 5], [3], [4], [], []]
        index.add("a", 6)
        index.add("c", 7)
        assert [list(index.rows(key)) for key in ("a", "c")] == [[0, 2, 6], [7]]


@pytest.mark.parametrize("limit", [1 << 20, 0])
def test_rows_are_the_same_in_memory_and_in_the_temporary_file(limit: int) -> None:
    rows = [{"n": number, "text": TreeText("é" * number, {"@a": str(number)})} for number in range(400)]
    with KeyIndex[dict[str, object]](limit) as index:
        for number, row in enumerate(rows):
            index.add(str(number % 100), row)
        for key in range(100):
            found = index.rows(str(key))
            assert found == [rows[number] for number in range(key, 400, 100)]
            assert [row["text"].members for row in found] == [{"@a": str(row["n"])} for row in found]


def test_faults_can_be_kept() -> None:
    fault = Fault("FM719", args={"line": 3}, columns=("a",))
    with KeyIndex[Fault](0) as index:
        index.add("a", fault)
        assert index.rows("a") == [fault]


def test_keys_whose_hashes_are_alike_stay_apart() -> None:
    places = KeyPlaces()
    places.add([Alike("a"), Alike("b"), "other"], [5, 3, 9])
    assert places.find(Alike("a")) == [3, 5]
    with KeyIndex[str]() as index:
        index.add(Alike("a"), "of a")
        index.add(Alike("b"), "of b")
        assert index.rows(Alike("a")) == ["of a"]


def test_memory_is_a_few_bytes_a_row() -> None:
    tracemalloc.start()
    with KeyIndex[dict[str, str]](100_000) as index:
        for number in range(50_000):
            index.add(str(number), {"name": f"surgeon {number}", "text": "x" * 100})
        assert index.rows("49999")[0]["name"] == "surgeon 49999"
        kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1_500_000
    assert peak < 4_000_000


def test_the_temporary_file_has_no_name_that_anyone_could_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    index = KeyIndex[str](0)
    index.add("a", "patient")
    assert index.rows("a") == ["patient"]
    assert list(tmp_path.iterdir()) == []
    index.close()
    index.close()
