"""Declarations of other languages."""

from __future__ import annotations

import re

from lark import Token

from fhirmap.language.expressions import end_of, start_of
from fhirmap.language.mistakes.site import MistakeSite

_MODEL_WORDS = ("table", "struct", "class", "type", "view", "entity", "record", "structure", "source", "object")
_LET_WORDS = ("const", "var", "set", "define", "constant", "declare", "val")
_GROUP_HEAD = re.compile(r"(\w+\s+)?\w+\s*\(\s*(?:source|target)\b")
_BLOCK_HEAD = re.compile(r"(\w+)\s+\w+\s*(?:from\b|\{)")
_LET_HEAD = re.compile(r"(\w+)\s+\w+\s*=")


def parameter_order(site: MistakeSite, token: Token) -> bool:
    """`source Pose p`: the type comes after the name."""
    reader, last, before = site.reader, site.reader.last, site.reader.before
    if last is None or before is None or before.type not in ("SOURCE", "TARGET"):
        return False
    if last.type != "IDENTIFIER" or token.type != "IDENTIFIER" or reader.after("COLON") is None:
        return False
    span = site.faults.span(start_of(last), end_of(token))
    site.faults.add("FM001", span, variant="parameter", name=str(token), type=str(last))
    reader.take_back()
    reader.feed(token)
    reader.put_in("COLON", ":")
    return reader.feed(Token("IDENTIFIER", str(last), start_pos=start_of(token), end_pos=end_of(token)))


def other_declaration(site: MistakeSite, token: Token) -> bool:
    """`function pose(source …)`, `table Patient {`, `const x = …`, or a group's head without `group`."""
    reader, at = site.reader, start_of(token)
    if reader.after("GROUP") is None or not reader.begins_line(at):
        return False
    if head := _GROUP_HEAD.match(site.text, at):
        if head[1] is None:
            site.faults.add("FM001", site.faults.span(at, end_of(token)), variant="missing", mark="group")
            # It has the width of the name: what has none is left out of the tree.
            reader.feed(Token("GROUP", "group", start_pos=at, end_pos=end_of(token)))
            reader.at = at
            return True
        meant = "group"
    elif (block := _BLOCK_HEAD.match(site.text, at)) and block[1].lower() in _MODEL_WORDS:
        meant = "model"
    elif (let := _LET_HEAD.match(site.text, at)) and let[1].lower() in _LET_WORDS:
        meant = "let"
    else:
        return False
    site.faults.add("FM004", reader.span(token), word=str(token), meant=meant)
    return reader.feed(Token(meant.upper(), meant, start_pos=at, end_pos=end_of(token)))
