"""Marks that are missing, too many, or others than they should be."""

from __future__ import annotations

import re

from lark import Token

from fhirmap.language.expressions import end_of, start_of
from fhirmap.language.mistakes.site import MistakeSite

_CLAUSES = ("as", "default", "first", "not_first", "last", "not_last", "only_one", "where", "check", "log")


def other_mark(site: MistakeSite, token: Token) -> bool:
    """`=` for `:` and the other way round; no `=` at all before a text."""
    reader = site.reader
    for wanted, mark in (("COLON", ":"), ("EQUAL", "=")):
        if reader.accepted() != [wanted]:
            continue
        if token.type in ("COLON", "EQUAL"):
            site.instead(start_of(token), end_of(token), f"`{mark}`")
            return reader.feed(Token(wanted, mark, start_pos=start_of(token), end_pos=end_of(token)))
        if wanted == "EQUAL" and token.type in ("STRING", "DOUBLE_QUOTED_STRING"):
            site.faults.add("FM001", reader.gap(), variant="missing", mark=mark)
            return reader.put_in(wanted, mark)
    return False


def comma_too_many(site: MistakeSite, token: Token) -> bool:
    """`f(a, )`, `as v, ->`: without the comma it fits."""
    reader, last = site.reader, site.reader.last
    if last is None or last.type not in ("COMMA", "LIST_COMMA") or reader.after_last(token.type) is None:
        return False
    site.faults.add("FM001", reader.span(last), variant="comma", found=str(token))
    reader.take_back()
    reader.at = start_of(token)
    return True


def alias_without_as(site: MistakeSite, token: Token) -> bool:
    """`src.typePe v ->`, `tgt.parameter p,`"""
    reader = site.reader
    if token.type != "IDENTIFIER" or token[:1].isupper() or token in _CLAUSES:
        return False
    if not reader.goes_on(reader.after("AS", "IDENTIFIER"), end_of(token), 1):
        return False
    if site.text[end_of(token) : end_of(token) + 1] in (".", "("):
        return False
    site.faults.add("FM001", reader.gap(), variant="missing", mark="as")
    return reader.put_in("AS", "as")


def call_without_then(site: MistakeSite, token: Token) -> bool:
    """`-> tgt.implants as i pose(p, i)` where `pose` is a group of the map."""
    if token.type != "IDENTIFIER" or site.reader.after("THEN", "IDENTIFIER", "LPAR") is None:
        return False
    if re.search(rf"\bgroup\s+{re.escape(token)}\s*\(", site.text) is None:
        return False
    site.faults.add("FM001", site.reader.gap(), variant="missing", mark="then")
    return site.reader.put_in("THEN", "then")
