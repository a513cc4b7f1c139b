"""Resources of others: what is wrong in them, and what no text can say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhirmap.interchange.structure_map import (
    read_structure_map,
    structure_map_to_text,
    write_structure_map,
)
from tests.interchange.structure_map.resources import resource

_QUIET = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=150)


def test_a_map_read_has_places_in_its_text() -> None:
    tree, reported = read_structure_map(resource(source=[{"context": "src"}]), "y.json")
    assert reported == ()
    assert tree.groups[0].rules[0].span.position == "y.json (as text):5:3"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"source": [{"context": "src", "condition": "a ="}]}, "group[0].rule[0].source[0].condition"),
        ({"source": {"context": "src"}}, "group[0].rule[0].source"),
        ({"source": [{"context": 5}]}, "group[0].rule[0].source[0].context"),
        ({"source": [{"context": "src", "listMode": "second"}]}, "group[0].rule[0].source[0].listMode"),
        ({"source": [{"context": "src", "min": "x"}]}, "group[0].rule[0].source[0].min"),
        ({"source": ["src"]}, "group[0].rule[0].source[0]"),
        ({}, "group[0].rule[0].source"),
        (
            {"source": [{"context": "src"}], "target": [{"context": "tgt", "transform": "copy", "parameter": [{}]}]},
            "group[0].rule[0].target[0].parameter[0]",
        ),
        (
            {"source": [{"context": "src"}], "dependent": [{"variable": ["src"]}]},
            "group[0].rule[0].dependent[0].name",
        ),
    ],
)
def test_what_is_wrong_is_reported_with_its_path(changes: dict[str, Any], expected: str) -> None:
    reported = structure_map_to_text(resource(**changes), "y.json")[1]
    assert ("FM048", expected) in [(entry.code, entry.args["path"]) for entry in reported]
    assert all(entry.message for entry in reported)


def test_an_alias_that_keeps_its_quotes() -> None:
    made = resource(source=[{"context": "src"}])
    made["structure"] = [{"url": "http://x", "mode": "source", "alias": "'Pat'"}]
    text, reported = structure_map_to_text(made, "y.json")
    assert 'uses "http://x" alias Pat as source' in text
    assert [(entry.code, entry.is_error) for entry in reported] == [("FM163", False)]
    assert reported[0].message


def test_words_of_the_reference_engine_in_a_resource() -> None:
    parameters = [{"valueId": "v"}, {"valueString": "http://c"}, {"valueString": "coding"}]
    made = resource(
        source=[{"context": "src", "variable": "v"}],
        target=[{"context": "tgt", "element": "code", "transform": "translate", "parameter": parameters}],
    )
    tree, reported = read_structure_map(made, "y.json")
    assert [entry.code for entry in reported] == ["FM163"]
    call = tree.groups[0].rules[0].targets[0].transform
    assert call is not None
    assert call.arguments[2].text == "'Coding'"


def test_what_is_lost_is_reported_with_its_path() -> None:
    made = resource(id="r1", source=[{"context": "src", "extension": [{"url": "http://x"}]}])
    made["group"][0]["input"][0]["documentation"] = "who"
    made["contained"] = [{"resourceType": "Patient"}]
    reported = structure_map_to_text(made, "y.json")[1]
    assert sorted(str(entry.args["path"]) for entry in reported) == [
        "contained[0]",
        "group[0].input[0].documentation",
        "group[0].rule[0].id",
        "group[0].rule[0].source[0].extension[0]",
    ]
    assert {entry.code for entry in reported} == {"FM047"}


_KEYS = st.sampled_from(
    [
        *("resourceType", "url", "name", "group", "rule", "source", "target", "dependent", "parameter", "contained"),
        *(
            "input",
            "mode",
            "context",
            "element",
            "variable",
            "transform",
            "valueId",
            "valueString",
            "structure",
            "import",
        ),
        *("const", "value", "extension", "listMode", "defaultValue", "defaultValueCoding", "min", "max", "condition"),
        *("id", "contact", "telecom", "meta", "_url", "documentation", "typeMode", "extends", "unmapped", "code"),
    ]
)
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        [
            "StructureMap",
            "ConceptMap",
            "copy",
            "evaluate",
            "create",
            "vvv",
            "src",
            "a =",
            "1 + 1",
            "source",
            "target",
            "",
            "\n",
        ]
    )
)
_JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=6), max_leaves=30
)


@_QUIET
@given(made=st.dictionaries(_KEYS, _JSON, max_size=8), rule=st.dictionaries(_KEYS, _JSON, max_size=6))
def test_no_resource_is_an_exception(made: dict[str, Any], rule: dict[str, Any]) -> None:
    for whole in (made, {**resource(**rule), **made}, resource(**rule)):
        tree, reported = read_structure_map(whole, "any.json")
        assert all(entry.message for entry in reported)
        write_structure_map(tree, "R4")
