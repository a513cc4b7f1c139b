"""Elements as trees."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.sources.files.xml_trees import XmlNames
from tests.sources.files.documents import document, plan_of, trees


@pytest.mark.parametrize(
    ("inside", "tree"),
    [
        ("<a>1</a>", {"a": "1"}),
        ("<a>1</a><b> x </b><a>2</a>", {"a": ["1", "2"], "b": " x "}),
        ("<a>1</a><a/><a>3</a>", {"a": ["1", None, "3"]}),
        ("<a/>", {"a": None}),
        ("<a></a>", {"a": None}),
        ('<a u="1"/>', {"a": ("", {"@u": "1"})}),
        ('<a u="1">x</a>', {"a": ("x", {"@u": "1", "#text": "x"})}),
        ('<a u="1"><b>x</b></a>', {"a": {"@u": "1", "b": "x"}}),
        ("<a>\n  <b>x</b>\n  <b>y</b>\n</a>", {"a": {"b": ["x", "y"]}}),
        ("<a>one <b>two</b> three</a>", {"a": ("one two three", {"b": "two", "#text": "one two three"})}),
        ("<a>12<b/>34</a>", {"a": ("12\n34", {"b": None, "#text": "12\n34"})}),
        ("<a><b/> 12 <b/></a>", {"a": (" 12 ", {"b": [None, None], "#text": " 12 "})}),
        (
            "<a>L1<c u='1'/><b>L<sub>2</sub></b></a>",
            {"a": ("L1\nL2", {"c": ("", {"@u": "1"}), "b": ("L2", {"sub": "2", "#text": "L2"}), "#text": "L1\nL2"})},
        ),
        ("<a>1<!-- not --><?p i?>2<![CDATA[<&>]]></a>", {"a": "12<&>"}),
        ("<a>&lt;&amp;&#233;</a>", {"a": "<&é"}),
        ("<a><b><c><d>x</d></c></b></a>", {"a": {"b": {"c": {"d": "x"}}}}),
        ("x", {"#text": "x"}),
        ("", {}),
    ],
)
def test_an_element_is_its_text_or_its_children(tmp_path: Path, inside: str, tree: object) -> None:
    assert trees(document(tmp_path, f"<r>{inside}</r>"), plan_of("r")) == [tree]


def test_attributes_and_text_of_a_record(tmp_path: Path) -> None:
    assert trees(document(tmp_path, '<r id="7">x</r>'), plan_of("r")) == [{"@id": "7", "#text": "x"}]
    assert trees(document(tmp_path, '<r id="7"><a>x</a></r>'), plan_of("r")) == [{"@id": "7", "a": "x"}]


SPACES = """<r xmlns="urn:a" xmlns:q="urn:b" xmlns:i="urn:i" q:at="1" at="2" xml:lang="fr">
<n>own</n><q:n>other</q:n><n xmlns="">none</n><i:n>unknown</i:n><n i:t="x">kept</n></r>"""


def test_names_are_those_of_the_model_s_prefixes(tmp_path: Path) -> None:
    file = document(tmp_path, SPACES)
    (tree,) = trees(file, plan_of("h:r", h="urn:a", z="urn:b"))
    assert tree == {
        "@z:at": "1",
        "@at": "2",
        "@xml:lang": "fr",
        "h:n": ["own", "kept"],
        "z:n": "other",
        "n": "none",
    }


def test_a_name_of_the_document_for_one_of_the_model() -> None:
    names = XmlNames({"h": "urn:a"})
    assert names.document_name("h:n") == "{urn:a}n"
    assert names.document_name("n") == "n"
    assert names.document_name("z:n") == "z:n"
    assert names.document_name("xml:lang") == "{http://www.w3.org/XML/1998/namespace}lang"
    assert (names["{urn:a}n"], names["{urn:b}n"], names["n"]) == ("h:n", "", "n")


def test_the_first_prefix_of_a_namespace_is_its_name() -> None:
    assert XmlNames({"a": "urn:a", "b": "urn:a"})["{urn:a}n"] == "a:n"
