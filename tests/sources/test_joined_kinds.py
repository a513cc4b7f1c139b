"""Maps whose models join files of any kind with one another and with tables, read as a run reads them."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fhirmap.compilation.maps import compile_map
from fhirmap.errors import ConfigError
from fhirmap.sources import open_source
from tests.sources.conftest import Database
from tests.sources.exports import settle
from tests.sources.files.sheets import grid, write_xlsx

GROUP = "group g(source src : Stay, target tgt) { src.id as v -> tgt.id = v; }\n"
SURGEON = "model Surgeon from {store} {{ rpps : string 1..1 from 'rpps'  name : string 0..1 from 'name' }}\n"
STAY = """
model Stay from {store} key 'id' {{
  id      : string  1..1 from 'id'
  surgeon : Surgeon 0..1 join on 'rpps' = 'by'
}}
"""
SURGEONS = "rpps;name\n10001;DUVAL\n10002;MARTIN\n10003;\n"


def read(text: str, address: str, others: Mapping[str, str]) -> list[tuple[str, Any, list[str]]]:
    """Key, name of the surgeon and faults of each record; nothing may be wrong with the layout."""
    transformer = compile_map(text + GROUP)
    assert transformer.store is not None
    found = []
    with open_source(address, transformer.store, others) as source:
        assert [entry.code for entry in source.check() if entry.is_error] == []
        for record in source.records():
            read = transformer.read(record.values)
            surgeon = read.values.get("surgeon")
            faults = [fault.code for fault in (*record.faults, *read.faults)]
            found.append((record.key, surgeon and surgeon.get("name"), faults))
    return found


def map_of(stay: str, surgeon: str) -> str:
    return STAY.format(store=stay) + SURGEON.format(store=surgeon)


def test_a_csv_file_with_another(tmp_path: Path) -> None:
    (tmp_path / "stays.csv").write_text("id;by\n1;10001\n2; 10002\n3;\n4;99\n5;INCONNU\n", encoding="utf-8")
    (tmp_path / "surgeons.csv").write_text(SURGEONS, encoding="utf-8")
    text = map_of("csv", "csv source 'surgeons'")
    assert read(text, str(tmp_path / "stays.csv"), {"surgeons": str(tmp_path / "surgeons.csv")}) == [
        ("1", "DUVAL", []),
        ("2", "MARTIN", []),
        ("3", None, []),
        ("4", None, []),
        ("5", None, []),
    ]


@pytest.mark.parametrize("surgeons", ["surgeons.zip", "surgeons.csv.gz", "surgeons.json", "surgeons.ndjson"])
def test_a_csv_file_with_one_of_another_kind(tmp_path: Path, surgeons: str) -> None:
    (tmp_path / "stays.csv").write_text("id;by\n1;10001\n2;10002\n3;\n", encoding="utf-8")
    path, kind = tmp_path / surgeons, "csv"
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("s.csv", SURGEONS)
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress(SURGEONS.encode()))
    else:
        kind = "json"
        rows = ['{"rpps": 10001, "name": "DUVAL"}', '{"rpps": "10002", "name": "MARTIN"}']
        path.write_text("\n".join(rows) if path.suffix == ".ndjson" else f"[{','.join(rows)}]", encoding="utf-8")
    found = read(map_of("csv", f"{kind} source 's'"), str(tmp_path / "stays.csv"), {"s": str(path)})
    assert found == [("1", "DUVAL", []), ("2", "MARTIN", []), ("3", None, [])]


TWICE = """
model Stay from {store} key 'id' {{
  id      : string  1..1 from 'id'
  by      : Surgeon 0..1 join {place} on 'rpps' = 'by'
  surgeon : Surgeon 0..1 join {place} on 'rpps' = 'by'
}}
"""


def test_an_element_is_called_like_the_column_that_two_joins_read(tmp_path: Path) -> None:
    (tmp_path / "stays.csv").write_text("id;by\n1;10001\n", encoding="utf-8")
    (tmp_path / "surgeons.csv").write_text(SURGEONS, encoding="utf-8")
    text = TWICE.format(store="csv", place="") + SURGEON.format(store="csv source 's'")
    found = read(text, str(tmp_path / "stays.csv"), {"s": str(tmp_path / "surgeons.csv")})
    assert found == [("1", "DUVAL", [])]
    document = '{"stays": [{"id": 1, "by": "a"}], "surgeons": [{"rpps": "a", "name": "DUVAL"}]}'
    (tmp_path / "stays.json").write_text(document, encoding="utf-8")
    text = TWICE.format(store="json path 'stays'", place="'/surgeons'") + SURGEON.replace(" from {store}", "").format()
    assert read(text, str(tmp_path / "stays.json"), {}) == [("1", "DUVAL", [])]


@pytest.mark.parametrize("most", ["1", "*"])
def test_an_element_of_a_table_is_called_like_the_column_that_two_joins_read(
    database: Database, prefix: str, most: str
) -> None:
    database.fill(
        f"{prefix}stay",
        [sa.Column("id", sa.Integer()), sa.Column("by", sa.Integer())],
        [{"id": 1, "by": 10001}],
    )
    database.fill(
        f"{prefix}s",
        [sa.Column("rpps", sa.Integer()), sa.Column("name", sa.String(40))],
        [{"rpps": 10001, "name": "DUVAL"}],
    )
    text = TWICE.format(store=f"table '{prefix}stay'", place=f"'{prefix}s'").replace("0..1", f"0..{most}")
    transformer = compile_map(text + SURGEON.replace(" from {store}", "").format() + GROUP)
    assert transformer.store is not None
    with open_source(database.url, transformer.store) as source:
        (record,) = source.records()
        values = transformer.read(record.values).values
    surgeon = {"rpps": "10001", "name": "DUVAL"}
    assert [values["by"], values["surgeon"]] == [surgeon if most == "1" else [surgeon]] * 2


def test_a_json_document_with_a_csv_file(tmp_path: Path) -> None:
    (tmp_path / "stays.json").write_text('[{"id": 1, "by": 10001}, {"id": 2, "by": null}]', encoding="utf-8")
    (tmp_path / "surgeons.csv").write_text(SURGEONS, encoding="utf-8")
    found = read(map_of("json", "csv source 's'"), str(tmp_path / "stays.json"), {"s": str(tmp_path / "surgeons.csv")})
    assert found == [("1", "DUVAL", []), ("2", None, [])]


def test_objects_of_a_document_with_a_csv_file(tmp_path: Path) -> None:
    text = """
