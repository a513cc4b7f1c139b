"""The bytes of an XML file given to lxml: nothing that a document type declares, and every failure by its place alone.

A document type declaration is refused before anything after it is read: it could define entities that name files or
grow without bound. lxml's own limits stay on (256 levels, texts of ten million characters).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias, cast

from lxml import etree

from fhirmap.errors import ConfigError
from fhirmap.sources.files.source_files import SourceFile, reading
from fhirmap.sources.files.text_lines import is_eight_bit, proved_encoding
from fhirmap.texts import Text

__all__ = ["XML", "XmlElement", "XmlHead", "XmlText", "events_of"]

XmlElement: TypeAlias = etree._Element

XML = "http://www.w3.org/XML/1998/namespace"
"""The namespace of the prefix `xml`, which no document declares."""
_CHUNK = 1 << 16
_PROLOG = 1 << 20
"""Bytes before the end of the first start tag."""
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LIBXML_NAMES = {"mac-roman": "macintosh", "utf-16-le": "UTF-16LE", "utf-16-be": "UTF-16BE"}
"""Encodings that libxml2 calls otherwise than Python."""
_TYPES = etree.ErrorTypes
_REASONS = {
    _TYPES.ERR_TAG_NAME_MISMATCH: "other_tag",
    _TYPES.ERR_DOCUMENT_END: "after_root",
    _TYPES.ERR_DOCUMENT_EMPTY: "no_element",
    _TYPES.ERR_RESERVED_XML_NAME: "declaration_inside",
    _TYPES.ERR_INVALID_CHAR: "no_xml_character",
    _TYPES.ERR_UNDECLARED_ENTITY: "unknown_entity",
    _TYPES.ERR_ENTITYREF_SEMICOL_MISSING: "bare_sign",
    _TYPES.ERR_NAME_REQUIRED: "bare_sign",
    _TYPES.ERR_LT_IN_ATTRIBUTE: "bare_sign",
    _TYPES.ERR_ATTRIBUTE_REDEFINED: "attribute_twice",
    _TYPES.NS_ERR_UNDEFINED_NAMESPACE: "unknown_prefix",
    _TYPES.ERR_RESOURCE_LIMIT: "xml_limit",
}
"""What each error of libxml2 is in our words: its own quote the document."""
_DECLARED = re.compile(rb"<\?xml[^>]{1,80}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_NOT_IN_ENCODING = frozenset({_TYPES.ERR_INVALID_ENCODING, _TYPES.I18N_CONV_FAILED})
_UNKNOWN_ENCODING = frozenset({_TYPES.ERR_UNSUPPORTED_ENCODING, _TYPES.ERR_UNKNOWN_ENCODING})


@dataclass(frozen=True, slots=True)
class XmlHead:
    """What a document says first. ``root``: the name of its root element, `{namespace}name`; ``prefixes``: declared on
    it, None for the namespace without one."""

    root: str
    prefixes: Mapping[str | None, str]


class XmlText:
    """The text of one file.

    ``encoding``: instead of the one that the document declares; a byte-order mark counts more.
    """

    def __init__(self, file: SourceFile, encoding: str = "") -> None:
        self._file = file
        self._declared = encoding

    @cached_property
    def head(self) -> XmlHead:
        """Its beginning, once its encoding was proved.

        Raises: ConfigError FM701, FM702, FM705, FM780.
        """
        if self._is_falsely_wide():
            raise ConfigError("FM705", variant="xml", source=self._file.shown, encoding=self._written, line=1)
        encoding = self._encoding or self._written
        if is_eight_bit(encoding) and not self._start.startswith(_MARKS):
            # Any byte is a letter there: a text in UTF-8 would be read without an error.
            self._prove(encoding, strict=False)
        root = self._root()
        if root.getroottree().docinfo.internalDTD is not None:
            raise ConfigError("FM780", variant="doctype", source=self._file.shown)
        return XmlHead(root.tag, dict(root.nsmap))

    def _root(self) -> XmlElement:
        """The root element as far as its start tag."""
        parser = etree.XMLPullParser(events=("start",), **self._settings(is_prolog=True))
        size = 0
        for _ in self.fed(parser, chunk_bytes=1 << 10):
            for _, element in events_of(parser):
                return element
            size += 1 << 10
            if size > _PROLOG:
                break
        raise ConfigError("FM780", source=self._file.shown, reason=Text("reasons.no_element"), line=1, column=1)

    def parser(self, events: tuple[Literal["start", "end"], ...], tags: list[str]) -> etree.XMLPullParser:
        """A parser that gives these events of elements with these names."""
        return etree.XMLPullParser(events=events, tag=tags, **self._settings())

    def target_parser(self, target: object) -> etree.XMLParser:
        """A parser that calls ``target``."""
        return etree.XMLParser(target=cast(Any, target), **self._settings())

    def _settings(self, *, is_prolog: bool = False) -> dict[str, Any]:
        # With `False`, lxml is silent about an entity that nothing declares. Without a document type there is no other.
        entities = False if is_prolog else "internal"
        return {
            "encoding": self._encoding or None,
            "resolve_entities": entities,
            "no_network": True,
            "load_dtd": False,
            "remove_comments": True,
            "remove_pis": True,
        }

    @cached_property
    def _encoding(self) -> str:
        """The map's encoding as libxml2 calls it; empty where the document says it itself."""
        declared = self._declared
        if not declared or self._start.startswith(_MARKS):
            return ""
        try:
            name = codecs.lookup(declared).name
        except LookupError:
            name = declared
        for known in (_LIBXML_NAMES.get(name, name), declared):
            try:
                etree.XMLParser(encoding=known)
            except LookupError:
                continue
            return known
        raise ConfigError("FM705", variant="unknown", encoding=declared, source=self._file.shown)

    @cached_property
    def _start(self) -> bytes:
        """Its first bytes."""
        with reading(self._file), self._file.open() as stream:
            return stream.read(200)

    @property
    def _written(self) -> str:
        """The encoding that the document declares; UTF-8 where it declares none."""
        found = _DECLARED.search(self._start)
        return found[1].decode() if found else "utf-8"

    def _is_falsely_wide(self) -> bool:
        """Does a document in letters of one byte declare wider ones, as programs write that had it as a text?"""
        return not self._encoding and self._written.lower().startswith(("utf-16", "ucs-2", "utf-32"))

    def fed(self, parser: etree.XMLParser | etree.XMLPullParser, chunk_bytes: int = _CHUNK) -> Iterator[int]:
        """Give the file to a parser; the number of bytes after each piece of it, and 0 after its end.

        Raises: ConfigError FM701, FM702, FM705, FM780.
        """
        is_at_end = False
        try:
            with reading(self._file), self._file.open() as stream:
                while chunk := stream.read(chunk_bytes):
                    parser.feed(chunk)
                    yield len(chunk)
                is_at_end = True
                parser.close()
                yield 0
        except etree.XMLSyntaxError as error:
            raise self._failure(error, is_at_end=is_at_end) from None

    def _prove(self, encoding: str, *, strict: bool) -> None:
        """Raise FM705 with the byte and the line that are not in the encoding: libxml2 knows them roughly."""
        if _is_known(encoding):
            proved_encoding(self._file, encoding, names=0, strict=strict)

    def _failure(self, error: etree.XMLSyntaxError, *, is_at_end: bool) -> ConfigError:
        """Where the document is no XML, and why: of what lxml says, only its code and its place."""
        line, column = error.position
        code = getattr(error, "code", 0)
        if code in _NOT_IN_ENCODING:
            encoding = self._encoding or self._written
            self._prove(encoding, strict=True)
            return ConfigError("FM705", variant="xml", source=self._file.shown, encoding=encoding, line=line)
        if code in _UNKNOWN_ENCODING:
            return ConfigError("FM705", variant="unknown_xml", source=self._file.shown)
        reason = _REASONS.get(code, "ends_early" if is_at_end else "out_of_place")
        return ConfigError(
            "FM780",
            source=self._file.shown,
            reason=Text(f"reasons.{reason}"),
            line=max(line, 1),
            column=max(column, 1),
        )


def events_of(parser: etree.XMLPullParser) -> Iterator[tuple[str, XmlElement]]:
    """The events since the last ones: `start` and `end` of elements."""
    return cast(Iterator[tuple[str, XmlElement]], parser.read_events())


def _is_known(encoding: str) -> bool:
    try:
        codecs.lookup(encoding)
    except LookupError:
        return False
    return True
