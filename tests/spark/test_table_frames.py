"""Tables that are joined in Spark and rows that are compared there: as a database and files have them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed: pip install 'fhirmap[spark]'")

from fhirmap.errors import ConfigError, ProjectError
from fhirmap.runner.engine import Engine, build_engine
from fhirmap.runner.project_file import load_project
from fhirmap.spark import SparkProject
from tests.spark.test_spark_project import by_key, expected, here, said

pytestmark = pytest.mark.xdist_group("spark")

Rows = Sequence[tuple[Any, ...]]
HEAD = 'uses "http://hl7.org/fhir/StructureDefinition/Patient" as target\n'
TABLES = """
model Row from table 'OP' key 'id' where "\\"state\\" <> 'X' -- cancelled" latest by 'rev' null '?' {{
  id    : string  1..1 from 'id'
  owner : string  0..1 from 'owner'
  names : Name    0..* join 'NAME' on 'op' = 'id' order by {order}
  at    : Place   0..1 join 'PLACE' on 'code' = 'owner'
}}
model Name {{ rank : integer 0..1 from 'rank'  text : string 0..1 from 'text' }}
model Place {{ city : string 0..1 from 'city' }}
group row(source src : Row, target tgt : Patient) {{
  src.id as v -> tgt.id = v "id";
  src.names as n -> tgt.name as h then {{ n.text as v -> h.text = v "text"; }} "name";
  src.at as p -> tgt.address as a then {{ p.city as v -> a.city = v "city"; }} "at";
}}
"""
FILE = """
model Row from csv key 'id' where "state <> 'X' and amount > 1" latest by 'rev' {
  id     : string  1..1 from 'id'
  amount : decimal 0..1 from 'amount'
}
group row(source src : Row, target tgt : Patient) { src.id as v -> tgt.id = v "id"; }
"""
VALUES = """
model Row from table 'OP' key 'id' {
  id     : string   1..1 from 'id'
  amount : decimal  0..1 from 'amount'
  day    : date     0..1 from 'day'
  moment : dateTime 0..1 from 'moment'
  days   : Day      0..* join 'DAY' on 'op' = 'id'
}
model Day { at : date 0..1 from 'at' }
group row(source src : Row, target tgt : Patient) {
  src.id as v -> tgt.id = v "id";
  src.amount as v -> tgt.language = (%v.toString()) "amount";
  src.day as v -> tgt.birthDate = v "day";
  src.moment as v -> tgt.deceased = v "moment";
  src.days as d -> tgt.name as n then { d.at as v -> n.text = (%v.toString()) "at"; } "days";
}
"""
OP: Rows = [
    ("a", "s", "1", 9), ("a", "s", "1", 10), ("b", "s", "1", 1), ("b", "s", "1", 1), ("c", "X", "1", 1),
    ("d", "s", "?", 1), ("e", "s", "INCONNU", 1), ("f", "s", "01", 1), ("", "s", "1", 1), ("?", "s", "1", None),
]  # fmt: skip
NAME: Rows = [("a", 2, "two"), ("a", 10, "ten"), ("a", None, "none"), ("d", 1, "one"), ("", 1, "none's"), ("z", 1, "z")]
PLACE: Rows = [("1", "Rennes"), ("INCONNU", "nowhere"), ("?", "nowhere")]
COLUMNS = {"OP": ("id", "state", "owner", "rev"), "NAME": ("op", "rank", "text"), "PLACE": ("code", "city")}
KINDS = {"rev": "int", "rank": "int"}


def project_of(folder: Path, text: str, url: str) -> Engine:
    (folder / "own.map").write_text(HEAD + text, encoding="utf-8")
    (folder / "fhirmap.toml").write_text(
        f'[project]\nname = "p"\n[map]\nsource = "own.map"\n[source]\nurl = "{url}"\n'
        '[sink]\nkind = "ndjson"\npath = "out.ndjson"\n',
        encoding="utf-8",
    )
    return build_engine(load_project(folder))


def database(path: Path, tables: Mapping[str, Rows]) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for name, rows in tables.items():
            columns = ", ".join(f"{column} {KINDS.get(column, 'text')}" for column in COLUMNS[name])
            connection.execute(f"CREATE TABLE {name} ({columns})")
            connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(COLUMNS[name]))})", rows)


def frames(spark: Any, tables: Mapping[str, Rows]) -> dict[str, Any]:
    return {
        name: spark.createDataFrame(rows, ", ".join(f"{c} {KINDS.get(c, 'string')}" for c in COLUMNS[name]))
        for name, rows in tables.items()
    }


@pytest.mark.parametrize("order", ["'rank'", "'rank' desc"])
def test_joins_revisions_words_and_doubles_are_those_of_the_database(spark: Any, tmp_path: Path, order: str) -> None:
    tables = {"OP": OP, "NAME": NAME, "PLACE": PLACE}
    database(tmp_path / "sih.sqlite", tables)
    engine = project_of(tmp_path, TABLES.format(order=order), "sqlite:///sih.sqlite")
    wanted = by_key([expected(engine, record) for record in here(engine) if record.key])
    project = SparkProject(engine)
    found = by_key(said(project.results(project.frame(frames(spark, tables))).collect()))
    assert [row for row in found if not row["key"].startswith("?")] == wanted
    lost = [row["key"] for row in found if row["key"].startswith("?")]
    assert len(set(lost)) == 2 and all(key.startswith("? OP #") for key in lost)
    assert sum(key.endswith(" (id=?)") for key in lost) == 1
    said_of = {row["key"]: {fault["code"] for fault in row["faults"]} for row in wanted}
    assert said_of["b"] == {"FM718"}
    assert "FM755" in said_of["e"]
    assert sorted(row["verdict"] for row in wanted if row["key"] == "a") == ["sendable-with-notes", "superseded"]


def test_conditions_and_revisions_of_files_are_decided_as_where_they_are_read(spark: Any, tmp_path: Path) -> None:
    lines = ["id,state,amount,rev", "a,s,2.50,31/12/2024", "a,s,2.50,02/01/2025", "b,X,9,", "c,s,0.5,", "d,s,much,"]
    (tmp_path / "rows.csv").write_text("\n".join([*lines, "e,s,9,1", "e,s,9,1"]), encoding="utf-8")
    engine = project_of(tmp_path, FILE, "rows.csv")
    project = SparkProject(engine)
    frame = project.frame({"Row": spark.read.csv(str(tmp_path / "rows.csv"), header=True)})
    found = by_key(said(project.results(frame).collect()))
    assert found == by_key([expected(engine, record) for record in here(engine)])
    assert [(row["key"], row["verdict"]) for row in found] == [
        ("a", "sendable"), ("a", "superseded"), ("d", "invalid"), ("e", "invalid"), ("e", "invalid")
    ]  # fmt: skip


def test_what_is_missing_or_refused_is_found_before_anything_runs(spark: Any, tmp_path: Path) -> None:
    tables = {"OP": OP, "NAME": NAME, "PLACE": PLACE}
    database(tmp_path / "sih.sqlite", tables)
    project = SparkProject(project_of(tmp_path, TABLES.format(order="'rank'"), "sqlite:///sih.sqlite"))
    given = frames(spark, tables)
    with pytest.raises(ProjectError) as caught:
        project.frame({"op": given["OP"].drop("rev"), "PLACES": given["PLACE"], "NAME": given["NAME"].drop("rank")})
    found = {(entry.code, entry.args.get("column", entry.args["table"])) for entry in caught.value.diagnostics}
    assert found == {("FM704", "rev"), ("FM704", "rank"), ("FM703", "PLACE")}
    refused = TABLES.replace("<> 'X'", "glob 'X'").format(order="'rank'")
    project = SparkProject(project_of(tmp_path, refused, "sqlite:///sih.sqlite"))
    with pytest.raises(ConfigError) as refusal:
        project.frame(given)
    assert (refusal.value.code, refusal.value.diagnostic().variant) == ("FM715", "frame")


def test_numbers_keep_the_digits_of_their_column_and_moments_have_the_zone_of_the_session(
    spark: Any, tmp_path: Path
) -> None:
    database(tmp_path / "sih.sqlite", {})
    project = SparkProject(project_of(tmp_path, VALUES, "sqlite:///sih.sqlite"))
    columns = "id double, amount decimal(10,2), day date, moment timestamp"
    rows = [(12.0, Decimal("1.5"), date(2025, 3, 15), datetime(2025, 3, 15, 23, 30, tzinfo=UTC))]
    days = spark.createDataFrame([(12, date(2025, 3, 16)), (12, date(2025, 3, 17))], "op int, at date")
    frame = project.frame({"OP": spark.createDataFrame(rows, columns), "DAY": days})
    (row,) = project.results(frame).collect()
    assert json.loads(row.resource) == {
        "resourceType": "Patient",
        "id": "12",
        "language": "1.50",
        "birthDate": "2025-03-15",
        "deceasedDateTime": "2025-03-16T00:30:00+01:00",
        "name": [{"text": "2025-03-16"}, {"text": "2025-03-17"}],
    }
