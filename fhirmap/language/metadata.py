"""One metadata line, `/// path = value`, → `Metadata`."""

from __future__ import annotations

import re
from decimal import Decimal

from lark import Token

from fhirmap.language import nodes as n
from fhirmap.language.expressions import ExpressionBuilder, end_of, start_of

_LINE = re.compile(r"///[ \t]*(?P<path>[A-Za-z_][\w-]*(?:\[\d+\])?(?:\.[A-Za-z_][\w-]*(?:\[\d+\])?)*)[ \t]*=[ \t]*")
_MARKDOWN = re.compile(r'"""([\s\S]*?)"""')
_QUOTED = re.compile(r"'(?:[^'\\]|\\[\s\S])*'|\"(?:[^\"\\]|\\[\s\S])*\"")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?=\s|//|\Z)")
_BARE = re.compile(r"@?[^\s'\"/](?:[^\s'\"/]|/(?!/))*")
_REST = re.compile(r"[ \t]*(//.*)?\s*\Z")


def looks_like_metadata(comment: str) -> bool:
    """Is this comment a metadata line that comes too late?"""
    return comment.startswith("///") and _LINE.match(comment) is not None


class MetadataReader:
    """Reads the metadata lines of one text; ``comments`` are those after a value on its line."""

    def __init__(self, expressions: ExpressionBuilder) -> None:
        self._expressions = expressions
        self._faults = expressions.faults
        self.comments: list[n.MapComment] = []

    def read(self, token: Token) -> n.Metadata | None:
        """The line that ``token`` is; ``None`` for one that says nothing, which then counts as a comment."""
        line = str(token)
        start = start_of(token)
        matched = _LINE.match(line)
        if matched is None:
            span = self._faults.span(start, end_of(token))
            if line.strip("/ \t"):
                self._faults.add("FM022", span)
            self.comments.append(n.MapComment(line.rstrip(), span))
            return None
        value, end, markdown, bare = self._value(token, matched.end())
        rest = _REST.match(line, end)
        span = self._faults.span(start, start + end)
        if rest is None:
            self._faults.add("FM022", self._faults.span(start + end, end_of(token)), variant="value")
        elif rest[1]:
            where = self._faults.span(start + rest.start(1), start + rest.end(1))
            self.comments.append(n.MapComment(rest[1].rstrip(), where))
        return n.Metadata(matched["path"], value, span, markdown, bare)

    def _value(self, token: Token, at: int) -> tuple[str | int | Decimal | bool | None, int, bool, bool]:
        """Value, where it ends in the line, is it Markdown, is it bare."""
        line = str(token)
        if found := _MARKDOWN.match(line, at):
            return _without_outer_breaks(found[1]), found.end(), True, False
        if found := _QUOTED.match(line, at):
            start = start_of(token)
            quoted = Token("STRING", found[0], start_pos=start + at, end_pos=start + found.end())
            return self._expressions.quoted(quoted), found.end(), False, False
        if line[at : at + 1] in ("'", '"') and line[at : at + 1]:
            start = start_of(token) + at
            self._faults.add("FM005", self._faults.span(start, start_of(token) + len(line.rstrip())), mark=line[at])
            return line[at:].strip("\"'"), len(line), False, False
        if found := _NUMBER.match(line, at):
            number = found[0]
            return (Decimal(number) if "." in number or len(number) > 18 else int(number)), found.end(), False, False
        if line.startswith("//", at) or (found := _BARE.match(line, at)) is None:
            return None, at, False, False
        if found[0] in ("true", "false"):
            return found[0] == "true", found.end(), False, False
        return found[0].removeprefix("@"), found.end(), False, True


def _without_outer_breaks(text: str) -> str:
    """Exactly one line break less at each end: the one the grammar demands after and before the marks."""
    text = text.removeprefix("\r\n") if text.startswith("\r\n") else text.removeprefix("\n")
    return text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")
