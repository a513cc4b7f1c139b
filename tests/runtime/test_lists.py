"""Lists and nodes of the result."""

from __future__ import annotations

from typing import Any

import pytest

import fhirmap
from fhirmap.errors import TransformFailed
from fhirmap.runtime import lists
from fhirmap.runtime.context import RecordRun


def test_an_item_is_taken_out_by_identity() -> None:
    first, second = {}, {}  # type: ignore[var-annotated]
    items = [first, second]
    lists.discard(items, first)
    assert items[0] is second
    node: dict[str, Any] = {"a": [second]}
    lists.drop(node, "a", second)
    assert node == {}


def test_copies_share_nothing() -> None:
    source = {"a": [{"b": [1]}]}
    copy = lists.copied(source)
    copy["a"][0]["b"].append(2)
    assert source == {"a": [{"b": [1]}]}


def test_pruning_keeps_false_and_zero() -> None:
    node = {"a": {}, "b": [{}, {"c": None}], "d": False, "e": 0, "f": [None, {"g": ""}]}
    assert lists.pruned(node) == {"d": False, "e": 0, "f": [{"g": ""}]}
    assert lists.pruned({"a": [{}]}) is None


def test_two_rules_never_share_an_end() -> None:
    run, items = RecordRun(), ["x"]
    node = {"line": items, "_line": [{"id": "of x"}, {"id": "of a"}]}
    lists.place_first(run, node, "line", items, "a", "rule one")
    lists.place_first(run, node, "line", items, "b", "rule one")
    lists.place_last(run, node, "line", items, "z", "rule two")
    items.append("y")
    lists.settle_endings(run)
    assert items == ["a", "b", "x", "y", "z"]
    assert node["_line"] == [{"id": "of a"}, None, {"id": "of x"}, None, None]
    with pytest.raises(TransformFailed) as caught:
        lists.place_first(run, node, "line", items, "c", "rule three")
    assert caught.value.code == "FM409"


def test_nodes_placed_at_an_end_keep_their_order_and_those_taken_out_stay_out() -> None:
    run = RecordRun()
    first, second, last = {"a": 1}, {"a": 2}, {"a": 9}
    empty: dict[str, int] = {}
    items = [{"a": 5}]
    parent = {"name": items}
    for place, node, rule in (
        (lists.place_first, first, "one"),
        (lists.place_last, last, "two"),
        (lists.place_last, empty, "two"),
        (lists.place_first, second, "one"),
    ):
        place(run, parent, "name", items, node, rule)
    lists.discard(items, empty)
    items.append({"a": 6})
    lists.settle_endings(run)
    assert [entry["a"] for entry in items] == [1, 2, 5, 6, 9]


def test_counts() -> None:
    assert lists.single([]) is None
    assert lists.single([1]) == 1
    for function, code in ((lists.single, "FM407"), (lists.only_one, "FM402")):
        with pytest.raises(TransformFailed) as caught:
            function([1, 2])
        assert caught.value.code == code
    with pytest.raises(TransformFailed) as counted:
        lists.counted([1, 2, 3], 0, 2)
    assert counted.value.code == "FM403"


def test_a_large_questionnaire_is_mapped_in_linear_time() -> None:
    transformer = fhirmap.compile_map(
        'uses "http://hl7.org/fhir/StructureDefinition/QuestionnaireResponse" alias Q as source\n'
        'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target\n'
        "group main(source src : Q, target tgt : Patient) {\n"
        "  src.item as i -> tgt.name as n then { i.answer as a then { a.value as v -> n.text = v; }; };\n"
        "}\n"
    )
    items = [
        {"linkId": str(number), "answer": [{"valueString": "x"}] if number % 2 else []} for number in range(20_000)
    ]
    result = transformer({"resourceType": "QuestionnaireResponse", "item": items})
    assert result.resource is not None
    assert len(result.resource["name"]) == 10_000
    assert not result.faults
