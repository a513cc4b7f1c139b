"""What the database has, compared with what the map reads."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from fhirmap.errors import ConfigError
from fhirmap.inspection.inspection import inspect_source
from fhirmap.source_plan import RowLayout, SourceKind, SourcePlan
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


def test_a_table_of_another_schema_is_named_with_it(database: Database, prefix: str) -> None:
    if database.kind != "postgresql":
        pytest.skip("schemas beside the default one: PostgreSQL")
    theatre(database, prefix, count=2)
    schema, plan = f"{prefix}bloc", theatre_plan(prefix)
    with database.engine.begin() as connection:
        connection.execute(sa.text(f'CREATE SCHEMA "{schema}"'))
        connection.execute(sa.text(f'CREATE TABLE "{schema}"."{prefix}avis" (id integer)'))
        # Nearer by its letters than the table of the other schema.
        connection.execute(sa.text(f'CREATE TABLE "{prefix}avi" (id integer)'))
    try:
        with open_source(database.url, replace(plan, name=f"{prefix}avis")) as source:
            found = source.check()
        assert [entry.code for entry in found] == ["FM703"]
        assert f"did you mean `{schema}.{prefix}avis`?" in found[0].hint_text
        with pytest.raises(ConfigError) as elsewhere:
            inspect_source(database.url, f"{prefix}nosuch.{prefix}avis")
        assert f"did you mean `{schema}.{prefix}avis`?" in elsewhere.value.diagnostic().hint_text
        with pytest.raises(ConfigError) as missing:
            inspect_source(database.url, f"{prefix}avis")
        assert f"did you mean `{schema}.{prefix}avis`?" in missing.value.diagnostic().hint_text
    finally:
        with database.engine.begin() as connection:
            connection.execute(sa.text(f'DROP SCHEMA "{schema}" CASCADE'))
            connection.execute(sa.text(f'DROP TABLE "{prefix}avi"'))


def test_names_are_found_whatever_their_case(database: Database, prefix: str) -> None:
    data = theatre(database, prefix)
    plan = theatre_plan(prefix)
    plan = replace(plan, name=plan.name.upper(), shape=replace(plan.shape, columns=columns("ID_OP", "Statut")))
    records = read(database, plan)
    assert [record.values["ID_OP"] for record in records] == [row["id_op"] for row in expected(data)]


@pytest.mark.filterwarnings("error")
def test_columns_of_types_that_no_library_knows_are_read_as_text(database: Database, prefix: str) -> None:
    """`xml` and `inet6`; SQLAlchemy's warning of them is no word to an analyst."""
    kind, value = {"postgresql": ("xml", "<a/>"), "mariadb": ("inet6", "::1")}.get(database.kind, ("odd", "x"))
    name = f"{prefix}odd"
    sa.Table(name, database.metadata, sa.Column("id", sa.Integer))
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {name} (id integer PRIMARY KEY, v {kind})")
        connection.exec_driver_sql(f"INSERT INTO {name} VALUES (1, '{value}')")
    plan = SourcePlan(SourceKind.TABLE, name, ("id",), RowLayout("D", columns("v")))
    with open_source(database.url, plan) as source:
        assert not source.check()
        assert [record.values["v"] for record in source.records()] == [value]
    assert inspect_source(database.url, name)
