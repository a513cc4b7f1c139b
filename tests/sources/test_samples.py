"""The first rows of each kind of source, as cells of the columns that elements read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fhirmap.compilation.maps import compile_map
from fhirmap.sources import open_source
from fhirmap.sources.samples import SampledSource, cells_of_sample
from tests.sources.conftest import Database

MODELS = """model Stay from {store} {{
  day    : date   0..1 from 'day'
  tags   : code   0..* from 'tags' split ';'
  doc    : string 0..* from 'doc.lots'
  poses  : Pose   0..* from 'doc.poses'
  {below}
}}
model Pose {{
  size   : integer 0..1 from 'size'
}}
model Line {{
  rank   : integer 0..1 from 'n'
}}
group g(source src : Stay, target tgt) {{
  src.day as v -> tgt.day = v;
}}
"""
DOCUMENT = '{"lots": ["L1", "L2"], "poses": [{"size": 54}]}'


def sampled(url: str, store: str, below: str = "") -> dict[str, list[Any]]:
    transformer = compile_map(MODELS.format(store=store, below=below))
    assert transformer.store is not None
    with open_source(url, transformer.store) as source:
        assert isinstance(source, SampledSource)
        samples = list(source.samples(2))
        return {column.element: cells for sample in samples for column, cells in cells_of_sample(sample)}


READ = {"Stay.day": ["12/03/2025"], "Stay.tags": ["a", "b"], "Stay.doc": ["L1", "L2"], "Pose.size": [54]}


def test_rows_of_a_database(database: Database, prefix: str) -> None:
    table, lines = f"{prefix}stay", f"{prefix}line"
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {table} (id int, day varchar(20), tags varchar(20), doc varchar(80))")
        connection.exec_driver_sql(f"CREATE TABLE {lines} (id int, n int)")
        connection.exec_driver_sql(f"INSERT INTO {table} VALUES (1, '12/03/2025', 'a;b', '{DOCUMENT}')")
        for n in range(3):
            connection.exec_driver_sql(f"INSERT INTO {lines} VALUES (1, {n})")
    try:
        found = sampled(database.url, f"table '{table}' key 'id'", f"lines : Line 0..* join '{lines}' on 'id'")
    finally:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"DROP TABLE {table}")
            connection.exec_driver_sql(f"DROP TABLE {lines}")
    assert len(found.pop("Line.rank")) == 2
    assert found == READ


@pytest.mark.parametrize("below", ["", "lines : Line 0..* lines"])
def test_lines_of_a_file(tmp_path: Path, below: str) -> None:
    file = tmp_path / "a.csv"
    document = DOCUMENT.replace('"', '""')
    file.write_text(f'id;DAY;tags;doc;n\n1;12/03/2025;a;"{document}";1\n1;;b;;2\n1;;c;;3\n', encoding="utf-8")
    found = sampled(str(file), "csv key 'id'", below)
    assert found.pop("Line.rank", ["1", "2"]) == ["1", "2"]
    assert found == READ


def test_entries_of_a_document(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(f'[{{"id": 1, "day": "12/03/2025", "tags": "a;b", "doc": {DOCUMENT}}}]', encoding="utf-8")
    assert sampled(str(file), "json key 'id'") == READ
