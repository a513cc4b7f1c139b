"""Rows in pages of the driver: a text that is none costs its own row, wherever it is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.source_plan import Child, ChildKind, Order, RowLayout, SourceKind, SourcePlan
from fhirmap.sources import open_source
from fhirmap.sources.sql_cells import BrokenText
from fhirmap.sources.sql_cursor import _PAGE
from tests.sources.conftest import columns

MANY = 2 * _PAGE + 3


def plan() -> SourcePlan:
    act = RowLayout("Act", columns("code"))
    child = Child(ChildKind.JOIN, "acts", "acts", act, "act", (("id", "id"),), order=(Order("code"),))
    return SourcePlan(SourceKind.TABLE, "op", ("id",), RowLayout("Op", columns("id", "name"), (child,)))


def database(path: Path, broken_names: set[int], broken_codes: set[int]) -> str:
    def text(number: int, broken: set[int]) -> str:
        return f"CAST(X'41FF' AS TEXT) || {number}" if number in broken else f"'é' || {number}"

    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE op (id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE act (id INT, code TEXT)"
    )
    for number in range(1, MANY + 1):
        connection.execute(f"INSERT INTO op SELECT {number}, {text(number, broken_names)}")
        connection.execute(f"INSERT INTO act SELECT {number}, {text(number, broken_codes)}")
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


@pytest.mark.parametrize(
    ("names", "codes"),
    [
        (set(), set()),
        ({1}, set()),
        (set(), {MANY}),
        ({_PAGE, _PAGE + 1, MANY}, {2, _PAGE + 1}),
        ({_PAGE + 2}, {_PAGE + 2}),
    ],
)
def test_a_text_that_is_none_comes_as_bytes_and_each_row_once(tmp_path: Path, names: set[int], codes: set[int]) -> None:
    with open_source(database(tmp_path / "s.sqlite", names, codes), plan()) as source:
        for _ in range(2):
            records = list(source.records())
            assert [record.key for record in records] == [str(number) for number in range(1, MANY + 1)]
            for number, record in enumerate(records, 1):
                broken, whole = BrokenText(b"A\xff" + str(number).encode()), f"é{number}"
                found = record.values["name"], record.values["acts"][0]["code"]
                assert found == (broken if number in names else whole, broken if number in codes else whole)
                assert [type(cell) is str for cell in found] == [number not in names, number not in codes]


def test_what_fails_while_rows_are_read_is_said(tmp_path: Path) -> None:
    """SQLite has no number for it from the third page on."""
    url = database(tmp_path / "s.sqlite", set(), set())
    query = f"SELECT id, CASE WHEN id > {2 * _PAGE} THEN abs(-9223372036854775807 - 1) ELSE 'a' END AS name FROM op"
    failing = SourcePlan(SourceKind.QUERY, "q", ("id",), RowLayout("Op", columns("id", "name")), query=query)
    with open_source(url, failing) as source, pytest.raises(ConfigError, match="FM724"):
        list(source.records())
