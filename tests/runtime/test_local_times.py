"""Local times that a zone skips in spring or has twice in autumn: one rule, whichever way they come in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fhirmap.compilation.maps import compile_map
from fhirmap.sources import open_source
from tests.sources.conftest import Database, database, prefix

__all__ = ["database", "prefix"]

PARIS = "zone 'Europe/Paris'"
SKIPPED, TWICE = "2025-03-30 02:30:00", "2025-10-26 02:30:00"
ELEMENTS = [f"dateTime 0..1 {PARIS}", f"instant 0..1 {PARIS}", f"dateTime 0..1 format 'yyyy-MM-dd HH:mm:ss' {PARIS}"]
POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


def read(url: str, store: str, element: str) -> list[tuple[object, list[tuple[str, str, str]]]]:
    transformer = compile_map(
        f"model M from {store} {{\n  id : string 1..1\n  c : {element}\n}}\n"
        "group g(source src : M, target tgt) {\n  src.id as v -> tgt.id = v;\n  src.c as v -> tgt.c = v;\n}\n"
    )
    assert transformer.store is not None
    with open_source(url, transformer.store) as source:
        results = [transformer(dict(record.values)) for record in source.records()]
    return [
        ((result.resource or {}).get("c"), [(fault.code, fault.variant, fault.severity) for fault in result.faults])
        for result in results
    ]


def both(found: list[tuple[object, list[tuple[str, str, str]]]]) -> None:
    assert found == [(None, [("FM728", "", "error")]), (None, [("FM728", "twice", "error")])]


@pytest.mark.parametrize("element", ELEMENTS)
def test_text_columns_of_a_database(database: Database, prefix: str, element: str) -> None:
    with table(database, prefix, "varchar(40)", [SKIPPED, TWICE]) as name:
        both(read(database.url, f"table '{name}' key 'id'", element))


@pytest.mark.parametrize(
    ("database", "kind"), [("postgresql", "timestamp"), ("mariadb", "datetime")], indirect=["database"]
)
def test_columns_of_local_times(database: Database, prefix: str, kind: str) -> None:
    with table(database, prefix, kind, [SKIPPED, TWICE]) as name:
        both(read(database.url, f"table '{name}' key 'id'", ELEMENTS[0]))
        days = read(database.url, f"table '{name}' key 'id'", f"date 0..1 {PARIS}")
        assert days == [("2025-03-30", []), ("2025-10-26", [])]


@POSTGRESQL
def test_instants_of_a_database(database: Database, prefix: str) -> None:
    with table(database, prefix, "timestamptz", ["2025-10-26 02:30+02", "2025-10-26 02:30+01"]) as name:
        found = read(database.url, f"table '{name}' key 'id'", ELEMENTS[0])
    assert found == [("2025-10-26T02:30:00+02:00", []), ("2025-10-26T02:30:00+01:00", [])]


@POSTGRESQL
def test_times_of_day_with_an_offset(database: Database, prefix: str) -> None:
    cells = ["10:15+02", "10:15+01", "10:15:30.5+01", "10:15+00", "10:15-05"]
    with table(database, prefix, "timetz", cells) as name:
        found = read(database.url, f"table '{name}' key 'id'", f"time 0..1 {PARIS}")
        without = read(database.url, f"table '{name}' key 'id'", "time 0..1")
    unread = (None, [("FM410", "", "error")])
    assert found == [("10:15:00", []), ("10:15:00", []), ("10:15:30.5", []), unread, unread]
    assert {tuple(faults) for _, faults in without} == {(("FM727", "", "error"),)}


@pytest.mark.parametrize("element", ELEMENTS)
def test_files(tmp_path: Path, element: str) -> None:
    lines, document = tmp_path / "rows.csv", tmp_path / "rows.json"
    lines.write_text(f"id;c\n1;{SKIPPED}\n2;{TWICE}\n", encoding="utf-8")
    document.write_text(json.dumps([{"id": "1", "c": SKIPPED}, {"id": "2", "c": TWICE}]), encoding="utf-8")
    both(read(str(lines), "csv key 'id'", element))
    both(read(str(document), "json key 'id'", element))


def test_what_has_an_offset_or_counts_seconds(tmp_path: Path) -> None:
    document = tmp_path / "rows.json"
    cells: list[Any] = ["2025-10-26T02:30:00+01:00", "2025-10-26T00:30:00Z"]
    document.write_text(json.dumps([{"id": str(n), "c": cell} for n, cell in enumerate(cells)]), encoding="utf-8")
    found: list[tuple[object, list[tuple[str, str, str]]]] = [
        ("2025-10-26T02:30:00+01:00", []),
        ("2025-10-26T02:30:00+02:00", []),
    ]
    assert read(str(document), "json key 'id'", ELEMENTS[0]) == found
    document.write_text(json.dumps([{"id": "1", "c": 1761442200}, {"id": "2", "c": 1761438600}]), encoding="utf-8")
    assert read(str(document), "json key 'id'", f"dateTime 0..1 format 'unix' {PARIS}") == found


@pytest.mark.parametrize(("cell", "variant"), [(SKIPPED, "skipped"), (TWICE, "twice")])
@pytest.mark.parametrize("format_text", ["'yyyy-MM-dd HH:mm:ss'", "'yyyy-M-d H:m:s'"])
def test_a_function_of_a_map(cell: str, variant: str, format_text: str) -> None:
    rule = f"src.c as v -> tgt.c = toDateTime(v, {format_text}, 'Europe/Paris');"
    transformer = compile_map(f"group g(source src, target tgt) {{\n  {rule}\n}}\n")
    result = transformer({"c": cell})
    assert [(fault.code, fault.variant, fault.severity) for fault in result.faults] == [("FM451", variant, "error")]
    assert cell not in repr(result.faults)
    assert not (result.resource or {}).get("c")


@contextmanager
def table(database: Database, prefix: str, kind: str, cells: list[str]) -> Iterator[str]:
    """A table of numbered cells, while it is used."""
    name = f"{prefix}t"
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {name} (id int PRIMARY KEY, c {kind})")
        for n, cell in enumerate(cells):
            connection.exec_driver_sql(f"INSERT INTO {name} VALUES ({n}, '{cell}')")
    try:
        yield name
    finally:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"DROP TABLE {name}")
