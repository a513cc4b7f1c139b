"""Options after a model's `from` that are written as elsewhere: the line of names, lines above it, namespaces."""

from __future__ import annotations

import re
from collections.abc import Callable

from lark import Token

from fhirmap.language.expressions import end_of, start_of
from fhirmap.language.mistakes.site import MistakeSite

_IS = r"\s*(?:=\s*|:\s*)?"
_NUMBER = rf"{_IS}['\"]?(\d{{1,6}})['\"]?"
_Tokens = tuple[tuple[str, str], ...]


def _line(number: str, above: int = 0) -> _Tokens:
    return ("NAMES", "names"), ("LINE", "line"), ("INTEGER", str(int(number) + above))


_NAMES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], _Tokens]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), meant)
    for pattern, meant in (
        (r"(?:no|without)[\s_-]*(?:headers?|names)\b", lambda _: (("HEADER", "header"), ("NONE", "none"))),
        (rf"headers?{_IS}(?:no|false|off|absent|missing|null|0)\b", lambda _: (("HEADER", "header"), ("NONE", "none"))),
        (rf"headers?{_IS}(?:yes|true|on|present)\b|with\s+(?:headers?|names)\b", lambda _: ()),
        (rf"skip(?:[\s_-]*(?:lines|rows))?{_NUMBER}(?:\s*(?:lines|rows)\b)?", lambda found: _line(found[1], 1)),
        (rf"headers?(?:[\s_]*(?:line|row))?{_NUMBER}", lambda found: _line(found[1])),
        (rf"names(?:\s*row)?{_NUMBER}", lambda found: _line(found[1])),
    )
)
"""What is written instead of the option, and its tokens; none for what holds anyway."""
_NAMESPACE = re.compile(
    rf"(?:(?:xml)?namespaces?|xmlns|ns)\s*:?\s*(?P<name>[A-Za-z_]\w*){_IS}(?P<text>'[^'\n]*'|\"[^\"\n]*\")",
    re.IGNORECASE,
)


def names_option(site: MistakeSite, token: Token) -> bool:
    """`header no`, `no header`, `header yes`, `header 4`, `skip 3`, `names 4`: what a map says of the line of names."""
    reader, last = site.reader, site.reader.last
    begun = last if last is not None and last.type in ("HEADER", "NAMES") else None
    if begun is None and reader.after("HEADER") is None:
        return False
    if begun is not None and begun.type == "HEADER" and token.type in ("STRING", "DOUBLE_QUOTED_STRING"):
        site.instead(start_of(begun), end_of(begun), "`names`")
        reader.take_back()
        reader.feed(Token("NAMES", "names", start_pos=start_of(begun), end_pos=end_of(begun)))
        return True
    for pattern, meant in _NAMES:
        found = pattern.match(site.text, start_of(begun if begun is not None else token))
        if found is None or found.end() <= start_of(token):
            continue
        if begun is not None:
            reader.take_back()
        _replace(site, found, meant(found))
        return True
    return False


def namespace(site: MistakeSite, token: Token) -> bool:
    """`namespace h = 'urn:…'`, `xmlns:h='urn:…'`: a prefix of XML names."""
    found = _NAMESPACE.match(site.text, start_of(token))
    if found is None or site.reader.after("PREFIX", "IDENTIFIER", "EQUAL") is None:
        return False
    kind = "STRING" if found["text"].startswith("'") else "DOUBLE_QUOTED_STRING"
    _replace(site, found, (("PREFIX", "prefix"), ("IDENTIFIER", found["name"]), ("EQUAL", "="), (kind, found["text"])))
    return True


def _replace(site: MistakeSite, found: re.Match[str], tokens: _Tokens) -> None:
    """Report what was found, and read on as if the tokens were there."""
    if tokens:
        site.instead(*found.span(), f"`{' '.join(text for _, text in tokens)}`")
    else:
        site.superfluous(*found.span())
    for kind, text in tokens:
        site.reader.feed(Token(kind, text, start_pos=found.start(), end_pos=found.end()))
    site.reader.at = found.end()
