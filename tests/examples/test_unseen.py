"""The three establishments on data not seen before: verdicts and values against what the documents say."""

from __future__ import annotations

import csv
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fhirmap.records import Record
from fhirmap.runner.engine import Engine, build_engine
from fhirmap.runner.preview import preview_all
from fhirmap.runner.project_file import load_project
from fhirmap.runner.source import open_project_source
from fhirmap.runner.verdict import classify
from tests.examples import unseen

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
LAYOUTS = {
    "A": ("ch-valmorel", "sqlite:///{}", "sih.sqlite"),
    "B": ("clinique-sainte-aubierge", "{}", "cases.json"),
    "C": ("export-pharmacie", "{}", "export.csv"),
}
COUNT = 150


def engine_of(layout: str, file: Path) -> Engine:
    example, url, _ = LAYOUTS[layout]
    return build_engine(load_project(EXAMPLES / example, source=url.format(file)))


def sent(resource: dict[str, Any] | None) -> dict[str, Any]:
    """Identifiers and implants of a message, as `unseen.Expected` has them."""
    found: dict[str, Any] = {"implants": []}
    for parameter in (resource or {}).get("parameter", ()):
        if parameter["name"] == "implants":
            parts = {part["name"]: part for part in parameter.get("part", ())}
            code = parts["type"]["valueCodeableConcept"]["coding"][0]["code"] if "type" in parts else ""
            texts = [parts.get(name, {}).get("valueString") for name in ("udi", "lot")]
            found["implants"].append((code, *texts))
        else:
            found[parameter["name"]] = parameter.get("valueString")
    return found


def wrong(engine: Engine, record: Record, expected: unseen.Expected) -> list[str]:
    """What of a record is not as expected, in words without the record's own values."""
    result = engine.result(record)
    verdict = classify(record, result, engine.rules).verdict
    read = engine.read(record)
    line = tuple(column.text(result.resource, read) for column in engine.columns)
    found = [] if verdict in expected.verdicts() else [f"verdict {verdict}, not {sorted(expected.verdicts())}"]
    found += [f"columns {line}, not {expected.line()}"] * (line != expected.line())
    found += [f"our fault {fault.code}" for fault in result.faults if fault.code == "FM400" or fault.code[2] == "9"]
    if expected.scope == "in":
        message = sent(result.resource)
        pairs = (("nir", expected.nir), ("rpps", expected.rpps), ("finessGeographique", expected.finess))
        found += [name for name, value in pairs if value is not None and message.get(name) != value]
        if [(piece.type, piece.udi, piece.lot) for piece in expected.pieces] != message["implants"]:
            found.append("implants")
    return [f"{entry}; put in: {expected.bad} {expected.warn}" for entry in found]


@pytest.mark.parametrize("dirt", [0.06, 0.25], ids=["clean", "dirty"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_record_is_as_the_documents_say(layout: str, dirt: float, tmp_path: Path) -> None:
    file = tmp_path / LAYOUTS[layout][2]
    expected: dict[str, list[unseen.Expected]] = defaultdict(list)
    for entry in unseen.make(layout, 20250320, COUNT, file, dirt):
        expected[entry.key].append(entry)
    engine = engine_of(layout, file)
    with open_project_source(engine.project, engine.plan) as source:
        records = list(source.records())
    # Each record once, and once for each of its revisions.
    assert Counter(record.key for record in records) == {key: len(entries) for key, entries in expected.items()}
    failures = {}
    for record in records:
        candidates = [entry for entry in expected[record.key] if (entry.scope == "superseded") == record.superseded]
        problems = [wrong(engine, record, entry) for entry in candidates]
        if all(problems):
            failures[record.key] = problems[0]
    assert failures == {}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_preview_has_a_line_for_each(layout: str, tmp_path: Path) -> None:
    file = tmp_path / LAYOUTS[layout][2]
    expected = unseen.make(layout, 7, 60, file, 0.5)
    engine = engine_of(layout, file)
    with open_project_source(engine.project, engine.plan) as source:
        preview_all(engine, source.records(), tmp_path / "lines.csv")
    with (tmp_path / "lines.csv").open(encoding="utf-8", newline="") as lines:
        assert Counter(row["key"] for row in csv.DictReader(lines, delimiter=";")) == Counter(e.key for e in expected)


# --- the same tables in other databases -------------------------------------------------------------------------------

SERVERS = {"postgresql": "FHIRMAP_TEST_POSTGRESQL", "mariadb": "FHIRMAP_TEST_MARIADB"}


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of a schema (PostgreSQL) or database (MariaDB) of this test's own, gone afterwards."""
    server = os.environ.get(SERVERS[request.param], "")
    if not server:
        pytest.skip(f"{SERVERS[request.param]} names no server")
    name = f"fhirmap_unseen_{os.getpid()}"
    url = sa.make_url(server)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    if request.param == "postgresql":
        create, drop = f"CREATE SCHEMA {name}", f"DROP SCHEMA {name} CASCADE"
        url = url.update_query_dict({"options": f"-csearch_path={name}"})
    else:
        create, drop = f"CREATE DATABASE {name} CHARACTER SET utf8mb4", f"DROP DATABASE {name}"
        url = url.set(database=name)
    with engine.begin() as connection:
        connection.exec_driver_sql(create)
    yield url.render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.exec_driver_sql(drop)


@pytest.mark.parametrize("quantity", ["TEXT", "NUMERIC(8,2)"])
@pytest.mark.parametrize("elsewhere", SERVERS, indirect=True)
def test_another_database_says_the_same(elsewhere: str, quantity: str, tmp_path: Path) -> None:
    tables, _ = unseen.make_tables(4711, 80, 0.2)
    unseen.write_a(tmp_path / "sih.sqlite", tables)
    engine = sa.create_engine(elsewhere, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in unseen.A_SCHEMA.format(qte=quantity).split(";"):
            if statement.strip():
                connection.exec_driver_sql(statement)
        for name, rows in tables.items():
            for row in rows:
                cells = (*row[:8], as_stored(row[8], quantity), *row[9:]) if name == "POSE_DMI" else row
                connection.exec_driver_sql(f"INSERT INTO {name} VALUES ({', '.join(['%s'] * len(row))})", cells)
    assert lines_of(elsewhere, tmp_path) == lines_of(f"sqlite:///{tmp_path}/sih.sqlite", tmp_path)


def as_stored(quantity: Any, column: str) -> Any:
    text = str(quantity).strip()
    return text if column == "TEXT" else float(text.replace(",", ".")) if text else None


def lines_of(url: str, folder: Path) -> list[str]:
    engine = build_engine(load_project(EXAMPLES / "ch-valmorel", source=url))
    with open_project_source(engine.project, engine.plan) as source:
        preview_all(engine, source.records(), folder / "lines.csv")
    return sorted((folder / "lines.csv").read_text(encoding="utf-8").splitlines())
