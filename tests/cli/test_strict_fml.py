"""`fhirmap check --strict-fml`: a finding is a warning and exit code 1; an error is still 2."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import in_process

ROOT = Path(__file__).resolve().parents[2]
PLAIN = """\
/// url = 'https://tiny.example/StructureMap/plain'
uses "http://hl7.org/fhir/StructureDefinition/Person" alias Person as source
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target
group person(source src : Person, target tgt : Patient) { src.id as v -> tgt.id = v; }
"""


def test_a_project_is_reported_of_its_models() -> None:
    done = in_process("check", "--offline", "--strict-fml", "--one-line", ROOT / "examples" / "export-pharmacie")
    assert done.code == 1
    assert all("warning" in line for line in done.out.splitlines())
    assert "FM190" in done.out and "FM193" in done.out
    assert in_process("check", "--offline", ROOT / "examples" / "export-pharmacie").code == 0


def test_a_portable_map_passes_and_a_wrong_one_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "plain.map"
    file.write_text(PLAIN, encoding="utf-8")
    assert in_process("check", "--strict-fml", file).code == 0
    file.write_text(PLAIN.replace("tgt.id", "tgt.idd").replace("(source", " (source"), encoding="utf-8")
    done = in_process("check", "--strict-fml", "--json", file)
    assert done.code == 2
    assert [entry["severity"] for entry in json.loads(done.out)["diagnostics"]] == ["error"]
