"""Narrative as XHTML: what is put right, and what cannot be."""

from __future__ import annotations

import pytest

from fhirmap.xhtml import XHTML, NarrativeError, xhtml_of


@pytest.mark.parametrize("text", [f'<div xmlns="{XHTML}"><p>a</p><br/> b</div>', f'<div xmlns="{XHTML}"/>'])
def test_what_is_right_stays_as_it_is(text: str) -> None:
    assert xhtml_of(text) == text


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("<div>a&nbsp;b<br>c</br></div>", "a\xa0b<br/>c"),
        ("<!DOCTYPE html><div>&#233; & 5 < 6 a?b&c=1</div>", "é &amp; 5 &lt; 6 a?b&amp;c=1"),
        ("<div><input disabled></div>", '<input disabled="disabled"/>'),
    ],
)
def test_what_is_put_right(text: str, content: str) -> None:
    assert xhtml_of(text) == f'<div xmlns="{XHTML}">{content}</div>'


@pytest.mark.parametrize(
    "text",
    ["", "a", "<p/>", "<div>", "<div></p></div>", "<div/><div/>", "<div/>a", "<div>\x01</div>"]
    + [f"<div>{entity}</div>" for entity in ("&bogus;", "&notit;", "&Nbsp;", "&#0;", "&#xD800;", "&#x110000;", "&#1;")]
    + ['<div title="&bogus;">a</div>'],
)
def test_what_cannot_be(text: str) -> None:
    with pytest.raises(NarrativeError):
        xhtml_of(text)
