"""R4's table from definitions: cardinalities, types, targets, the codes of required bindings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tools.r4_tables import lines

TYPES = "http://hl7.org/fhir/StructureDefinition/"


def element(path: str, *types: dict[str, Any], low: int = 0, high: str = "1", **more: object) -> dict[str, Any]:
    return {"path": path, "min": low, "max": high, "type": list(types), **more}


def folder(place: Path) -> Path:
    required = {"strength": "required", "valueSet": "urn:vs|4.0.1"}
    elements = [
        element("Thing"),
        element("Thing.id", {"code": "http://hl7.org/fhirpath/System.String"}, base={"path": "Resource.id"}),
        element("Thing.kind", {"code": "code"}, low=1, binding=required),
        element("Thing.form", {"code": "code"}, binding={**required, "valueSet": "urn:any"}),
        element("Thing.value[x]", {"code": "string"}, {"code": "Quantity"}),
        element("Thing.part", {"code": "BackboneElement"}, high="*"),
        element("Thing.part.of", {"code": "Reference", "targetProfile": [TYPES + "Thing", TYPES + "Resource"]}),
        element("Thing.part.part", high="*", contentReference="#Thing.part"),
    ]
    thing = {
        "resourceType": "StructureDefinition", "name": "Thing", "kind": "resource", "fhirVersion": "4.0.1",
        "derivation": "specialization", "baseDefinition": TYPES + "DomainResource", "snapshot": {"element": elements},
    }  # fmt: skip
    later = {**thing, "name": "Later", "fhirVersion": "5.0.0"}
    heading = {"code": "question", "property": [{"code": "abstract", "valueBoolean": True}]}
    codes = [{"code": "group"}, {**heading, "concept": [{"code": "text"}, {"code": "date"}]}]
    system = {"resourceType": "CodeSystem", "url": "urn:cs", "content": "complete", "concept": codes}
    value_set = {"resourceType": "ValueSet", "url": "urn:vs", "compose": {"include": [{"system": "urn:cs"}]}}
    files: dict[str, list[Any]] = {
        "profiles-types": [],
        "profiles-resources": [later, thing],
        "valuesets": [system, value_set],
    }
    for name, held in files.items():
        bundle = {"resourceType": "Bundle", "entry": [{"resource": entry} for entry in held]}
        (place / f"{name}.json").write_text(json.dumps(bundle), encoding="utf-8")
    return place


def test_a_table_says_what_the_definitions_say(tmp_path: Path) -> None:
    (line,) = lines(folder(tmp_path))
    assert json.loads(line) == [
        "Thing",
        "resource",
        "DomainResource",
        0,
        {
            "Thing": [
                ["id", 0, 1, ["id"], 0, []],
                ["kind", 1, 1, ["code"], ["group", "text", "date"], []],
                ["form", 0, 1, ["code"], 0, []],
                ["value[x]", 0, 1, ["string", "Quantity"], 0, []],
                ["part", 0, 0, ["Thing.part"], 0, []],
            ],
            "Thing.part": [
                ["of", 0, 1, ["Reference"], 0, ["Resource", "Thing"]],
                ["part", 0, 0, ["Thing.part"], 0, []],
            ],
        },
    ]
