"""The section in the making: private names, constants of JSON, and the order of its parts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhirmap.compiler.plan import ModuleConstant
from fhirmap.compiler.python import Literal
from fhirmap.compiler.validator.section import SectionBuilder, data
from fhirmap.interchange.packages import load_definitions


def builder() -> SectionBuilder:
    return SectionBuilder(load_definitions([])[0], "R4")


@pytest.mark.parametrize(
    "value",
    [None, True, 3, "a'\n", ("a", 1), ["x", {"y": [1, None]}], {"coding": [{"system": "urn:s", "code": "c"}]}, {}, []],
)
def test_json_is_written_as_itself(value: Any) -> None:
    assert eval(str(data(value)), {}) == value


def test_decimals_keep_their_digits() -> None:
    assert str(data({"value": Decimal("1.50")})) == "{'value': Decimal('1.50')}"
    assert str(data(0.1)) == "Decimal('0.1')"


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        data({"value": object()})


@pytest.mark.parametrize("wanted", ["validate", "transform", "TYPES", "places"])
def test_names_that_the_runtime_reads_are_not_given_again(wanted: str) -> None:
    section = builder()
    assert str(section.name(wanted)) == f"_{wanted}_2"
    assert str(section.name("NIR")) == "_NIR"
    assert str(section.name("NIR")) == "_NIR_2"


def test_constants_come_before_what_uses_them() -> None:
    section = builder()
    section.parts.append(ModuleConstant(section.name("SHAPE"), Literal(1)))
    section.tables.append(ModuleConstant(section.name("CODES"), Literal(2)))
    section.constants.add("pattern", Literal(3))
    found = section.finished("urn:x")
    assert [str(part.name) for part in found.parts] == ["_TYPES", "_RULE_pattern_1", "_CODES", "_SHAPE"]
    assert found.title == "Contract: urn:x"
