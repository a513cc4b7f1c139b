"""Single elements that several writes meet in, of rows and of FHIR's own primitives."""

from __future__ import annotations

from typing import Any

import pytest

from fhirmap.errors import TransformFailed
from fhirmap.runtime.context import RecordRun
from fhirmap.runtime.nodes import slot
from fhirmap.runtime.single import SingleWrite, assign_once, put_once
from tests.compiler.generated import compiled

ONE, OTHER = SingleWrite("one", "m.map:1:1"), SingleWrite("other", "m.map:2:1")
LAST = SingleWrite("last", "m.map:3:1", "last")


def test_a_second_value_names_both_rules_and_the_element() -> None:
    transformer = compiled("  src.a as x -> tgt.id = x 'first';\n  src.many as y -> tgt.id = y 'second';")
    assert transformer({"a": "k", "many": ["k", "k"]}).resource == {"resourceType": "Patient", "id": "k"}
    found = transformer({"a": "k", "many": ["k", "l"]}).faults
    assert [(fault.code, fault.position[-4:]) for fault in found] == [("FM415", "6:20")]
    assert {key: found[0].args[key] for key in ("element", "rule", "other")} == {
        "element": "id", "rule": "second", "other": "first",
    }  # fmt: skip


def test_another_record_starts_afresh() -> None:
    transformer = compiled("  src.part as p then { p.x as x -> tgt.id = x; };")
    for value in ("a", "b"):
        assert transformer({"part": [{"x": value}]}).resource == {"resourceType": "Patient", "id": value}


def test_equal_words_of_other_types_are_two_values() -> None:
    run, node = RecordRun(), {}  # type: ignore[var-annotated]
    put_once(run, node, "valueBoolean", True, ONE, "value")
    with pytest.raises(TransformFailed, match="FM415"):
        put_once(run, node, "valueInteger", 1, OTHER, "value")
    assert put_once(run, node, "valueInteger", 1, LAST, "value") == 1
    assert node == {"valueInteger": 1}


def test_a_node_stays_the_same_object() -> None:
    run, node = RecordRun(), {}  # type: ignore[var-annotated]
    first = put_once(run, node, "code", {"text": "a"}, ONE)
    assert put_once(run, node, "code", {"text": "a"}, OTHER) is first
    assert put_once(run, node, "code", {"text": "b"}, LAST) is first
    assert node == {"code": {"text": "b"}}
    put_once(run, first, "text", "c", SingleWrite("part", "m.map:4:1", "", ("m.map:3:1",)))
    with pytest.raises(TransformFailed, match="FM415"):
        put_once(run, node, "code", {"text": "d"}, ONE)


@pytest.mark.parametrize("repeats", [False, True])
def test_the_value_of_a_primitive(repeats: bool) -> None:
    run, node = RecordRun(), {}  # type: ignore[var-annotated]
    place = slot(node, "given", (("string",), False), repeats)
    nothing: Any = ((), False)
    assign_once(run, place, "value", ["a", None], nothing, ONE)
    assign_once(run, place, "value", ["a"], nothing, OTHER)
    assign_once(run, place, "id", ["i"], nothing, ONE)
    for name in ("value", "id"):
        with pytest.raises(TransformFailed, match="FM415"):
            assign_once(run, place, name, ["b"], nothing, OTHER)
    assert node == ({"given": ["a"], "_given": [{"id": "i"}]} if repeats else {"given": "a", "_given": {"id": "i"}})
