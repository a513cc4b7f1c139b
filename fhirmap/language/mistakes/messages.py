"""The message of a `check`, where none can be."""

from __future__ import annotations

from lark import Token

from fhirmap.language.expressions import end_of, start_of
from fhirmap.language.mistakes.rules import drop_rule
from fhirmap.language.mistakes.site import MistakeSite

_TEXTS = ("STRING", "DOUBLE_QUOTED_STRING")
_GOES_ON = ("as", ",", "where", "check", "log")


def message_alone(site: MistakeSite, token: Token) -> bool:
    """`src.a as v where (…) "text" -> …`: no check has that text."""
    reader, last = site.reader, site.reader.last
    is_name = reader.after("ARROW") is None and reader.after_last("ARROW") is not None
    if last is None or last.type not in _TEXTS or not is_name:
        return False
    fits = reader.after_last(token.type) is not None
    if not fits and str(token) not in _GOES_ON:
        return False
    site.faults.add("FM027", reader.span(last))
    if not fits:
        return drop_rule(site, start_of(token))
    reader.take_back()
    reader.at = start_of(token)
    return True


def message_inside(site: MistakeSite, token: Token) -> bool:
    """`check (v > 0, "text")`: the message is inside the parentheses."""
    reader = site.reader
    opened = reader.innermost("LPAR", "LSQB")
    if token.type != "COMMA" or opened is None or reader.after("RPAR", "ARROW") is None:
        return False
    if not site.text[: start_of(opened)].rstrip().endswith("check"):
        return False
    text = reader.raw_token(end_of(token))
    if text.type not in _TEXTS or reader.raw_token(end_of(text)).type != "RPAR":
        return False
    site.faults.add("FM027", reader.span(text), variant="inside", text=str(text))
    reader.at = end_of(text)
    return True
