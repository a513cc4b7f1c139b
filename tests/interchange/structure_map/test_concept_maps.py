"""Concept maps as contained resources."""

from __future__ import annotations

from tests.interchange.structure_map.written import (
    codes,
    written,
)

CONCEPT_MAP = """conceptmap "m" {
  prefix s = "urn:s"
  prefix t = "urn:t"
  unmapped for s = provided
  s:a == t:b
  s:a ~ t:c
  s:x --
}"""


def test_concept_maps() -> None:
    (old,) = written("src;", "R4", CONCEPT_MAP).resource["contained"]
    new = written("src;", "R5", CONCEPT_MAP)
    assert old["group"] == [
        {
            "source": "urn:s",
            "target": "urn:t",
            "element": [
                {
                    "code": "a",
                    "target": [{"code": "b", "equivalence": "equivalent"}, {"code": "c", "equivalence": "inexact"}],
                },
                {"code": "x", "target": [{"equivalence": "unmatched"}]},
            ],
            "unmapped": {"mode": "provided"},
        }
    ]
    (group,) = new.resource["contained"][0]["group"]
    assert group["element"][0]["target"][1] == {"code": "c", "relationship": "related-to"}
    assert group["element"][1] == {"code": "x", "noMap": True}
    assert group["unmapped"] == {"mode": "use-source-code"}
    assert codes(new) == ["FM049"]
