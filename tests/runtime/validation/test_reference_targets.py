"""References to types that an element does not take, as far as the resource says what they point to."""

from __future__ import annotations

from typing import Any

import pytest

from fhirmap.records import Fault
from fhirmap.runtime.validation import types_of

ORGANIZATION = {"resourceType": "Organization", "id": "o", "name": "O"}
DEVICE = {"resourceType": "Device", "id": "d"}


def faults(resource: dict[str, Any], version: str = "R4") -> list[tuple[str, str, str]]:
    found: list[Fault] = []
    types_of(version).constrained(resource["resourceType"], {}).report(resource, found)
    return [(fault.code, fault.variant, fault.element) for fault in found]


def patient(reference: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "managingOrganization": reference, **more}


WRONG = [("FM514", "", "Patient.managingOrganization")]


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ({"reference": "Organization/1"}, []),
        ({"reference": "Device/1"}, WRONG),
        ({"reference": "Device/1/_history/2"}, WRONG),
        ({"reference": "https://a.example/fhir/Device/1"}, WRONG),
        ({"reference": "https://a.example/fhir/Organization/1"}, []),
        ({"reference": "https://a.example/Device"}, []),
        ({"reference": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}, []),
        ({"reference": "Unknown/1"}, []),
        ({"reference": "Organization/"}, [("FM514", "id", "Patient.managingOrganization")]),
        ({"reference": "https://a.example/fhir/Organization/"}, [("FM514", "id", "Patient.managingOrganization")]),
        ({"reference": "Organization"}, []),
        ({"type": "Device"}, WRONG),
        ({"type": "Device", "identifier": {"value": "1"}}, WRONG),
        ({"type": "Organization", "reference": "Organization/1"}, []),
        ({"display": "O"}, []),
        ({"reference": "#d"}, WRONG),
        ({"reference": "#o"}, []),
        ({"reference": "#absent"}, []),
    ],
)
def test_what_a_reference_points_to(reference: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    assert faults(patient(reference, contained=[ORGANIZATION, DEVICE])) == expected


def test_a_reference_and_its_type_do_not_contradict_each_other() -> None:
    reference = {"reference": "Practitioner/1", "type": "Organization"}
    found = faults({"resourceType": "Patient", "generalPractitioner": [reference]})
    assert found == [("FM514", "type", "Patient.generalPractitioner")]


@pytest.mark.parametrize(("entry", "expected"), [(DEVICE, 1), (ORGANIZATION, 0)])
def test_an_entry_of_the_bundle_around_is_known(entry: dict[str, Any], expected: int) -> None:
    url = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"
    entries = [{"fullUrl": url, "resource": entry}, {"resource": patient({"reference": url})}]
    found = faults({"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert [code for code, _, _ in found] == ["FM514"] * expected


def test_references_in_coded_elements_and_to_anything() -> None:
    wrong = {"reference": {"reference": "Device/1"}}
    status = {"status": "on-hold", "subject": {"reference": "Patient/1"}, "intent": "order"}
    request = {"resourceType": "MedicationRequest", **status, "medication": wrong}
    assert faults(request, "R5") == [("FM514", "", "MedicationRequest.medication.reference")]
    focus = {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": "Device/1"}}
    assert faults(focus) == []
