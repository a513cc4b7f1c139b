"""Text in Base64 or in hexadecimal numbers: what it says is not looked at, but that it says something."""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, unhexlify
from collections.abc import Iterator

from fhirmap.sinks.plain_words import plain_words

__all__ = ["encoded_words"]

_SHORTEST = 8
"""Signs: of six letters in Base64, of four in hexadecimal numbers."""
_SIGN = "[A-Za-z0-9+/_-]"
_SIGNS = re.compile(rf"(?<!{_SIGN})(?:{_SIGN}{{{_SHORTEST},}}={{0,2}}|{_SIGN}{{2,{_SHORTEST - 1}}}={{1,2}}(?![=\w]))")
_HEXADECIMAL = re.compile(r"(?:[0-9a-f]{2})+|(?:[0-9A-F]{2})+")
_URL_SIGNS = str.maketrans("-_", "+/")


def encoded_words(text: str) -> Iterator[tuple[int, int]]:
    """Where ``text`` has words that are the bytes of other text: the first sign and the one after the last.

    Example:
        >>> list(encoded_words("inconnu: RFVQT05U, 4455504f4e54, identifier"))
        [(9, 17), (19, 31)]
    """
    for found in _SIGNS.finditer(text):
        if _is_encoded(found[0]):
            yield found.span()


def _is_encoded(word: str) -> bool:
    if _HEXADECIMAL.fullmatch(word) and not word.isdecimal():
        return _is_text(unhexlify(word))
    # A word of a language is all small letters, or begins with a capital alone: hardly one decodes to text.
    if word.endswith("=") and len(word) % 4:
        return False
    if word.isalpha() and (word[1:].islower() or word.lower() in plain_words()):
        return False
    try:
        return _is_text(a2b_base64(word.rstrip("=").translate(_URL_SIGNS) + "=" * (-len(word.rstrip("=")) % 4)))
    except Error:
        return False


def _is_text(data: bytes) -> bool:
    """Are they letters and digits for the most part?"""
    try:
        words = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return words.isprintable() and sum(map(str.isalnum, words)) * 4 >= len(words) * 3
