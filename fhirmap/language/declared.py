"""Names that a text declares, token by token: also those of declarations that the parser could not read."""

from __future__ import annotations

from collections.abc import Iterator

from lark import Token

from fhirmap.diagnostics import Span, Subject, SubjectKind
from fhirmap.language.expressions import end_of, start_of
from fhirmap.language.reader import END, Reader

_WORDS = {
    "group": SubjectKind.GROUP,
    "model": SubjectKind.MODEL,
    "alias": SubjectKind.MODEL,
    "conceptmap": SubjectKind.CONCEPT_MAP,
    "prefix": SubjectKind.PREFIX,
    "imports": SubjectKind.IMPORT,
}
"""Words before a name that they declare."""
_BEFORE_ELEMENT = ("LBRACE", "SEMICOLON", "COMMA")
_QUOTED = ("STRING", "DOUBLE_QUOTED_STRING")


def declared_names(reader: Reader) -> tuple[tuple[Subject, Span], ...]:
    """Each declared name of the reader's text, with where it is declared."""
    found: list[tuple[Subject, Span]] = []
    before, last = None, None
    for token in _tokens(reader):
        if last is not None and str(last) in _WORDS:
            name = str(token).strip("\"'`").lstrip("#")
            found.append((Subject(_WORDS[str(last)], name), reader.span(token)))
        elif token.type == "COLON" and last is not None and _begins_element(reader, before, last):
            found.append((Subject(SubjectKind.ELEMENT, str(last).strip("`")), reader.span(last)))
        before, last = last, token
    return tuple(found)


def _begins_element(reader: Reader, before: Token | None, last: Token) -> bool:
    return reader.begins_line(start_of(last)) or (before is not None and before.type in _BEFORE_ELEMENT)


def _tokens(reader: Reader) -> Iterator[Token]:
    at = 0
    while (token := reader.raw_token(at)).type != END:
        yield token
        # A text that goes on after its line is one whose closing quote is missing.
        is_open = token.type in _QUOTED and "\n" in token
        at = reader.line_end(start_of(token)) if is_open else end_of(token)