model Stay from json key 'id' {
  id    : string 1..1 from 'id'
  poses : Pose   0..* from 'op.poses'
}
model Pose {
  lot     : string  1..1 from 'lot'
  surgeon : Surgeon 0..1 join on 'rpps' = 'team.by'
}
"""
    document = '[{"id": 1, "op": {"poses": [{"lot": "A", "team": {"by": "10002"}}, {"lot": "B"}]}}]'
    (tmp_path / "stays.json").write_text(document, encoding="utf-8")
    (tmp_path / "surgeons.csv").write_text(SURGEONS, encoding="utf-8")
    transformer = compile_map(text + SURGEON.format(store="csv source 's'") + GROUP)
    assert transformer.store is not None
    others = {"s": str(tmp_path / "surgeons.csv")}
    with open_source(str(tmp_path / "stays.json"), transformer.store, others) as source:
        assert source.check() == []
        for _ in range(2):
            (record,) = source.records()
            read = transformer.read(record.values)
            assert [(pose["lot"], (pose.get("surgeon") or {}).get("name")) for pose in read.values["poses"]] == [
                ("A", "MARTIN"),
                ("B", None),
            ]
            assert read.faults == ()


def test_objects_in_objects_of_their_own_kind_with_a_csv_file(tmp_path: Path) -> None:
    text = """
