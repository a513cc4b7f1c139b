"""Addresses of terminologies and object identifiers of registers, and what only looks like them."""

from __future__ import annotations

import pytest

from fhirmap.texts.public_names import public_names
from fhirmap.texts.shown_keys import looks_personal


@pytest.mark.parametrize(
    "name",
    [
        "http://hl7.org/fhir/StructureDefinition/Patient",
        "https://mos.esante.gouv.fr/NOS/TRE_R85-CCAM",
        "http://snomed.info/sct",
        "1.2.250.1.213.1.4.10",
        "2.16.840.1.113883.6.96",
    ],
)
def test_names_that_are_public(name: str) -> None:
    assert list(public_names(f"({name}|x)")) == [(1, 1 + len(name))]
    assert not looks_personal(name)


@pytest.mark.parametrize(
    "name",
    [
        "http://evilhl7.org/x",
        "http://hl7.org@other.example/x",
        "http://other.example/hl7.org",
        "2.16.05.10.123.456",
        "1.22.50.12.131.410",
        "1.2.250.1.213.2840510123456",
        "1.2.250.1.213.2.84.05.10.123.456",
        "31.2.250.1.4",
    ],
)
def test_names_that_are_not(name: str) -> None:
    assert list(public_names(name)) == []
