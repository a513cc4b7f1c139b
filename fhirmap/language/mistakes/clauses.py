"""Clauses of a model: texts without quotes, cardinalities, lengths."""

from __future__ import annotations

import re

from lark import Token

from fhirmap.language.expressions import end_of, start_of
from fhirmap.language.mistakes.site import MistakeSite

_POSITIONS = re.compile(r"([0-9]+)\.\.([0-9]+)")
"""`key 1..9`: the column that `from 1..9` reads, whose name is `1-9`."""
_BARE_TEXT = re.compile(r"`[^`\n]*`|[^\s,;{}()=\"']+")
_SQL_END = re.compile(r"\s+(?:order\s+by|repeat|latest|key|encoding|delimiter|null|format)\b|\s*(?://|\{|;?\s*\Z)")
_BOXED_CARDINALITY = re.compile(r"[\[({]\s*(\d+)\s*\.\.\s*(\d+|[*n])\s*[\])}]")
_CARDINALITY = re.compile(r"\d+\s*\.\.\s*(?:\d+|\*)")
_LENGTH = re.compile(r"\(\s*\d+(?:\s*,\s*\d+)?\s*\)")
_CLAUSES = ("as", "default", "first", "not_first", "last", "not_last", "only_one", "where", "check", "log")
_ENTRIES = ("map_rule", "model_element", "concept_map_item", "first_declaration", "declaration")


def without_quotes(site: MistakeSite, token: Token) -> bool:
    """`from statut`, `conceptmap cote`, `where principal = 'O'`: a text, and only a text, is wanted."""
    reader, at = site.reader, start_of(token)
    accepted = set(reader.accepted())
    last = reader.last
    if "STRING" not in accepted or accepted & {"SEMICOLON", "ARROW", "DATE", "IDENTIFIER", "RBRACE"} or last is None:
        return False
    found = _BARE_TEXT.match(site.text, at)
    if found is None or "\n" in site.text[end_of(last) : at] or found[0] in _CLAUSES:
        return False
    if last.type == "WHERE":
        return _sql_condition(site, at)
    shown = meant = found[0].strip("`")
    variant = "quotes"
    if positions := _POSITIONS.fullmatch(shown):
        variant, meant = "positions", f"{positions[1]}-{positions[2]}"
    site.faults.add("FM001", site.faults.span(*found.span()), variant=variant, found=shown, written=meant)
    return _text_as_meant(site, at, found.end(), meant)


def boxed_cardinality(site: MistakeSite, token: Token) -> bool:
    """`[0..1]`"""
    found = _BOXED_CARDINALITY.match(site.text, start_of(token))
    if found is None or site.reader.after("INTEGER", "DOTDOT") is None:
        return False
    site.faults.add("FM007", site.faults.span(*found.span()), variant="form")
    site.reader.put_in("INTEGER", found[1], found.start())
    site.reader.put_in("DOTDOT", "..", found.start())
    upper = ("STAR", "*") if found[2] in "*n" else ("INTEGER", found[2])
    return site.reader.put_in(*upper, found.end())


def late_cardinality(site: MistakeSite, token: Token) -> bool:
    """`from 'x' 0..1`, `as v 0..1`: it comes after the type, or the element."""
    found = _CARDINALITY.match(site.text, start_of(token))
    inside = site.reader.inside(*_ENTRIES)
    if found is None or token.type != "INTEGER" or inside not in ("model_element", "map_rule"):
        return False
    site.faults.add("FM007", site.faults.span(*found.span()), variant=inside)
    site.reader.at = found.end()
    return True


def length(site: MistakeSite, token: Token) -> bool:
    """`varchar(20)`"""
    last = site.reader.last
    found = _LENGTH.match(site.text, start_of(token))
    accepted = site.reader.accepted()
    if last is None or found is None or "JOIN" not in accepted or "INTEGER" not in accepted:
        return False
    span = site.faults.span(start_of(last), found.end())
    site.faults.add("FM001", span, variant="length", found=span.snippet)
    site.reader.at = found.end()
    return True


def _sql_condition(site: MistakeSite, at: int) -> bool:
    line_end = site.reader.line_end(at)
    quote = site.text.find('"', at, line_end)
    found = _SQL_END.search(site.text[at:line_end])
    end = quote if quote >= 0 else at + found.start() if found else line_end
    site.faults.add("FM001", site.faults.span(at, end), variant="condition")
    return _text_as_meant(site, at, end + (quote >= 0), site.text[at:end])


def _text_as_meant(site: MistakeSite, start: int, end: int, content: str) -> bool:
    plain = content.replace("\\", "").replace("'", "")
    return site.reader.feed(Token("STRING", f"'{plain}'", start_pos=start, end_pos=end))
