"""Profiles over base types, operations as profiles, definitions from files, folders and packages."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from fhirmap.interchange.packages import load_definitions
from fhirmap.model.definition import Definitions, Element
from fhirmap.model.terminology import expand

ROOT = Path(__file__).resolve().parents[2]
RENACOT = ROOT / "maps" / "renacot" / "definitions"
MARCH = ROOT / "maps" / "renacot-2025-03" / "definitions"
GUIDE = "https://fhir.orthense.com/"
PROFILE = GUIDE + "StructureDefinition/InterventionInputParametersBaseProfile"
RULES = "https://fhirmap.dev/StructureDefinition/renacot-rules"


def load(*paths: Path) -> Definitions:
    definitions, diagnostics = load_definitions(paths)
    assert not diagnostics
    return definitions


def children(definitions: Definitions, url: str, *path: str) -> dict[str, Element]:
    """Elements below slices: `children(d, url, "parameter:implants", "part:lot")`."""
    structure = definitions.structure(url)
    assert structure is not None
    ref = structure.root
    for step in path:
        name, _, slice_name = step.partition(":")
        element = definitions.children(ref)[name]
        found = element.slice(slice_name) if slice_name else None
        ref = (found.element if found else element).types[0]
    return dict(definitions.children(ref))


def test_slices_by_name() -> None:
    parameter = children(load(RENACOT), PROFILE)["parameter"]
    assert parameter.minimum == 6
    assert parameter.slicing is not None
    assert [(entry.name, entry.element.minimum, entry.element.maximum) for entry in parameter.slices] == [
        ("nir", 1, 1),
        ("rpps", 1, 1),
        ("finessGeographique", 1, 1),
        ("lateralite", 0, 1),
        ("dateIntervention", 1, 1),
        ("typeProcedure", 1, 1),
        ("peType", 0, 1),
        ("implants", 1, None),
    ]
    found = parameter.slice_with("name", "dateIntervention")
    assert found is not None
    assert found.element.path == "Parameters.parameter:dateIntervention"


def test_a_slice_constrains_what_is_below_it() -> None:
    definitions = load(RENACOT)
    day = children(definitions, PROFILE, "parameter:dateIntervention")["value"]
    assert [ref.name for ref in day.types] == ["dateTime"]
    assert (day.minimum, day.path) == (1, "Parameters.parameter:dateIntervention.value[x]")
    kind = children(definitions, PROFILE, "parameter:implants", "part:type")["value"]
    assert kind.binding is not None
    codes = expand(definitions, kind.binding.value_set)
    assert codes is not None
    assert len(codes) == 15


def test_a_profile_of_a_profile_adds_to_it() -> None:
    definitions = load(RENACOT)
    nir = children(definitions, RULES, "parameter:nir")["value"]
    assert [(entry.key, entry.severity) for entry in nir.constraints] == [
        ("nir-regex", "error"),
        ("nir-key", "warning"),
    ]
    structure = definitions.structure(RULES)
    assert structure is not None
    keys = [entry.key for entry in definitions.constraints(structure.root)]
    assert keys[0] == "pg-requires-implants-count"
    assert "implants-distinct" in keys


def test_causes_of_a_rule_are_kept() -> None:
    finess = children(load(RENACOT), PROFILE, "parameter:finessGeographique")["value"]
    assert [name for name, _, _ in finess.constraints[0].variants] == ["corsica"]


def test_an_operation_is_a_profile_of_its_input() -> None:
    definitions = load(MARCH)
    operation = definitions.operation("associer-implants-procedure")
    assert operation is not None
    assert (operation.type, operation.system, operation.resources) == (True, False, ("Procedure",))
    nir = children(definitions, operation.url, "parameter:identifiantsPartiesPrenantes", "part:nir")
    assert [ref.name for ref in nir["value"].types] == ["Identifier"]
    assert nir["part"].maximum == 0
    day = children(definitions, operation.url, "parameter:procedureInfo", "part:dateIntervention")["value"]
    assert [ref.name for ref in day.types] == ["date"]
    assert "operationOutcome" not in [entry.name for entry in children(definitions, operation.url)["parameter"].slices]


def test_our_definitions_state_the_guide_s_facts(shared_dir: Path) -> None:
    """Ours are written from the facts: laid over the base they say the same as the compiled guide."""
    folder = shared_dir / "renacot" / "definitions"
    ours, theirs = load(RENACOT), load(*sorted(folder.glob("*.json")))
    assert _flat(ours) == _flat(theirs)
    assert ours.operation("associer-implants-registre") == theirs.operation("associer-implants-registre")
    for name in ("ImplantTypeVS", "LiteraliteVS", "ProcedureVS", "pe-type"):
        assert expand(ours, GUIDE + "ValueSet/" + name) == expand(theirs, GUIDE + "ValueSet/" + name)


def _flat(definitions: Definitions) -> dict[str, Any]:
    structure = definitions.structure(PROFILE)
    assert structure is not None
    found: dict[str, Any] = {
        "": sorted((entry.key, entry.expression) for entry in definitions.constraints(structure.root))
    }
    waiting = [structure.root]
    while waiting:
        for element in definitions.children(waiting.pop()).values():
            for view in (element, *(entry.element for entry in element.slices)):
                types = tuple(ref.name for ref in view.types)
                rules = [(entry.key, entry.severity, entry.expression) for entry in view.constraints]
                found[view.path] = (view.minimum, view.maximum, types, view.fixed, view.binding, view.slicing, rules)
                waiting += [ref for ref in view.types if ref.profile]
    return found


def test_a_package_is_read(tmp_path: Path) -> None:
    path = tmp_path / "guide.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in {
            "package/package.json": '{"name": "guide"}',
            "package/ValueSet-x.json": json.dumps({"resourceType": "ValueSet", "url": "urn:x", "status": "draft"}),
        }.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    assert load(path).value_set("urn:x") is not None


@pytest.mark.parametrize(
    ("name", "content", "code", "position"),
    [
        ("broken.json", b'{"resourceType": "ValueSet",\n  "url": }', "FM351", "2:10"),
        ("latin.json", b'{"resourceType": "ValueSet", "url": "\xe9"}', "FM350", None),
        ("broken.xml", b"<ValueSet xmlns='http://hl7.org/fhir'><url></ValueSet>", "FM351", "1:46"),
        ("empty.json", b'{"resourceType": "CodeSystem"}', "FM352", "1:1"),
        (
            "odd.json",
            b'{"resourceType": "StructureDefinition", "url": "urn:x", "kind": 1, "differential": 7}',
            "FM352",
            "1:1",
        ),
        ("package.tgz", b"no archive", "FM350", None),
    ],
)
def test_an_unreadable_file_is_one_diagnostic(
    tmp_path: Path, name: str, content: bytes, code: str, position: str | None
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    good = tmp_path / "good.json"
    good.write_text('{"resourceType": "ValueSet", "url": "urn:good"}')
    definitions, diagnostics = load_definitions([path, good])
    assert [entry.code for entry in diagnostics] == [code]
    assert definitions.value_set("urn:good") is not None
    span = diagnostics[0].span
    assert (f"{span.line}:{span.column}" if span else None) == position
    assert str(path) in diagnostics[0].message


def test_a_missing_file_is_a_diagnostic(tmp_path: Path) -> None:
    _, diagnostics = load_definitions([tmp_path / "nowhere.json"])
    assert [entry.code for entry in diagnostics] == ["FM350"]


def test_what_is_no_definition_passes_silently(tmp_path: Path) -> None:
    (tmp_path / "patient.json").write_text('{"resourceType": "Patient"}')
    (tmp_path / "data.json").write_text("[1, 2]")
    _, diagnostics = load_definitions([tmp_path])
    assert diagnostics == ()


def test_a_short_choice_name_is_its_slice() -> None:
    from fhirmap.diagnostics import MapText
    from fhirmap.interchange.packages import add_resource

    definitions, _ = load_definitions([])
    profile = {
        "resourceType": "StructureDefinition",
        "url": "urn:weight",
        "name": "Weight",
        "kind": "resource",
        "type": "Observation",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Observation",
        "derivation": "constraint",
        "differential": {
            "element": [
                {"path": "Observation"},
                {"path": "Observation.valueQuantity.code", "min": 1, "patternCode": "kg"},
            ]
        },
    }
    assert add_resource(definitions, profile, MapText("weight.json", "")) == []
    value = children(definitions, "urn:weight")["value"]
    quantity = value.slice("valueQuantity")
    assert quantity is not None
    code = definitions.children(quantity.element.types[0])["code"] if quantity else None
    assert code is not None
