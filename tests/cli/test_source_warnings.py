"""What the layout of a source says against a map, in each command that reads it: once, and in the report."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import in_process, unfolded

MAP = """model M from table 'OP' key 'id' {
  id    : string 1..1 from 'id'
  facts : Facts  0..1 join 'FACT' on 'id' attributes 'code' values 'v'
}
model Facts {
  lot : string 0..1 from 'LOTT'
}
uses "http://hl7.org/fhir/StructureDefinition/Basic" alias Basic as target
group g(source src : M, target tgt : Basic) {
  src.id as v -> tgt.id = v, tgt.code = cc('urn:s', 'c');
  src.facts as f then { f.lot as v -> tgt.language = v; };
}
"""
PROJECT = """[project]
name = "p"
[map]
source = "m.map"
[source]
url = "sqlite:///a.db"
[sink]
kind = "ndjson"
path = "out.ndjson"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "m.map").write_text(MAP, encoding="utf-8")
    (tmp_path / "fhirmap.toml").write_text(PROJECT, encoding="utf-8")
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.executescript(
        "CREATE TABLE OP (id int PRIMARY KEY); CREATE TABLE FACT (id int, code text, v text);"
        "INSERT INTO OP VALUES (1), (2); INSERT INTO FACT VALUES (1, 'LOT', 'fr'), (2, 'LOT', 'de');"
    )
    connection.close()
    return tmp_path


@pytest.mark.parametrize("command", ["check", "plan", "preview", "run"])
def test_a_misspelt_attribute_is_reported_once(project: Path, command: str) -> None:
    done = in_process(command, project, "--lang", "en")
    said = unfolded(done.out + done.err)
    assert said.count("no row of `FACT` has `LOTT` in column `code`") == 1, said
    assert said.count("did you mean `LOT`?") == 1
    assert done.code == {"check": 0, "plan": 1, "preview": 0, "run": 0}[command], said


def test_the_report_holds_it(project: Path) -> None:
    done = in_process("run", project, "--json", "--lang", "en")
    (warning,) = json.loads(done.out)["warnings"]
    assert (warning["code"], warning["position"].rpartition("m.map")[2]) == ("FM774", ":6:26")
    (page,) = (project / "reports").glob("*.html")
    assert "<code>LOTT</code>" in page.read_text(encoding="utf-8")


def test_nothing_is_reported_of_a_right_name(project: Path) -> None:
    (project / "m.map").write_text(MAP.replace("LOTT", "LOT"), encoding="utf-8")
    for command in ("check", "run"):
        done = in_process(command, project, "--lang", "en")
        assert "FM774" not in done.out + done.err
