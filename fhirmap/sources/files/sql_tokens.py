"""Tokens of a condition in SQL: which names it may read, and what it is made of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

__all__ = ["SqlToken", "TokenKind", "ascii_lower", "quoted", "tokens_of"]


class TokenKind(Enum):
    """Kinds of tokens, as far as names and calls are found by them. ``NAME``: in quotes or brackets."""

    TEXT = auto()
    NAME = auto()
    NUMBER = auto()
    WORD = auto()
    SIGN = auto()


class SqlToken(NamedTuple):
    """One token. ``text``: of a name, without its quotes. ``has_brackets``: are these brackets?

    ``is_adjacent``: is there no blank before it?
    """

    kind: TokenKind
    text: str
    has_brackets: bool = False
    is_adjacent: bool = False

    @property
    def is_name(self) -> bool:
        """May it name a column?"""
        return self.kind in (TokenKind.NAME, TokenKind.WORD)

    def is_word(self, *words: str) -> bool:
        """Is it one of ``words``, which are in lower case?"""
        return self.kind is TokenKind.WORD and ascii_lower(self.text) in words


_TOKEN = re.compile(
    r"""(?P<skip>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<TEXT>[xX]?'(?:[^']|'')*')
    |(?P<NAME>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
    |(?P<NUMBER>0[xX][0-9a-fA-F]+|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<WORD>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*)
    |(?P<SIGN><>|<=|>=|!=|==|\|\||<<|>>|->>?|.)""",
    re.VERBOSE | re.DOTALL,
)


def tokens_of(sql: str) -> Iterator[SqlToken]:
    """The tokens of SQL, without blanks and comments. A quote that is not closed is a sign.

    Example:
        >>> [token.text for token in tokens_of("[a.b] = 'x' -- why")]
        ['a.b', '=', "'x'"]
    """
    is_adjacent = False
    for found in _TOKEN.finditer(sql):
        kind = found.lastgroup or "skip"
        if kind == "skip":
            is_adjacent = False
            continue
        text = found[0]
        has_brackets = text[0] == "[" and kind == "NAME"
        if kind == "NAME":
            quote, text = text[0], text[1:-1]
            text = text if has_brackets else text.replace(quote * 2, quote)
        yield SqlToken(TokenKind[kind], text, has_brackets, is_adjacent)
        is_adjacent = True


def ascii_lower(name: str) -> str:
    """A name as SQLite compares them: without the case of A to Z."""
    return name.lower() if name.isascii() else "".join(sign.lower() if sign.isascii() else sign for sign in name)


def quoted(name: str) -> str:
    """A name as SQL writes any name."""
    return '"' + name.replace('"', '""') + '"'
