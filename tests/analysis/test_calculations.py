"""An unforeseen exception is a fault that names the calculation, where the map is at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fhirmap.analysis.calculations import calculations
from fhirmap.compilation.program import check_maps
from fhirmap.records import Fault
from fhirmap.runner.failed_calculation import with_calculation
from tests.cli.conftest import in_process, unfolded

MAP = """uses "http://hl7.org/fhir/StructureDefinition/Basic" alias Basic as target
model M from csv key 'id' {
  id : string  1..1
  b  : decimal 0..1
}
group g(source src : M, target tgt : Basic) {
  src.id as v -> tgt.id = v, tgt.code = cc('urn:s', 'c');
  RULE
}
"""
PROJECT = '[map]\nsource = "m.map"\n[source]\nurl = "d.csv"\n[sink]\nkind = "ndjson"\npath = "o.ndjson"\n'
HUGE = "9E999999"


@pytest.mark.parametrize(
    ("rule", "calculation"),
    [
        ("src.b as v where (v * v > 1.0) -> tgt.language = 'fr';", "v * v > 1.0"),
        ("src.b as v check (v * v > 1.0) -> tgt.language = 'fr';", "v * v > 1.0"),
        ("src.b as v -> tgt.language = (%v\n    * %v);", "(%v * %v)"),
        ("src.b as v -> tgt.language = append('a', (%v * %v));", "append('a', (%v * %v))"),
    ],
)
def test_a_project_names_the_calculation(tmp_path: Path, rule: str, calculation: str) -> None:
    (tmp_path / "m.map").write_text(MAP.replace("RULE", rule), encoding="utf-8")
    (tmp_path / "fhirmap.toml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "d.csv").write_text(f"id,b\n1,{HUGE}\n", encoding="utf-8")
    for words in ("preview", "preview --row 1", "run"):
        command, *options = words.split()
        done = in_process(command, tmp_path, *options, "--lang", "en")
        said = unfolded(done.out + done.err)
        assert f"the calculation `{calculation}` failed (Overflow)" in said, said
        assert options or HUGE not in said


def test_transform_names_the_calculation(tmp_path: Path) -> None:
    rule = "src.b as v where (v * v > 1.0) -> tgt.language = 'fr';"
    (tmp_path / "m.map").write_text(MAP.replace("RULE", rule), encoding="utf-8")
    (tmp_path / "i.json").write_text(json.dumps({"id": "1", "b": HUGE}), encoding="utf-8")
    done = in_process("transform", tmp_path / "m.map", tmp_path / "i.json", "--lang", "en")
    assert "the calculation `v * v > 1.0` failed (Overflow)" in unfolded(done.err)
    data = json.loads(in_process("transform", tmp_path / "m.map", tmp_path / "i.json", "--json", "--lang", "en").out)
    assert "v * v > 1.0" in data["faults"][0]["message"]


def test_other_faults_stay_as_they_are() -> None:
    known = calculations(check_maps(MAP.replace("RULE", "src.b as v -> tgt.language = (%v + 1);")).checked)
    (place,) = [position for position, words in known.items() if words == "(%v + 1)"][:1]
    other = Fault("FM401", position=place)
    assert with_calculation(other, known) is other
    elsewhere = Fault("FM400", args={"kind": "X"}, position="m.map:99:1")
    assert with_calculation(elsewhere, known) is elsewhere
