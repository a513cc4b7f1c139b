"""Who changed a record, the source or the map: whatever a model may say of where its rows come from."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fhirmap.runner.engine import build_engine
from fhirmap.runner.planned_run import Plan, make_plan
from fhirmap.runner.project_file import load_project
from fhirmap.runner.run import run

PROJECT = '[map]\nsource = "p.map"\n[source]\nurl = "{source}"\n[sink]\nkind = "ndjson"\npath = "out.ndjson"\n'
MAP = """\
model Op {store} {{
  day   : date    0..1 from 'day' format 'yyyyMMdd'
  name  : string  0..1 from 'name'
  parts : Part    {count} {parts}
}}
model Part {{
  {part}
}}
model Result {{ day : date 0..1  name : string 0..1  lots : string 0..* }}
group main(source src : Op, target tgt : Result) {{
  src.day as v -> tgt.day = v;
  src.name as v -> tgt.name = v;
  src.parts as p then {{ p.lot as v -> tgt.lots = v; }};
}}
"""
TABLES = """
create table op (id integer, day text, name text, lots text, doc text);
create table part (op integer, n integer, lot text, gone integer, qty integer);
create table fact (op integer, code text, value text);
create table piece (id integer, day text, name text, n integer, lot text, qty integer);
insert into op values (1, '20250301', 'x', 'A;B', '{"parts":[{"lot":"A"}],"lots":["A","B"]}');
insert into part values (1, 1, 'A', 0, 1), (1, 2, 'B', 0, 1), (1, 3, 'C', 1, 1);
insert into fact values (1, 'LOT', 'A'), (1, 'OTHER', 'F');
insert into piece values (1, '20250301', 'x', 1, 'A', 1), (1, '20250301', 'x', 2, 'B', 1);
"""
TABLE, LOT = "from table 'op' key 'id'", "lot : string 0..1 from 'lot'"
JOIN = "join 'part' on 'op' = 'id' where \"gone = 0\" order by 'n' repeat 'qty'"
FACTS = "join 'fact' on 'op' = 'id' attributes 'code' values 'value'"
QUERY = "select id, day, name from op"


class Theatre:
    """A small source, its map, and a file that takes everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sql(TABLES)
        self.project("theatre.sqlite")

    def project(self, source: str) -> None:
        (self.folder / "fhirmap.toml").write_text(PROJECT.format(source=source), encoding="utf-8")

    def sql(self, statements: str) -> None:
        with closing(sqlite3.connect(self.folder / "theatre.sqlite")) as connection:
            connection.executescript(statements)

    def map(self, *, store: str = TABLE, parts: str = JOIN, part: str = LOT) -> None:
        count = "0..1" if "attributes" in parts else "0..*"
        text = MAP.format(store=store, parts=parts, part=part, count=count)
        (self.folder / "p.map").write_text(text, encoding="utf-8")

    def run(self, **settings: Any) -> Any:
        return run(build_engine(load_project(self.folder)), **settings)

    def plan(self) -> Plan:
        return make_plan(build_engine(load_project(self.folder)))

    def changed(self) -> tuple[list[str], list[str]]:
        plan = self.plan()
        return plan.changed_by_source, [change.key for change in plan.changed_by_map if change.held]


@pytest.fixture
def theatre(tmp_path: Path) -> Theatre:
    return Theatre(tmp_path)


BY_SOURCE: tuple[list[str], list[str]] = (["1"], [])
BY_MAP: tuple[list[str], list[str]] = ([], ["1"])


@pytest.mark.parametrize(
    ("parts", "part", "change"),
    [
        (JOIN, LOT, "update part set lot = 'Z' where n = 2"),
        (JOIN, LOT, "update part set qty = 2 where n = 2"),
        (JOIN, LOT, "update part set n = 0 where n = 2"),
        (JOIN, LOT, "update part set gone = 1 where n = 2"),
        (FACTS, "lot : string 0..1 from 'LOT'",
         "update fact set value = 'Z' where code = 'LOT'"),
        ("from 'lots' split ';'", "lot : string 0..1 from 'value'", "update op set lots = 'A;Z'"),
        ("from 'doc.parts'", LOT, """update op set doc = '{"parts":[{"lot":"Z"}]}'"""),
        ("from 'doc.lots'", "lot : string 0..1 from 'value'", """update op set doc = '{"lots":["A","Z"]}'"""),
        ("join query 'select op, lot || qty as lot from part' on 'op' = 'id'", LOT, "update part set qty = 2"),
    ],
)  # fmt: skip
def test_another_value_wherever_it_is_read_from_is_the_source_s(
    theatre: Theatre, parts: str, part: str, change: str
) -> None:
    theatre.map(parts=parts, part=part)
    theatre.run()
    theatre.sql(change)
    assert theatre.changed() == BY_SOURCE