model Stay from json key 'id' { id : string 1..1  poses : Pose 0..* }
model Pose { more : More 0..1  surgeon : Surgeon 0..1 join on 'rpps' = 'by' }
model More { poses : Pose 0..* }
"""
    innermost = '{"by": "10002", "more": {"poses": [{"by": "10001"}]}}'
    document = f'[{{"id": 1, "poses": [{{"by": "10001", "more": {{"poses": [{innermost}]}}}}]}}]'
    (tmp_path / "stays.json").write_text(document, encoding="utf-8")
    (tmp_path / "surgeons.csv").write_text(SURGEONS, encoding="utf-8")
    transformer = compile_map(text + SURGEON.format(store="csv source 's'") + GROUP)
    assert transformer.store is not None
    with open_source(str(tmp_path / "stays.json"), transformer.store, {"s": str(tmp_path / "surgeons.csv")}) as source:
        (record,) = source.records()
    (pose,) = transformer.read(record.values).values["poses"]
    assert pose["surgeon"]["name"] == "DUVAL"
    (pose,) = pose["more"]["poses"]
    assert pose["surgeon"]["name"] == "MARTIN"
    (pose,) = pose["more"]["poses"]
    assert pose["surgeon"]["name"] == "DUVAL"


def test_a_file_with_a_table_and_a_table_with_a_file(database: Database, prefix: str, tmp_path: Path) -> None:
    database.fill(
        f"{prefix}s",
        [sa.Column("rpps", sa.BigInteger()), sa.Column("name", sa.String(40))],
        [{"rpps": 10001, "name": "DUVAL"}, {"rpps": 10002, "name": "MARTIN"}],
    )
    database.fill(
        f"{prefix}t",
        [sa.Column("id", sa.Integer(), primary_key=True), sa.Column("by", sa.String(20))],
        [{"id": 1, "by": "10001"}, {"id": 2, "by": "010002"}],
    )
    (tmp_path / "stays.csv").write_text("id;by\n1;10001\n2;010002\n", encoding="utf-8")
    (tmp_path / "surgeons.csv").write_text(SURGEONS, encoding="utf-8")
    wanted: list[tuple[str, Any, list[str]]] = [("1", "DUVAL", []), ("2", None, [])]
    text = map_of("csv", f"table '{prefix}s' source 'db'")
    assert read(text, str(tmp_path / "stays.csv"), {"db": database.url}) == wanted
    text = map_of(f"table '{prefix}t'", "csv source 's'")
    assert read(text, database.url, {"s": str(tmp_path / "surgeons.csv")}) == wanted
    text = map_of(f"table '{prefix}t'", f"table '{prefix}s' source 'db'")
    assert read(text, database.url, {"db": database.url}) == wanted


def test_a_line_that_cannot_be_read_is_a_fault_of_those_that_join_it(tmp_path: Path) -> None:
    (tmp_path / "stays.csv").write_text("id;by\n1;10001\n2;10002\n3;10003\n4;10004\n", encoding="utf-8")
    surgeons = b"rpps;name\n10001;DUVAL\n10002;MAR;TIN\n10003;M\xc3\x89\xff\n;NO KEY\n10004;LEROY\n"
    (tmp_path / "surgeons.csv").write_bytes(surgeons)
    text = map_of("csv", "csv source 's'")
    others = {"s": str(tmp_path / "surgeons.csv")}
    assert read(text, str(tmp_path / "stays.csv"), others) == [
        ("1", "DUVAL", []),
        ("2", None, ["FM778", "FM719"]),
        ("3", None, ["FM778", "FM723"]),
        ("4", "LEROY", []),
    ]
    transformer = compile_map(text + GROUP)
    assert transformer.store is not None
    with open_source(str(tmp_path / "stays.csv"), transformer.store, others) as source:
        warnings = source.check()
        found = {record.key: record.faults for record in source.records()}
    assert [(entry.variant, entry.args["count"], entry.args["origin"]) for entry in warnings] == [
        ("", 1, "surgeons.csv:5"),
        ("lost", 1, "surgeons.csv:3"),
    ]
    assert found["2"][0].args["origin"] == "surgeons.csv:3"
    assert found["2"][1].args["line"] == 3
    assert found["3"][1].columns == ("s.name",)


def test_conditions_and_orders_of_both_places_hold(tmp_path: Path) -> None:
    text = """
