"""Names of a generated module: each exists where it is imported from, and no variable of a map can hide one."""

from __future__ import annotations

import pytest

import fhirmap

WORDS = ("run", "error", "fp", "cc", "translate", "re", "src_2", "value", "assign", "MARKS", "transform", "print", "g")


@pytest.mark.parametrize("word", WORDS)
def test_a_map_may_call_its_variables_as_it_likes(word: str) -> None:
    """A group and a variable of one name, a variable called as a function of the runtime, as Python's own words."""
    transformer = fhirmap.compile_map(
        'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target\n'
        "model In { a : string b : string }\n"
        f"group {word}(source {word} : In, target tgt : Patient) {{\n"
        f"  {word}.a as {word} -> tgt.id = {word}, tgt.maritalStatus = cc('urn:s', {word}) then h({word}, tgt);\n"
        f"  {word}.b as it2, {word}.a as it -> tgt.language = append(it, '-', it2);\n"
        f"  {word}.b as {word} where (toInteger() > 1) -> tgt.implicitRules = {word};\n"
        f"  {word}.b as {word} check (length() < 3) then {{ {word} -> tgt.birthDate = toDate({word}, 'yyyy'); }};\n"
        f"  {word}.a as a -> tgt.active = true;\n"
        "}\n"
        "group h(source src, target tgt : Patient) { src as v -> tgt.gender = v; }\n",
        validate=False,
    )
    found = transformer({"a": "x", "b": "7"})
    assert [fault.code for fault in found.faults] == ["FM451"]
    assert found.resource == {
        "resourceType": "Patient",
        "id": "x",
        "maritalStatus": {"coding": [{"system": "urn:s", "code": "x"}]},
        "gender": "x",
        "language": "x-7",
        "implicitRules": "7",
        "active": True,
    }
