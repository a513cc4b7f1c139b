"""The table of base types, parsed type by type."""

from __future__ import annotations

import pytest

from fhirmap.model.fhir import type_names
from fhirmap.runtime.validation.base_types import table_of


@pytest.mark.parametrize("version", ["R4", "R4B", "R5"])
def test_every_type_of_a_release_is_found(version: str) -> None:
    table = table_of(version)
    names = type_names(version)
    assert names
    assert all(table.rows(name) for name in names if name not in ("Base", "Element", "DataType", "PrimitiveType"))
    assert {name for name in names if table.is_resource(name)} == set(type_names(version, "resource"))


def test_backbones_and_what_is_not_there() -> None:
    table = table_of("R4")
    assert {row[0] for row in table.rows("Patient.contact") or ()} >= {"relationship", "name"}
    assert not table.is_resource("Patient.contact")
    assert table.rows("Patient.nothing") is None
    assert table.rows("Pati") is None
    assert not table.is_resource("")
