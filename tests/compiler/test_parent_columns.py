"""Elements of the rows above: what is fetched, what is read, and which columns faults and lineage name."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from fhirmap.compilation.maps import compile_map
from fhirmap.errors import MapError
from fhirmap.runner.read_values import reader_of_values
from fhirmap.runtime.transformer import Transformer
from fhirmap.source_plan import RowLayout
from fhirmap.sources import open_source

COPY = "group g(source src : M, target tgt) { src.id as v -> tgt.id = v; }\n"
JOINED = (
    """model M from table 'T' key 'id' {
  id   : string
  kids : Kid 0..* join 'K' on 'parent' = 'id'
}
model Kid {
  lot  : string
  day  : date from '../day' format 'yyyyMMdd'
  subs : Sub 0..* join 'S' on 'kid' = 'kid'
}
model Sub {
  own   : string
  lot   : string from '../lot'
  ward  : string 1..1 from '../../ward'
}
"""
    + COPY
)


@pytest.fixture
def database(tmp_path: Path) -> str:
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as connection:
        connection.executescript("""
            CREATE TABLE T (id TEXT PRIMARY KEY, day TEXT, ward TEXT, doc TEXT);
            CREATE TABLE K (kid TEXT, parent TEXT, lot TEXT);
            CREATE TABLE S (kid TEXT, own TEXT);
            INSERT INTO T VALUES ('1', '20250315', 'W1', '{"ids": [{"x": 1, "in": [{"y": 2}]}], "p": "P"}');
            INSERT INTO T VALUES ('2', 'no day', NULL, NULL);
            INSERT INTO K VALUES ('k1', '1', 'L1'), ('k2', '1', 'L2'), ('k3', '2', 'L3');
            INSERT INTO S VALUES ('k1', 's1'), ('k2', 's2'), ('k3', 's3');
        """)
    return f"sqlite:///{path}"


def read(url: str, transformer: Transformer) -> list[tuple[dict[str, Any], list[tuple[str, str, tuple[str, ...]]]]]:
    """What the model reads of each record, and code, path and columns of its faults."""
    assert transformer.store is not None
    found = []
    with open_source(url, transformer.store) as source:
        for record in source.records():
            held = transformer.read(record.values)
            faults = [(fault.code, fault.path, fault.columns) for fault in (*record.faults, *held.faults)]
            found.append((json.loads(json.dumps(held.values, default=str)), faults))
    return found


def names(layout: RowLayout) -> list[str]:
    return [column.name for column in layout.columns]


def test_a_parents_column_is_fetched_with_the_parent() -> None:
    store = compile_map(JOINED).store
    assert store is not None
    [kid] = store.shape.children
    [sub] = kid.shape.children
    assert (names(store.shape), names(kid.shape), names(sub.shape)) == (
        ["id", "day", "ward"],
        ["lot", "lot", "parent", "kid"],
        ["own", "kid"],
    )
    lent = next(column for column in store.shape.columns if column.name == "day")
    assert (lent.element, lent.type, lent.format) == ("Kid.day", "date", "yyyyMMdd")


def test_by_what_rows_are_joined_stays_with_them() -> None:
    text = """model M from table 'T' key 'id' { id : string  kids : Kid 0..* join on '../code' = 'id' }
model Kid from json path 'list.in' source 'other' { n : integer  day : string from '../day' }
"""
    store = compile_map(text + COPY).store
    assert store is not None
    [kid] = store.shape.children
    assert (names(store.shape), names(kid.shape)) == (["id", "day"], ["n", "../code"])
    assert kid.store is not None
    assert kid.store.shape == kid.shape


def test_joined_rows_read_what_is_above_them(database: str) -> None:
    transformer = compile_map(JOINED)
    assert transformer.store is not None
    with open_source(database, transformer.store) as source:
        assert source.check() == []
    first, second = read(database, transformer)
    assert first == (
        {
            "id": "1",
            "kids": [
                {"lot": "L1", "day": "2025-03-15", "subs": [{"own": "s1", "lot": "L1", "ward": "W1"}]},
                {"lot": "L2", "day": "2025-03-15", "subs": [{"own": "s2", "lot": "L2", "ward": "W1"}]},
            ],
        },
        [],
    )
    assert second == (
        {"id": "2", "kids": [{"lot": "L3", "subs": [{"own": "s3", "lot": "L3"}]}]},
        [("FM410", "M.kids[0].day", ("T.day",)), ("FM411", "M.kids[0].subs[0].ward", ("T.ward",))],
    )


def test_a_parents_column_counts_among_what_was_read(database: str) -> None:
    transformer = compile_map(JOINED)
    assert transformer.store is not None
    values_of = reader_of_values(transformer.store)
    parts = []
    with open_source(database, transformer.store) as source:
        record = next(iter(source.records()))
        parts.append(values_of(record).parts())
        record.values["ward"] = "W2"  # type: ignore[index]
        parts.append(values_of(record).parts())
    assert parts[0] != parts[1]


def test_lineage_names_the_parents_column() -> None:
    rules = """group g(source src : M, target tgt) {
  src.kids as kid -> tgt.kid as k then { kid.day as v -> k.day = v; kid.subs as s -> k.ward = s.ward; };
}
"""
    places = compile_map(JOINED.replace(COPY, rules)).places
    assert places["tgt.kid.day"][1] == ("T.day",)
    assert places["tgt.kid.ward"][1] == ("T.ward",)


def test_a_row_whose_parent_lacks_the_column_is_another_tables() -> None:
    found = compile_map(JOINED).read({"id": "1", "kids": [{"lot": "L", "subs": []}], "ward": "W"})
    assert [(fault.code, fault.args["columns"]) for fault in found.faults] == [("FM417", "`../day`")]


def test_a_parents_column_that_is_not_there_is_reported(database: str) -> None:
    transformer = compile_map(JOINED.replace("../../ward", "../../unit"))
    assert transformer.store is not None
    with open_source(database, transformer.store) as source:
        [found] = source.check()
    assert (found.code, found.args["table"], found.args["column"]) == ("FM704", "T", "unit")
    assert str(found.args["position"]).endswith(":13:28")


def test_objects_in_a_cell_read_the_row_and_what_holds_them(database: str) -> None:
    text = (
        """model M from table 'T' key 'id' { id : string  ids : Id 0..* from 'doc.ids' }
