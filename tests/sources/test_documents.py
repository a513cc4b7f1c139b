"""Paths into cells that hold JSON, and items of arrays: in each database and in a CSV file."""

# ruff: noqa: E501  SQL of one line a statement

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhirmap.compilation.maps import compile_map
from fhirmap.sources import open_source
from tests.sources.conftest import Database
from tests.sources.reading import checked, read_all

DOCUMENT = '{"op": {"date": "2025-03-15", "side": null}, "implants": [{"lot": "L1", "n": 1.50}, {"lot": "L2"}], "tags": ["a", "b"]}'
KINDS = [
    ("sqlite", "text"),
    ("sqlite", "json"),
    ("postgresql", "json"),
    ("postgresql", "jsonb"),
    ("postgresql", "text"),
    ("mariadb", "json"),
    ("mariadb", "text"),
    ("mariadb", "blob"),
]
POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest.fixture
def table(database: Database, prefix: str) -> Iterator[str]:
    name = f"{prefix}t"
    statements(database, f"DROP TABLE IF EXISTS {name}")
    yield name
    statements(database, f"DROP TABLE IF EXISTS {name}")


def statements(database: Database, *texts: str) -> None:
    with database.engine.begin() as connection:
        for text in texts:
            connection.exec_driver_sql(text)


@pytest.mark.parametrize(("database", "kind"), KINDS[:-1], indirect=["database"])
def test_paths_into_a_document(database: Database, table: str, kind: str) -> None:
    statements(
        database,
        f"CREATE TABLE {table} (id int PRIMARY KEY, doc {kind})",
        f"INSERT INTO {table} VALUES (1, '{DOCUMENT}'), (2, NULL), (3, '{{}}')",
    )
    elements = """day : date from 'doc.op.date'
        side : string from 'doc.op.side'
        first : string from 'doc.implants[0].lot'
        third : string from 'doc.implants[2].lot'
        n : decimal from 'doc.implants[0].n'
        lots : string 0..* from 'doc.implants.lot'
        tags : string 0..* from 'doc.tags'
        last : string from 'doc.tags[1]'
        only : string from 'doc.tags'"""
    assert checked(database.url, table, elements) == []
    found = read_all(database.url, table, elements)
    [(_, values, faults), second, third] = found
    assert {name: str(value) for name, value in values.items()} == {
        "day": "2025-03-15",
        "first": "L1",
        "n": "1.50",
        "lots": "['L1', 'L2']",
        "tags": "['a', 'b']",
        "last": "b",
    }
    assert faults == ["FM412 M.only"]
    assert (second, third) == (("2", {}, []), ("3", {}, []))


@pytest.mark.parametrize(("database", "kind"), KINDS[:-1], indirect=["database"])
def test_rows_below_a_document(database: Database, table: str, kind: str) -> None:
    statements(
        database,
        f"CREATE TABLE {table} (id int PRIMARY KEY, doc {kind})",
        f"""INSERT INTO {table} VALUES (1, '{DOCUMENT}'), (2, '{{"op": {{}}, "implants": {{"lot": "L9"}}}}'), (3, NULL)""",
    )
    elements = "poses : Pose 0..* from 'doc.implants'\ntags : Tag 0..* from 'doc.tags'"
    extra = """model Pose { rank : integer from position  lot : string  n : decimal }
        model Tag { rank : integer from position  tag : string from 'value' }"""
    [(_, one, none), (_, two, _), (_, three, _)] = read_all(database.url, table, elements, extra=extra)
    assert none == []
    assert [(pose["rank"], pose["lot"]) for pose in one["poses"]] == [(1, "L1"), (2, "L2")]
    assert one["tags"] == [{"rank": 1, "tag": "a"}, {"rank": 2, "tag": "b"}]
    assert two["poses"] == [{"rank": 1, "lot": "L9"}]
    assert three == {}


@pytest.mark.parametrize("database", ["sqlite", "mariadb"], indirect=True)
@pytest.mark.parametrize("cell", ['{"a": [', "text", '{"a": 1, "a": 2}', "[1, 2"])
def test_a_cell_that_is_no_document_is_a_fault(database: Database, table: str, cell: str) -> None:
    statements(
        database,
        f"CREATE TABLE {table} (id int PRIMARY KEY, doc text, other text)",
        f"INSERT INTO {table} VALUES (1, '{cell}', 'x'), (2, '{{\"a\": 5}}', 'y'), (3, '  ', 'z')",
    )
    elements = "a : integer from 'doc.a'\nrows : Row 0..* from 'doc'\nother : string"
    found = read_all(database.url, table, elements, extra="model Row { b : string }")
    assert [(key, values.get("a"), values["other"]) for key, values, _ in found] == [
        ("1", None, "x"),
        ("2", 5, "y"),
        ("3", None, "z"),
    ]
    assert [sorted(faults) for _, _, faults in found] == [["FM410 M.a", "FM410 M.rows"], [], []]


