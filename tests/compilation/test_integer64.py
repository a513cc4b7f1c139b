"""integer64 is a text in JSON and a number in expressions; an integer may be written where it belongs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fhirmap.compilation.maps import compile_map

MAP = """/// url = 'https://a.example/StructureMap/m'
uses "http://hl7.org/fhir/5.0/StructureDefinition/SOURCE" alias From as source
uses "http://hl7.org/fhir/5.0/StructureDefinition/Attachment" alias To as target
group m(source src : From, target tgt : To) { RULE "rule"; }
"""
MODEL = """/// url = 'https://a.example/StructureMap/m'
uses "http://hl7.org/fhir/5.0/StructureDefinition/Attachment" alias To as target
model Row { n : TYPE 0..1 }
group m(source src : Row, target tgt : To) { src.n as v -> tgt.size = RULE "rule"; }
"""
BIG = "9007199254740993"


def made(tmp_path: Path, text: str, record: dict[str, Any]) -> dict[str, Any] | None:
    path = tmp_path / "m.map"
    path.write_text(text, encoding="utf-8")
    result = compile_map(path)(record)
    assert not result.faults
    return result.resource


@pytest.mark.parametrize(
    "rule", ["src.size -> tgt.size", "src.size as v -> tgt.size = v", "src.size as v -> tgt.size = (%v)"]
)
def test_what_is_read_is_written_as_it_is(tmp_path: Path, rule: str) -> None:
    text = MAP.replace("SOURCE", "Attachment").replace("RULE", rule)
    assert made(tmp_path, text, {"size": BIG}) == {"size": BIG}


@pytest.mark.parametrize(
    "rule", ["src.width as v -> tgt.size = v", "src.width -> tgt.size", "src.width as v -> tgt.size = (%v + 0)"]
)
def test_an_integer_is_taken(tmp_path: Path, rule: str) -> None:
    text = MAP.replace("SOURCE", "Attachment").replace("RULE", rule)
    assert made(tmp_path, text, {"width": 12}) == {"size": "12"}


@pytest.mark.parametrize("kind", ["integer64", "integer", "string"])
@pytest.mark.parametrize("rule", ["v", "(%v)", "cast(v, 'integer64')"])
def test_a_column_is_written_as_text(tmp_path: Path, kind: str, rule: str) -> None:
    assert made(tmp_path, MODEL.replace("TYPE", kind).replace("RULE", rule), {"n": "77"}) == {"size": "77"}


def test_a_number_in_an_expression(tmp_path: Path) -> None:
    text = MODEL.replace("TYPE", "integer64").replace("RULE", "(%v + 1)")
    assert made(tmp_path, text, {"n": BIG}) == {"size": "9007199254740994"}
