"""Comments and operators of SQL and other languages."""

from __future__ import annotations

import re

from lark import Token

from fhirmap.language.expressions import end_of, start_of
from fhirmap.language.mistakes.site import MistakeSite
from fhirmap.language.reader import END
from fhirmap.texts import Listing, Text

_OPERATORS: dict[tuple[str, str], str | Text] = {
    ("LESSTHAN", "MORETHAN"): "`!=`",
    ("EQUAL", "EQUAL"): "`=`",
    ("VBAR", "VBAR"): Text("syntax.or_between"),
    ("AMPERSAND", "AMPERSAND"): "`and`",
}
"""Two marks that another language writes as one operator, and what is written here."""
_SQL_WORDS: dict[str, Text | Listing] = {
    "like": Listing(("`startsWith('…')`", "`contains('…')`", "`matches('…')`"), joint="lists.or"),
    "ilike": Listing(("`lower().contains('…')`", "`matches('…')`"), joint="lists.or"),
    "between": Listing(("`>=`", "`<=`"), joint="lists.and"),
    "not": Text("syntax.not_around"),
}


def comment(site: MistakeSite, token: Token) -> bool:
    """`-- …` and `# …`."""
    at = start_of(token)
    mark = next((mark for mark in ("--", "#") if site.text.startswith(mark, at)), "")
    if not mark or (mark == "--" and site.reader.after("MINUS") is not None):
        return False
    if mark == "#" and not (site.reader.begins_line(at) or site.text[at + 1 : at + 2].isspace()):
        return False
    site.faults.add("FM012", site.faults.span(at, at + len(mark)), variant="comment", found=mark)
    site.reader.at = site.reader.line_end(at)
    return True


def doubled_operator(site: MistakeSite, token: Token) -> bool:
    """`<>`, `==`, `||`, `&&`: the second mark is left out."""
    last = site.reader.last
    mark = _OPERATORS.get((last.type, token.type)) if last is not None else None
    if last is None or mark is None or end_of(last) != start_of(token):
        return False
    site.instead(start_of(last), end_of(token), mark)
    site.reader.at = end_of(token)
    return True


def assigned(site: MistakeSite, token: Token) -> bool:
    """`:=`"""
    last, at = site.reader.last, start_of(token)
    if token.type == "COLON" and site.text.startswith(":=", at) and site.reader.after("EQUAL") is not None:
        site.instead(at, at + 2, "`=`")
        return site.reader.feed(Token("EQUAL", "=", start_pos=at, end_pos=at + 2))
    if last is None or last.type != "COLON" or token.type != "EQUAL" or end_of(last) != at:
        return False
    if site.reader.after_last("EQUAL") is None:
        return False
    site.instead(start_of(last), end_of(token), "`=`")
    site.reader.take_back()
    return site.reader.feed(token)


def null_test(site: MistakeSite, token: Token) -> bool:
    """`x is not null`; `is null` is reported by the builder."""
    last, word = site.reader.last, site.reader.innermost("IS")
    if last is None or word is None or token.lower() != "null" or last.lower() != "not":
        return False
    site.faults.add("FM001", site.faults.span(start_of(word), end_of(token)), variant="present")
    site.reader.at = end_of(token)
    return True


def sql_word(site: MistakeSite, token: Token) -> bool:
    """`x like 'A%'`, `x between 1 and 2`, `not x`."""
    reader, last = site.reader, site.reader.last
    if last is not None and last.lower() == "not" and reader.after_last(token.type) is not None:
        site.instead(start_of(last), end_of(last), _SQL_WORDS["not"])
        reader.take_back()
        reader.at = start_of(token)
        return True
    word = token.lower()
    if word not in _SQL_WORDS or reader.after("AND") is None:
        return False
    site.instead(start_of(token), end_of(token), _SQL_WORDS[word])
    reader.at = _expression_end(site, end_of(token))
    return True


def sql_list(site: MistakeSite, token: Token) -> bool:
    """`x in ('a', 'b')`: asked of every comma, since before it the parser already takes the text for the whole."""
    opened = site.reader.innermost("LPAR")
    if opened is None or site.reader.after("COMMA") is not None or site.reader.after("VBAR") is None:
        return False
    if not re.search(r"\bin\s*\Z", site.text[: start_of(opened)][-20:]):
        return False
    if start_of(opened) not in site.lists:
        site.lists.add(start_of(opened))
        site.instead(start_of(token), end_of(token), Text("syntax.bar_between"))
    return site.reader.feed(Token("VBAR", "|", start_pos=start_of(token), end_pos=end_of(token)))


def _expression_end(site: MistakeSite, at: int) -> int:
    """Where the rest of an expression ends: at the bracket around it, or at what follows it in a rule."""
    depth, end = 0, at
    while True:
        found = site.reader.raw_token(end)
        closes = found.type in ("RPAR", "RSQB")
        if found.type in (END, "SEMICOLON", "LBRACE", "RBRACE", "ARROW", "THEN") or (depth == 0 and closes):
            return end
        depth += (found.type in ("LPAR", "LSQB")) - closes
        end = end_of(found)
