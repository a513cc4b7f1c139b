"""FHIR XML read into JSON shape."""

from __future__ import annotations

from decimal import Decimal
from xml.etree import ElementTree

import pytest

from fhirmap.interchange.xml_reader import read_xml
from fhirmap.model.definition import Definitions
from fhirmap.model.fhir import base_types

KNOWN = Definitions(base_types("R4"))


def test_resource_with_everything_that_json_writes_otherwise() -> None:
    text = """<?xml version="1.0" encoding="UTF-8"?>
    <Patient xmlns="http://hl7.org/fhir"><!-- a comment -->
      <id value="p"/>
      <text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p>a &amp; b</p></div></text>
      <contained><Basic><id value="b"/><code><text value="x"/></code></Basic></contained>
      <extension url="http://x"><valueQuantity><value value="1.50"/></valueQuantity></extension>
      <active value="true"/>
      <name><given value="Anne"/><given id="g2"><extension url="u"><valueCode value="n"/></extension></given></name>
      <birthDate value="1984-05"><extension url="t"><valueDateTime value="1984-05-01"/></extension></birthDate>
      <multipleBirthInteger value="2"/>
    </Patient>"""
    assert read_xml(text.encode(), KNOWN) == {
        "resourceType": "Patient",
        "id": "p",
        "text": {
            "status": "generated",
            "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>a &amp; b</p></div>',
        },
        "contained": [{"resourceType": "Basic", "id": "b", "code": {"text": "x"}}],
        "extension": [{"url": "http://x", "valueQuantity": {"value": Decimal("1.50")}}],
        "active": True,
        "name": [
            {
                "given": ["Anne", None],
                "_given": [None, {"id": "g2", "extension": [{"url": "u", "valueCode": "n"}]}],
            }
        ],
        "birthDate": "1984-05",
        "_birthDate": {"extension": [{"url": "t", "valueDateTime": "1984-05-01"}]},
        "multipleBirthInteger": 2,
    }


def test_decimals_keep_their_digits() -> None:
    text = (
        '<Observation xmlns="http://hl7.org/fhir"><valueQuantity><value value="1.500"/></valueQuantity></Observation>'
    )
    assert str(read_xml(text, KNOWN)["valueQuantity"]["value"]) == "1.500"


def test_what_definitions_do_not_know_is_kept() -> None:
    text = (
        '<Patient xmlns="http://hl7.org/fhir"><odd value="1"/><odd value="2"/><shape><a value="x"/></shape></Patient>'
    )
    assert read_xml(text, KNOWN) == {"resourceType": "Patient", "odd": ["1", "2"], "shape": {"a": "x"}}


def test_no_xml_is_an_error() -> None:
    with pytest.raises(ElementTree.ParseError):
        read_xml("<Patient", KNOWN)
