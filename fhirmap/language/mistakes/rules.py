"""Rules in another order than source, arrow, target."""

from __future__ import annotations

import re

from lark import Token

from fhirmap.language.expressions import end_of, start_of
from fhirmap.language.mistakes.site import MistakeSite
from fhirmap.language.reader import END

_CLAUSES = ("as", "default", "first", "not_first", "last", "not_last", "only_one", "where", "check", "log")
_OF_SOURCES = ("default", "where", "check", "log")
_COMPUTES = frozenset({"LPAR", "LSQB", "PLUS", "MINUS", "AMPERSAND", "VBAR", "SLASH", "STAR"})
_PATH_BEFORE = re.compile(r"[A-Za-z_]\w*(?:\s*\.\s*(?:\w+|`[^`\n]*`))+\s*\Z")
_ENTRIES = ("map_rule", "model_element", "concept_map_item", "first_declaration", "declaration")


def clause_order(site: MistakeSite, token: Token) -> bool:
    """`as v default 'x'`, `where (…) where (…)`: a source's clauses have one order."""
    reader = site.reader
    if str(token) not in _CLAUSES or reader.after("ARROW") is None or reader.after("SHARE") is not None:
        return False
    site.faults.add("FM001", reader.span(token), variant="order", found=str(token))
    return _skip_clause(site, token)


def clause_of_source(site: MistakeSite, token: Token) -> bool:
    """`-> tgt.id = v where (…)`: a clause of the source, on the other side of the arrow."""
    reader = site.reader
    if str(token) not in _OF_SOURCES or reader.inside(*_ENTRIES) != "map_rule" or reader.after("ARROW") is not None:
        return False
    if reader.after("THEN") is None or reader.raw_token(end_of(token)).type in ("EQUAL", "DOT"):
        return False
    site.faults.add("FM001", reader.span(token), variant="side", found=str(token))
    return _skip_clause(site, token)


def _skip_clause(site: MistakeSite, token: Token) -> bool:
    reader = site.reader
    depth, at = 0, end_of(token)
    while True:
        found = reader.raw_token(at)
        stops = found.type in ("ARROW", "COMMA", "THEN") or str(found) in _CLAUSES
        if found.type in (END, "SEMICOLON", "LBRACE", "RBRACE") or (depth == 0 and stops):
            reader.at = start_of(found)
            return True
        depth += (found.type in ("LPAR", "LSQB")) - (found.type in ("RPAR", "RSQB"))
        at = end_of(found)


def written_first(site: MistakeSite, token: Token) -> bool:
    """`tgt.date = src.date`: a rule begins with what is read."""
    reader = site.reader
    if token.type != "EQUAL" or reader.after("ARROW") is None or reader.after("AS") is None:
        return False
    if reader.after("SHARE") is not None or site.text.startswith("=>", start_of(token)):
        return False
    site.faults.add("FM001", reader.span(token), variant="source")
    return drop_rule(site, start_of(token))


def computed_source(site: MistakeSite, token: Token) -> bool:
    """`src.codes.split('|') as t -> …`, `src.name[0] as n -> …`: a source is a path."""
    reader = site.reader
    found = _PATH_BEFORE.search(site.text, max(0, start_of(token) - 500), reader.last_end)
    if token.type not in _COMPUTES or found is None or site.text.startswith("[x]", start_of(token)):
        return False
    if reader.inside(*_ENTRIES) != "map_rule" or reader.after("ARROW") is None or reader.after("EQUAL") is not None:
        return False
    span = site.faults.span(found.start(), _source_end(site, start_of(token)))
    context = found[0].partition(".")[0].strip()
    site.faults.add("FM015", span, variant="source", context=context, found=span.snippet)
    return drop_rule(site, start_of(token))


