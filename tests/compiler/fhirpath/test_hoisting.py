"""The registry's invariants over generated declarations, against another engine; hoisting changes no answer."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import fhirpathpy

from fhirmap.analysis.static import StaticType
from fhirmap.compiler import python as py
from fhirmap.compiler.fhirpath import ExprScope, PythonExpr, expression_key, function_of, hoist, lower_condition
from fhirmap.language.nodes import FPExpr
from fhirmap.language.parser import parse_expression
from fhirmap.model.definition import Definitions
from fhirmap.model.fhir import base_types

SCT = "http://snomed.info/sct"
KNOWN = Definitions(base_types("R4"))


def has(code: str) -> str:
    coding = f"system = '{SCT}' and code = '{code}'"
    return f"parameter.where(name = 'typeProcedure').value.coding.where({coding}).exists()"


COUNT = "parameter.where(name = 'implants').count()"
TYPES = "parameter.where(name = 'implants').part.where(name = 'type').value.coding"
INVARIANTS = [
    f"{has('19063003')} implies ({COUNT} >= 3 and {COUNT} <= 5)",
    f"{has('47458005')} implies ({COUNT} >= 2 and {COUNT} <= 6)",
    f"{has('239468007')} implies ({COUNT} >= 4 and {COUNT} <= 5)",
    f"{has('609588000')} implies {TYPES}.all(code = 'PG_FEMORAL' or code = 'PG_BASETIBIALE' or code = 'FIXATION')",
    f"{has('52734007')} implies {TYPES}.all(code in ('PH_TIGE' | 'PH_COL' | 'FIXATION'))",
    "(parameter.where(name = 'peType').exists() and parameter.where(name = 'peType').count()<=1) implies "
    + has("239468007"),
    "parameter.where(name = 'implants').all(part.where(name = 'lot').exists())",
    "parameter.where(name = 'nir').value.matches('^[12][0-9]{14}$')",
    "parameter.where(name = 'nir').value.matches('^[12][0-9]{14}$') implies parameter.where(name = 'peType').exists()",
    "parameter.where(name = 'implants').part.where(name = 'udi').value.isDistinct()",
    "parameter.name contains 'nir' and parameter.where(value.empty() and part.empty() and resource.empty()).empty()",
]


def declaration(chance: random.Random) -> dict[str, Any]:
    """A declaration with anything odd that a map could write."""

    def concept(codes: list[str]) -> dict[str, Any]:
        return {
            "coding": [
                {"system": chance.choice([SCT, SCT, SCT, "urn:x"]), "code": chance.choice(codes)}
                for _ in range(chance.randint(0, 2))
            ]
        }

    parameters: list[dict[str, Any]] = []
    if chance.random() < 0.8:
        parameters.append({"name": "nir", "valueString": chance.choice(["184051012345678", "384051012345678", "1840"])})
    procedures = ["19063003", "47458005", "239468007", "609588000", "52734007"]
    for _ in range(chance.choice([0, 1, 1, 1, 2])):
        parameters.append({"name": "typeProcedure", "valueCodeableConcept": concept(procedures)})
    for _ in range(chance.choice([0, 0, 1, 2])):
        parameters.append({"name": "peType", "valueCodeableConcept": concept(["ANATOMIQUE", "INVERSE"])})
    for _ in range(chance.randint(0, 7)):
        parts: list[dict[str, Any]] = [{"name": "udi", "valueString": chance.choice(["u1", "u2", "u3"])}]
        if chance.random() < 0.8:
            parts.append({"name": "lot", "valueString": "L"})
        parts.append({"name": "type", "valueCodeableConcept": concept(["PG_FEMORAL", "PH_TIGE", "FIXATION"])})
        parameters.append({"name": "implants", "part": parts})
    if chance.random() < 0.2:
        parameters.append({"name": "note"})
    chance.shuffle(parameters)
    return {"resourceType": "Parameters", "parameter": parameters}


def trees() -> list[FPExpr]:
    found = [parse_expression(text)[0] for text in INVARIANTS]
    return [entry for entry in found if entry is not None]


def scope() -> ExprScope:
    ref = KNOWN.type_ref("Parameters")
    assert ref is not None
    return ExprScope(KNOWN, StaticType(frozenset((ref,)), "one", True), py.Name("resource"))


def oracle(text: str) -> Callable[[dict[str, Any]], bool]:
    """The other engine's answer; it parses the text once."""
    evaluate: Callable[..., Any] = fhirpathpy.compile(text, _model())

    def holds(resource: dict[str, Any]) -> bool:
        found = evaluate(resource)
        return found == [True] or (len(found) > 0 and not isinstance(found[0], bool))

    return holds


