"""What the database has, compared with what the map reads."""

from __future__ import annotations

from dataclasses import replace

from fhirmap.sources import open_source
from tests.sources.conftest import Database, columns
from tests.sources.theatre import expected, read, theatre, theatre_plan


def test_what_the_database_lacks_is_found_at_once_with_its_place(database: Database, prefix: str) -> None:
    theatre(database, prefix, count=2)
    plan = theatre_plan(prefix)
    poses = plan.shape.children[1]
    wrong = replace(poses, shape=replace(poses.shape, columns=columns("id_pose", "no_lot", "rangg")))
    patients = replace(plan.shape.children[0], table=f"{prefix}patients", position="a.map:9:1")
    plan = replace(plan, shape=replace(plan.shape, columns=columns("id_op", "statu"), children=(patients, wrong)))
    with open_source(database.url, plan) as source:
        found = source.check()
    reported = [(d.code, d.args.get("column", d.args.get("table")), d.args["position"]) for d in found]
    assert reported == [
        ("FM704", "statu", "a.map:2:3"),
        ("FM703", f"{prefix}patients", "a.map:9:1"),
        ("FM704", "no_lot", "a.map:2:3"),
        ("FM704", "rangg", "a.map:3:3"),
    ]
    assert "did you mean `statut`?" in found[0].hint_text
    assert f"did you mean `{prefix}patient`?" in found[1].hint_text


def test_names_are_found_whatever_their_case(database: Database, prefix: str) -> None:
    data = theatre(database, prefix)
    plan = theatre_plan(prefix)
    plan = replace(plan, name=plan.name.upper(), shape=replace(plan.shape, columns=columns("ID_OP", "Statut")))
    records = read(database, plan)
    assert [record.values["ID_OP"] for record in records] == [row["id_op"] for row in expected(data)]
