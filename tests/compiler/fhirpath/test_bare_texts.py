"""Unions, distinct texts, joined texts and `repeat`, written over bare values: the same as over items."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhirmap.analysis.static import StaticType
from fhirmap.compiler.fhirpath import ExprScope, compile_items, function_of, lower_expression, lower_values
from fhirmap.compiler.fhirpath.tables import ElementsRead, table_code
from fhirmap.errors import TransformFailed
from fhirmap.language.parser import parse_expression
from fhirmap.model.definition import Definitions, TypeRef
from fhirmap.model.fhir import base_types
from fhirmap.runtime import fhirpath as fp

KNOWN = Definitions(base_types("R4"))
WORDS = st.sampled_from(["a", "b", ""])
PARTS = st.none() | st.just({"id": "i"})
ITEMS: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.fixed_dictionaries({"linkId": WORDS}, optional={"text": WORDS, "_linkId": PARTS.filter(bool)}),
    lambda inner: st.fixed_dictionaries({"linkId": WORDS}, optional={"item": st.lists(inner, max_size=3)}),
    max_leaves=12,
)
CONCEPTS: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.fixed_dictionaries({}, optional={"code": WORDS, "display": WORDS}),
    lambda inner: st.fixed_dictionaries({}, optional={"code": WORDS, "contains": st.lists(inner, max_size=3)}),
    max_leaves=8,
)


@st.composite
def patients(draw: st.DrawFn) -> dict[str, Any]:
    """Patients whose texts have extensions, or nothing but these."""

    def name() -> dict[str, Any]:
        held: dict[str, Any] = {key: draw(WORDS) for key in ("family", "use") if draw(st.booleans())}
        if draw(st.booleans()):
            held["_family"] = {"id": "i"}
        pairs = draw(st.lists(st.tuples(WORDS | st.none(), PARTS), max_size=3))
        if pairs:
            held["given"] = [text for text, _ in pairs]
        if any(part for _, part in pairs):
            held["_given"] = [part for _, part in pairs]
        return held

    names = [name() for _ in range(draw(st.integers(0, 3)))]
    return {"resourceType": "Patient", "gender": draw(WORDS), "name": names}


OF_PATIENT = [
    "name.given | name.family",
    "(name.given | name.family | gender | 'a').count()",
    "(name.family | name.given).first()",
    "(name.family | name.use).where($this = 'a')",
    "(name.family | name.use).exists()",
    "(name.use | gender) is string",
    "(gender | 'a').select($this & 'x')",
    "name.where(use = 'a').given | 'b'",
    "name.given.distinct()",
    "name.given.distinct().count()",
    "name.family.distinct().where($this.length() = 1)",
    "name.family.distinct().exists()",
    "gender.distinct()",
    "name.select(given.first() & ' ' & family)",
    "name.first().given.first() & gender",
    "name.given.first() & gender",
    "name.select(given.first().exists() and (given.first() & '') = '')",
]
OF_RESPONSE = [
    "repeat(item)",
    "repeat(item).count()",
    "repeat(item).linkId",
    "repeat(item).where(linkId = 'a').text",
    "item.repeat(item).linkId",
    "item.where(linkId = 'a').repeat(item).count()",
    "item.first().repeat(item).exists()",
    "repeat(item).linkId.distinct()",
    "repeat(item) is Element",
]


@cache
def typed(type_name: str) -> tuple[TypeRef, fp.TypeTable]:
    ref = KNOWN.type_ref(type_name)
    assert ref is not None
    code = table_code(ElementsRead(None, tests_types=True), [ref], KNOWN, {})
    return ref, eval(str(code), {"fp": fp})


@cache
def ways(text: str, type_name: str) -> tuple[Callable[[Any], list[Any]], ...]:
    """To the values over bare values, to the items over bare values, to the items over items."""
    tree, _ = parse_expression(text)
    assert tree is not None
    types = frozenset((typed(type_name)[0],))
    bare, by_items = (StaticType(types, "one", True), StaticType(types, "many", False))
    scope = ExprScope(KNOWN, bare)
    return (
        function_of(lower_values(tree, scope), scope),
        compile_items(tree, ExprScope(KNOWN, bare)),
        compile_items(tree, ExprScope(KNOWN, by_items)),
    )


def both(text: str, type_name: str, resource: dict[str, Any]) -> None:
    """The types and values that the two lowerings of an expression give."""
    values, items, over_items = ways(text, type_name)
    found = outcome(lambda: over_items([fp.FhirNode(resource, type_name, typed(type_name)[1])]))
    assert outcome(lambda: shown(items(resource))) == (found if isinstance(found, str) else shown(found))
    assert outcome(lambda: values(resource)) == (found if isinstance(found, str) else fp.values(found))


def outcome(call: Callable[[], list[Any]]) -> Any:
    try:
        return call()
    except TransformFailed as error:
        return error.code


def shown(items: list[Any]) -> list[tuple[str, Any]]:
    return [(fp.type_name(item)[1], fp.plain(item)) for item in items]


@pytest.mark.parametrize("text", OF_PATIENT)
def test_texts_of_a_patient(text: str) -> None:
    @settings(deadline=None)
    @given(patients())
    def compare(resource: dict[str, Any]) -> None:
        both(text, "Patient", resource)

    compare()


@pytest.mark.parametrize("text", OF_RESPONSE)
def test_items_of_a_response(text: str) -> None:
    @settings(deadline=None)
    @given(st.lists(ITEMS, max_size=3))
    def compare(held: list[dict[str, Any]]) -> None:
        both(text, "QuestionnaireResponse", {"resourceType": "QuestionnaireResponse", "item": held})

    compare()


@settings(deadline=None)
@given(st.lists(CONCEPTS, max_size=3))
def test_objects_without_a_text_that_each_has(held: list[dict[str, Any]]) -> None:
    resource = {"resourceType": "ValueSet", "expansion": {"contains": held}}
    both("expansion.repeat(contains).code", "ValueSet", resource)


@pytest.mark.parametrize(
    ("text", "type_name", "part"),
    [
        ("name.given | name.family", "Patient", "fp.different_texts(["),
        ("name.family.distinct()", "Patient", "fp.different_texts(["),
        ("name.select(given.first() & ' ' & family)", "Patient", "fp.first_text("),
        ("repeat(item).linkId", "QuestionnaireResponse", "'item', 'linkId')"),
        ("expansion.repeat(contains).code", "ValueSet", "'contains', '')"),
        ("birthDate | deceased", "Patient", "fp.union("),
        ("name.given.first() & ' '", "Patient", "fp.concatenate("),
        ("repeat(partOf)", "Patient", "fp.repeat("),
    ],
)
def test_how_they_are_written(text: str, type_name: str, part: str) -> None:
    tree, _ = parse_expression(text)
    ref = KNOWN.type_ref(type_name)
    assert tree is not None and ref is not None
    scope = ExprScope(KNOWN, StaticType(frozenset((ref,)), "one", True))
    assert part in str(lower_values(tree, scope).code)


@pytest.mark.parametrize("text", ["name.given | name.family", "name.given.distinct()"])
def test_a_rule_gets_the_extensions_of_the_texts(text: str) -> None:
    resource = {"resourceType": "Patient", "name": [{"given": ["a", "b"], "_given": [None, {"id": "i"}]}]}
    tree, _ = parse_expression(text)
    assert tree is not None
    scope = ExprScope(KNOWN, StaticType(frozenset((typed("Patient")[0],)), "one", True))
    found = function_of(lower_expression(tree, scope), scope)(resource)
    assert [(item.value, item.sibling) for item in found] == [("a", None), ("b", {"id": "i"})]
