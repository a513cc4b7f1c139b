"""What `check` says of cells that are written otherwise than the map says."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from fhirmap.compilation.maps import compile_map
from fhirmap.runner.cell_forms import cell_forms
from fhirmap.sources import open_source
from tests.sources.conftest import Database, database, prefix
from tests.sources.files.sheets import grid, write_xlsx

__all__ = ["database", "prefix"]

GROUP = "group g(source src : M, target tgt) {\n  src.id as v -> tgt.id = v;\n}\n"


def said(url: str, store: str, element: str) -> list[tuple[str, str, object]]:
    model = f"model M from {store} {{\n  id : string 1..1 from 'id'\n  c : {element}\n}}\n"
    transformer = compile_map(model + GROUP)
    assert transformer.store is not None
    with open_source(url, transformer.store) as source:
        found = list(cell_forms(source, transformer.store))
    assert {entry.code for entry in found} <= {"FM773"}
    assert not any(entry.is_error for entry in found)
    return [(entry.variant, str(entry.args["form"]), entry.args["count"]) for entry in found]


@pytest.mark.parametrize(
    ("element", "cells", "expected"),
    [
        ("date 0..1", ["12/03/2025", "2025-03-13"], [("format", "format 'dd/MM/yyyy'", 1)]),
        ("date 0..1", ["03/25/2025"], [("format", "format 'MM/dd/yyyy'", 1)]),
        ("date 0..1 format 'dd/MM/yyyy'", ["20250312"], [("format", "format 'yyyyMMdd'", 1)]),
        ("date 0..1 format 'dd/MM/yyyy'", ["2025-03-12"], [("format", "format 'yyyy-MM-dd'", 1)]),
        ("date 0..1", ["2025-03-13", ""], []),
        ("date 0..1", ["2025-03-13", "00/00/0000"], [("absent", "'00/00/0000'", 1)]),
        ("date 0..1", ["2025-03-13", "last week"], [("", "", 1)]),
        (
            "dateTime 0..1 format 'yyyyMMddHHmm' zone 'Europe/Paris'",
            ["12/03/2025 10:15"],
            [("format", "format 'dd/MM/yyyy HH:mm'", 1)],
        ),
        ("dateTime 0..1", ["2025-03-12T10:15:00"], [("zone", "Europe/Paris", 1)]),
        ("time 0..1", ["1015"], [("format", "format 'HHmm'", 1)]),
        ("integer 0..1", ["12", "many"], [("", "", 1)]),
        ("integer 0..1", ["12", "N/A"], [("absent", "'N/A'", 1)]),
        ("decimal 0..1", ["1,50"], [("marks", "decimal ','", 1)]),
        ("decimal 0..1", ["1 234,50"], [("marks", "decimal ',' thousands ' '", 1)]),
        ("boolean 0..1", ["O", "N"], [("", "", 2)]),
    ],
)
def test_a_text_column_of_another_form(
    database: Database, prefix: str, element: str, cells: list[str], expected: list[tuple[str, str, int]]
) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {prefix}t (id int PRIMARY KEY, c varchar(30))")
        for n, cell in enumerate(cells):
            connection.exec_driver_sql(f"INSERT INTO {prefix}t VALUES ({n}, '{cell}')")
    try:
        assert said(database.url, f"table '{prefix}t' key 'id'", f"{element} from 'c'") == expected
    finally:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"DROP TABLE {prefix}t")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("kind", "cell", "element", "expected"),
    [
        ("INTEGER", "'many'", "integer 0..1", [("", "", 1)]),
        ("TEXT", "x'ff'", "string 0..1", [("bytes", "", 1)]),
        ("DATE", "'12/03/2025'", "date 0..1", [("format", "format 'dd/MM/yyyy'", 1)]),
        ("INTEGER", "12", "integer 0..1", []),
    ],
)
def test_a_column_of_sqlite(
    database: Database, prefix: str, kind: str, cell: str, element: str, expected: list[tuple[str, str, int]]
) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE t (id INTEGER PRIMARY KEY, c {kind})")
        connection.exec_driver_sql(f"INSERT INTO t VALUES (1, {cell})")
    assert said(database.url, "table 't' key 'id'", f"{element} from 'c'") == expected


def test_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id;c\n1;12/03/2025\n", encoding="utf-8")
    assert said(str(file), "csv key 'id'", "date 0..1 from 'c'") == [("format", "format 'dd/MM/yyyy'", 1)]
    document = tmp_path / "a.json"
    document.write_text('[{"id": "1", "c": "12/03/2025"}]', encoding="utf-8")
    assert said(str(document), "json key 'id'", "date 0..1 from 'c'") == [("format", "format 'dd/MM/yyyy'", 1)]


def test_columns_of_text_that_a_sheet_holds_as_numbers_or_days(tmp_path: Path) -> None:
    rows = [
        ["id", "gtin", "lot", "ref", "n", "le"],
        [1, 2999610000105, "0540077", "CUP", 1, date(2025, 3, 17)],
        [2, "02999610000105", date(2025, 12, 3), "INS", 2, date(2025, 3, 18)],
    ]
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, rows)})
    elements = ["gtin : string 0..1", "lot : string 0..1", "ref : string 0..1", "n : integer 0..1", "le : date 0..1"]
    model = "model M from sheet key 'id' {\n  id : string 1..1\n  " + "\n  ".join(elements) + "\n}\n"
    transformer = compile_map(model + GROUP)
    assert transformer.store is not None
    with open_source(str(path), transformer.store) as source:
        found = list(cell_forms(source, transformer.store))
    assert [(entry.code, entry.variant, str(entry.args["names"])) for entry in found] == [
        ("FM765", "", "`gtin`"),
        ("FM765", "days", "`lot`"),
    ]
    assert not any(entry.is_error or "2999610000105" in entry.message for entry in found)
