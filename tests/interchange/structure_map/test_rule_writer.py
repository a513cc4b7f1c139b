"""Rules, sources, targets and transforms in the shape of each version."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhirmap.interchange.structure_map import (
    FhirVersion,
    structure_map_to_text,
)
from tests.interchange.structure_map.written import (
    codes,
    rules,
    targets,
    through,
    written,
)


@pytest.mark.parametrize(
    ("text", "version", "expected"),
    [
        ("tgt.x = v", "R5", {"transform": "copy", "parameter": [{"valueId": "v"}]}),
        ("tgt.x = 'a'", "R5", {"transform": "copy", "parameter": [{"valueString": "a"}]}),
        ("tgt.x = 5", "R5", {"transform": "copy", "parameter": [{"valueInteger": 5}]}),
        ("tgt.x = -1.50", "R4", {"transform": "copy", "parameter": [{"valueDecimal": Decimal("-1.50")}]}),
        ("tgt.x = true", "R5", {"transform": "copy", "parameter": [{"valueBoolean": True}]}),
        ("tgt.x = @2024-05", "R5", {"transform": "copy", "parameter": [{"valueDate": "2024-05"}]}),
        ("tgt.x = @2024-05", "R4", {"transform": "evaluate", "parameter": [{"valueString": "@2024-05"}]}),
        ("tgt.x = @T10:11:12", "R5", {"transform": "copy", "parameter": [{"valueTime": "10:11:12"}]}),
        ("tgt.x = @T10:11", "R5", {"transform": "evaluate", "parameter": [{"valueString": "@T10:11"}]}),
        ("tgt.x = @2024T", "R5", {"transform": "copy", "parameter": [{"valueDateTime": "2024"}]}),
        ("tgt.x = 5 days", "R5", {"transform": "evaluate", "parameter": [{"valueString": "5 days"}]}),
        ("tgt.x = ''", "R5", {"transform": "evaluate", "parameter": [{"valueString": "''"}]}),
        ("tgt.x = v.b", "R5", {"transform": "evaluate", "parameter": [{"valueString": "v.b"}]}),
        ("tgt.x = (v.b + 1)", "R5", {"transform": "evaluate", "parameter": [{"valueString": "v.b + 1"}]}),
        (
            "tgt.x = evaluate(v, 'lit')",
            "R4",
            {"transform": "evaluate", "parameter": [{"valueId": "v"}, {"valueString": "'lit'"}]},
        ),
        (
            "tgt.x = truncate(v, 3)",
            "R4",
            {"transform": "truncate", "parameter": [{"valueId": "v"}, {"valueInteger": 3}]},
        ),
        ("tgt.x = create('Y')", "R4", {"transform": "create", "parameter": [{"valueString": "Y"}]}),
    ],
)
def test_transforms(text: str, version: FhirVersion, expected: dict[str, Any]) -> None:
    (target,) = targets(text, version)
    place = {"context": "tgt", "element": "x"}
    assert target == {**place, **({"contextType": "variable"} if version == "R4" else {}), **expected}


def test_decimals_keep_their_digits() -> None:
    assert '"valueDecimal": 1.50' in through("group main(source src, target tgt) { src -> tgt.x = 1.50; }", "R4")[1]


def test_an_expression_among_parameters_is_computed_before() -> None:
    lifted, target = targets("tgt.x = append(v, v.b & 'c')")
    assert lifted == {"variable": "t1", "transform": "evaluate", "parameter": [{"valueString": "v.b & 'c'"}]}
    assert target["parameter"] == [{"valueId": "v"}, {"valueId": "t1"}]


def test_computed_variables_have_no_context() -> None:
    assert targets("(1 + 2) as three") == [
        {"variable": "three", "transform": "evaluate", "parameter": [{"valueString": "1 + 2"}]}
    ]


def test_default_mapped_rules() -> None:
    (rule,) = rules("src.a -> tgt.b;", "R4")
    assert rule == {
        "name": "a",
        "source": [{"context": "src", "element": "a", "variable": "vvv"}],
        "target": [
            {"context": "tgt", "contextType": "variable", "element": "b", "variable": "vvv", "transform": "create"}
        ],
    }


def test_batches() -> None:
    found = rules('src -> tgt : a, b; src -> tgt : c, d "more";')
    assert [rule["name"] for rule in found] == ["unnameda", "unnamedb", "morec", "mored"]


def test_names_of_rules() -> None:
    found = rules('src.a as v; src.a : Quantity as v; src.a as w; src as x; src.a as y "given name";')
    assert [rule["name"] for rule in found] == ["a", "aQuantity", "a-2", "rule-4", "given-name"]


def test_sources() -> None:
    line = "src.a : Q 0..* default (1 + 2) first as v where (v > 1) check (true) log ('x') -> tgt.b = v;"
    (rule,) = rules(line)
    assert rule["source"] == [
        {
            "defaultValue": "1 + 2",
            "context": "src",
            "min": 0,
            "max": "*",
            "type": "Q",
            "element": "a",
            "listMode": "first",
            "variable": "v",
            "condition": "v > 1",
            "check": "true",
            "logMessage": "'x'",
        }
    ]


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_the_message_of_a_check_is_an_extension(version: Any) -> None:
    (rule,) = rules("src.a default (1 + 2) as v check (v > 0) 'v is too low' -> tgt.b = v;", version)
    (source,) = rule["source"]
    message = {"url": "https://fhirmap.dev/StructureDefinition/check-message", "valueString": "v is too low"}
    assert source["check"] == "v > 0" and source["extension"][0] == message
    assert len(source["extension"]) == (2 if version == "R4" else 1)


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        ("'x'", {"defaultValueString": "x"}),
        ("5", {"defaultValueInteger": 5}),
        ("@2024-05-01", {"defaultValueDate": "2024-05-01"}),
    ],
)
def test_defaults_of_r4_are_values(default: str, expected: dict[str, Any]) -> None:
    (source,) = rules(f"src.a default ({default}) as v;", "R4")[0]["source"]
    assert source == {"context": "src", "element": "a", "variable": "v", **expected}


def test_a_default_that_is_computed_in_r4() -> None:
    found = written("src.a default (1 + 2) as v;", "R4")
    assert codes(found) == ["FM040newer"]
    assert "default (1 + 2)" in structure_map_to_text(found.resource, "x")[0]


def test_paths_are_rules_inside_rules() -> None:
    (rule,) = rules("src.a.b where (c) as x -> tgt.d.e = x;".replace("where (c) as x", "as x where (c)"))
    assert rule["source"] == [{"context": "src", "element": "a", "variable": "t1"}]
    (inner,) = rule["rule"]
    assert inner["source"] == [{"context": "t1", "element": "b", "variable": "x", "condition": "c"}]
    assert inner["target"] == [
        {"context": "tgt", "element": "d", "variable": "t2"},
        {"context": "t2", "element": "e", "transform": "copy", "parameter": [{"valueId": "x"}]},
    ]


def test_dependents() -> None:
    text = "src.a as v -> tgt.b as t then main(v, t), main('x', v.c) { v.d -> t.e; };"
    (new,), (old,) = rules(text), rules(text, "R4")
    assert new["dependent"][0] == {"name": "main", "parameter": [{"valueId": "v"}, {"valueId": "t"}]}
    assert new["dependent"][1]["parameter"] == [{"valueString": "x"}, {"valueId": "t1"}]
    assert old["dependent"][1] == {"name": "main", "variable": ["'x'", "t1"]}
    assert [rule["name"] for rule in new["rule"]] == ["d"]


def test_list_modes() -> None:
    assert targets("tgt.b as x single")[0]["listMode"] == ["single"]
    assert targets("tgt.b as x single", "R4")[0]["listMode"] == ["collate"]
    assert targets("tgt.b as x collate")[0]["listMode"] == ["single"]
    shared = targets("tgt.b as x share one")[0]
    assert (shared["listMode"], shared["listRuleId"]) == (["share"], "one")
