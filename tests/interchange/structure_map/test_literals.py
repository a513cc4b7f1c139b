"""Values of a resource as expressions."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhirmap.diagnostics import Diagnostic
from fhirmap.interchange.structure_map.literals import argument, expression_of, literal, path, variable_or_literal
from fhirmap.interchange.structure_map.resource_part import ResourcePart
from fhirmap.language.expression_text import expression_to_text


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("String", "it's", r"'it\'s'"),
        ("Boolean", True, "true"),
        ("Integer", -3, "-3"),
        ("Decimal", Decimal("-1.50"), "-1.50"),
        ("Decimal", 1, "1"),
        ("Date", "2024-05", "@2024-05"),
        ("DateTime", "2024", "@2024T"),
        ("Time", "10:11:12", "@T10:11:12"),
    ],
)
def test_primitives(kind: str, value: object, text: str) -> None:
    found = literal(kind, value)
    assert found is not None
    assert expression_to_text(found) == text


@pytest.mark.parametrize(
    ("kind", "value"), [("Coding", {"code": "a"}), ("Date", "soon"), ("Integer", True), ("Range", "x")]
)
def test_what_is_no_literal(kind: str, value: object) -> None:
    assert literal(kind, value) is None


def test_names_and_paths() -> None:
    assert expression_to_text(path(["a", "b", "c d"])) == "a.b.`c d`"
    assert variable_or_literal("'x'").text == "'x'"
    assert variable_or_literal("-5").text == "-5"
    assert variable_or_literal("a b").text == "`a b`"


def test_a_wrong_expression_is_reported_with_its_path() -> None:
    diagnostics: list[Diagnostic] = []
    part = ResourcePart({"condition": "a +", "check": 5, "valueQuantity": {}}, "rule[0]", diagnostics, "m.json")
    assert expression_of(part, "condition") is not None
    assert expression_of(part, "logMessage") is None
    assert argument(part).text == "{}"
    assert [(entry.variant, entry.args["path"]) for entry in diagnostics] == [
        ("expression", "rule[0].condition"),
        ("parameter", "rule[0].valueQuantity"),
    ]
