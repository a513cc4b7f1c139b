"""Model blocks written from live sources: they parse, and read what they were written from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fhirmap.embedding import compile_map
from fhirmap.errors import ConfigError
from fhirmap.language.nodes import Model
from fhirmap.language.parser import parse
from fhirmap.sources import open_source
from fhirmap.sources.guess import guess
from fhirmap.sources.inspect import camel_case, inspect_source
from tests.sources.conftest import Database


def models_of(text: str) -> list[Model]:
    tree, diagnostics = parse(text, "written.map")
    assert [entry.message for entry in diagnostics] == [], text
    return list(tree.models)


def round_trip(url: str, text: str) -> list[dict[str, Any]]:
    """Records read through the written model: each element copied into a logical target of the same shape."""
    first = models_of(text)[0]
    elements = "".join(f"  `{e.name}` : {e.type} 0..{'*' if e.maximum is None else 1}\n" for e in first.elements)
    rules = "".join(f"  src.`{e.name}` as v -> tgt.`{e.name}` = v;\n" for e in first.elements)
    target = f"model Copy {{\n{elements}}}\n"
    group = f"group copy(source src : {first.name}, target tgt : Copy) {{\n{rules}}}\n"
    transformer = compile_map(text + target + group)
    assert transformer.store is not None
    with open_source(url, transformer.store) as source:
        assert [entry.message for entry in source.check() if entry.is_error] == []
        results = [transformer(record.values) for record in source.records()]
    assert not [fault for result in results for fault in result.faults]
    return [result.resource or {} for result in results]


def test_a_table_its_references_and_what_refers_to_it(database: Database, prefix: str) -> None:
    key = {"primary_key": True, "autoincrement": False}
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
    text = inspect_source(database.url, article, name="Article")
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
    proposed = inspect_source(database.url, maker)
    assert f"// {camel_case(article)}" in proposed
    assert f"join '{article}' on 'id_maker' = 'id'" in proposed
    models_of(proposed)


def test_a_table_that_is_not_there_and_one_of_several(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE poses (x TEXT, y BLOB)"))
    url = str(tmp_path / "a.db")
    only = inspect_source(url)
    assert "model Poses from table 'poses' {" in only
    assert "no primary key" in only
    assert "// binary" in only or "y" in only
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE actes (x TEXT)"))
    engine.dispose()
    with pytest.raises(ConfigError) as several:
        inspect_source(url)
    assert (several.value.code, "`actes`" in several.value.diagnostic().hint_text) == ("FM751", True)
    with pytest.raises(ConfigError) as missing:
        inspect_source(url, "pose")
    assert (missing.value.code, "`poses`" in missing.value.diagnostic().hint_text) == ("FM703", True)
    sa.create_engine(f"sqlite:///{tmp_path / 'b.db'}").connect().close()
    (tmp_path / "b.db").touch()
    with pytest.raises(ConfigError) as nothing:
        inspect_source(str(tmp_path / "b.db"))
    assert nothing.value.code == "FM750"


def test_a_csv_of_one_line_a_record(tmp_path: Path) -> None:
    path = tmp_path / "patients.csv"
    path.write_bytes(
        "N° IPP;Nom;Né le;Poids;Code postal\n001;Haÿ;15/05/1952;71.5;06000\n002;Roy;01/02/1960;80;75011\n".encode(
            "cp1252"
        )
    )
    text = inspect_source(str(path))
    (model,) = models_of(text)
    assert model.store is not None
    assert (model.store.key, model.store.encoding, model.store.delimiter) == (("N° IPP",), "cp1252", ";")
    assert [(e.name, e.type, e.format) for e in model.elements] == [
        ("nIpp", "string", None),
        ("nom", "string", None),
        ("neLe", "date", "dd/MM/yyyy"),
        ("poids", "decimal", None),
        ("codePostal", "string", None),
    ]
    assert [r["neLe"] for r in round_trip(str(path), text)] == ["1952-05-15", "1960-02-01"]


def test_a_csv_of_several_lines_a_record(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    lines = "".join(f"{n};D;A{m};{m + 1}\n" for n in range(10) for m in range(3))
    path.write_text("sejour;cote;lot;qte\n" + lines, encoding="utf-8")
    text = inspect_source(str(path))
    stay, line = models_of(text)
    assert [e.name for e in stay.elements] == ["sejour", "cote", "lines"]
    assert (stay.elements[-1].lines, stay.elements[-1].repeat) == (True, "qte")
    assert [e.name for e in line.elements] == ["lot"]
    assert [len(r["lines"]) for r in round_trip(str(path), text)] == [6] * 10


def test_a_json_document(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    path.write_text(
        """{"vendor": "x", "export": {"cases": [
        {"caseId": "A", "patient": {"nir": "2", "weight": 1.5}, "codes": ["x", "y"],
         "devices": [{"lot": "L", "expiry": "12/2028"}],
         "n": 3, "start": "2025-01-01T00:30:00Z", "upd": 1, "updatedAt": 5, "mixed": [1, {"a": 2}]},
        {"caseId": "B", "patient": {"nir": "3"}, "codes": [], "devices": [], "n": 4, "updatedAt": 5},
        {"caseId": "B", "patient": null, "n": 4, "updatedAt": 6}]}}""",
        encoding="utf-8",
    )
    text = inspect_source(str(path))
    case, patient, device = models_of(text)
    assert case.store is not None and case.store.latest is not None
    assert (case.name, case.store.name, case.store.key, case.store.latest.column) == (
        "Case",
        "export.cases",
        ("caseId",),
        "updatedAt",
    )
    found = {e.name: (e.type, e.maximum) for e in case.elements}
    assert found["patient"] == ("Patient", 1)
    assert found["devices"] == ("Device", None)
    assert found["codes"] == ("string", None)
    assert found["start"] == ("dateTime", 1)
    assert "mixed" not in found
    assert {e.name: e.type for e in patient.elements} == {"nir": "string", "weight": "decimal"}
    assert {e.name: e.format for e in device.elements} == {"lot": None, "expiry": "MM/yyyy"}
    first = round_trip(str(path), text)[0]
    assert first["codes"] == ["x", "y"]
    assert first["devices"] == [{"lot": "L", "expiry": "2028-12"}]


@pytest.mark.parametrize(
    ("texts", "kind", "form"),
    [
        (["2025-03-20"], "date", ""),
        (["20/03/2025", "", "01/12/1999"], "date", "dd/MM/yyyy"),
        (["20/03/2025", "31/02/2025"], "string", ""),
        (["20/03/25"], "date", "dd/MM/yy"),
        (["20250320", "00000000"], "string", ""),
        (["202503201530"], "dateTime", "yyyyMMddHHmm"),
        (["2025-03-20T08:15:00Z", "2025-03-20T08:15:00.123+02:00"], "dateTime", ""),
        (["08:15"], "time", ""),
        (["1", "12", "-3"], "integer", ""),
        (["01", "12"], "string", ""),
        (["75011", "69002"], "string", ""),
        (["1", "2.50"], "decimal", ""),
        (["1,5"], "string", ""),
        (["true", "false"], "boolean", ""),
        (["", " "], "string", ""),
        ([], "string", ""),
    ],
)
def test_guesses_are_careful(texts: Iterable[str], kind: str, form: str) -> None:
    found = guess(texts)
    assert (found.type, found.format) == (kind, form)


@pytest.mark.parametrize(("table", "count"), [("INTERVENTION", 215), ("PATIENT", None), ("POSE_DMI", None)])
def test_the_documented_tables(shared_dir: Path, table: str, count: int | None) -> None:
    url = str(shared_dir / "renacot" / "sih" / "a_ch_valmorel.sqlite")
    text = inspect_source(url, table)
    models_of(text)
    assert count is None or len(round_trip(url, text)) == count


@pytest.mark.parametrize(("file", "count"), [("b_clinique.json", 52), ("c_export_pharmacie.csv", 40)])
def test_the_documented_files(shared_dir: Path, file: str, count: int) -> None:
    url = str(shared_dir / "renacot" / "sih" / file)
    assert len(round_trip(url, inspect_source(url))) == count
