"""Any expression that parses is typed, lowered and run without an exception but ours, and both lowerings agree."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhirmap.analysis.expression import infer_expression
from fhirmap.analysis.expression_functions import FUNCTIONS
from fhirmap.analysis.static import StaticType
from fhirmap.compiler.fhirpath import ExprScope, compile_items
from fhirmap.compiler.fhirpath.tables import ElementsRead, table_code
from fhirmap.errors import TransformFailed
from fhirmap.language.parser import parse_expression
from fhirmap.model.definition import Definitions, TypeRef
from fhirmap.model.fhir import base_types
from fhirmap.runtime import fhirpath as fp

KNOWN = Definitions(base_types("R4"))
_ROOT = KNOWN.type_ref("Patient")
assert _ROOT is not None
ROOT: TypeRef = _ROOT
PATIENTS: list[dict[str, Any]] = [
    {"resourceType": "Patient"},
    {
        "resourceType": "Patient",
        "id": "p",
        "active": True,
        "gender": "female",
        "birthDate": "1984-05",
        "multipleBirthInteger": 2,
        "name": [
            {"use": "official", "family": "Durand", "given": ["Anne", None], "_given": [None, {"id": "x"}]},
            {"family": "Martin", "period": {"start": "2001-02-03", "end": "2011"}},
        ],
        "contact": [{"name": {"family": "D"}, "relationship": [{"text": "x", "coding": [{"code": "N"}]}]}],
        "extension": [{"url": "u", "valueQuantity": {"value": 1, "code": "kg", "system": "http://unitsofmeasure.org"}}],
    },
    {"resourceType": "Patient", "deceasedBoolean": False, "_birthDate": {"extension": [{"url": "u"}]}, "name": [{}]},
]
NAMES = [
    *("name", "family", "given", "use", "period", "start", "end", "active", "gender", "birthDate", "id", "contact"),
    *("relationship", "coding", "code", "text", "deceased", "multipleBirth", "extension", "value", "url", "identifier"),
]
LITERALS = [
    "'a'",
    "''",
    "'Durand'",
    "1",
    "0",
    "2.50",
    "true",
    "false",
    "{}",
    "@1984-05-10",
    "@T10:00",
    "2 days",
    "1 'kg'",
]
TYPES = ["string", "code", "Quantity", "HumanName", "System.String", "integer", "date"]
OPERATORS = [
    *("=", "!=", "~", "<", "<=", ">", ">=", "and", "or", "xor", "implies", "in", "contains"),
    *("+", "-", "*", "/", "div", "mod", "&", "|"),
]
_EXCEPT = ("defineVariable", "now", "today", "timeOfDay")
LAMBDAS = ["where", "select", "all", "exists", "repeat", "trace"]


def chains(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    names = st.sampled_from(NAMES)
    bare = sorted(name for name, spec in FUNCTIONS.items() if not spec.required and name not in _EXCEPT)
    valued = sorted(
        name
        for name, spec in FUNCTIONS.items()
        if spec.required == 1 and spec.arguments[0] == "value" and name != "coalesce"
    )
    return st.one_of(
        st.tuples(inner, names).map(lambda pair: f"({pair[0]}).{pair[1]}"),
        st.tuples(inner, st.sampled_from(bare)).map(lambda pair: f"({pair[0]}).{pair[1]}()"),
        st.tuples(inner, st.sampled_from(valued), inner).map(lambda part: f"({part[0]}).{part[1]}({part[2]})"),
        st.tuples(inner, st.sampled_from(LAMBDAS[:-1]), inner).map(lambda part: f"({part[0]}).{part[1]}({part[2]})"),
        st.tuples(inner, st.sampled_from(["is", "as"]), st.sampled_from(TYPES)).map(
            lambda part: f"(({part[0]}) {part[1]} {part[2]})"
        ),
        st.tuples(
            inner,
            st.sampled_from(OPERATORS),
            inner,
        ).map(lambda part: f"(({part[0]}) {part[1]} ({part[2]}))"),
        st.tuples(inner, inner, inner).map(lambda part: f"iif({part[0]}, {part[1]}, {part[2]})"),
        st.tuples(inner, st.integers(0, 2)).map(lambda pair: f"({pair[0]})[{pair[1]}]"),
    )


EXPRESSIONS = st.recursive(
    st.sampled_from([*NAMES, *LITERALS, "$this", "%resource", "Patient.name"]), chains, max_leaves=6
)


def shown(found: list[Any]) -> str:
    return json.dumps(
        [(fp.type_name(item)[1] or "", str(fp.plain(item))) for item in found if fp.plain(item) is not None]
    )


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EXPRESSIONS)
def test_typed_and_untyped_lowering_agree_on_any_expression(text: str) -> None:
    tree, diagnostics = parse_expression(text)
    assert tree is not None and not diagnostics
    typed = ExprScope(KNOWN, StaticType(frozenset((ROOT,)), "one", True))
    untyped = ExprScope(KNOWN, StaticType(frozenset((ROOT,)), "many", False))
    faults = infer_expression(tree, typed.inference()).diagnostics
    assert all(entry.message and entry.span is not None for entry in faults)
    tests = [compile_items(tree, scope) for scope in (typed, untyped)]
    if any(entry.is_error for entry in faults):
        # The checks refuse it: it is never run.
        return
    for patient in PATIENTS:
        answers = []
        for test, focus in zip(tests, (patient, _items(patient)), strict=True):
            try:
                answers.append(shown(test(focus)))
            except TransformFailed as error:
                answers.append(error.code)
        assert answers[0] == answers[1], text


def _items(patient: dict[str, Any]) -> list[Any]:
    if "table" not in _CACHE:
        _CACHE["table"] = eval(str(table_code(ElementsRead(None, tests_types=True), [ROOT], KNOWN, {})), {"fp": fp})
    return [fp.FhirNode(patient, "Patient", _CACHE["table"])]


_CACHE: dict[str, fp.TypeTable] = {}
