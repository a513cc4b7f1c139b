"""What the reference engine reads and the language does not have: read as meant, with a warning; `fmt` writes it right.

The engine's parser takes any token for a name, and a comma between parameters as it comes: there, missing, or trailing.
"""

from __future__ import annotations

import re

from lark import Token

from fhirmap.language.expressions import end_of, start_of
from fhirmap.language.mistakes.site import MistakeSite

_DECLARES = ("ALIAS", "GROUP", "EXTENDS", "PREFIX")
_QUOTED = ("STRING", "DOUBLE_QUOTED_STRING")
_PLAIN_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def quoted_name(site: MistakeSite, token: Token) -> bool:
    """`uses "…" alias 'Pat'`: a name that the map declares, in quotes."""
    reader, last = site.reader, site.reader.last
    if token.type not in _QUOTED or last is None or last.type not in _DECLARES or reader.after("IDENTIFIER") is None:
        return False
    content = token[1:-1]
    if not content or any(letter in content for letter in "\\`\n"):
        return False
    is_plain = _PLAIN_NAME.fullmatch(content) is not None
    kind, name = ("IDENTIFIER", content) if is_plain else ("DELIMITEDIDENTIFIER", f"`{content}`")
    if not reader.goes_on(reader.after(kind), end_of(token), 1):
        return False
    site.faults.add("FM163", reader.span(token), found=str(token), wanted=content)
    return reader.feed(Token(kind, name, start_pos=start_of(token), end_pos=end_of(token)))


def parameter_comma(site: MistakeSite, token: Token) -> bool:
    """`(source src  target tgt)`, `cc('urn:s' v)`, `append(a, b, )`: a comma missing, or trailing."""
    reader, last = site.reader, site.reader.last
    if last is not None and last.type == "COMMA" and token.type == "RPAR":
        if not _ends_parameters(site, reader.after_last("RPAR")):
            return False
        site.faults.add("FM163", reader.span(last), variant="trailing")
        reader.take_back()
        reader.at = start_of(token)
        return True
    if not _ends_parameters(site, reader.after("RPAR")):
        return False
    if not reader.goes_on(reader.after("COMMA"), start_of(token), 1):
        return False
    site.faults.add("FM163", reader.gap(), variant="missing")
    return reader.put_in("COMMA", ",")


def _ends_parameters(site: MistakeSite, closed: list[int] | None) -> bool:
    """Is ``closed`` the parser after the parameters of a group, a call or a transform, and not those of FHIRPath?"""
    reader = site.reader
    if closed is None or reader.after("DOT", stack=closed) is not None:
        return False
    return any(reader.after(kind, stack=closed) is not None for kind in ("SEMICOLON", "LBRACE"))
