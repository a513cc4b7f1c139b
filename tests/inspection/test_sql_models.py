"""Models of tables: their references are joined, what refers to them is proposed."""

# ruff: noqa: E501  SQL of a table

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fhirmap.errors import ConfigError
from fhirmap.inspection.names import camel_case
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
    assert found["actif"][0] == ("integer" if database.kind == "mariadb" else "boolean")
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


EVERY_TYPE = {
    "postgresql": """id uuid PRIMARY KEY, d date, ts timestamp, tz timestamptz, t time, tt timetz, span interval, host inet,
        doc jsonb, j json, arr text[], numbers int[], days daterange, f float8, r real, b1 bit(1), b8 bit(8), m money,
        x bytea, n numeric(8,3), flag boolean, c char(3), big bigint, mac macaddr""",
    "mariadb": """id uuid PRIMARY KEY, d date, dt datetime, ts timestamp NULL, t time, y year, b1 bit(1), b8 bit(8),
        side enum('G','D'), s set('a','b'), doc json, f double, r float, x blob, n decimal(8,3), flag boolean, big bigint,
        c char(3), raw binary(4)""",
}
ROWS = {
    "postgresql": """'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2025-07-14', '2025-07-14 00:30', '2025-07-14 00:30+02', '10:15',
        '10:15+02', '1 day', '10.0.0.1', '{"a": 1}', '[1]', '{a,b}', '{1,2}', '[2025-01-01,2025-02-01)', 70.5, 70.1, '1',
        '00000101', '12.50', '\\x00', 1.5, true, 'abc', 5000000000, '08:00:2b:01:02:03'""",
    "mariadb": """'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2025-07-14', '2025-07-14 00:30', '2025-07-14 00:30', '10:15', 2025,
        1, 5, 'G', 'a,b', '{"a": 1}', 70.5, 70.1, x'00', 1.5, 1, 5000000000, 'abc', 'abcd'""",
}


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize("is_empty", [False, True])
def test_a_table_of_every_type_is_read_as_it_is_written(database: Database, prefix: str, is_empty: bool) -> None:
    table = f"{prefix}every"
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {table}")
        connection.exec_driver_sql(f"CREATE TABLE {table} ({EVERY_TYPE[database.kind]})")
        if not is_empty:
            connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({ROWS[database.kind]})")
    try:
        text = inspected(database.url, table, name="Every")
        records = round_trip(database.url, text)
    finally:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"DROP TABLE {table}")
    assert len(records) == (0 if is_empty else 1)
    assert text.count("zone 'Europe/Paris'") == (3 if database.kind == "postgresql" else 2)
    if not is_empty:
        assert records[0]["d"] == "2025-07-14"
        assert len(records[0]) == len(models_of(text)[0].elements)
