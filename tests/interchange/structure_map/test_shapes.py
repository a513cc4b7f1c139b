"""Elements of the header, and relations of both shapes."""

from __future__ import annotations

from fhirmap.interchange.structure_map.shapes import (
    HEADER,
    HEADER_ORDER,
    NEAREST_R5,
    RELATION_TOKENS,
    RELATIONS_R4,
    RELATIONS_R5,
    header_element,
)


def test_types_of_header_elements_are_known_or_primitive() -> None:
    complex_types = {
        element.type for elements in HEADER.values() for element in elements.values() if element.type[0].isupper()
    }
    assert complex_types <= HEADER.keys()
    assert set(HEADER["StructureMap"]) <= {*HEADER_ORDER, "url"}


def test_elements_by_name() -> None:
    contact = header_element("StructureMap", "contact")
    assert contact is not None
    assert (contact.type, contact.repeats) == ("ContactDetail", True)
    assert header_element("StructureMap", "colour") is None
    label = header_element("StructureMap", "copyrightLabel")
    assert label is not None and label.since_r5
    extended = header_element("StructureMap", "_status")
    assert extended is not None and extended.type == "Extended"
    value = header_element("Extension", "valueCode")
    assert value is not None and value.type == "literal"


def test_every_relation_has_a_code_in_each_version() -> None:
    assert {*RELATIONS_R5, *NEAREST_R5} >= set(RELATIONS_R4)
    assert set(NEAREST_R5.values()) <= set(RELATIONS_R5)
    assert all(RELATION_TOKENS[code] == token for token, code in RELATIONS_R5.items())
