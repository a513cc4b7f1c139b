"""What rules make of a model's texts."""

from __future__ import annotations

import pytest

from fhirmap.analysis.text_uses import text_uses
from fhirmap.compilation.program import check_maps

MODELS = """
conceptmap "sides" { prefix s = "urn:s" prefix t = "urn:t" s:VRAI == t:L }
model Stay from csv key 'id' { id : string 1..1  day : string 0..1  flag : string 0..1  poses : Pose 0..* lines }
model Pose { lot : string 0..1  expiry : string 0..1  cemented : string 0..1 }
"""


def uses(rules: str) -> tuple[list[str], list[str]]:
    """Names of the elements that are dates, and of those that are flags."""
    text = f"{MODELS}group g(source src : Stay, target tgt) {{\n{rules}\n}}\n"
    checked = check_maps(text).checked
    places = {entry.span.position: entry.name for use in checked.declared_models() for entry in use.node.elements}
    found = text_uses(checked)
    return sorted(places[place] for place in found.dates), sorted(places[place] for place in found.flags)


@pytest.mark.parametrize(
    ("rules", "dates", "flags"),
    [
        ("src.day as d -> tgt.day = d;", [], []),
        ("src.day as d -> tgt.day = toDate(d, 'dd/MM/yyyy');", ["day"], []),
        ("src.day as d -> tgt.day = dateIn(d, 'dd/MM/yyyy');", ["day"], []),
        ("src.day as d where ($this.toDate().exists()) -> tgt.id = 'x';", ["day"], []),
        ("src -> tgt.day = (%src.day.toDate());", ["day"], []),
        ("src.poses as p then { p.expiry as e, p.lot as l -> tgt.day = toDate(e, 'dd/MM/yyyy'), tgt.lot = l; };",
         ["expiry"], []),
        ("src where (poses.expiry.toDate() < today()) -> tgt.id = 'x';", ["expiry"], []),
        ("src.flag as f -> tgt.flag = translate(f, '#sides', 'code');", [], ["flag"]),
        ("src.poses as p where (cemented = 'Vrai') -> tgt.lot = p.lot;", [], ["cemented"]),
        ("src.flag as f where ($this != 'X') -> tgt.id = f;", [], []),
    ],
)  # fmt: skip
def test_uses(rules: str, dates: list[str], flags: list[str]) -> None:
    assert uses(rules) == (dates, flags)


def test_a_value_of_an_element_that_is_a_date() -> None:
    text = """uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target
group p(source src : Stay, target tgt : Patient) { src.day as d -> tgt.birthDate = d; }
"""
    checked = check_maps(f"{text.partition(chr(10))[0]}\n{MODELS}{text.partition(chr(10))[2]}").checked
    assert len(text_uses(checked).dates) == 1
