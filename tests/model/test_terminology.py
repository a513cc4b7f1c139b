"""Membership, expansion and translation; what cannot be decided offline is unknown."""

from __future__ import annotations

from typing import Any

import pytest

from fhirmap.diagnostics import MapText
from fhirmap.interchange.packages import add_resource
from fhirmap.model.definition import Definitions
from fhirmap.model.fhir import base_types
from fhirmap.model.terminology import Membership, display, expand, membership, read_concept_map, system_of, translate

SCT = "http://snomed.info/sct"
COLOURS = {
    "resourceType": "CodeSystem",
    "url": "urn:colours",
    "content": "complete",
    "concept": [
        {"code": "red", "display": "Red", "concept": [{"code": "crimson"}]},
        {"code": "blue", "property": [{"code": "parent", "valueCode": "cold"}]},
        {"code": "cold"},
    ],
}


def include(**rule: Any) -> dict[str, Any]:
    return rule


def value_set(url: str, *includes: dict[str, Any], exclude: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    compose: dict[str, Any] = {"include": list(includes)}
    if exclude:
        compose["exclude"] = exclude
    return {"resourceType": "ValueSet", "url": url, "compose": compose}


def is_a(system: str, code: str) -> dict[str, Any]:
    return {"system": system, "filter": [{"property": "concept", "op": "is-a", "value": code}]}


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    definitions = Definitions(base_types())
    for resource in (
        COLOURS,
        value_set("urn:all", include(system="urn:colours")),
        value_set("urn:listed", include(system=SCT, concept=[{"code": "1", "display": "One"}])),
        value_set("urn:warm", is_a("urn:colours", "red")),
        value_set("urn:snomed", is_a(SCT, "182353008")),
        value_set("urn:imports", include(valueSet=["urn:all"]), include(valueSet=["urn:listed"])),
        value_set("urn:both", include(valueSet=["urn:all", "urn:warm"])),
        value_set(
            "urn:not-red",
            include(system="urn:colours"),
            exclude=[{"system": "urn:colours", "concept": [{"code": "red"}]}],
        ),
        value_set("urn:itself", include(valueSet=["urn:itself"])),
        {"resourceType": "ValueSet", "url": "urn:expanded", "expansion": {"contains": [{"system": "s", "code": "a"}]}},
    ):
        assert add_resource(definitions, dict(resource), MapText("t", "")) == []
    return definitions


@pytest.mark.parametrize(
    ("url", "system", "code", "expected"),
    [
        ("urn:all", "urn:colours", "crimson", Membership.YES),
        ("urn:all", "urn:colours", "green", Membership.NO),
        ("urn:all", "urn:other", "red", Membership.NO),
        ("urn:listed", SCT, "1", Membership.YES),
        ("urn:listed", SCT, "2", Membership.NO),
        ("urn:warm", "urn:colours", "crimson", Membership.YES),
        ("urn:warm", "urn:colours", "blue", Membership.NO),
        ("urn:snomed", SCT, "182353008", Membership.YES),
        ("urn:snomed", SCT, "7771000", Membership.UNKNOWN),
        ("urn:imports", SCT, "1", Membership.YES),
        ("urn:both", "urn:colours", "blue", Membership.NO),
        ("urn:both", "urn:colours", "red", Membership.YES),
        ("urn:not-red", "urn:colours", "red", Membership.NO),
        ("urn:not-red", "urn:colours", "blue", Membership.YES),
        ("urn:itself", "urn:colours", "red", Membership.UNKNOWN),
        ("urn:nowhere", "urn:colours", "red", Membership.UNKNOWN),
        ("urn:expanded", "s", "a", Membership.YES),
        ("urn:expanded", "s", "b", Membership.NO),
    ],
)
def test_membership(definitions: Definitions, url: str, system: str, code: str, expected: Membership) -> None:
    assert membership(definitions, url, system, code) is expected


def test_expansion_agrees_with_membership(definitions: Definitions) -> None:
    for entry in definitions.value_sets():
        pairs = expand(definitions, entry.url)
        for code in ("red", "crimson", "blue", "cold"):
            reported = membership(definitions, entry.url, "urn:colours", code)
            if pairs is None:
                assert entry.url in ("urn:snomed", "urn:itself")
            else:
                assert (("urn:colours", code) in pairs) is (reported is Membership.YES)


def test_display_and_system(definitions: Definitions) -> None:
    assert display(definitions, "urn:colours", "red") == "Red"
    assert display(definitions, SCT, "1") == "One"
    assert system_of(definitions, "urn:imports", "1") == SCT
    assert system_of(definitions, "urn:imports", "nothing") is None


def test_concept_maps_of_both_shapes() -> None:
    r4 = read_concept_map(
        {"url": "u", "group": [{"source": "s", "target": "t", "element": [
            {"code": "a", "target": [{"code": "b", "equivalence": "wider"}]}],
            "unmapped": {"mode": "fixed", "code": "x"}}]}
    )  # fmt: skip
    r5 = read_concept_map(
        {"url": "u", "group": [{"source": "s", "target": "t", "element": [
            {"code": "a", "target": [{"code": "b", "relationship": "source-is-narrower-than-target"}]}],
            "unmapped": {"mode": "use-source-code"}}]}
    )  # fmt: skip
    assert r4.groups[0].elements == r5.groups[0].elements
    assert (r4.groups[0].unmapped, r5.groups[0].unmapped) == (("fixed", "x"), ("provided", ""))
    assert [(system, target.code) for system, target in translate(r4, "a")] == [("t", "b")]
    assert translate(r4, "a", "other") == ()
