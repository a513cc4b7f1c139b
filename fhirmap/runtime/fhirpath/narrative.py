"""The XHTML of a narrative, as FHIR allows it.

Spec: FHIR R4, Narrative, invariants txt-1 and txt-2.
"""

from __future__ import annotations

from html.parser import HTMLParser


def is_plain_narrative(text: str) -> bool:
    """Does the text keep to the elements and attributes that a narrative may have?"""
    checker = _Narrative()
    checker.feed(text)
    checker.close()
    return checker.is_plain


class _Narrative(HTMLParser):
    """Reads a narrative and remembers whether it keeps to the elements and attributes that FHIR allows."""

    _ELEMENTS = frozenset(
        [
            "a",
            "abbr",
            "acronym",
            "b",
            "big",
            "blockquote",
            "br",
            "caption",
            "cite",
            "code",
            "col",
            "colgroup",
            "dd",
            "dfn",
            "div",
            "dl",
            "dt",
            "em",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "hr",
            "i",
            "img",
            "li",
            "ol",
            "p",
            "pre",
            "q",
            "samp",
            "small",
            "span",
            "strong",
            "sub",
            "sup",
            "table",
            "tbody",
            "td",
            "tfoot",
            "th",
            "thead",
            "tr",
            "tt",
            "ul",
            "var",
        ]
    )
    _ATTRIBUTES = frozenset(
        [
            "abbr",
            "accesskey",
            "align",
            "alt",
            "axis",
            "bgcolor",
            "border",
            "cellhalign",
            "cellpadding",
            "cellspacing",
            "cellvalign",
            "char",
            "charoff",
            "charset",
            "cite",
            "class",
            "colspan",
            "compact",
            "coords",
            "dir",
            "frame",
            "headers",
            "height",
            "href",
            "hreflang",
            "hspace",
            "id",
            "lang",
            "longdesc",
            "name",
            "nowrap",
            "rel",
            "rev",
            "rowspan",
            "rules",
            "scope",
            "shape",
            "span",
            "src",
            "start",
            "style",
            "summary",
            "tabindex",
            "title",
            "type",
            "valign",
            "value",
            "vspace",
            "width",
            "xml:lang",
            "xmlns",
        ]
    )
    is_plain = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self._ELEMENTS or any(name not in self._ATTRIBUTES for name, _ in attrs):
            self.is_plain = False