@POSTGRESQL
def test_arrays(database: Database, table: str) -> None:
    statements(
        database,
        f"CREATE TABLE {table} (id int PRIMARY KEY, lots text[], days date[], docs jsonb[], grid int[][], doc jsonb, one jsonb)",
        f"""INSERT INTO {table} VALUES (1, '{{L1,NULL,L3}}', '{{2025-03-15}}', ARRAY['{{"lot": "L7"}}', '{{"lot": "L8"}}']::jsonb[], '{{{{1,2}},{{3,4}}}}', '["x", "y"]', '"z"')""",
    )
    elements = """first : string from 'lots[0]'
        third : string from 'lots[2]'
        day : date from 'days[0]'
        cell : integer from 'grid[1][0]'
        lot : string from 'docs[1].lot'
        listed : string 0..* from 'doc'
        plain : string from 'one'
        rows : Row 0..* from 'lots'
        poses : Pose 0..* from 'docs'"""
    extra = "model Row { rank : integer from position  lot : string from 'value' }\nmodel Pose { lot : string }"
    assert checked(database.url, table, elements.replace("rows : Row", "-- ").split("rows")[0].split("--")[0]) == []
    assert read_all(database.url, table, elements, extra=extra) == [
        (
            "1",
            {
                "first": "L1",
                "third": "L3",
                "day": "2025-03-15",
                "cell": 3,
                "lot": "L8",
                "listed": ["x", "y"],
                "plain": "z",
                "rows": [{"rank": 1, "lot": "L1"}, {"rank": 2}, {"rank": 3, "lot": "L3"}],
                "poses": [{"lot": "L7"}, {"lot": "L8"}],
            },
            [],
        )
    ]


def test_what_holds_no_document_is_said(database: Database, table: str) -> None:
    statements(database, f"CREATE TABLE {table} (id int PRIMARY KEY, n int, doc text)")
    assert checked(database.url, table, "a : string from 'dox.a'") == ["FM704"]
    extra = "model Row { a : string }"
    assert checked(database.url, table, f"rows : Row 0..* from '{table}'", extra=extra) == ["FM704 rows"]
    wanted = [] if database.kind == "sqlite" else ["FM772 document"]
    assert checked(database.url, table, "a : string from 'n.a'") == wanted
    assert checked(database.url, table, "a : string", key="doc.id") == ["FM704", "FM704"]


OF_ANOTHER_SHAPE = (
    '{"lot":"L1","poses":[{"lot":"A"},"B"]}',
    '{"poses":{"lot":"A"}}',
    "12",
    '"text"',
    '{"poses":[[{"lot":"A"}]]}',
    "NULL",
    '{"poses":" "}',
)


@pytest.mark.parametrize("null", ["", " null 'NULL', 'text'"])
def test_a_document_of_another_shape_is_a_fault_of_the_column(tmp_path: Path, null: str) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows([("id", "doc"), *enumerate(OF_ANOTHER_SHAPE, 1)])
    text = f"""model M from csv key 'id' delimiter ';'{null} {{
  lot : string from 'doc.lot'
  first : string from 'doc.poses[0].lot'
  poses : Pose 0..* from 'doc.poses'
}}
model Pose {{ lot : string }}
group g(source src : M, target tgt) {{ src.lot as v -> tgt.id = v; }}
"""
    transformer = compile_map(text)
    assert transformer.store is not None
    found: dict[str, tuple[dict[str, Any], list[str]]] = {}
    with open_source(str(path), transformer.store) as source:
        for record in source.records():
            read = transformer.read(record.values)
            found[record.key] = dict(read.values), [f"{fault.code} {fault.path}" for fault in read.faults]
    shut: tuple[dict[str, Any], list[str]] = ({}, ["FM410 M.lot", "FM410 M.first", "FM410 M.poses"])
    assert found == {
        "1": ({"lot": "L1", "first": "A", "poses": [{"lot": "A"}]}, ["FM410 M.poses"]),
        "2": ({"first": "A", "poses": [{"lot": "A"}]}, []),
        "3": shut,
        "4": ({}, []) if null else shut,
        "5": ({"first": "A"}, ["FM410 M.poses"]),
        "6": ({}, []) if null else shut,
        "7": ({}, []),
    }


