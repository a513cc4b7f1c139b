"""An operating theatre's tables in each database, and what reading them must give."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fhirmap.errors import ConfigError
from fhirmap.records import Record
from fhirmap.source_plan import Child, ChildKind, Order, RowLayout, SourceKind, SourcePlan
from fhirmap.sources import open_source
from tests.sources.conftest import Database, columns


def read(database: Database, plan: SourcePlan, keys: list[str] | None = None) -> list[Record]:
    with open_source(database.url, plan) as source:
        return list(source.records(keys))


def theatre(database: Database, prefix: str, count: int = 40, seed: int = 1) -> dict[str, list[dict[str, Any]]]:
    """Interventions with patients, poses and articles; some without, some pointing nowhere."""
    chance = random.Random(seed)
    patients = [{"id_patient": n, "nir": f"{n:013}" if n % 5 else None} for n in range(1, 12)]
    makers = [{"id_fourn": n, "nom": f"Maker {n}"} for n in (1, 2)]
    articles = [{"id_article": n, "ref": f"R{n}", "id_fourn": 1 + n % 3} for n in range(1, 9)]
    operations = [
        {"id_op": n, "id_patient": chance.choice([*range(1, 14), None]), "statut": chance.choice("RRRA")}
        for n in range(1, count + 1)
    ]
    poses = [
        {
            "id_pose": n,
            "id_op": chance.randint(1, count + 3),
            "id_article": chance.choice([*range(1, 10), None]),
            "rang": chance.choice([1, 1, 2, 3, None]),
            "supprime": chance.choice([0, 0, 0, 1]),
        }
        for n in range(1, count * 3)
    ]
    number, text = sa.Integer(), sa.String(40)
    key: dict[str, Any] = {"primary_key": True, "autoincrement": False}
    database.fill(f"{prefix}patient", [sa.Column("id_patient", number, **key), sa.Column("nir", text)], patients)
    database.fill(f"{prefix}fourn", [sa.Column("id_fourn", number, **key), sa.Column("nom", text)], makers)
    database.fill(
        f"{prefix}article",
        [sa.Column("id_article", number, **key), sa.Column("ref", text), sa.Column("id_fourn", number)],
        articles,
    )
    database.fill(
        f"{prefix}op",
        [sa.Column("id_op", number, **key), sa.Column("id_patient", number), sa.Column("statut", text)],
        operations,
    )
    database.fill(
        f"{prefix}pose",
        [
            sa.Column("id_pose", number, **key),
            *(sa.Column(name, number) for name in ("id_op", "id_article", "rang", "supprime")),
        ],
        poses,
    )
    return {"op": operations, "patient": patients, "pose": poses, "article": articles, "fourn": makers}


def theatre_plan(prefix: str) -> SourcePlan:
    maker = RowLayout("Maker", columns("nom"))
    article = RowLayout(
        "Article",
        columns("ref"),
        (Child(ChildKind.JOIN, "f", "f", maker, f"{prefix}fourn", (("id_fourn", "id_fourn"),)),),
    )
    pose = RowLayout(
        "Pose",
        columns("id_pose"),
        (Child(ChildKind.JOIN, "a", "a", article, f"{prefix}article", (("id_article", "id_article"),)),),
    )
    operation = RowLayout(
        "Op",
        columns("id_op", "statut"),
        (
            Child(
                ChildKind.JOIN,
                "p",
                "p",
                RowLayout("P", columns("nir")),
                f"{prefix}patient",
                (("id_patient", "id_patient"),),
                at_most_one=True,
            ),
            Child(
                ChildKind.JOIN,
                "poses",
                "poses",
                pose,
                f"{prefix}pose",
                (("id_op", "id_op"),),
                where="supprime = 0 -- not taken back",
                order=(Order("id_pose", True),),
            ),
        ),
    )
    return SourcePlan(SourceKind.TABLE, f"{prefix}op", ("id_op",), operation, where="statut <> 'A'")


def expected(data: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    def where(table: str, **wanted: Any) -> list[dict[str, Any]]:
        return [row for row in data[table] if all(v is not None and row[k] == v for k, v in wanted.items())]

    found = []
    for op in data["op"]:
        if op["statut"] == "A":
            continue
        poses = []
        for pose in sorted(where("pose", id_op=op["id_op"], supprime=0), key=lambda row: -row["id_pose"]):
            articles = [
                {"ref": a["ref"], "f": [{"nom": f["nom"]} for f in where("fourn", id_fourn=a["id_fourn"])]}
                for a in where("article", id_article=pose["id_article"])
            ]
            poses.append({"id_pose": pose["id_pose"], "a": articles})
        patients = [{"nir": p["nir"]} for p in where("patient", id_patient=op["id_patient"])]
        found.append({"id_op": op["id_op"], "statut": op["statut"], "p": patients, "poses": poses})
    return found


def only(
    values: Any, names: tuple[str, ...] = ("id_op", "statut", "p", "poses", "nir", "id_pose", "a", "ref", "f", "nom")
) -> Any:
    """The values without the columns that only joins need."""
    if isinstance(values, list):
        return [only(entry, names) for entry in values]
    if not isinstance(values, dict):
        return values
    wanted = dict(values)
    if "rang" in wanted or "a" in wanted:
        wanted.pop("id_op", None)
    return {name: only(value, names) for name, value in wanted.items() if name in names}


def small(path: Path, statement: str = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)") -> SourcePlan:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()
    return SourcePlan(SourceKind.TABLE, "t", ("id",), RowLayout("T", columns("id", "v")))


def code_of(path: Path | str, plan: SourcePlan) -> str:
    with pytest.raises(ConfigError) as caught:
        list(open_source(str(path), plan).records())
    return caught.value.code