model Id { x : integer  ward : string from '../ward'  root : string from '/day'  ins : In 0..* from 'in' }
model In { y : integer  x : integer from '../x'  p : string from '../../doc.p'  root : string from '/ward' }
"""
        + COPY
    )
    (first, faults), _ = read(database, compile_map(text))
    inner = {"y": 2, "x": 1, "p": "P", "root": "W1"}
    assert (first["ids"], faults) == ([{"x": 1, "ward": "W1", "root": "20250315", "ins": [inner]}], [])


def test_lines_read_what_they_agree_on(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id;day;lot\n1;20250315;L1\n1;20250315;L2\n2;20250316;L3\n2;20250317;L4\n", encoding="utf-8")
    text = (
        """model M from csv key 'id' delimiter ';' { id : string  kids : Kid 1..* lines }
model Kid { lot : string  day : date from '../day' format 'yyyyMMdd' }
"""
        + COPY
    )
    first, second = read(str(path), compile_map(text))
    assert first[0]["kids"] == [{"lot": "L1", "day": "2025-03-15"}, {"lot": "L2", "day": "2025-03-15"}]
    assert first[1] == []
    assert [(code, columns) for code, _, columns in second[1]] == [("FM720", ("day",))]


def test_nested_documents_read_what_holds_them(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(
        """[{"id": 1, "at": {"day": "2025-03-15"}, "kids": [{"lot": "L1", "uses": [{"n": 1}, {"n": 2}]}, {"lot": 5}]},
           {"id": 2, "at": {"day": "x"}, "kids": {"lot": "L3"}}]""",
        encoding="utf-8",
    )
    text = (
        """model M from json key 'id' { id : string  kids : Kid 0..* }
model Kid { lot : string  day : date from '../at.day'  uses : Use 0..* }
model Use { n : integer  lot : string from '../lot'  day : date from '/at.day' }
"""
        + COPY
    )
    first, second = read(str(path), compile_map(text))
    uses = [{"n": 1, "lot": "L1", "day": "2025-03-15"}, {"n": 2, "lot": "L1", "day": "2025-03-15"}]
    kids = [{"lot": "L1", "day": "2025-03-15", "uses": uses}, {"lot": "5", "day": "2025-03-15"}]
    assert first == ({"id": "1", "kids": kids}, [])
    assert second == ({"id": "2", "kids": [{"lot": "L3"}]}, [("FM410", "M.kids[0].day", ("at.day",))])


def test_texts_and_attributes_read_the_row_that_has_them(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id;day;lots\n1;20250315;L1|L2\n", encoding="utf-8")
    text = (
        """model M from csv key 'id' delimiter ';' { id : string  kids : Kid 0..* from 'lots' split '|' }
model Kid { lot : string from 'value'  day : date from '../day' format 'yyyyMMdd' }
"""
        + COPY
    )
    [(found, faults)] = read(str(path), compile_map(text))
    assert found["kids"] == [{"lot": "L1", "day": "2025-03-15"}, {"lot": "L2", "day": "2025-03-15"}]
    assert faults == []


def test_what_is_above_the_record_is_refused() -> None:
    with pytest.raises(MapError) as found:
        compile_map(JOINED.replace("'../day'", "'../../day'"))
    assert [entry.code for entry in found.value.diagnostics if entry.is_error] == ["FM165"]
