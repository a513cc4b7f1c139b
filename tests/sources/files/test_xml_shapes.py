"""Which paths a document has."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from fhirmap.errors import ConfigError
from fhirmap.sources.files import xml_shapes
from fhirmap.sources.files.xml_reader import XmlReader
from fhirmap.sources.files.xml_shapes import Foreign, Shape, ShapeTarget, foreign_step, paths_below
from fhirmap.sources.files.xml_trees import XmlNames
from tests.sources.files.documents import document, plan_of


def shape_of(text: str) -> Shape:
    target = ShapeTarget("a.xml")
    etree.fromstring(text, etree.XMLParser(target=target))  # type: ignore[arg-type]
    return target.top


def test_each_path_once_and_whether_a_list_is_always_on_it() -> None:
    top = shape_of('<r><a u="1">t<b/><b/></a><c/><c/><a/><d><e/></d><d><e/></d></r>')
    assert dict(paths_below(top.below["r"], XmlNames({}))) == {
        "a": True,
        "a.#text": True,
        "a.@u": True,
        "a.b": True,
        "c": True,
        "d": True,
        "d.e": True,
    }
    top = shape_of("<t><r><a/><b/><b/></r><r><a/><a/><b/><b/></r></t>")
    assert dict(paths_below(top.below["t"].below["r"], XmlNames({}))) == {"a": False, "b": True}


def test_names_that_the_model_cannot_write_are_left_out() -> None:
    top = shape_of('<r xmlns:h="urn:h" xmlns:i="urn:i" h:v="1" i:v="2"><h:a><b/></h:a><i:a><b/></i:a></r>')
    names = XmlNames({"h": "urn:h"})
    assert [path for path, _ in paths_below(top.below["r"], names)] == ["@h:v", "h:a", "h:a.b"]
    assert [path for path, _ in paths_below(top.below["r"], names, "{urn:h}a")] == ["@h:v"]


@pytest.mark.parametrize(
    ("steps", "foreign"),
    [
        (("a", "b"), Foreign("a", "{urn:h}a")),
        (("h:a", "b"), None),
        (("h:a", "h:b"), Foreign("h:b", "b")),
        (("h:a", 0, "h:b"), Foreign("h:b", "b")),
        (("i:a",), Foreign("i:a", "{urn:h}a")),
        (("@v",), Foreign("@v", "{urn:i}v")),
        (("@i:v",), None),
        (("h:a", "#text"), None),
        (("z",), None),
        (("h:z", "a"), None),
    ],
)
def test_a_step_that_is_there_in_another_namespace(steps: tuple[str | int, ...], foreign: Foreign | None) -> None:
    top = shape_of('<r xmlns:h="urn:h" xmlns:i="urn:i" i:v="2"><h:a><b/></h:a></r>')
    assert foreign_step(top.below["r"], steps, XmlNames({"h": "urn:h", "i": "urn:i"})) == foreign


def test_a_document_of_names_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_shapes, "_MOST", 100)
    text = "<r>" + "".join(f"<c><n{n % 200}/></c>" for n in range(300)) + "</r>"
    with pytest.raises(ConfigError) as caught:
        XmlReader(document(tmp_path, text), plan_of("r.c")).names()
    assert (caught.value.code, caught.value.diagnostic().variant) == ("FM780", "paths")
