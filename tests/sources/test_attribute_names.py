"""Names of attributes that a map reads and no row has: reported before anything is read, with the nearest name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fhirmap.compilation.maps import compile_map
from fhirmap.runner.cell_forms import cell_forms
from fhirmap.sources import open_source
from tests.sources.conftest import Database, database, prefix

__all__ = ["database", "prefix"]

MAP = """model M from {store} {{
  id    : string 1..1 from 'id'
  facts : Facts  0..1 {rows} attributes 'code' values 'v'
}}
model Facts {{
  size  : integer 0..1 from '{size}'
  lot   : string  0..1 from '{lot}'
  day   : date    0..1 from 'DAY'
}}
group g(source src : M, target tgt) {{
  src.id as v -> tgt.id = v;
}}
"""
ROWS = [(1, "SIZE", "54"), (1, " LOT ", "A1"), (2, "SIZE", "large"), (2, "DAY", "20/03/2025"), (3, "OLD", "x")]


def said(url: str, store: str, rows: str, size: str = "SIZE", lot: str = "LOT") -> list[tuple[str, str, str]]:
    transformer = compile_map(MAP.format(store=store, rows=rows, size=size, lot=lot))
    assert transformer.store is not None
    with open_source(url, transformer.store) as source:
        found = source.check()
        assert {entry.code for entry in found} <= {"FM774"}
        assert not any(entry.is_error for entry in found)
        assert all(entry.args["position"] for entry in found)
        forms = list(cell_forms(source, transformer.store))
    assert {str(entry.args["column"]).rpartition(".")[2] for entry in forms} <= {"SIZE", "DAY"}
    return [(entry.variant, str(entry.args["attribute"]), str(entry.args.get("meant", ""))) for entry in found] + [
        (entry.variant, str(entry.args["column"]).rpartition(".")[2], str(entry.args["form"])) for entry in forms
    ]


FORMS = [("", "SIZE", ""), ("format", "DAY", "format 'dd/MM/yyyy'")]


def test_tables(database: Database, prefix: str) -> None:
    with tables(database, prefix, ROWS) as (records, facts):
        store, rows = f"table '{records}' key 'id'", f"join '{facts}' on 'id'"
        assert said(database.url, store, rows) == FORMS
        assert said(database.url, store, rows, lot="LOTT") == [("near", "LOTT", "LOT"), *FORMS]
        assert said(database.url, store, rows, lot="lot") == [("near", "lot", "LOT"), *FORMS]
        assert said(database.url, store, rows, lot="SERIAL") == [("", "SERIAL", ""), *FORMS]
        query = f"join query 'select id, code, v from {facts}' on 'id'"
        assert said(database.url, store, query, lot="LOTT") == [("near", "LOTT", "LOT"), *FORMS]
        # Rows that a condition leaves out have nothing to say.
        without = f'{rows} where "id = 3"'
        assert said(database.url, store, without) == [("", "SIZE", ""), ("", "LOT", ""), ("", "DAY", "")]


def test_a_table_without_rows_says_nothing(database: Database, prefix: str) -> None:
    with tables(database, prefix, []) as (records, facts):
        assert said(database.url, f"table '{records}' key 'id'", f"join '{facts}' on 'id'", lot="LOTT") == []


def test_flat_lines(database: Database, prefix: str, tmp_path: Path) -> None:
    with tables(database, prefix, ROWS) as (_, facts):
        assert said(database.url, f"table '{facts}' key 'id'", "lines", lot="LOTT") == [("near", "LOTT", "LOT"), *FORMS]
    file = tmp_path / "rows.csv"
    file.write_text("id;code;v\n" + "".join(f"{n};{code};{v}\n" for n, code, v in ROWS), encoding="utf-8")
    assert said(str(file), "csv key 'id'", "lines", lot="LOTT") == [("near", "LOTT", "LOT"), *FORMS]
    assert said(str(file), "csv key 'id'", "lines") == FORMS


def test_many_names_of_which_one_is_read(database: Database, prefix: str) -> None:
    many = [(n, f"X{n:04}", "1") for n in range(1500)]
    with tables(database, prefix, [*many, *ROWS]) as (records, facts):
        assert said(database.url, f"table '{records}' key 'id'", f"join '{facts}' on 'id'", lot="LOTT")[0][1] == "LOTT"
        found = said(database.url, f"table '{records}' key 'id'", f"join '{facts}' on 'id'")
        assert [entry for entry in found if entry[0] == "near" or not entry[0]] in ([], [("", "SIZE", "")])


def test_names_that_differ_by_case_alone(database: Database, prefix: str) -> None:
    rows = [(1, "lot", "a"), (2, "LOT", "b"), (2, "SIZE", "1"), (2, "DAY", "2025-03-20")]
    with tables(database, prefix, rows) as (records, facts):
        assert said(database.url, f"table '{records}' key 'id'", f"join '{facts}' on 'id'") == []


@contextmanager
def tables(database: Database, prefix: str, rows: list[tuple[int, str, str]]) -> Iterator[tuple[str, str]]:
    records, facts = f"{prefix}rec", f"{prefix}fact"
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {records} (id int PRIMARY KEY)")
        connection.exec_driver_sql(f"CREATE TABLE {facts} (id int, code varchar(20), v varchar(20))")
        connection.exec_driver_sql(f"INSERT INTO {records} VALUES (1), (2), (3)")
        for n, code, cell in rows:
            connection.exec_driver_sql(f"INSERT INTO {facts} VALUES ({n}, '{code}', '{cell}')")
    try:
        yield records, facts
    finally:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"DROP TABLE {records}")
            connection.exec_driver_sql(f"DROP TABLE {facts}")