def test_a_cell_of_a_csv_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    quoted = DOCUMENT.replace('"', '""')
    path.write_text(f'id;N. lot;doc\n1;x;"{quoted}"\n2;y;\n3;z;no\n', encoding="utf-8")
    text = """model M from csv key 'id' delimiter ';' {
  id : string
  number : string from 'N. lot'
  lot : string from 'doc.implants[1].lot'
  tags : string 0..* from 'doc.tags'
  poses : Pose 0..* from 'doc.implants'
}
model Pose { lot : string }
group g(source src : M, target tgt) { src.id as v -> tgt.id = v; src.number as v -> tgt.n = v; }
"""
    transformer = compile_map(text)
    assert transformer.store is not None
    found: list[tuple[dict[str, Any], list[str]]] = []
    with open_source(str(path), transformer.store) as source:
        assert source.check() == []
        for record in source.records():
            read = transformer.read(record.values)
            found.append((dict(read.values), [fault.code for fault in (*record.faults, *read.faults)]))
    assert found == [
        ({"id": "1", "number": "x", "lot": "L2", "tags": ["a", "b"], "poses": [{"lot": "L1"}, {"lot": "L2"}]}, []),
        ({"id": "2", "number": "y"}, []),
        ({"id": "3", "number": "z"}, ["FM410", "FM410", "FM410"]),
    ]


def test_a_column_whose_name_has_the_signs_of_a_path_is_found_first(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    listed = '[{"k": "x", "v": 1}, {"k": "y", "v": 2}]'.replace('"', '""')
    path.write_text(f'id;N° [1];a.b;doc[x=y];doc[;doc\n1;one;two;three;four;"{listed}"\n', encoding="utf-8")
    text = """model M from csv key 'id' delimiter ';' {
  one : string from 'N° [1]'
  two : string from 'a.b'
  three : string from 'doc[x=y]'
  four : string from 'doc['
  five : integer from 'doc[k=y].v'
  six : string from '`a.b`'
}
group g(source src : M, target tgt) { src.one as v -> tgt.id = v; }
"""
    transformer = compile_map(text)
    assert transformer.store is not None
    with open_source(str(path), transformer.store) as source:
        assert source.check() == []
        [record] = source.records()
    assert transformer.read(record.values).values == {
        "one": "one",
        "two": "two",
        "three": "three",
        "four": "four",
        "five": 2,
        "six": "two",
    }


@pytest.mark.parametrize("path", ["doc[k=", "doc[k].v", "doc..v", "doc.v[", "other[0]"])
def test_a_path_that_is_none_is_no_column(tmp_path: Path, path: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text('id;doc\n1;"[]"\n', encoding="utf-8")
    text = f"""model M from csv key 'id' delimiter ';' {{ one : string from '{path}' }}
group g(source src : M, target tgt) {{ src.one as v -> tgt.id = v; }}
"""
    transformer = compile_map(text)
    assert transformer.store is not None
    with open_source(str(file), transformer.store) as source:
        assert [(entry.code, entry.args["column"]) for entry in source.check()] == [("FM704", path)]


def test_places_in_lists_of_a_json_document(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(f'[{{"id": 1, "doc": {DOCUMENT}}}]', encoding="utf-8")
    text = """model M from json key 'id' {
  lot : string from 'doc.implants[1].lot'
  tag : string from 'doc.tags[0]'
}
group g(source src : M, target tgt) { src.lot as v -> tgt.id = v; }
"""
    transformer = compile_map(text)
    assert transformer.store is not None
    with open_source(str(path), transformer.store) as source:
        assert source.check() == []
        assert [transformer.read(record.values).values for record in source.records()] == [{"lot": "L2", "tag": "a"}]


def test_filters_and_names_in_backticks_in_a_json_document(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(
        """[{"id": 1, "code": {"coding": [{"system": "a", "code": "A"}, {"system": "b", "code": "B"}]},
             "a.b": {"N° [1]": "x"}, "uses": [{"kind": {"code": 12}, "lot": "L1"}, {"kind": {"code": 13}, "lot": "L2"},
             {"kind": {"code": 12}, "lot": "L3"}]}]""",
        encoding="utf-8",
    )
    text = """model M from json key 'id' {
  code : string from 'code.coding[system=b].code'
  none : string from 'code.coding[system=c].code'
  odd : string from '`a.b`.`N° [1]`'
  uses : Use 0..* from 'uses[kind.code=12]'
}
model Use { lot : string }
group g(source src : M, target tgt) { src.code as v -> tgt.id = v; }
"""
    transformer = compile_map(text)
    assert transformer.store is not None
    with open_source(str(path), transformer.store) as source:
        [record] = source.records()
    assert transformer.read(record.values).values == {
        "code": "B",
        "odd": "x",
        "uses": [{"lot": "L1"}, {"lot": "L3"}],
    }