def source_in_parentheses(site: MistakeSite, token: Token) -> bool:
    """`(src.codes.split('|')) as t -> …`: what is computed comes after the arrow."""
    reader = site.reader
    if token.type != "LPAR" or reader.inside(*_ENTRIES) != "map_rule" or not _begins_rule(site, start_of(token)):
        return False
    end = _source_end(site, start_of(token))
    found = re.compile(r"\(\s*%?(([A-Za-z_]\w*)\b.*)\)\s*\Z", re.DOTALL).match(site.text[start_of(token) : end])
    if found is None:
        return False
    span = site.faults.span(start_of(token), end)
    site.faults.add("FM015", span, variant="source", context=found[2], found=found[1])
    return drop_rule(site, start_of(token))


def computed_target(site: MistakeSite, token: Token) -> bool:
    """`-> v.trim() as w`: a computed target variable is in parentheses."""
    reader = site.reader
    found = _PATH_BEFORE.search(site.text, max(0, start_of(token) - 500), reader.last_end)
    if token.type != "LPAR" or found is None or reader.after("EQUAL") is None or reader.after("AS") is None:
        return False
    if reader.inside(*_ENTRIES) != "map_rule" or reader.after("ARROW") is not None:
        return False
    span = site.faults.span(found.start(), _source_end(site, start_of(token)))
    site.faults.add("FM015", span, variant="target", found=span.snippet)
    return drop_rule(site, start_of(token))


def _source_end(site: MistakeSite, at: int) -> int:
    """Offset of the end of a computed source: before its clauses, the arrow or the next source."""
    depth, end = 0, at
    while True:
        found = site.reader.raw_token(end)
        stops = found.type in ("ARROW", "COMMA", "THEN") or str(found) in _CLAUSES
        is_end = found.type in (END, "SEMICOLON", "LBRACE", "RBRACE") or (depth == 0 and stops)
        if is_end and site.text[end - 1] != ".":
            return end
        if found.type == END:
            return end
        depth += (found.type in ("LPAR", "LSQB")) - (found.type in ("RPAR", "RSQB"))
        end = end_of(found)


def group_as_source(site: MistakeSite, token: Token) -> bool:
    """`pose(p, i);` or `then pose(p, i);` for a whole rule."""
    last, opened = site.reader.last, site.reader.innermost("LPAR")
    if last is not None and last == "then" and _begins_rule(site, start_of(last)):
        site.faults.add("FM020", site.reader.span(last), variant="then")
        return drop_rule(site, start_of(token))
    if token.type != "COMMA" or opened is None:
        return False
    found = re.search(r"\w+\s*\Z", site.text[max(0, start_of(opened) - 200) : start_of(opened)])
    if found is None:
        return False
    start = max(0, start_of(opened) - 200) + found.start()
    if not _begins_rule(site, start):
        return False
    name = found[0].strip()
    site.faults.add("FM020", site.faults.span(start, start + len(name)), name=name)
    return drop_rule(site, start_of(token))


def _begins_rule(site: MistakeSite, at: int) -> bool:
    before = re.sub(r"(?://[^\n]*\n|/\*.*?\*/|\s)+\Z", "", site.text[max(0, at - 2000) : at], flags=re.DOTALL)
    return site.reader.inside(*_ENTRIES) == "map_rule" and before.endswith(("{", ";", "}"))


def drop_rule(site: MistakeSite, at: int) -> bool:
    """Forgets the rule, with the block after its `then`, and goes on after its end."""
    reader = site.reader
    reader.cut("map_rule")
    depth, has_then = 0, False
    while True:
        found = reader.raw_token(at)
        reader.at = start_of(found)
        has_then = has_then or found.type == "THEN"
        is_outside = not depth and (found.type == "RBRACE" or (found.type == "LBRACE" and not has_then))
        if found.type == END or is_outside:
            break
        depth += (found.type == "LBRACE") - (found.type == "RBRACE")
        at = reader.at = end_of(found)
        if found.type == "SEMICOLON" and not depth:
            break
    return True
