"""`fhirmap export` and `fhirmap import`: files, formats, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fhirmap.cli import commands
from tests.cli.conftest import in_process

MAP = """/// url = 'http://example.org/StructureMap/stay'
/// name = 'stay'
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target

let prefix = 'id-';

conceptmap "sexes" from "sexes.csv" columns 'from', 'to' delimiter ';' {
  prefix s = "urn:s"
  prefix t = "http://hl7.org/fhir/administrative-gender"
}

model Stay {
  id : string 1..1
  sex : code
  names : Name 0..*
}

model Name { family : string }

// what it is
group main(source src : Stay, target tgt : Patient) {
  src.id as v -> tgt.id = append(prefix, v);
  src.sex as s -> tgt.gender = translate(s, '#sexes', 'code');
  src.names as n -> tgt.name as t, t.family = (n.family);
}
"""
RECORD = '{"id": "1", "sex": "M", "names": [{"family": "A"}]}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "stay.map").write_text(MAP, encoding="utf-8")
    (tmp_path / "sexes.csv").write_text("from;to\nM;male\n", encoding="utf-8")
    (tmp_path / "stay.json").write_text(RECORD, encoding="utf-8")
    return tmp_path


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(commands, [str(entry) for entry in arguments], standalone_mode=False)


def code_of(result: Result) -> int:
    if result.exception is not None:
        raise result.exception
    return result.return_value or 0


def transformed(map_file: Path, record: Path, *more: str | Path) -> Any:
    result = invoke("transform", map_file, record, *more)
    assert code_of(result) == 0
    return json.loads(result.stdout)


@pytest.mark.parametrize("version", ["R4", "R4B", "R5"])
@pytest.mark.parametrize("suffix", ["json", "xml"])
def test_there_and_back_and_run(folder: Path, version: str, suffix: str) -> None:
    exported = folder / "out" / f"stay.{suffix}"
    assert code_of(invoke("export", folder / "stay.map", "-o", exported, "--fhir-version", version)) == 0
    structures = sorted(path.name for path in exported.parent.iterdir() if path != exported)
    assert structures == [f"StructureDefinition-Name.{suffix}", f"StructureDefinition-Stay.{suffix}"]
    back = folder / "back.map"
    assert code_of(invoke("import", exported, "-o", back)) == 0
    expected = {"resourceType": "Patient", "id": "id-1", "gender": "male", "name": [{"family": "A"}]}
    assert transformed(folder / "stay.map", folder / "stay.json") == expected
    assert transformed(back, folder / "stay.json") == expected
    assert transformed(exported, folder / "stay.json", "--fhir-version", version) == expected


def test_models_are_valid_and_run_from_their_structures_alone(folder: Path) -> None:
    from fhir.resources.R4B.structuredefinition import StructureDefinition

    exported = folder / "out" / "stay.json"
    assert code_of(invoke("export", folder / "stay.map", "-o", exported)) == 0
    for path in exported.parent.glob("StructureDefinition-*.json"):
        StructureDefinition.model_validate_json(path.read_text(encoding="utf-8"))
    resource = json.loads(exported.read_text(encoding="utf-8"))
    for structure in resource["structure"]:
        structure.pop("extension", None)
    bare = folder / "bare.json"
    bare.write_text(json.dumps(resource), encoding="utf-8")
    expected = transformed(folder / "stay.map", folder / "stay.json")
    assert transformed(bare, folder / "stay.json", "--definitions", exported.parent) == expected


def test_standard_output_is_the_resource(folder: Path) -> None:
    result = invoke("export", folder / "stay.map", "--fhir-version", "R5")
    assert code_of(result) == 0
    assert json.loads(result.stdout)["const"] == [{"name": "prefix", "value": "'id-'"}]
    assert "FM043" in result.stderr and "models not written: `Stay`, `Name`" in result.stderr


def test_as_json(folder: Path) -> None:
    result = invoke("export", folder / "stay.map", "--json")
    shown = json.loads(result.stdout)
    assert (shown["resource"]["resourceType"], len(shown["structures"])) == ("StructureMap", 2)
    assert {entry["code"] for entry in shown["diagnostics"]} == {"FM040", "FM043", "FM049"}
    (folder / "x.json").write_text(json.dumps(shown["resource"]), encoding="utf-8")
    read = json.loads(invoke("import", folder / "x.json", "--json").stdout)
    assert read["text"].startswith("/// url = 'http://example.org/StructureMap/stay'")
    assert read["diagnostics"] == []


def test_a_shape_becomes_another(folder: Path) -> None:
    old, new = folder / "r4.json", folder / "r5.json"
    invoke("export", folder / "stay.map", "-o", old)
    invoke("export", folder / "stay.map", "-o", new, "--fhir-version", "R5")
    assert invoke("export", old, "--fhir-version", "R5").stdout == new.read_text(encoding="utf-8")


def test_a_wrong_map_is_not_exported(folder: Path) -> None:
    (folder / "wrong.map").write_text("group main(source src) {", encoding="utf-8")
    result = invoke("export", folder / "wrong.map", "-o", folder / "wrong.json")
    assert code_of(result) == 2
    assert "error[FM" in result.stderr and not (folder / "wrong.json").exists()


def test_a_csv_that_is_not_there_is_reported(folder: Path) -> None:
    (folder / "sexes.csv").unlink()
    result = invoke("export", folder / "stay.map")
    assert "error[FM102]" in result.stderr and "FM049" in result.stderr


def test_a_wrong_resource_is_not_imported(folder: Path) -> None:
    (folder / "wrong.json").write_text('{"resourceType": "StructureMap", "group": [{"name": 1}]}', encoding="utf-8")
    result = invoke("import", folder / "wrong.json", "-o", folder / "wrong.map")
    assert code_of(result) == 2
    assert "`group[0].name` must be a text" in result.stderr and not (folder / "wrong.map").exists()


@pytest.mark.parametrize(
    ("content", "code"),
    [('{"resourceType": "Patient"}', "FM760"), ("group", "FM760"), ('{"resourceType": ', "FM351"), ("[]", "FM351")],
)
def test_what_is_no_resource(folder: Path, content: str, code: str) -> None:
    from fhirmap.errors import ConfigError, MapError

    (folder / "other.json").write_text(content, encoding="utf-8")
    result = invoke("import", folder / "other.json")
    fault = result.exception
    assert isinstance(fault, ConfigError | MapError)
    found = fault.diagnostics[0].code if isinstance(fault, MapError) else fault.code
    assert found == code


def test_a_map_without_groups_goes_there_and_back(tmp_path: Path) -> None:
    text = "/// url = 'https://a.example/StructureMap/codes'\n/// name = 'Codes'\n"
    text += 'conceptmap "c" {\n  prefix s = "urn:s"\n  prefix t = "urn:t"\n  s:a - t:b\n}\n'
    (tmp_path / "codes.map").write_text(text, encoding="utf-8")
    resource, back = tmp_path / "codes.json", tmp_path / "back.map"
    assert in_process("export", tmp_path / "codes.map", "-o", resource).code == 0
    assert in_process("import", resource, "-o", back).code == 0
    assert "s:a - t:b" in back.read_text(encoding="utf-8")
