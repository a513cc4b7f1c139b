"""Codes of a concept map: their prefix, their relation, hyphens in them."""

from __future__ import annotations

import re

from lark import Token

from fhirmap.diagnostics import nearest
from fhirmap.language.expressions import end_of, start_of
from fhirmap.language.mistakes.site import MistakeSite

_WORD = re.compile(r"[^\W\d]\w*")
_HYPHENATED = re.compile(r"[\w-]+")
_ENTRIES = ("map_rule", "model_element", "concept_map_item", "first_declaration", "declaration")


def relation(site: MistakeSite, token: Token) -> bool:
    """`s:A -> t:B`, `s:A t:B`: `-` belongs between the codes."""
    reader = site.reader
    if not {"MINUS", "UNMATCHED", "TILDE"} <= set(reader.accepted()):
        return False
    if token.type in ("ARROW", "COMMA", "SEMICOLON", "COLON") or token in "→⇒":
        site.instead(start_of(token), end_of(token), "`-`")
        return reader.feed(Token("MINUS", "-", start_pos=start_of(token), end_pos=end_of(token)))
    if _WORD.fullmatch(token) and site.same_line(token):
        site.faults.add("FM001", reader.gap(), variant="missing", mark="-")
        return reader.put_in("MINUS", "-")
    return False


def entry_word(site: MistakeSite, token: Token) -> bool:
    """`prefx s = …`: the word looks like the prefix of a code."""
    reader, last = site.reader, site.reader.last
    if last is None or reader.accepted() != ["COLON"] or reader.inside(*_ENTRIES) != "concept_map_item":
        return False
    meant = nearest(str(last), ("prefix", "unmapped"))
    if meant is None or not _WORD.fullmatch(token) or not site.same_line(token):
        return False
    site.faults.add("FM004", reader.span(last), word=str(last), meant=meant)
    reader.cut(*_ENTRIES)
    reader.feed(Token(meant.upper(), meant, start_pos=start_of(last), end_pos=end_of(last)))
    reader.at = start_of(token)
    return True


def code_without_prefix(site: MistakeSite, token: Token) -> bool:
    """`D - DROITE` where `s:D - t:DROITE` is meant."""
    reader, last = site.reader, site.reader.last
    if last is None or reader.accepted() != ["COLON"] or reader.inside(*_ENTRIES) != "concept_map_item":
        return False
    if (run := _hyphenated(site, end_of(last))) is not None:
        site.faults.add("FM001", site.faults.span(*run), variant="quotes", found=site.text[slice(*run)])
    else:
        site.faults.add("FM001", reader.span(last), variant="prefix", found=str(last))
    same_line = site.same_line(token)
    reader.cut(*_ENTRIES)
    reader.at = reader.line_end(start_of(token)) if same_line else start_of(token)
    return True


def hyphenated_code(site: MistakeSite, token: Token) -> bool:
    """`t:femoral-component`, `s:D-1`"""
    reader, last = site.reader, site.reader.last
    at = start_of(token)
    if last is not None and last.type == "MINUS" and end_of(last) == at and reader.after_last("MINUS") is not None:
        run = _hyphenated(site, at)
        if run is not None and run[0] < start_of(last):
            site.faults.add("FM001", site.faults.span(*run), variant="quotes", found=site.text[slice(*run)])
            reader.take_back()
            reader.at = run[1]
            return True
    if last is None or site.text[at] != "-" or end_of(last) != at or reader.inside(*_ENTRIES) != "concept_map_item":
        return False
    run = _hyphenated(site, at + 1)
    if run is None or run[1] == at + 1:
        return False
    site.faults.add("FM001", site.faults.span(*run), variant="quotes", found=site.text[slice(*run)])
    reader.at = run[1]
    return True


def _hyphenated(site: MistakeSite, at: int) -> tuple[int, int] | None:
    """The run of letters, digits and hyphens around ``at``, where there is a hyphen in it."""
    start = at
    while start and (site.text[start - 1].isalnum() or site.text[start - 1] in "_-"):
        start -= 1
    found = _HYPHENATED.match(site.text, start)
    return found.span() if found is not None and "-" in found[0].strip("-") else None
