"""Resources of one rule, for the tests of the reader."""

from __future__ import annotations

from typing import Any

from fhirmap.interchange.structure_map import (
    structure_map_to_text,
)


def resource(**rule: Any) -> dict[str, Any]:
    group = {"name": "main", "input": [{"name": "src", "mode": "source"}, {"name": "tgt", "mode": "target"}]}
    return {"resourceType": "StructureMap", "url": "http://x/y", "name": "y", "group": [{**group, "rule": [rule]}]}


def line_of(**rule: Any) -> str:
    text, reported = structure_map_to_text(resource(**rule), "y.json")
    assert reported == ()
    return text.splitlines()[4].strip()
