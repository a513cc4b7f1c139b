"""Metadata lines and the elements of the header."""

from __future__ import annotations

from tests.interchange.structure_map.written import (
    codes,
    written,
)


def test_metadata_goes_to_its_elements() -> None:
    head = """/// experimental = 'true'
/// version = 1.0
/// jurisdiction.coding.system = 'urn:iso:std:iso:3166'
/// jurisdiction.coding.code = 'AQ'
/// jurisdiction =
/// jurisdiction.coding.code = 'FR'
/// contact.telecom.value = 'a@b'
/// contact.telecom.value = 'c@d'
/// contact.telecom.rank = 2
/// copyrightLabel = 'mine'
"""
    found = written("src;", "R4", head)
    assert codes(found) == ["FM045version"]
    assert {name: found.resource[name] for name in ("experimental", "version", "jurisdiction", "contact")} == {
        "experimental": True,
        "version": "1.0",
        "jurisdiction": [
            {"coding": [{"system": "urn:iso:std:iso:3166", "code": "AQ"}]},
            {"coding": [{"code": "FR"}]},
        ],
        "contact": [{"telecom": [{"value": "a@b"}, {"value": "c@d", "rank": 2}]}],
    }
    assert list(found.resource)[:6] == ["resourceType", "id", "url", "version", "name", "status"]


def test_metadata_that_no_element_holds() -> None:
    head = "/// author = 'x'\n/// title =\n/// title = 'a'\n/// title = 'b'\n/// group.name = 'x'\n"
    found = written("src;", "R5", head)
    assert codes(found) == ["FM045", "FM045empty", "FM045twice", "FM045"]
    assert found.resource["title"] == "b"
