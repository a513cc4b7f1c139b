"""A text as it is compared: letters and digits alone, without case, accents and spelling, each with its place in the
original."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["FoldedText", "fold", "folded_words", "has_escapes", "unescaped", "without_accents"]

_LIGATURES = {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ŀ": "l", "ŋ": "n"}
# What is written for a sign in HTML, JSON, an address, or between the words of a page.
_ESCAPE = re.compile(
    r"&(?:amp;)*(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8});"
    r"|\\+u(?:[0-9a-fA-F]{4}|\{[0-9a-fA-F]{1,6}\})|\\+x[0-9a-fA-F]{2}|\\+[nrtfvb](?![a-z])"
    r"|(?:%(?:25)*[0-9a-fA-F]{2})+"
    r"|</?(?:b|i|u|em|br|td|tr|th|li|p|div|span|strong|code|nobr|wbr)\s{0,3}/?>"
)

_ESCAPED_PERCENT = re.compile(r"%(?:25)+(?=[0-9a-fA-F]{2})")
_ESCAPING = frozenset("&\\%<")
_WORD = re.compile("[0-9a-z]+")


@dataclass(frozen=True, slots=True)
class FoldedText:
    """``letters``: the text folded. ``starts`` and ``ends``: of each letter, its place in the original. ``gaps``: of
    each letter, how many signs lie before it that are neither letter nor digit (0: it goes on with the one before).
    ``signs``: of each letter, the sign that it is of, in its case, without an escape."""

    original: str
    letters: str
    starts: list[int]
    ends: list[int]
    gaps: list[int]
    signs: list[str]

    def begins(self, at: int) -> bool:
        """Does a word begin at the letter ``at``, or the text end there?"""
        return at <= 0 or at >= len(self.letters) or self.gaps[at] > 0

    def words(self) -> Iterator[tuple[int, int]]:
        """Each word: its first letter and the one after its last."""
        start = 0
        for at in range(1, len(self.letters) + 1):
            if at == len(self.letters) or self.gaps[at]:
                yield start, at
                start = at


def fold(text: str) -> FoldedText:
    """``text``, folded: linear in its length.

    Example:
        >>> fold("Zoé D'Été 1\\u00a02").letters
        'zoedete12'
    """
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    gaps: list[int] = []
    signs: list[str] = []
    gap = 0
    for shown, start, end in _signs(text):
        folded = _folded(shown)
        if folded is None:
            gap += 1
            continue
        for letter in folded:
            letters.append(letter)
            starts.append(start)
            ends.append(end)
            gaps.append(gap)
            signs.append(shown)
            gap = 0
    return FoldedText(text, "".join(letters), starts, ends, gaps, signs)


def folded_words(text: str) -> list[str]:
    """The words of ``text``, folded.

    Example:
        >>> folded_words("Jean-Éric d'Ô")
        ['jean', 'eric', 'd', 'o']
    """
    if text.isascii() and _ESCAPING.isdisjoint(text):
        return _WORD.findall(text.lower())
    found = fold(text)
    return [found.letters[start:end] for start, end in found.words()]


def without_accents(text: str) -> bytes:
    """``text`` in UTF-8, each sign beyond ASCII as what it counts as, or as nothing.

    Example:
        >>> without_accents("Zoé D'Été")
        b"Zoe D'ete"
    """
    return text.encode("ascii", _FOLDING)


def _folded_signs(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    return "".join(_folded(sign) or "" for sign in error.object[error.start : error.end]).encode(), error.end


def has_escapes(text: str) -> bool:
    """Is a sign of ``text`` written by an escape?

    Example:
        >>> has_escapes("A &amp; B"), has_escapes("A & B, 5 %")
        (True, False)
    """
    return any(sign in text for sign in _ESCAPING) and _ESCAPE.search(text) is not None


def unescaped(text: str) -> str:
    """``text`` with the signs that its escapes are of.

    Example:
        >>> unescaped("A%20&Eacute;")
        'A É'
    """
    return "".join(sign for sign, _, _ in _signs(text)) if has_escapes(text) else text


def _signs(text: str) -> Iterator[tuple[str, int, int]]:
    """The signs of a text with their places; one that is written by an escape is where its escape is."""
    at = 0
    for escape in _ESCAPE.finditer(text):
        for place in range(at, escape.start()):
            yield text[place], place, place + 1
        for sign in _unescaped(escape[0]):
            yield sign, escape.start(), escape.end()
        at = escape.end()
    for place in range(at, len(text)):
        yield text[place], place, place + 1


def _unescaped(escape: str) -> str:
    if escape[0] == "%":
        from urllib.parse import unquote

        return unquote(_ESCAPED_PERCENT.sub("%", escape), errors="replace")
    if escape[0] == "&":
        from html import unescape

        return unescape(escape.replace("amp;", "", escape.count("amp;") - (escape == "&amp;"))) or " "
    if escape[0] == "\\" and escape.lstrip("\\")[0] in "ux":
        number = int(escape.lstrip("\\")[1:].strip("{}"), 16)
        return chr(number) if number < 0x110000 else " "
    return " "


@lru_cache(maxsize=4096)
def _folded(sign: str) -> str | None:
    """The letters that a sign counts as: none for a mark that is written over, or not at all; None for a separator."""
    if sign.isascii():
        return sign.lower() if sign.isalnum() else None
    found = ""
    is_separator = True
    for part in unicodedata.normalize("NFKD", sign):
        category = unicodedata.category(part)
        if category == "Nd":
            found += str(unicodedata.decimal(part))
        elif category[0] in "LN":
            found += "".join(_LIGATURES.get(letter, letter) for letter in part.casefold())
        elif category[0] == "M" or category in ("Cf", "Sk"):
            is_separator = False
    if found:
        return found
    return None if is_separator else ""


_FOLDING = "fhirmap.folded"
codecs.register_error(_FOLDING, _folded_signs)
