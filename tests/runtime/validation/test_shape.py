"""Shapes of any base type, with and without what a contract adds: every fault of an object, all at once."""

from __future__ import annotations

import pytest

from fhirmap.records import Fault
from fhirmap.runtime.validation import ElementRules, SliceRules, types_of


def found(resource: object, version: str = "R4") -> list[tuple[str, str]]:
    name = resource["resourceType"] if isinstance(resource, dict) else "Patient"
    shape = types_of(version).shape(name)
    assert shape is not None
    faults: list[Fault] = []
    shape.report(resource, faults)
    return [(fault.code, fault.path) for fault in faults]


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"resourceType": "Patient", "name": [{"given": ["A", "B"], "_given": [None, {"id": "x"}]}]}, []),
        ({"resourceType": "Patient", "name": [{"given": [None, "B"], "_given": [{"id": "x"}, None]}]}, []),
        ({"resourceType": "Patient", "name": [{"given": [None]}]}, [("FM503", "Patient.name[0].given[0]")]),
        ({"resourceType": "Patient", "_birthDate": {"extension": [{"url": "u", "valueCode": "c"}]}}, []),
        ({"resourceType": "Patient", "_name": {}}, [("FM500", "Patient._name")]),
        ({"resourceType": "Patient", "_birthDate": []}, [("FM501", "Patient.birthDate")]),
        ({"resourceType": "Patient", "contained": [{"resourceType": "Device", "statu": "x"}]},
         [("FM500", "Patient.contained[0].statu")]),
        ({"resourceType": "Patient", "contained": [{"resourceType": "Base"}]}, [("FM512", "Patient.contained[0]")]),
        ({"resourceType": "Patient", "contained": [{"id": "x"}]}, [("FM512", "Patient.contained[0]")]),
        ({"resourceType": "Procedure"}, [("FM504", "Procedure.status"), ("FM504", "Procedure.subject")]),
        ({"resourceType": "Patient", "name": []}, [("FM503", "Patient.name")]),
        ({"resourceType": "Patient", "deceasedBoolean": True, "deceasedDateTime": "2025"},
         [("FM507", "Patient.deceased")]),
        ({"resourceType": "Patient", "extension": [{"url": "u"}]}, [("FM509", "Patient.extension[0]")]),
    ],
)  # fmt: skip
def test_shapes_of_base_types(resource: object, expected: list[tuple[str, str]]) -> None:
    assert found(resource) == expected


def test_releases_have_shapes_of_their_own() -> None:
    resource = {
        "resourceType": "Procedure",
        "status": "completed",
        "subject": {"display": "x"},
        "occurrenceDateTime": "2025",
    }
    assert found(resource, "R5") == []
    assert found(resource, "R4") == [("FM500", "Procedure.occurrenceDateTime")]


def test_closed_slicing() -> None:
    rules = ElementRules(
        slices=(SliceRules("home", (("use", "home"),), ElementRules(minimum=1, maximum=1)),),
        is_closed=True,
    )
    shape = types_of("R4").constrained("Patient", {"telecom": rules})
    faults: list[Fault] = []
    shape.report({"resourceType": "Patient", "telecom": [{"use": "work", "value": "1"}]}, faults)
    assert [(fault.code, fault.element) for fault in faults] == [
        ("FM513", "Patient.telecom"),
        ("FM504", "Patient.telecom:home"),
    ]


def test_no_fault_holds_a_value() -> None:
    canary = "CANARY-284051012345678"
    resource = {
        "resourceType": "Patient",
        "gender": canary,
        "birthDate": canary,
        "active": canary,
        "name": [{"family": [canary], "use": canary}],
        "deceasedDateTime": canary,
        "maritalStatus": canary,
        "contained": [{"resourceType": canary}],
    }
    shape = types_of("R4").shape("Patient")
    assert shape is not None
    faults: list[Fault] = []
    shape.report(resource, faults)
    assert len(faults) == 8
    assert canary not in repr(faults)


@pytest.mark.parametrize(
    ("rules", "value", "expected"),
    [
        (ElementRules(types=("boolean",)), {"deceasedDateTime": "2025"}, "FM508"),
        (ElementRules(maximum=0), {"deceasedBoolean": True}, "FM505"),
        (ElementRules(fixed=True), {"deceasedBoolean": False}, "FM510"),
        (ElementRules(minimum=1), {"active": True}, "FM504"),
    ],
)
def test_what_a_contract_adds_holds_of_plain_values_too(
    rules: ElementRules, value: dict[str, object], expected: str
) -> None:
    shape = types_of("R4").constrained("Patient", {"deceased": rules})
    faults: list[Fault] = []
    shape.report({"resourceType": "Patient", **value}, faults)
    assert [fault.code for fault in faults] == [expected]


def test_a_type_that_fhir_does_not_know() -> None:
    assert types_of("R4").shape("Patiant") is None
    assert types_of("R4").resource_shape("Patient.contact") is None
    with pytest.raises(KeyError):
        types_of("R4").constrained("Patiant", {})


def test_an_empty_list_of_a_required_element_is_reported_once() -> None:
    shape = types_of("R4").constrained("Patient", {"name": ElementRules(minimum=1)})
    faults: list[Fault] = []
    shape.report({"resourceType": "Patient", "name": []}, faults)
    assert [fault.code for fault in faults] == ["FM503"]
