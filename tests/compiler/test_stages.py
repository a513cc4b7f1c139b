"""`_transform`: the way of one record, with a net beside those of the rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import fhirmap
from fhirmap.errors import TransformFailed
from fhirmap.runtime.context import Inputs
from tests.compiler.generated import MODEL, PART, PATIENT, body_of, compiled

RULE = "  src.a as v -> tgt.id = v;"


def test_the_way_of_a_record_that_a_model_reads() -> None:
    assert body_of(compiled(RULE), "_transform") == (
        "if not strict:\n"
        "    result = _in_one_pass(row)\n"
        "    if result is not None:\n"
        "        return result\n"
        "run = _Run()\n"
        "if strict:\n"
        "    run.caught = ()\n"
        "try:\n"
        "    source = _read(row, run.faults)\n"
        "except run.caught as error:\n"
        "    run.abandon(error)\n"
        "    return run.result({}, _places)\n"
        "if run.faults:\n"
        "    source = watched(source, run.faults, 0)\n"
        "resource = {'resourceType': 'Patient'}\n"
        "try:\n"
        "    g(source, resource, run)\n"
        "except run.caught as error:\n"
        "    run.abandon(error)\n"
        "if len(resource) == 1 and not run.failed:\n"
        "    return run.nothing(source)\n"
        "return run.result(resource, _places)"
    )


def test_two_stages(tmp_path: Path) -> None:
    first = PATIENT + MODEL + PART + "group g(source src : Row, target tgt : Patient) { src.a as v -> tgt.id = v; }\n"
    second = (
        'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source\n'
        'uses "http://hl7.org/fhir/StructureDefinition/Basic" alias Basic as target\n'
        "group h(source src : Patient, target tgt : Basic) { src.id as v -> tgt.id = v; }\n"
    )
    files = tmp_path / "first.map", tmp_path / "second.map"
    for file, text in zip(files, (first, second), strict=True):
        file.write_text(text, encoding="utf-8")
    transformer = fhirmap.compile_map(*files, validate=False)
    assert transformer({"a": "x"}).resource == {"resourceType": "Basic", "id": "x"}
    assert transformer({}).resource is None
    assert "stage_1 = {'resourceType': 'Patient'}" in transformer.source


def nested(depth: int) -> dict[str, Any]:
    inner: dict[str, Any] = {"x": "end"}
    for _ in range(depth):
        inner = {"sub": [inner]}
    return inner


def test_a_record_nested_deeper_than_python_goes_is_a_fault_of_that_record() -> None:
    transformer = fhirmap.compile_map(
        PATIENT + "model Row { x : string sub : Row 0..* }\n"
        "group g(source src : Row, target tgt : Patient) { src.x as v -> tgt.id = v; src.sub as s then g(s, tgt); }\n",
        validate=False,
    )
    result = transformer(nested(5000))
    assert [(fault.code, fault.args) for fault in result.faults] == [("FM414", {"kind": "RecursionError"})]
    assert not result.valid
    assert transformer(nested(5)).resource == {"resourceType": "Patient", "id": "end"}


def test_a_resource_nested_deeper_than_python_goes_is_a_fault_of_its_validation() -> None:
    transformer = fhirmap.compile_map(
        PATIENT + "group g(source src, target tgt : Patient) { src.x as v -> tgt.id = v; }\n"
    )
    extension: dict[str, Any] = {"url": "urn:x", "valueString": "v"}
    for _ in range(5000):
        extension = {"url": "urn:x", "extension": [extension]}
    result = transformer.validate({"resourceType": "Patient", "extension": [extension]})
    assert "FM414" in {fault.code for fault in result.faults}


def test_a_group_may_be_called_as_any_name_of_a_generated_module() -> None:
    words = (
        "transform", "validate", "read", "places", "marks", "read_row", "source", "resource", "stage_1", "run", "fp",
        "Decimal", "faults", "row", "strict", "error", "globals", "MARKS", "Visit", "Run", "cast", "_transform",
    )  # fmt: skip
    for word in words:
        transformer = fhirmap.compile_map(
            PATIENT + "model Row { a : decimal }\n"
            f"group {word}(source src : Row, target tgt : Patient) {{\n"
            f"  src.a as v where (v * 1.5 > 2.0) -> tgt.id = v then inner_{word}(src, tgt);\n"
            "}\n"
            f"group inner_{word}(source src : Row, target tgt : Patient) {{ src.a as v -> tgt.language = v; }}\n"
        )
        result = transformer({"a": "2"})
        assert result.resource == {"resourceType": "Patient", "id": "2", "language": "2"}, word
        assert transformer.read({"a": "2"}).values == {"a": 2}
        assert set(transformer.places) == {"Patient.id", "Patient.language"}
        assert transformer.validate({"resourceType": "Patient", "id": "x"}).valid


def test_an_input_that_is_absent_is_the_callers_mistake() -> None:
    transformer = fhirmap.compile_map(
        "group merge(source left, source right, target tgt) { left.a as v -> tgt.a = v; right.b as v -> tgt.b = v; }\n",
        validate=False,
    )
    assert transformer(Inputs(left={"a": 1}, right={"b": 2})).resource == {"a": 1, "b": 2}
    with pytest.raises(TransformFailed) as caught:
        transformer(Inputs(left={"a": 1}))
    assert caught.value.code == "FM458"