def test_lines_of_a_table_are_the_source_s(theatre: Theatre) -> None:
    theatre.map(store="from table 'piece' key 'id' order by 'n'", parts="lines repeat 'qty'")
    theatre.run()
    theatre.sql("update piece set qty = 2 where n = 1")
    assert theatre.changed() == BY_SOURCE


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"parts": "join 'part' on 'op' = 'id' where \"gone = 1\" order by 'n'"}),
        ({}, {"parts": "join 'part' on 'op' = 'id' where \"gone = 0\" order by 'n' desc"}),
        ({}, {"parts": "join 'part' on 'n' = 'id' order by 'n'"}),
        ({}, {"parts": "join 'part' on 'op' = 'id' where \"gone = 0\" order by 'n' repeat 'n'"}),
        ({}, {"parts": "join 'fact' on 'op' = 'id'", "part": "lot : string 0..1 from 'value'"}),
        ({}, {"parts": "join query 'select op, lot from part where n = 3' on 'op' = 'id'"}),
        ({"parts": "join query 'select op, lot from part where n = 1' on 'op' = 'id'"},
         {"parts": "join query 'select op, lot from part where n = 3' on 'op' = 'id'"}),
        ({"parts": FACTS, "part": "lot : string 0..1 from 'LOT'"},
         {"parts": FACTS, "part": "lot : string 0..1 from 'OTHER'"}),
        ({"parts": FACTS, "part": "lot : string 0..1 from 'LOT'"},
         {"parts": FACTS.replace("values 'value'", "values 'code'"), "part": "lot : string 0..1 from 'LOT'"}),
        ({"parts": "from 'lots' split ';'", "part": "lot : string 0..1 from 'value'"},
         {"parts": "from 'lots' split ','", "part": "lot : string 0..1 from 'value'"}),
        ({"store": f"from query '{QUERY}' key 'id'"},
         {"store": f"from query '{QUERY.replace('name', 'lots as name')}' key 'id'"}),
        ({}, {"store": "from query 'select id, day, lots as name from op' key 'id'"}),
        ({"store": "from table 'op' key 'id'"}, {"store": "from table 'piece' key 'id' latest by 'lot'"}),
    ],
)  # fmt: skip
def test_other_rows_because_the_map_asks_for_them_are_the_map_s(
    theatre: Theatre, before: dict[str, str], after: dict[str, str]
) -> None:
    theatre.map(**before)
    theatre.run()
    if "piece" in after.get("store", ""):
        theatre.sql("update piece set name = 'other'")
    theatre.map(**after)
    assert theatre.changed() == BY_MAP
    theatre.run()
    theatre.sql("update op set name = 'y', lots = 'Y;Z'; update piece set name = 'y'")
    assert theatre.changed() == BY_SOURCE, "what the source changes from then on is sent"


def test_another_way_to_read_a_file_is_the_map_s(theatre: Theatre) -> None:
    theatre.project("op.csv")
    (theatre.folder / "op.csv").write_bytes(b"id;day;name;lot\n1;20250301;\x80;A\n")
    store = "from csv key 'id' delimiter ';' encoding '{}'"
    theatre.map(store=store.format("cp1252"), parts="lines")
    theatre.run()
    theatre.map(store=store.format("cp850"), parts="lines")
    assert theatre.changed() == BY_MAP
    theatre.run()
    (theatre.folder / "op.csv").write_bytes(b"id;day;name;lot\n1;20250301;\x81;A\n")
    assert theatre.changed() == BY_SOURCE


def test_another_place_in_a_document_is_the_map_s(theatre: Theatre) -> None:
    theatre.project("op.json")
    some = {name: [{"id": "1", "day": "20250301", "name": name, "lot": "A"}] for name in ("a", "b")}
    (theatre.folder / "op.json").write_text(json.dumps(some), encoding="utf-8")
    theatre.map(store="from json path 'a' key 'id'", parts="from 'none'")
    theatre.run()
    theatre.map(store="from json path 'b' key 'id'", parts="from 'none'")
    assert theatre.changed() == BY_MAP


def test_attributes_that_no_element_reads_do_not_count(theatre: Theatre) -> None:
    theatre.map(parts=FACTS, part="lot : string 0..1 from 'LOT'")
    theatre.run()
    theatre.sql("update fact set value = 'Z' where code = 'OTHER'; insert into fact values (1, 'NEW', 'N')")
    theatre.map(parts=FACTS, part="lot : string 0..1 from 'LOT' null 'A'")
    assert theatre.changed() == BY_MAP
