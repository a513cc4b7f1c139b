"""Models as StructureDefinitions: the structure reader takes them for what they say."""

from __future__ import annotations

from fhirmap.interchange.logical_models import model_to_structure_definition
from fhirmap.language.parser import parse
from fhirmap.model.definition import Definitions
from fhirmap.model.fhir import base_types
from fhirmap.model.structuredefinition import read_structure

BASE = "http://example.org/StructureDefinition/"
TEXT = """\
model Stay from table 'S' key 'id' { id : string 1..1  lines : Line 0..*  `a b` : date }
model Line { n : integer }
"""


def test_a_model_as_a_logical_structure() -> None:
    tree, _ = parse(TEXT)
    stay = model_to_structure_definition(tree.models[0], BASE, "R5")
    assert (stay["url"], stay["kind"], stay["fhirVersion"]) == (f"{BASE}Stay", "logical", "5.0.0")
    root, *elements = stay["differential"]["element"]
    assert root["path"] == "Stay"
    assert [(e["path"], e["min"], e["max"], e["type"][0]["code"]) for e in elements] == [
        ("Stay.id", 1, "1", "string"),
        ("Stay.lines", 0, "*", f"{BASE}Line"),
        ("Stay.a b", 0, "1", "date"),
    ]


def test_it_can_be_read_again() -> None:
    tree, _ = parse(TEXT)
    definitions = Definitions(base_types())
    for model in reversed(tree.models):
        definitions.add_structure(read_structure(model_to_structure_definition(model, BASE), definitions))
    found = definitions.structure(f"{BASE}Stay")
    assert found is not None
    elements = definitions.children(found.root)
    assert (elements["id"].minimum, elements["lines"].maximum, elements["lines"].types[0].name) == (1, None, "Line")
