"""Narrative as XHTML: what FHIR JSON holds as a text, made well-formed where its meaning is clear.

Spec: FHIR R4, narrative.html: a `div` in the XHTML name space, without the entities of HTML.
"""

from __future__ import annotations

import re
from html.entities import html5
from html.parser import HTMLParser
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

XHTML = "http://www.w3.org/1999/xhtml"
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
"""Elements of HTML that hold nothing and need no end tag."""
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_ENTITY = re.compile(r"&(?:#(?:[xX](?P<hex>[0-9a-fA-F]+)|(?P<number>\d+))|(?P<name>[^\W\d_]\w*));")


class NarrativeError(ValueError):
    """A narrative that is no XHTML `div`, and that nothing makes one."""


def xhtml_of(text: str) -> str:
    """``text`` as a well-formed `div` in the XHTML name space; one that is so already stays as it is.

    Entities of HTML become characters, `<br>` and its like are closed, an XML declaration is dropped, and a missing
    name space is added.

    Raises: ``NarrativeError`` where an element is not closed, an entity is none of HTML's, or the text is no `div`.

    Example:
        >>> xhtml_of("<div>a&nbsp;b<br>c</div>")
        '<div xmlns="http://www.w3.org/1999/xhtml">a\\xa0b<br/>c</div>'
    """
    content = text.strip()
    if content.startswith("<div") and _root(content) == f"{{{XHTML}}}div":
        return content
    _require_entities(content)
    reader = _HtmlReader()
    reader.feed(content)
    reader.close()
    return reader.result()


def _root(content: str) -> str:
    """The tag of the root element, with its name space; empty where the text is not well-formed."""
    try:
        return ElementTree.fromstring(content).tag  # noqa: S314 - a document type has no place here
    except (ElementTree.ParseError, ValueError):
        return ""


def _require_entities(content: str) -> None:
    """A reader of HTML takes an entity that it does not know for text, and no character for another one."""
    for found in _ENTITY.finditer(_COMMENT.sub("", content)):
        if found["name"]:
            is_known = f"{found['name']};" in html5
        else:
            code = int(found["hex"], 16) if found["hex"] else int(found["number"])
            is_known = code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code <= 0x10FFFF
        if not is_known:
            raise NarrativeError(found[0])


class _HtmlReader(HTMLParser):
    """Reads one element of HTML, and writes it as XHTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._open: list[str] = []
        self._is_complete = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element, or write one that holds nothing."""
        self._begin(tag, attrs, is_closed=tag in _VOID)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Write an element that closes itself."""
        self._begin(tag, attrs, is_closed=True)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element, which must be that one."""
        name = tag.rpartition(":")[2]
        if name in _VOID:
            return
        if not self._open or self._open.pop() != name:
            raise NarrativeError(name)
        self._parts.append(f"</{name}>")
        self._is_complete = not self._open

    def handle_data(self, data: str) -> None:
        """Write text, which belongs inside the element."""
        if self._open:
            self._parts.append(escape(data))
        elif data.strip():
            raise NarrativeError("text")

    def _begin(self, tag: str, attrs: list[tuple[str, str | None]], *, is_closed: bool) -> None:
        name = tag.rpartition(":")[2]
        if self._is_complete or (not self._open and name != "div"):
            raise NarrativeError(name)
        kept = [(key, value) for key, value in attrs if key != "xmlns" and not key.startswith("xmlns:")]
        declared = "" if self._open else f" xmlns={quoteattr(XHTML)}"
        written = "".join(f" {key}={quoteattr(key if value is None else value)}" for key, value in kept)
        self._parts.append(f"<{name}{declared}{written}{'/' if is_closed else ''}>")
        if not is_closed:
            self._open.append(name)
        elif not self._open:
            self._is_complete = True

    def result(self) -> str:
        """The whole element.

        Raises: ``NarrativeError`` where it is not complete, or names something that XML has no name for.
        """
        found = "".join(self._parts)
        if not self._is_complete or not _root(found):
            raise NarrativeError("div")
        return found
