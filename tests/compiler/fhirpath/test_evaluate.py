"""Plug-in functions in expressions, and expressions as functions of one node."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypedDict

import pytest

from fhirmap.analysis.static import StaticType, primitive
from fhirmap.compiler import python as py
from fhirmap.compiler.fhirpath import ExprScope, compile_expression, function_of, lower_condition, lower_values
from fhirmap.compiler.fhirpath.elements import ElementReader
from fhirmap.compiler.runtime_functions import fp_call
from fhirmap.errors import MapError
from fhirmap.language.parser import parse_expression
from fhirmap.model.definition import Definitions
from fhirmap.model.fhir import base_types
from fhirmap.runtime.functions import function, signature_of

KNOWN = Definitions(base_types("R4"))


class Parts(TypedDict, total=False):
    code: str
    lots: list[str]


@function
def shout(text: str) -> str | None:
    """The text in capitals, nothing for a short one."""
    return text.upper() if len(text) > 1 else None


@function
def label_parts(text: str) -> Parts:
    """The parts of a label."""
    code, _, lots = text.partition(":")
    return {"code": code, "lots": lots.split(",")} if lots else {"code": code}


@function
def pieces(text: str, mark: str) -> list[str]:
    """The pieces of a text."""
    return text.split(mark)


MARKED: tuple[Callable[..., Any], ...] = (shout, label_parts, pieces)
FUNCTIONS = {entry.name: entry for entry in map(signature_of, MARKED)}


def values(text: str, value: str | None) -> list[Any]:
    # The generated code imports a plug-in's function from its module: here that is this test.
    sys.modules.setdefault(__name__, sys.modules[shout.__module__])
    tree, _ = parse_expression(text)
    assert tree is not None
    scope = ExprScope(
        KNOWN, None, variables={"v": (py.Name("focus"), primitive("string", "optional"))}, functions=FUNCTIONS
    )
    found: list[Any] = function_of(lower_values(tree, scope), scope)(value)
    return found


@pytest.mark.parametrize(
    ("text", "value", "wanted"),
    [
        ("shout(%v)", "ab", ["AB"]),
        ("%v.shout()", "ab", ["AB"]),
        ("%v.shout()", "a", []),
        ("%v.shout()", None, []),
        ("shout(%v & 'x')", "a", ["AX"]),
        ("shout(%v | 'xy').exists()", None, [True]),
        ("labelParts(%v).code", "C:L1,L2", ["C"]),
        ("labelParts(%v).lots", "C:L1,L2", ["L1", "L2"]),
        ("labelParts(%v).lots.first()", "C:L1,L2", ["L1"]),
        ("labelParts(%v).lots", "C", []),
        ("labelParts(%v).where(code = 'C').lots.count()", "C:L1,L2", [2]),
        ("%v.pieces('-')", "a-b", ["a", "b"]),
        ("pieces(%v, '-').select($this & '!')", "a-b", ["a!", "b!"]),
        ("pieces(%v, '-').count() = 2 and shout(%v) = 'A-B'", "a-b", [True]),
        ("v.shout()", "ab", ["AB"]),
    ],
)
def test_plug_in_functions(text: str, value: str | None, wanted: list[Any]) -> None:
    assert values(text, value) == wanted


def test_plug_in_is_imported_by_its_own_name() -> None:
    tree, _ = parse_expression("shout(%v) = 'AB'")
    assert tree is not None
    scope = ExprScope(KNOWN, None, variables={"v": (py.Name("v"), primitive("string"))}, functions=FUNCTIONS)
    code = lower_condition(tree, scope).code
    (found,) = [entry for entry in code.uses if entry.name == "shout"]
    assert found.module == shout.__module__ and found.alias
    assert found.local in str(code)


PARAMETERS: dict[str, Any] = {
    "resourceType": "Parameters",
    "parameter": [
        {
            "name": "typeProcedure",
            "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "19063003"}]},
        },
        {"name": "dateIntervention", "valueDateTime": "2025-03-15"},
        {"name": "implants", "part": [{"name": "lot", "valueString": "L1"}]},
        {"name": "implants", "part": []},
    ],
}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("parameter.where(name = 'typeProcedure').value.coding.code", ["19063003"]),
        ("parameter.where(name = 'dateIntervention').value", ["2025-03-15"]),
        ("parameter.where(name = 'implants').count()", [2]),
        ("parameter.where(name = 'peType').value.coding.code", []),
        ("parameter.where(name = 'dateIntervention').value + 1 month", ["2025-04-15"]),
        ("Parameters.parameter.part.value.ofType(string)", ["L1"]),
        ("parameter.part.where(name = 'lot').valueString", ["L1"]),
        ("descendants().where($this is string).count() > 0", [True]),
    ],
)
def test_columns_of_a_project(text: str, wanted: list[Any]) -> None:
    assert compile_expression(text, "Parameters", KNOWN)(PARAMETERS) == wanted


@pytest.mark.parametrize(("text", "code"), [("parameter.nam", "FM250"), ("parameter.where(", "FM001")])
def test_wrong_columns_are_refused_at_once(text: str, code: str) -> None:
    with pytest.raises(MapError) as caught:
        compile_expression(text, "Parameters", KNOWN)
    assert code in [entry.code for entry in caught.value.diagnostics] or code == "FM001"


def test_evaluation_changes_nothing() -> None:
    before = repr(PARAMETERS)
    compile_expression("parameter.part.sort(name).select(value) | parameter.skip(1)", "Parameters", KNOWN)(PARAMETERS)
    assert repr(PARAMETERS) == before


def test_untyped_data_is_read_too() -> None:
    tree, _ = parse_expression("items.where(code = 'a').value.amount > 1")
    assert tree is not None
    scope = ExprScope(KNOWN, StaticType(frozenset(), "many", False))
    test = function_of(lower_condition(tree, scope), scope)
    assert test([{"items": [{"code": "a", "value": {"amount": 2}}, {"code": "b", "value": {"amount": 0}}]}])
    assert not test([{"items": []}])


def test_references_are_found_inside_the_resource_also_in_a_map() -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "contained": [{"resourceType": "Observation", "id": "o", "status": "final"}],
        "result": [{"reference": "#o"}, {"reference": "#p"}, {"reference": "Observation/9"}],
    }
    tree, _ = parse_expression("result.resolve().ofType(Observation).status")
    root = KNOWN.type_ref("DiagnosticReport")
    assert tree is not None and root is not None
    scope = ExprScope(KNOWN, StaticType(frozenset((root,)), "one", True), environment=fp_call("EvaluationContext"))
    assert function_of(lower_values(tree, scope), scope)(report) == ["final"]


def test_what_repeats_without_end_is_a_fault() -> None:
    from fhirmap.errors import TransformFailed

    tree, _ = parse_expression("1.repeatAll(2)")
    assert tree is not None
    scope = ExprScope(KNOWN, StaticType(frozenset(), "many", False))
    with pytest.raises(TransformFailed, match="FM433"):
        function_of(lower_values(tree, scope), scope)([])


BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "entry": [
        {
            "resource": {
                "resourceType": "Patient",
                "id": "p",
                "name": [{"family": "A"}, {"given": ["B"]}, {"family": "C"}],
            }
        },
        {"fullUrl": "urn:x:none"},
        {"resource": {"resourceType": "Observation", "id": "o", "valueQuantity": {"value": 5}}},
        {"resource": {"resourceType": "Observation", "valueString": "x", "code": {"coding": [{"code": "c"}]}}},
        {"resource": {"resourceType": "Practitioner", "name": [{"family": "D"}]}},
    ],
}
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "contained": [{"resourceType": "Organization", "name": "O"}, {"resourceType": "Group", "name": "G"}],
}


@pytest.mark.parametrize(
    ("text", "found", "by_items"),
    [
        ("entry.resource.ofType(Patient).name.family", ["A", "C"], False),
        ("Bundle.entry.resource.ofType(Observation).id", ["o"], False),
        ("entry.resource.ofType(Observation).count()", [2], False),
        ("entry.resource.ofType(Observation).where(code.coding.code = 'c').value.ofType(string)", ["x"], False),
        ("entry.where(fullUrl.exists()).resource.ofType(Patient).name.family", [], False),
        ("entry.resource.ofType(Encounter).id", [], False),
        ("entry.resource.ofType(DomainResource).id", ["p", "o"], True),
        ("entry.resource.where($this is Patient).id", ["p"], True),
    ],
)
def test_resources_of_one_type_are_found_by_what_they_say(
    text: str, found: list[Any], by_items: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = compile_expression(text, "Bundle", KNOWN)
    assert compiled(BUNDLE) == found
    assert compiled({"resourceType": "Bundle"}) == ([0] if text.endswith("count()") else [])
    assert ("member" in compiled.__code__.co_names) is by_items
    monkeypatch.setattr(ElementReader, "resources", lambda *_: None)
    assert compile_expression(text, "Bundle", KNOWN)(BUNDLE) == found


def test_contained_resources_of_one_type() -> None:
    assert compile_expression("contained.ofType(Organization).name", "Patient", KNOWN)(PATIENT) == ["O"]
