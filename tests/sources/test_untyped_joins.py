"""Join columns without a type, in SQLite: one key in two forms is reported before anything is read."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from fhirmap.compilation.maps import compile_map
from fhirmap.sources import open_source

MAP = """
model Op from table 'op' key 'id' { id : string 1..1  poses : Pose 0..* JOIN }
model Pose { lot : string }
group main(source src : Op, target tgt) { src.id as v -> tgt.id = v; src.poses as p -> tgt.lots as t, t.lot = p.lot; }
"""


def found(
    folder: Path, types: tuple[str, str], keys: tuple[str, str], join: str = "join 'pose' on 'op' = 'no'"
) -> list[str]:
    with sqlite3.connect(folder / "a.sqlite") as connection:
        connection.execute(f"CREATE TABLE op (id TEXT PRIMARY KEY, no {types[0]})")
        connection.execute(f"CREATE TABLE pose (op {types[1]}, lot TEXT)")
        connection.execute(f"INSERT INTO op VALUES ('a', {keys[0]}), ('b', NULL)")
        connection.execute(f"INSERT INTO pose VALUES ({keys[1]}, 'L1'), (NULL, 'L2'), ('x', 'L3')")
    plan = compile_map(MAP.replace("JOIN", join), name="m.map").store
    assert plan is not None
    with open_source(str(folder / "a.sqlite"), plan) as source:
        return [f"{entry.code} {entry.args['column']}" for entry in source.check()]


@pytest.mark.parametrize("keys", [("1", "'1'"), ("'1'", "1"), ("1.5", "'1.5'"), ("'1.5'", "1.5")])
def test_a_key_in_both_forms_is_an_error(tmp_path: Path, keys: tuple[str, str]) -> None:
    assert found(tmp_path, ("", ""), keys) == ["FM775 op"]


@pytest.mark.parametrize("types", [("INTEGER", ""), ("", "TEXT"), ("TEXT", "INTEGER"), ("NUMERIC", "")])
def test_a_column_with_a_type_is_converted_by_the_database(tmp_path: Path, types: tuple[str, str]) -> None:
    assert found(tmp_path, types, ("1", "'1'")) == []


@pytest.mark.parametrize("keys", [("1", "1"), ("'1'", "'1'"), ("1", "'01'"), ("1", "'2'"), ("NULL", "'1'")])
def test_other_keys_are_not_concerned(tmp_path: Path, keys: tuple[str, str]) -> None:
    assert found(tmp_path, ("", ""), keys) == []


def test_a_query_that_converts_is_the_way_out(tmp_path: Path) -> None:
    join = "join query 'select cast(op as integer) as op, lot from pose' on 'op' = 'no'"
    assert found(tmp_path, ("", ""), ("1", "'1'"), join) == []
