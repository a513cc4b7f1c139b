"""Literals in the slots that each version has."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhirmap.interchange.structure_map.resource_values import literal_slot
from fhirmap.interchange.structure_map.shapes import PARAMETER_SLOTS
from fhirmap.language.parser import parse_expression


@pytest.mark.parametrize(
    ("text", "version", "slot"),
    [
        ("'a'", "R4", ("valueString", "a")),
        ("''", "R4", None),
        ("5", "R4", ("valueInteger", 5)),
        ("-5", "R4", ("valueInteger", -5)),
        ("5000000000", "R4", None),
        ("-1.50", "R4", ("valueDecimal", Decimal("-1.50"))),
        ("true", "R4", ("valueBoolean", True)),
        ("@2024", "R4", None),
        ("@2024", "R5", ("valueDate", "2024")),
        ("@T10:00:00", "R5", ("valueTime", "10:00:00")),
        ("@T10:00", "R5", None),
        ("@2024T", "R5", ("valueDateTime", "2024")),
        ("a", "R5", None),
        ("5 'mg'", "R5", None),
    ],
)
def test_slots(text: str, version: str, slot: tuple[str, object] | None) -> None:
    expression, diagnostics = parse_expression(text)
    assert expression is not None and not diagnostics
    assert literal_slot(expression, PARAMETER_SLOTS[version]) == slot
