"""Reading an object step by step: what is never asked for is reported."""

from __future__ import annotations

from typing import Any

from fhirmap.diagnostics import Diagnostic
from fhirmap.interchange.structure_map.resource_part import ResourcePart


def part(value: dict[str, Any]) -> tuple[ResourcePart, list[Diagnostic]]:
    diagnostics: list[Diagnostic] = []
    return ResourcePart(value, "group[0]", diagnostics, "m.json"), diagnostics


def found(diagnostics: list[Diagnostic]) -> list[tuple[str, str, object]]:
    return [(entry.code, entry.variant, entry.args["path"]) for entry in diagnostics]


def test_elements_of_the_right_type() -> None:
    read, diagnostics = part({"a": "x", "b": 3, "c": True, "d": ["y"], "e": [{"f": "z"}]})
    assert (read.text("a"), read.number("b"), read.flag("c"), read.texts("d")) == ("x", 3, True, ["y"])
    assert [inner.text("f") for inner in read.parts("e")] == ["z"]
    assert (read.text("g"), read.number("g"), read.flag("g"), read.texts("g"), read.parts("g")) == (
        None,
        None,
        False,
        [],
        [],
    )
    read.report_unread()
    assert diagnostics == []


def test_elements_of_another_type() -> None:
    read, diagnostics = part({"a": 1, "b": "x", "c": "x", "d": [1], "e": ["x"], "f": "x"})
    read.text("a"), read.number("b"), read.flag("c"), read.texts("d"), read.parts("e"), read.parts("f")
    read.required("g")
    assert [(variant, path) for _, variant, path in found(diagnostics)] == [
        ("text", "group[0].a"),
        ("number", "group[0].b"),
        ("boolean", "group[0].c"),
        ("text", "group[0].d[0]"),
        ("object", "group[0].e[0]"),
        ("list", "group[0].f"),
        ("missing", "group[0].g"),
    ]


def test_what_was_not_asked_for_is_reported_here_and_inside() -> None:
    read, diagnostics = part({"a": "x", "b": [{"c": 1}, {"d": 2}], "e": 1, "f": 1})
    _, second = read.parts("b")
    second.ignore_all()
    read.ignore("e")
    read.report_unread()
    assert found(diagnostics) == [
        ("FM047", "", "group[0].a"),
        ("FM047", "", "group[0].f"),
        ("FM047", "", "group[0].b[0].c"),
    ]


def test_an_object_left_out_is_reported_once() -> None:
    read, diagnostics = part({"a": "x", "b": [{"c": 1}]})
    (inner,) = read.parts("b")
    inner.lost()
    read.lost()
    read.report_unread()
    assert found(diagnostics) == [("FM047", "", "group[0].b[0]"), ("FM047", "", "group[0]")]
