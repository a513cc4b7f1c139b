"""`fhirmap transform`: any map on any input, and what it says where that cannot be."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from fhirmap.compilation.mapset import MapSet
from fhirmap.errors import ConfigError, TransformFailed

PATIENT = """/// url = 'http://example.org/StructureMap/patient'
/// name = 'patient'

uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias PatientT as target

group main(source src : Patient, target tgt : PatientT) {
  src.name as n log (family) -> tgt.name as t, t.text = (%n.family);
  src.gender as g check ($this != 'unknown') -> tgt.gender = g;
  src.birthDate -> tgt.birthDate;
}
"""
MERGE = """group merge(source left, source right, target tgt) {
  left.a as a -> tgt.a = a;
  right.b as b -> tgt.b = b;
}
"""


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    from fhirmap.cli import main

    with pytest.raises(SystemExit) as left:
        main(["transform", *(str(argument) for argument in arguments)])
    shown = capsys.readouterr()
    return int(left.value.code or 0), shown.out, shown.err


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "patient.map", PATIENT)
    write(tmp_path / "in.json", {"resourceType": "Patient", "name": [{"family": "É"}], "birthDate": "2000-01"})
    return tmp_path


def write(path: Path, content: str | dict[str, Any]) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_json_to_standard_output(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "patient.map", "in.json")
    assert code == 0
    assert out == (
        '{\n  "resourceType": "Patient",\n  "name": [\n    {\n      "text": "É"\n    }\n  ],\n'
        '  "birthDate": "2000-01"\n}\n'
    )
    assert "note: É" in err


def test_xml_by_the_output_s_suffix(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "patient.map", "in.json", "-o", "out.xml")[:2] == (0, "")
    root = ElementTree.fromstring((folder / "out.xml").read_bytes())
    assert root.tag == "{http://hl7.org/fhir}Patient"
    assert run(capsys, "patient.map", "out.xml")[0] == 0


def test_a_byte_order_mark_is_no_fault(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("patient.map", "in.json"):
        (folder / name).write_bytes(b"\xef\xbb\xbf" + (folder / name).read_bytes())
    assert run(capsys, "patient.map", "in.json")[0] == 0
    (folder / "in.json").write_bytes((folder / "in.json").read_text(encoding="utf-8-sig").encode("utf-16"))
    assert run(capsys, "patient.map", "in.json")[0] == 0


def test_a_wrong_map(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder / "patient.map", PATIENT.replace("tgt.gender", "tgt.gendr"))
    code, out, err = run(capsys, "patient.map", "in.json", "-o", "out.json")
    assert (code, out) == (2, "")
    assert "error[FM204]" in err
    assert "patient.map:9:53" in err
    assert not (folder / "out.json").exists()


def test_a_fault_of_the_input_at_run_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder / "in.json", {"resourceType": "Patient", "gender": "unknown"})
    code, out, err = run(capsys, "patient.map", "in.json", "-o", "out.json")
    assert (code, out) == (1, "")
    assert "FM401" in err
    assert "patient.map:9" in err
    assert not (folder / "out.json").exists()


def test_an_input_that_cannot_be_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder / "in.json", '{"resourceType": "Patient",\n "name": [')
    code, out, err = run(capsys, "patient.map", "in.json")
    assert (code, out) == (1, "")
    assert "FM351" in err
    assert "in.json:2:11" in err
    write(folder / "in.xml", "<Patient xmlns='http://hl7.org/fhir'>\n<id></Patient>")
    code, _, err = run(capsys, "patient.map", "in.xml")
    assert code == 1
    assert "in.xml:2:" in err
    write(folder / "in.json", "[1]")
    assert run(capsys, "patient.map", "in.json")[0] == 1


def test_a_code_that_the_target_forbids(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder / "in.json", {"resourceType": "Patient", "gender": "femal"})
    code, out, err = run(capsys, "patient.map", "in.json")
    assert (code, out) == (1, "")
    assert "FM506" in err
    assert "femal" not in err


def test_what_is_missing_is_a_warning(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = PATIENT.replace('StructureDefinition/Patient" alias PatientT', 'StructureDefinition/Basic" alias PatientT')
    start, end = text.index("  src.name"), text.rindex("}")
    write(folder / "basic.map", text[:start] + "  src.language as l -> tgt.language = l;\n" + text[end:])
    write(folder / "in.json", {"resourceType": "Patient", "language": "fr"})
    code, out, err = run(capsys, "basic.map", "in.json")
    assert (code, json.loads(out)) == (0, {"resourceType": "Basic", "language": "fr"})
    assert "warning" in err


def test_nothing_fires(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder / "in.json", {"resourceType": "Patient"})
    code, out, _ = run(capsys, "patient.map", "in.json")
    assert (code, json.loads(out)) == (0, {"resourceType": "Patient"})


def test_all_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "patient.map", "in.json", "--json")
    shown = json.loads(out)
    assert (code, err) == (0, "")
    assert shown["result"]["name"] == [{"text": "É"}]
    assert [note["text"] for note in shown["notes"]] == ["É"]
    assert shown["faults"] == []


def test_several_sources(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder / "merge.map", MERGE)
    write(folder / "a.json", {"a": 1})
    write(folder / "b.json", {"b": 2})
    code, out, _ = run(capsys, "merge.map", "a.json", "--source", "right=b.json")
    assert (code, json.loads(out)) == (0, {"a": 1, "b": 2})
    code, _, err = run(capsys, "merge.map", "a.json")
    assert code == 1
    assert "FM458" in err
    code, _, err = run(capsys, "merge.map", "a.json", "--source", "wrong=b.json")
    assert code == 2
    assert "FM763" in err


def test_another_release(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = PATIENT.replace("Patient", "Encounter").replace("EncounterT", "Target")
    start, end = text.index("  src.name"), text.rindex("}")
    write(folder / "encounter.map", text[:start] + "  src.actualPeriod -> tgt.actualPeriod;\n" + text[end:])
    write(folder / "in.json", {"resourceType": "Encounter", "actualPeriod": {"start": "2020"}})
    assert run(capsys, "encounter.map", "in.json")[0] == 2
    code, out, _ = run(capsys, "encounter.map", "in.json", "--fhir-version", "R5")
    assert (code, json.loads(out)["actualPeriod"]) == (0, {"start": "2020"})


def test_a_tree_without_a_description(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(
        folder / "any.map",
        "group g(source src, target tgt) {\n  src.line as l -> tgt.item as i, i.name = (%l.what);\n}\n",
    )
    write(folder / "in.xml", "<order no='1'><line><what>a</what></line><line><what>b</what></line></order>")
    code, out, _ = run(capsys, "any.map", "in.xml")
    assert (code, json.loads(out)) == (0, {"item": [{"name": "a"}, {"name": "b"}]})
    code, out, _ = run(capsys, "any.map", "in.xml", "--format", "xml")
    assert ElementTree.fromstring(out.encode()).findtext("item/name") == "a"


def test_a_package_of_definitions(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    concept_map = {
        "resourceType": "ConceptMap",
        "url": "http://example.org/ConceptMap/g",
        "group": [{"source": "urn:s", "target": "urn:t", "element": [{"code": "male", "target": [{"code": "m"}]}]}],
    }
    with tarfile.open(folder / "own.tgz", "w:gz") as archive:
        held = json.dumps(concept_map).encode()
        member = tarfile.TarInfo("package/ConceptMap-g.json")
        member.size = len(held)
        archive.addfile(member, io.BytesIO(held))
    rule = "src.g as g -> tgt.g = translate(g, 'http://example.org/ConceptMap/g', 'code');"
    write(folder / "any.map", f"group g(source src, target tgt) {{\n  {rule}\n}}\n")
    write(folder / "in.json", {"g": "male"})
    assert run(capsys, "any.map", "in.json")[0] == 2
    code, out, _ = run(capsys, "any.map", "in.json", "--import", "own.tgz")
    assert (code, json.loads(out)) == (0, {"g": "m"})


CDA = "http://example.org/cda/StructureDefinition/"


def logical(name: str, *elements: dict[str, Any], base: str = "") -> dict[str, Any]:
    written = [{"id": name, "path": name}, *({**entry, "path": f"{name}.{entry['path']}"} for entry in elements)]
    return {
        "resourceType": "StructureDefinition",
        "url": CDA + name,
        "name": name,
        "kind": "logical",
        "type": name,
        "abstract": False,
        "derivation": "specialization",
        "baseDefinition": base or "http://hl7.org/fhir/StructureDefinition/Base",
        "extension": [
            {"url": "http://hl7.org/fhir/tools/StructureDefinition/xml-namespace", "valueUri": "urn:example:v3"}
        ],
        "differential": {"element": written},
    }


def element(path: str, *types: str, most: str = "1", how: tuple[str, ...] = ()) -> dict[str, Any]:
    codes = [{"code": entry if entry[0].islower() else CDA + entry} for entry in types]
    return {"path": path, "min": 0, "max": most, "type": codes, "representation": list(how)}


def cda_models(folder: Path) -> Path:
    models = folder / "cda"
    models.mkdir()
    for found in (
        logical("II", element("root", "string", how=("xmlAttr",)), element("extension", "string", how=("xmlAttr",))),
        logical("ANY"),
        logical("CD", element("code", "string", how=("xmlAttr",)), base=CDA + "ANY"),
        logical("ST", element("xmlText", "string", how=("xmlText",)), base=CDA + "ANY"),
        logical(
            "Doc", element("id", "II", most="*"), element("title", "ST"), element("value", "ANY", how=("typeAttr",))
        ),
    ):
        write(models / f"{found['name']}.json", found)
    return models


def test_a_document_of_a_logical_model(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = cda_models(folder)
    uses = "\n".join(f'uses "{CDA}{name}" alias {name} as target' for name in ("Doc", "CD", "ST"))
    rules = """group main(source src, target doc : Doc) {
  src.id as i -> doc.id as id, id.root = '1.2', id.extension = i;
  src.name as n -> doc.title as t, t.xmlText = n;
  src.code as c -> doc.value = create('CD') as v, v.code = c;
}
"""
    write(folder / "to.map", f"{uses}\n\n{rules}")
    write(folder / "in.json", {"id": ["a", "b"], "name": "x < y", "code": "k"})
    code, out, _ = run(capsys, "to.map", "in.json", "--definitions", models)
    assert code == 0
    root = ElementTree.fromstring(out.encode())
    space = "{urn:example:v3}"
    assert root.tag == f"{space}Doc"
    assert [entry.attrib for entry in root.findall(f"{space}id")] == [
        {"root": "1.2", "extension": "a"},
        {"root": "1.2", "extension": "b"},
    ]
    assert root.findtext(f"{space}title") == "x < y"
    value = root.find(f"{space}value")
    assert value is not None
    assert value.attrib == {"{http://www.w3.org/2001/XMLSchema-instance}type": "CD", "code": "k"}

    write(folder / "doc.xml", out)
    back = (
        f'uses "{CDA}Doc" alias Doc as source\nuses "{CDA}CD" alias CD as source\n\n'
        + """group back(source doc : Doc, target tgt) {
  doc.id as i -> tgt.id = (%i.extension);
  doc.title as t -> tgt.name = (%t.xmlText);
  doc.value : CD as v -> tgt.code = (%v.code);
  doc.value : ST as v -> tgt.wrong = 'no';
}
"""
    )
    write(folder / "back.map", back)
    code, out, _ = run(capsys, "back.map", "doc.xml", "--definitions", models)
    assert (code, json.loads(out)) == (0, {"id": ["a", "b"], "name": "x < y", "code": "k"})


def test_a_set_of_maps_runs_one_by_its_address(folder: Path) -> None:
    write(folder / "merge.map", "/// url = 'http://example.org/StructureMap/merge'\n/// name = 'merge'\n\n" + MERGE)
    known = MapSet([folder / "patient.map", folder / "merge.map"])
    result = known.transform(
        "http://example.org/StructureMap/patient", {"resourceType": "Patient", "birthDate": "2000"}
    )
    assert result.resource == {"resourceType": "Patient", "birthDate": "2000"}
    result = known.transform("http://example.org/StructureMap/merge", left={"a": 1}, right={"b": 2})
    assert result.resource == {"a": 1, "b": 2}
    with pytest.raises(ConfigError, match="FM762"):
        known.transform("http://example.org/StructureMap/absent", {})
    with pytest.raises(ConfigError, match="FM763"):
        known.transform("http://example.org/StructureMap/merge", middle={})
    with pytest.raises(TransformFailed, match="FM458"):
        known.transform("http://example.org/StructureMap/merge", left={})
