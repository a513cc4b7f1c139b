"""Names for the entries of a Bundle."""

from __future__ import annotations

import uuid

from fhirmap.functions.bundle import numbered_uuid


def test_they_are_uuids_and_all_different() -> None:
    names = [numbered_uuid(number) for number in range(50)]
    assert len(set(names)) == 50
    assert {uuid.UUID(name).version for name in names} == {4}
    assert numbered_uuid(12) == "urn:uuid:00000000-0000-4000-8000-000000000012"
