"""Models of tables: their references are joined, what refers to them is proposed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fhirmap.errors import ConfigError
from fhirmap.inspection.names import camel_case
from fhirmap.language.node_text import model_element_columns
from tests.inspection.every_type import EVERY_TYPE
from tests.inspection.written import inspected, models_of, round_trip
from tests.sources.conftest import Database


def test_a_table_its_references_and_what_refers_to_it(database: Database, prefix: str) -> None:
    key: dict[str, Any] = {"primary_key": True, "autoincrement": False}
    maker, article = f"{prefix}maker", f"{prefix}article"
    database.fill(
        maker, [sa.Column("id", sa.Integer(), **key), sa.Column("name", sa.String(20))], [{"id": 1, "name": "M"}]
    )
    database.fill(
        article,
        [
            sa.Column("id_article", sa.Integer(), **key),
            sa.Column("id_maker", sa.Integer(), sa.ForeignKey(f"{maker}.id"), nullable=False),
            sa.Column("Réf. du fabricant", sa.String(20), nullable=False),
            sa.Column("NO_LOT", sa.String(20)),
            sa.Column("prix", sa.Numeric(10, 2)),
            sa.Column("qte", sa.Integer()),
            sa.Column("date_peremption", sa.String(10)),
            sa.Column("posee_le", sa.String(14)),
            sa.Column("recue", sa.Date()),
            sa.Column("actif", sa.Boolean()),
            sa.Column("order", sa.String(5)),
            sa.Column("key", sa.String(5)),
            sa.Column("it's", sa.String(5)),
        ],
        [
            {
                "id_article": n,
                "id_maker": 1,
                "Réf. du fabricant": f"R{n}",
                "NO_LOT": f"00{n}",
                "prix": 1,
                "qte": n,
                "date_peremption": "31/12/2027",
                "posee_le": "20250320081500",
                "recue": None,
                "actif": True,
                "order": "x",
                "key": "k",
                "it's": "q",
            }
            for n in (1, 2)
        ],
    )
    text = inspected(database.url, article, name="Article")
    models = models_of(text)
    assert models[0].name == "Article"
    found = {e.name: (e.type, e.minimum, e.column, e.format) for e in models[0].elements}
    assert found["idArticle"] == ("string", 1, "id_article", None)
    assert found["refDuFabricant"] == ("string", 1, "Réf. du fabricant", None)
    assert found["noLot"][0] == "string"
    assert found["prix"][0] == "decimal"
    assert found["qte"][0] == "integer"
    assert found["datePeremption"] == ("date", 0, "date_peremption", "dd/MM/yyyy")
    assert found["poseeLe"] == ("dateTime", 0, "posee_le", "yyyyMMddHHmmss")
    assert found["recue"][0] == "date"
    assert found["actif"][0] == "boolean"
    assert found["itS"][2] == "it's"
    assert models[0].elements[-1].join is not None
    assert (models[0].elements[-1].name, models[0].elements[-1].minimum) == ("maker", 1)
    results = round_trip(database.url, text)
    assert [(r["idArticle"], r["noLot"], r["datePeremption"], r["key"]) for r in results] == [
        ("1", "001", "2027-12-31", "k"),
        ("2", "002", "2027-12-31", "k"),
    ]
    assert results[0]["poseeLe"].startswith("2025-03-20T08:15:00")
    proposed = inspected(database.url, maker)
    assert f"// {camel_case(article)}" in proposed
    assert f"join '{article}' on 'id_maker' = 'id'" in proposed
    models_of(proposed)


def test_a_table_that_is_not_there_and_one_of_several(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE poses (x TEXT, y BLOB)"))
    url = str(tmp_path / "a.db")
    only = inspected(url)
    assert "model Poses from table 'poses' {" in only
    assert "no primary key" in only
    assert "// binary" in only or "y" in only
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE actes (x TEXT)"))
    engine.dispose()
    with pytest.raises(ConfigError) as several:
        inspected(url)
    assert (several.value.code, "`actes`" in several.value.diagnostic().hint_text) == ("FM751", True)
    with pytest.raises(ConfigError) as missing:
        inspected(url, "pose")
    assert (missing.value.code, "`poses`" in missing.value.diagnostic().hint_text) == ("FM703", True)
    sa.create_engine(f"sqlite:///{tmp_path / 'b.db'}").connect().close()
    (tmp_path / "b.db").touch()
    with pytest.raises(ConfigError) as nothing:
        inspected(str(tmp_path / "b.db"))
    assert nothing.value.code == "FM750"


@pytest.mark.parametrize(("table", "count"), [("INTERVENTION", 215), ("PATIENT", None), ("POSE_DMI", None)])
def test_the_documented_tables(shared_dir: Path, table: str, count: int | None) -> None:
    url = str(shared_dir / "renacot" / "sih" / "a_ch_valmorel.sqlite")
    text = inspected(url, table)
    models_of(text)
    assert count is None or len(round_trip(url, text)) == count


@pytest.mark.parametrize("is_empty", [False, True])
def test_a_column_of_every_type_is_read_as_it_is_written(database: Database, prefix: str, is_empty: bool) -> None:
    columns = EVERY_TYPE[database.kind]
    table = f"{prefix}every"
    types = [f"{prefix}{name}" for name in ("side", "lot", "day")]
    declared = ", ".join(f"c{n} {column.declared.format(p=prefix)}" for n, column in enumerate(columns))
    cells = ", ".join(column.cell for column in columns)
    with database.engine.begin() as connection:
        if database.kind == "postgresql":
            connection.exec_driver_sql(f"CREATE TYPE {types[0]} AS ENUM ('G', 'D')")
            connection.exec_driver_sql(f"CREATE DOMAIN {types[1]} AS varchar(20)")
            connection.exec_driver_sql(f"CREATE DOMAIN {types[2]} AS date")
        if database.kind == "mariadb":
            connection.exec_driver_sql("SET time_zone = '+00:00'")
        connection.exec_driver_sql(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, {declared})")
        if not is_empty:
            connection.exec_driver_sql(f"INSERT INTO {table} VALUES (1, {cells})")
    try:
        text = inspected(database.url, table, name="Every")
        records = round_trip(database.url, text)
    finally:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"DROP TABLE {table}")
            for name in types if database.kind == "postgresql" else ():
                connection.exec_driver_sql(f"DROP {'TYPE' if name.endswith('side') else 'DOMAIN'} {name}")
    assert len(records) == (0 if is_empty else 1)
    if not is_empty:
        assert [written_of(text, f"c{n}") for n in range(len(columns))] == [column.written for column in columns]
        found = [shown(records[0].get(f"c{n}")) for n in range(len(columns))]
        assert found == [column.value for column in columns]


def written_of(text: str, name: str) -> str | None:
    """Type, cardinality and clauses of an element, but for its column; None where it is none."""
    element = next((entry for entry in models_of(text)[0].elements if entry.name == name), None)
    if element is None:
        return None
    _, kind, clauses = model_element_columns(replace(element, column=None))
    return " ".join((kind, *clauses))


def shown(value: Any) -> Any:
    """A value with its decimals as text, whose digits count."""
    if isinstance(value, list):
        return [shown(item) for item in value]
    return str(value) if isinstance(value, Decimal) else value


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_lists_of_lists_are_an_element_each(database: Database, prefix: str) -> None:
    table = f"{prefix}grid"
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {table} (id int PRIMARY KEY, grid text[][], cube int[][][])")
        connection.exec_driver_sql(f"INSERT INTO {table} VALUES (1, '{{{{a,b}},{{c,d}}}}', '{{{{{{1}}}}}}')")
    try:
        text = inspected(database.url, table)
        [record] = round_trip(database.url, text)
    finally:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"DROP TABLE {table}")
    assert record == {"id": "1", "grid": ["a", "b"], "grid2": ["c", "d"]}
    assert "// cube" in text


def test_a_column_is_what_nearly_all_its_cells_are(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    odd = {"lot": "x'ff'", "qty": "'many'", "day": "'mars'", "rank": "'n/a'", "due": "'00/00/0000'"}
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (id INTEGER PRIMARY KEY, lot TEXT, qty INTEGER, day, rank, due)")
        for n in range(1, 20):
            connection.exec_driver_sql(
                f"INSERT INTO t VALUES ({n}, 'L{n}', {n}, '2025-03-{n:02}', {n}, '{n:02}/03/2025')"
            )
        connection.exec_driver_sql(f"INSERT INTO t VALUES (20, {', '.join(odd.values())})")
    engine.dispose()
    text = inspected(str(tmp_path / "a.db"))
    assert [written_of(text, name) for name in odd] == [
        "string 0..1", "integer 0..1", "date 0..1", "integer 0..1 null 'n/a'",
        "date 0..1 format 'dd/MM/yyyy' null '00/00/0000'",
    ]  # fmt: skip
    assert text.count("// 1 of 20 values is none such: a fault of its record") == 3


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_days_that_are_none_have_a_remark(database: Database, prefix: str) -> None:
    table = f"{prefix}days"
    odd = {"postgresql": "'infinity', '24:00'", "mariadb": "'0000-00-00', '35:00:00'"}[database.kind]
    with database.engine.begin() as connection:
        if database.kind == "mariadb":
            connection.exec_driver_sql("SET SESSION sql_mode = ''")
        connection.exec_driver_sql(f"CREATE TABLE {table} (id int PRIMARY KEY, day date, clock time)")
        connection.exec_driver_sql(f"INSERT INTO {table} VALUES (1, '2025-07-14', '10:00'), (2, {odd})")
    try:
        text = inspected(database.url, table)
    finally:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"DROP TABLE {table}")
    nulls = "" if database.kind == "postgresql" else " null '0000-00-00'"
    assert (written_of(text, "day"), written_of(text, "clock")) == (f"date 0..1{nulls}", "time 0..1")
    assert text.count("1 of 2 values is none such") == (2 if database.kind == "postgresql" else 1)


def test_a_document_is_read_by_paths(database: Database, prefix: str) -> None:
    table = f"{prefix}docs"
    kind = {"postgresql": "jsonb", "mariadb": "json", "sqlite": "TEXT"}[database.kind]
    documents = (
        '{"op": {"day": "2025-07-14", "side": "G"}, "implants": [{"lot": "L1", "n": 1}, {"lot": "L2"}], "tags": ["x"]}',
        '{"op": {"day": "2025-07-15"}, "implants": [], "tags": [], "a.b": 1, "mixed": [1, {"a": 1}]}',
        "{}",
    )
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {table} (id int PRIMARY KEY, doc {kind})")
        for n, document in enumerate(documents):
            connection.execute(sa.text(f"INSERT INTO {table} VALUES ({n}, :doc)"), {"doc": document})
    try:
        text = inspected(database.url, table)
        records = round_trip(database.url, text)
    finally:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"DROP TABLE {table}")
    elements = {e.name: (e.type, e.maximum, e.column) for e in models_of(text)[0].elements if e.name != "id"}
    assert elements == {
        "docOpDay": ("date", 1, "doc.op.day"),
        "docOpSide": ("string", 1, "doc.op.side"),
        "docImplants": ("Implant", None, "doc.implants"),
        "docTags": ("string", None, "doc.tags"),
        "docAB": ("integer", 1, "doc.`a.b`"),
    }
    assert "// docMixed" in text
    assert records == [
        {
            "id": "0",
            "docOpDay": "2025-07-14",
            "docOpSide": "G",
            "docImplants": [{"lot": "L1", "n": 1}, {"lot": "L2"}],
            "docTags": ["x"],
        },
        {"id": "1", "docOpDay": "2025-07-15", "docAB": 1},
        {"id": "2"},
    ]
