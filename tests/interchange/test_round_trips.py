"""JSON to XML and back: what a document says is the same afterwards, word for word and in its order."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhirmap.errors import ConfigError
from fhirmap.interchange.formats import read_document, text_of
from fhirmap.model.definition import Definitions
from fhirmap.model.fhir import base_types
from fhirmap.model.structuredefinition import read_structure

R4 = Definitions(base_types("R4"))
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'


def there_and_back(node: dict[str, Any], definitions: Definitions = R4, url: str = "") -> Any:
    structure = definitions.structure(url) if url else None
    written = text_of(node, "xml", definitions, structure)
    ElementTree.fromstring(written)
    return read_document(written.encode(), "x.xml", definitions)


_WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), min_size=1).filter(
    lambda text: text == text.strip()
)
_EXTENSION = st.fixed_dictionaries({"url": st.just("urn:u"), "valueString": _WORDS})
_SIBLING = st.one_of(
    st.fixed_dictionaries({"extension": st.lists(_EXTENSION, min_size=1, max_size=2)}),
    st.fixed_dictionaries({"id": st.just("k")}),
)


@st.composite
def _lines(draw: st.DrawFn) -> dict[str, Any]:
    """A repeating primitive: values, values with extensions, extensions alone."""
    items = draw(
        st.lists(
            st.one_of(st.tuples(_WORDS, st.none()), st.tuples(_WORDS, _SIBLING), st.tuples(st.none(), _SIBLING)),
            min_size=1,
            max_size=4,
        )
    )
    found: dict[str, Any] = {"line": [value for value, _ in items]}
    if any(sibling for _, sibling in items):
        found["_line"] = [sibling for _, sibling in items]
    return found


@given(st.lists(_lines(), min_size=1, max_size=3), _WORDS)
@settings(deadline=None, max_examples=100)
def test_resources(addresses: list[dict[str, Any]], city: str) -> None:
    node = {"resourceType": "Patient", "address": [{**address, "city": city} for address in addresses]}
    assert there_and_back(node) == node


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("<div>a&nbsp;b<br>c</div>", f"<div {XHTML}>a\xa0b<br />c</div>"),
        (f'<?xml version="1.0"?>\n<div {XHTML}>x</div>', f"<div {XHTML}>x</div>"),
        ("<div><p>caf&eacute; &lt; a & b</p></div>", f"<div {XHTML}><p>café &lt; a &amp; b</p></div>"),
        ('<div><img src=a alt="b"><hr></div>', f'<div {XHTML}><img src="a" alt="b" /><hr /></div>'),
        ("<DIV><B>x</B></DIV>", f"<div {XHTML}><b>x</b></div>"),
        ('<h:div xmlns:h="http://www.w3.org/1999/xhtml">x</h:div>', f"<div {XHTML}>x</div>"),
        ("<div><!-- note --><b>x</b> y</div>", f"<div {XHTML}><b>x</b> y</div>"),
    ],
)
def test_narrative_becomes_xhtml(given: str, kept: str) -> None:
    node = {"resourceType": "Patient", "text": {"status": "generated", "div": given}}
    written = text_of(node, "xml", R4)
    assert "<div value" not in written
    assert there_and_back(node)["text"]["div"] == kept
    assert there_and_back(there_and_back(node))["text"]["div"] == kept


@pytest.mark.parametrize(
    "given", ["plain words", "<p>x</p>", "<div><p>open", "<div><li>1<li>2</div>", "", "<div>a</div><div>b</div>"]
)
def test_what_is_no_narrative_is_an_error(given: str) -> None:
    with pytest.raises(ConfigError) as raised:
        text_of({"resourceType": "Patient", "text": {"status": "generated", "div": given}}, "xml", R4)
    assert raised.value.code == "FM351"


def test_a_div_without_its_name_space_is_read() -> None:
    text = (
        '<Patient xmlns="http://hl7.org/fhir"><text><status value="generated"/><div>a <b>b</b> c</div></text></Patient>'
    )
    found = read_document(text.encode(), "x.xml", R4)
    assert isinstance(found, dict)
    assert found["text"]["div"] == f"<div {XHTML}>a <b>b</b> c</div>"


def test_nulls_are_not_written() -> None:
    node = {"resourceType": "Patient", "extension": None, "name": [None, {"family": "x", "given": None}]}
    assert there_and_back({**node, "_birthDate": {"extension": None}}) == {
        "resourceType": "Patient",
        "name": [{"family": "x"}],
    }


def _logical(*elements: dict[str, Any]) -> Definitions:
    definitions = Definitions(base_types("R4"))
    root = {"path": "Doc", "min": 1, "max": "1"}
    definitions.add_structure(
        read_structure(
            {
                "resourceType": "StructureDefinition",
                "url": "urn:doc",
                "name": "Doc",
                "type": "Doc",
                "kind": "logical",
                "derivation": "specialization",
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/tools/StructureDefinition/xml-namespace",
                        "valueUri": "urn:hl7-org:v3",
                    }
                ],
                "snapshot": {"element": [root, *elements]},
            },
            definitions,
        )
    )
    return definitions


def _element(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"path": f"Doc.{name}", "min": 0, "max": "1", "type": [{"code": kind}], **more}


@pytest.mark.parametrize("kind", ["Patient", "Resource"])
def test_a_resource_inside_a_logical_model(kind: str) -> None:
    definitions = _logical(_element("subject", kind), _element("title", "string"))
    patient = {"resourceType": "Patient", "active": True, "name": [{"family": "x"}]}
    node = {"subject": patient, "title": "t"}
    written = text_of(node, "xml", definitions, definitions.structure("urn:doc"))
    assert '<Patient xmlns="http://hl7.org/fhir">' in written
    assert there_and_back(node, definitions, "urn:doc") == node


@pytest.mark.parametrize("representation", ["xhtml", "cdaText"])
def test_markup_of_a_logical_model(representation: str) -> None:
    definitions = _logical(_element("text", "xhtml", representation=[representation]))
    inner = 'Hello <content ID="a">big <b>wide</b></content> world<br />again'
    document = f'<Doc xmlns="urn:hl7-org:v3"><text>{inner}</text></Doc>'
    found = read_document(document.encode(), "x.xml", definitions)
    assert found == {"text": f'<text xmlns="urn:hl7-org:v3">{inner}</text>'}
    assert there_and_back(found, definitions, "urn:doc") == found
    assert there_and_back({"text": "a < b"}, definitions, "urn:doc") == {
        "text": '<text xmlns="urn:hl7-org:v3">a &lt; b</text>'
    }


@pytest.mark.parametrize(
    "inner",
    [
        "Hello <a>big</a> world",
        "<a>x</a> between <b>y</b> and <a>z</a> end",
        "x <a/> y <a>z</a> w",
        "one <a>t <b>u</b> v</a> two <b/> three",
    ],
)
def test_mixed_content_keeps_order_and_words(inner: str) -> None:
    definitions = _logical(_element("note", "Element"))
    document = f'<Doc xmlns="urn:hl7-org:v3"><note>{inner}</note></Doc>'
    found = read_document(document.encode(), "x.xml", definitions)
    assert isinstance(found, dict)
    written = text_of(found, "xml", definitions, definitions.structure("urn:doc"))
    words = "".join(ElementTree.fromstring(written).itertext()).split()
    assert words == "".join(ElementTree.fromstring(document).itertext()).split()
    assert read_document(written.encode(), "x.xml", definitions) == found
