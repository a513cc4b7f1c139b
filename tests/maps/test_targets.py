"""Three targets from one row: the message, the March 2025 contract, and plain R4 resources."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fhir.resources import R4B

from fhirmap.runner.engine import Engine

MakeRow = Callable[..., dict[str, Any]]
MakeEngine = Callable[..., Engine]
TARGETS = ("renacot", "renacot-2025-03", "procedure-device")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ["PGExample", "PHExample", "PEExample"])
def test_the_guide_s_rows_are_sendable(target: str, name: str, row: MakeRow, engine: MakeEngine) -> None:
    result = engine(target).transformer(row(name))
    assert [fault for fault in result.faults if fault.severity == "error"] == []
    assert result.resource is not None


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ["PGExample", "PHExample", "PEExample", "PEExampleErreur"])
def test_results_are_fhir(target: str, name: str, row: MakeRow, engine: MakeEngine) -> None:
    resource = engine(target).transformer(row(name)).resource
    assert resource is not None
    model = R4B.get_fhir_model_class(resource["resourceType"])
    assert model.model_validate(resource)


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_row_gives_the_same_bytes(target: str, row: MakeRow, engine: MakeEngine) -> None:
    made = [json.dumps(engine(target).transformer(row()).resource) for _ in range(2)]
    assert made[0] == made[1]


# --- Procedure and Device ---------------------------------------------------------------------------------------------


def test_knee_as_procedure_and_devices(shared_dir: Path, row: MakeRow, engine: MakeEngine) -> None:
    file = shared_dir / "renacot" / "examples" / "r4" / "Bundle-PG-procedure-device.json"
    assert engine("procedure-device").transformer(row()).resource == json.loads(file.read_text(encoding="utf-8"))


def resources(bundle: dict[str, Any] | None, kind: str) -> list[dict[str, Any]]:
    assert bundle is not None
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def test_bilateral_has_two_body_sites(row: MakeRow, engine: MakeEngine) -> None:
    bundle = engine("procedure-device").transformer(row("PHExample", side="B")).resource
    (procedure,) = resources(bundle, "Procedure")
    assert [site["text"] for site in procedure["bodySite"]] == ["Hanche droite", "Hanche gauche"]


def test_unknown_side_has_none(row: MakeRow, engine: MakeEngine) -> None:
    (procedure,) = resources(engine("procedure-device").transformer(row(side=None)).resource, "Procedure")
    assert "bodySite" not in procedure


def test_lot_and_serial_have_their_own_places(row: MakeRow, engine: MakeEngine) -> None:
    changed = row()
    changed["pieces"][0] |= {
        "lot": "L1",
        "serial": "SN1",
        "scan": "(01)00844588003288(11)240301(17)350300(10)L1(21)SN1",
    }
    device = resources(engine("procedure-device").transformer(changed).resource, "Device")[0]
    assert (device["lotNumber"], device["serialNumber"]) == ("L1", "SN1")
    assert (device["expirationDate"], device["manufactureDate"]) == ("2035-03-31", "2024-03-01")


def test_shoulder_type_is_a_coding_of_the_procedure(row: MakeRow, engine: MakeEngine) -> None:
    (procedure,) = resources(engine("procedure-device").transformer(row("PEExample")).resource, "Procedure")
    assert [coding["code"] for coding in procedure["code"]["coding"]] == ["239468007", "MEKA008", "ANATOMIQUE"]


def test_entries_name_one_another(row: MakeRow, engine: MakeEngine) -> None:
    bundle = engine("procedure-device").transformer(row("PEExampleErreur")).resource
    assert bundle is not None
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(urls)) == len(urls)
    (procedure,) = resources(bundle, "Procedure")
    assert {focal["manipulated"]["reference"] for focal in procedure["focalDevice"]} <= set(urls)
    assert len(procedure["focalDevice"]) == 6


def test_a_bundle_without_a_patient_does_not_leave(row: MakeRow, engine: MakeEngine) -> None:
    result = engine("procedure-device").transformer(row(nir=None))
    assert not result.valid


def test_many_devices_never_take_the_procedure_s_name(row: MakeRow, engine: MakeEngine) -> None:
    changed = row()
    changed["pieces"][0]["quantity"] = 25
    bundle = engine("procedure-device").transformer(changed).resource
    assert bundle is not None
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(urls)) == len(urls)


# --- March 2025 -------------------------------------------------------------------------------------------------------


def parts(message: dict[str, Any] | None, name: str) -> list[dict[str, Any]]:
    assert message is not None
    return [
        {part["name"]: next(value for key, value in part.items() if key != "name") for part in entry["part"]}
        for entry in message["parameter"]
        if entry["name"] == name
    ]


def test_march_nests_identifiers(row: MakeRow, engine: MakeEngine) -> None:
    message = engine("renacot-2025-03").transformer(row()).resource
    (parties,) = parts(message, "identifiantsPartiesPrenantes")
    assert parties["nir"] == {"system": "http://france.fr/nir", "value": "197012A12345678"}
    assert list(parties) == ["nir", "rpps", "finessGeo"]
    (procedure,) = parts(message, "procedureInfo")
    assert procedure["dateIntervention"] == "2025-03-15"
    assert procedure["cote"]["coding"][0]["code"] == "24028007"
    assert [implant["implantType"]["coding"][0]["code"] for implant in parts(message, "implants")] == [
        "femoral-component",
        "tibial-base",
        "polyethylene-insert",
    ]


def test_march_wants_supplier_and_reference(row: MakeRow, engine: MakeEngine) -> None:
    changed = row()
    del changed["pieces"][0]["maker"]
    result = engine("renacot-2025-03").transformer(changed)
    assert [fault.element for fault in result.faults if fault.severity == "error"] == [
        "Parameters.parameter:implants.part:fournisseur"
    ]


def test_march_does_not_want_a_label(row: MakeRow, engine: MakeEngine) -> None:
    changed = row()
    del changed["pieces"][0]["scan"]
    assert engine("renacot-2025-03").transformer(changed).valid
    assert not engine().transformer(changed).valid


@pytest.mark.parametrize("target", ["renacot", "renacot-2025-03"])
@pytest.mark.parametrize("name", ["idRegistre", "referenceRegistre", "registre-identifier", "procedureReference"])
def test_the_published_name_of_the_receipt_and_those_of_the_drafts(target: str, name: str, engine: MakeEngine) -> None:
    identifier = {"system": "urn:registry", "value": "R-1"}
    other = {"name": "patient", "valueIdentifier": {"value": "P-1"}}
    answer = {"resourceType": "Parameters", "parameter": [other, {"name": name, "valueIdentifier": identifier}]}
    assert list(engine(target).identifiers_of(answer)) == [identifier]
    reference = {"resourceType": "Parameters", "parameter": [{"name": name, "valueReference": {"reference": "P/1"}}]}
    assert list(engine(target).identifiers_of(reference)) == [{"reference": "P/1"}]


@pytest.mark.parametrize(
    "answer", [{}, {"parameter": "x"}, {"parameter": [3, {"name": ["idRegistre"]}]}, {"parameter": {}}]
)
def test_an_answer_of_another_shape_has_no_identifier(answer: dict[str, Any], engine: MakeEngine) -> None:
    assert list(engine("renacot").identifiers_of(answer)) == []
    assert list(engine("procedure-device").identifiers_of(answer)) == []


def test_no_target_sends_a_label_that_names_no_article(row: MakeRow, engine: MakeEngine) -> None:
    made = "(01)00844588003288(10)A213B456"
    for scan in ("1735031510A213B456", "3109998508210", "(01)00844588003289(10)A213B456", "+$$3350315A213B456GT"):
        changed = row()
        changed["pieces"][0] |= {"scan": scan, "gtin": "844588003288"}
        for target in TARGETS:
            text = json.dumps(engine(target).transformer(changed).resource)
            assert made in text
            assert scan not in text
        device = resources(engine("procedure-device").transformer(changed).resource, "Device")[0]
        assert device["udiCarrier"][0]["deviceIdentifier"] == "00844588003288"
