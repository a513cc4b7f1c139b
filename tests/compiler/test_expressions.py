"""Expressions of a map in their place: literals, variables, constants, FHIRPath."""

from __future__ import annotations

import fhirmap
from fhirmap.analysis.static import StaticType
from fhirmap.compiler import python as py
from fhirmap.compiler.expressions import PythonValue
from tests.compiler.generated import MODEL, PART, PATIENT, compiled, rule

A = py.Name("a")
ONE, MANY = StaticType(frozenset(), "one", plain=True), StaticType(frozenset(), "many", plain=True)
ITEMS = StaticType(frozenset(), "many")


def test_a_value_as_one_as_a_list_as_items() -> None:
    certain, optional = PythonValue(A, ONE, certain=True), PythonValue(A, ONE.with_cardinality("optional"))
    many, items = PythonValue(A, MANY), PythonValue(A, ITEMS)
    values = (certain, optional, many, items)
    assert [str(value.as_single()) for value in values] == ["a", "a", "single(a)", "fp.value(a)"]
    assert [str(value.as_list()) for value in values] == ["[a]", "fp.items(a)", "a", "a"]
    assert [str(value.as_items()) for value in values] == ["[a]", "[a]", "a", "a"]


def test_literals() -> None:
    assert "tgt['id'] = 'x'" in rule("  src.a as v -> tgt.id = 'x';")
    assert "tgt['active'] = True" in rule("  src.a as v -> tgt.active = true;")
    assert "tgt['multipleBirthInteger'] = 2" in rule("  src.a as v -> tgt.multipleBirth = 2;")


def test_a_variable_is_its_name_and_fhirpath_is_python() -> None:
    assert "tgt['id'] = v" in rule("  src.a as v -> tgt.id = v;")
    assert "tgt['id'] = v.upper()" in rule("  src.a as v -> tgt.id = (v.upper());")


def test_a_computed_constant_is_a_function_called_once_a_run() -> None:
    text = "let now = (today().toString());\nlet plain = 'x';\n"
    group = "group g(source src : Row, target tgt : Patient) { src.a as v -> tgt.id = plain, tgt.language = now; }\n"
    transformer = fhirmap.compile_map(PATIENT + text + MODEL + PART + group, validate=False)
    assert "def constant_now(run):" in transformer.source
    assert "constant_plain" not in transformer.source
    assert "run.constant('constant_now', constant_now)" in transformer.source
    result = transformer({"a": "1"})
    assert result.resource is not None
    assert result.resource["id"] == "x"
    assert len(result.resource["language"]) == 10


def test_statements_of_an_expression_come_before_it() -> None:
    transformer = compiled("  src.a as v -> tgt.id = (v & now().toString().substring(0, 4));")
    result = transformer({"a": "x"})
    assert not result.faults
    assert result.resource is not None
    assert result.resource["id"].startswith("x2")
