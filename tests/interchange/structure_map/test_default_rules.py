"""The short forms of a rule, recognised in a resource."""

from __future__ import annotations

from typing import Any

from fhirmap.interchange.structure_map.default_rules import Batch, batch_at, is_default_rule
from fhirmap.interchange.structure_map.resource_part import ResourcePart


def default(element: str, name: str, target: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "source": [{"context": "src", "element": element, "variable": "vvv"}],
        "target": [{"context": "tgt", "element": target or element, "variable": "vvv", "transform": "create"}],
        **more,
    }


def parts(*rules: dict[str, Any]) -> list[ResourcePart]:
    return [ResourcePart(rule, "", [], "m.json") for rule in rules]


def test_one_rule() -> None:
    assert is_default_rule(default("a", "a", "b"))
    assert not is_default_rule(default("a", "a", rule=[{}]))
    assert not is_default_rule({"source": [{"element": "a"}], "target": [{"element": "a"}]})
    assert not is_default_rule({"source": "x", "target": None})


def test_a_batch_is_two_rules_of_one_prefix() -> None:
    rules = parts(default("a", "xa"), default("b", "xb"), default("c", "yc"))
    assert batch_at(rules, 0) == Batch("x", "src", "tgt", ("a", "b"))
    assert batch_at(rules, 1) is None
    assert batch_at(parts(default("a", "unnameda")), 0) == Batch("unnamed", "src", "tgt", ("a",))


def test_what_ends_a_batch() -> None:
    documented = default("b", "xb", documentation="of b")
    assert batch_at(parts(default("a", "xa"), documented, default("c", "xc")), 0) is None
    assert batch_at(parts(default("a", "xa"), default("b", "xb", "other")), 0) is None