def _model() -> Any:
    from fhirpathpy.models import models

    return models["r4"]


def test_same_answers_as_another_engine() -> None:
    chance = random.Random(20250519)
    resources = [declaration(chance) for _ in range(100)]
    for text, expression in zip(INVARIANTS, trees(), strict=True):
        seen = scope()
        test = function_of(lower_condition(expression, seen), seen)
        answers = [bool(test(resource)) for resource in resources]
        assert answers == list(map(oracle(text), resources)), text
        assert len(set(answers)) == 2, f"the generated declarations do not differ: {text}"


def test_hoisting_changes_no_answer() -> None:
    chance = random.Random(7)
    single = []
    for expression in trees():
        seen = scope()
        single.append(function_of(lower_condition(expression, seen), seen))
    statements, inner = hoist(trees(), scope())
    codes = [py.builtin("bool", lower_condition(expression, inner).code) for expression in trees()]
    together = function_of(PythonExpr(py.ListOf(tuple(codes)), statements=tuple(statements)), inner)
    for _ in range(200):
        resource = declaration(chance)
        assert together(resource) == [bool(test(resource)) for test in single]


def test_shared_collections_are_computed_once() -> None:
    statements, inner = hoist(trees()[:3], scope())
    names = {expression_key(node): str(name) for node, (name, _) in inner.hoisted.items()}
    assert names["parameter.where(name = 'implants')"] == "implants_1"
    assert py.Name("implants_1") in [line.targets[0] for line in statements if isinstance(line.value, py.Comprehension)]
    code = str(lower_condition(trees()[0], inner).code)
    assert "len(implants_1) >= 3" in code
    assert "resource" not in code


def test_a_pattern_is_searched_once() -> None:
    number = "$this.matches('^[0-9]{11}$')"
    parsed = [parse_expression(text)[0] for text in (number, f"{number} implies $this.startsWith('1')")]
    first, second = (tree for tree in parsed if tree is not None)
    ref = KNOWN.type_ref("string")
    assert ref is not None
    statements, inner = hoist([first, second], ExprScope(KNOWN, StaticType(frozenset((ref,)), "one", True)))
    assert [str(line.targets[0]) for line in statements] == ["matches_1"]
    codes = [py.builtin("bool", lower_condition(tree, inner).code) for tree in (first, second)]
    assert all("matches_1" in str(code) and "fullmatch" not in str(code) for code in codes)
    together = function_of(PythonExpr(py.ListOf(tuple(codes)), statements=tuple(statements)), inner)
    for text, answers in (("10000000000", [True, True]), ("20000000000", [True, False]), ("1", [False, True])):
        assert together(text) == answers


def test_several_looks_for_one_coding_share_a_set() -> None:
    statements, inner = hoist(trees()[:5], scope())
    (name,) = inner.key_sets.values()
    assert statements[-1].targets == (name,) and str(statements[-1].value).startswith("{(")
    assert str(lower_condition(trees()[3], inner).code).startswith(f"('609588000', '{SCT}') not in {name} or all(")
    assert not hoist(trees()[:2], scope())[1].key_sets