model Stay from csv key 'id' where "state <> 'X'" {
  id    : string 1..1 from 'id'
  poses : Pose   0..* join on 'stay' = 'id' where "type = '02'" order by 'rank' desc
}
model Pose from csv source 'poses' where "gone is null" {
  lot  : string  1..1 from 'lot'
  rank : integer 0..1 from 'rank'
}
"""
    (tmp_path / "stays.csv").write_text("id;state\n1;\n2;A\n3;X\n4;A\n", encoding="utf-8")
    poses = "stay;type;rank;lot;gone\n2;02;9;A;\n2;02;10;B;\n2;03;1;C;\n2;02;11;D;yes\n4;02;1;E;\n"
    (tmp_path / "poses.csv").write_text(poses, encoding="utf-8")
    transformer = compile_map(text + GROUP)
    assert transformer.store is not None
    others = {"poses": str(tmp_path / "poses.csv")}
    with open_source(str(tmp_path / "stays.csv"), transformer.store, others) as source:
        assert source.check() == []
        found = {
            record.key: [pose["lot"] for pose in transformer.read(record.values).values["poses"]]
            for record in source.records()
        }
    assert found == {"2": ["B", "A"], "4": ["E"]}


def test_a_file_that_changes_while_it_is_read_ends_the_reading(tmp_path: Path) -> None:
    (tmp_path / "stays.csv").write_text("id;by\n1;10001\n2;10002\n", encoding="utf-8")
    path = tmp_path / "surgeons.csv"
    path.write_text(SURGEONS, encoding="utf-8")
    transformer = compile_map(map_of("csv", "csv source 's'") + GROUP)
    assert transformer.store is not None
    with open_source(str(tmp_path / "stays.csv"), transformer.store, {"s": str(path)}) as source:
        records = source.records()
        next(records)
        path.write_text(SURGEONS + "10004;LEROY\n", encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            list(records)
        assert caught.value.code == "FM724"
        assert len(list(source.records())) == 2


@pytest.mark.parametrize(
    ("surgeons", "variant"),
    [("rpps;name;name\n10004;X;Y\n", "double"), ("rpps;nom\n10004;X\n", ""), ("rpps;rpps;name\n1;2;X\n", "double")],
)
@pytest.mark.parametrize("store", ["csv", "sheet"])
def test_each_file_of_a_folder_that_is_joined_has_every_column_once(
    tmp_path: Path, store: str, surgeons: str, variant: str
) -> None:
    (tmp_path / "stays.csv").write_text("id;by\n1;10001\n", encoding="utf-8")
    folder = tmp_path / "surgeons"
    folder.mkdir()
    for name, text in (("a", SURGEONS), ("b", surgeons)):
        if store == "csv":
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        else:
            write_xlsx(folder / f"{name}.xlsx", {"F": grid(1, [line.split(";") for line in text.splitlines()])})
    settle(folder)
    transformer = compile_map(map_of("csv", f"{store} source 's'") + GROUP)
    assert transformer.store is not None
    with open_source(str(tmp_path / "stays.csv"), transformer.store, {"s": str(folder)}) as source:
        for reading in (source.check, lambda: list(source.records())):
            with pytest.raises(ConfigError) as caught:
                reading()
            found = caught.value.diagnostic()
            assert (found.code, found.variant) == ("FM704", variant)
            assert str(found.args["table"]).endswith(("b.csv", "b.xlsx"))


def test_a_source_that_was_not_given_is_named(tmp_path: Path) -> None:
    (tmp_path / "stays.csv").write_text("id;by\n1;10001\n", encoding="utf-8")
    transformer = compile_map(map_of("csv", "csv source 'surgeon'") + GROUP)
    assert transformer.store is not None
    with pytest.raises(ConfigError) as caught:
        open_source(str(tmp_path / "stays.csv"), transformer.store, {"surgeons": "x.csv"})
    assert (caught.value.code, caught.value.diagnostic().args["source"]) == ("FM769", "surgeon")
