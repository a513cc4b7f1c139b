"""Positions of a line of fixed width and numbers of a model's clauses, written another way."""

from __future__ import annotations

import re

from lark import Token

from fhirmap.language.expressions import end_of, start_of
from fhirmap.language.mistakes.site import MistakeSite
from fhirmap.language.reader import END

_LAST = re.compile(r"\s*(?:-|–|—|:|/|\.{1,3}|…)\s*(\d{1,9})\b(?!\s*:)", re.IGNORECASE)
_DOTS = re.compile(r"(\d{1,9})\s*\.{3,}\s*(\d{1,9})")
_WORDS = re.compile(r"(\d{1,9})\s+(to|until|for|length|len|width|size)\s+(\d{1,9})\b", re.IGNORECASE)
_LENGTH = re.compile(r"\s*(?:\+\s*(\d{1,9})\b|\(\s*(\d{1,9})\s*\))", re.IGNORECASE)
_PLACE_WORDS = frozenset(("position", "positions", "column", "columns", "pos", "cols", "char", "chars", "characters"))


def positions(site: MistakeSite, token: Token) -> bool:
    """`from 12-31`, `from 12 (20)`, `from 12...31`: the first and the last character, with `..` between them."""
    reader, last = site.reader, site.reader.last
    if last is not None and last.type == "DOTDOT" and reader.before is not None and reader.before.type == "INTEGER":
        dots = _DOTS.match(site.text, start_of(reader.before))
        if dots is None or reader.accepted() != ["INTEGER"]:
            return False
        site.instead(*dots.span(), f"`{dots[1]}..{dots[2]}`")
        return reader.feed(Token("INTEGER", dots[2], start_pos=dots.start(), end_pos=dots.end()))
    if last is None or last.type != "INTEGER" or reader.after("DOTDOT", "INTEGER") is None:
        return False
    if reader.innermost("FROM") is None or reader.after_last("INTEGER") is None:
        return False
    ends, length = _LAST.match(site.text, end_of(last)), _LENGTH.match(site.text, end_of(last))
    found = ends or length
    if found is None or found.end() <= start_of(token):
        return False
    end = int(ends[1]) if ends else int(last) + int(length[1] or length[2]) - 1 if length else 0
    site.instead(start_of(last), found.end(), f"`{last}..{end}`")
    reader.put_in("DOTDOT", "..", found.end())
    return reader.feed(Token("INTEGER", str(end), start_pos=start_of(last), end_pos=found.end()))


def positions_in_words(site: MistakeSite, token: Token) -> bool:
    """`from 12 to 31`, `from 12 length 20`: the word was taken for the name of the next element."""
    reader, last, before = site.reader, site.reader.last, site.reader.before
    if token.type != "INTEGER" or before is None or before.type != "INTEGER" or reader.accepted() != ["COLON"]:
        return False
    found = _WORDS.match(site.text, start_of(before))
    if found is None or last is None or end_of(token) != found.end():
        return False
    is_last = found[2].lower() in ("to", "until")
    site.instead(*found.span(), f"`{found[1]}..{int(found[3]) if is_last else int(found[1]) + int(found[3]) - 1}`")
    # The element ends before the word; what comes after the numbers is dropped with it.
    reader.cut("model_element")
    following, line_end = reader.raw_token(found.end()), reader.line_end(found.end())
    while following.type not in (END, "SEMICOLON", "RBRACE", "COMMA") and start_of(following) < line_end:
        following = reader.raw_token(end_of(following))
    reader.at = start_of(following)
    return True


def place_word(site: MistakeSite, token: Token) -> bool:
    """`from position 12..31`, `from columns 12..31`: the numbers alone."""
    reader, last = site.reader, site.reader.last
    if token.type == "INTEGER" and last is not None and last.type == "POSITION":
        site.superfluous(start_of(last), end_of(last))
        reader.take_back()
        reader.at = start_of(token)
        return True
    if token.lower() not in _PLACE_WORDS or last is None or last.type != "FROM" or reader.after("INTEGER") is None:
        return False
    if reader.raw_token(end_of(token)).type != "INTEGER":
        return False
    site.superfluous(start_of(token), end_of(token))
    reader.at = end_of(token)
    return True


def quoted_number(site: MistakeSite, token: Token) -> bool:
    """`decimals '2'`, `names line '4'`, `width '8'`: a number has no quotes."""
    number = re.fullmatch(r"['\"]\s*(\d{1,9})\s*['\"]", token)
    if number is None or site.reader.accepted() != ["INTEGER"]:
        return False
    site.instead(start_of(token), end_of(token), f"`{number[1]}`")
    return site.reader.feed(Token("INTEGER", number[1], start_pos=start_of(token), end_pos=end_of(token)))
