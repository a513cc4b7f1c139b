"""Models of tables: their references are joined, what refers to them is proposed."""

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
