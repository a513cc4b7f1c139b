"""Words of others on a screen, in a log, in a page: what would command the terminal or hide text is shown as itself.

Keys, names of columns and a receiver's words may hold escapes (C0, C1, OSC), line breaks, separators of lines and
marks that turn the direction of text. Every one of them is shown by its number. Here alone are the lists of such signs.
"""

from __future__ import annotations

import re

__all__ = ["blotted", "is_storable", "storable", "visible"]

_CONTROLS = "\x00-\x1f\x7f-\x9f"
"""Unicode's category Cc."""
_HALVES = "\ud800-\udfff"
"""Of surrogate pairs (Cs): no UTF-8 has them."""
_DIRECTIONS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""Marks of UAX #9."""
_NOWHERE = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2028\u2029\u2060-\u2065\u206a-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff"
)
"""Separators of lines (Zl, Zp), of width zero, interlinear, variation, tags."""

_UNSEEN = re.compile(f"[{_CONTROLS}{_HALVES}{_DIRECTIONS}{_NOWHERE}]")
_UNFIT = re.compile(f"[{_CONTROLS}{_HALVES}]")
_BLANK = re.compile("[\t\v\f\r\x85\u2028\u2029]")
_UNSAFE = re.compile(f"(?!\n)[{_CONTROLS}{_HALVES}{_DIRECTIONS}]")


def visible(words: str) -> str:
    """``words`` on one line, with every sign that is not seen written as its number.

    Example:
        >>> visible("12\\x1b[31m\\n3"), visible("a\\u202eb")
        ('12\\\\x1b[31m\\\\x0a3', 'a\\\\u202eb')
    """
    return _UNSEEN.sub(_number, words) if not words.isprintable() or _UNSEEN.search(words) else words


def blotted(words: str) -> str:
    """``words`` with a replacement mark for every sign that is not seen, so that what lies below stays in its column.

    Example:
        >>> blotted("12\\x1b[31m")
        '12\ufffd[31m'
    """
    return _UNSEEN.sub("\ufffd", words)


def is_storable(text: str) -> bool:
    """Is there nothing in ``text`` that a database, a file of UTF-8 or a line of one does not hold?"""
    return _UNFIT.search(text) is None


def storable(words: str) -> str:
    """``words`` of several lines as they are stored: a blank for other breaks, a replacement mark for what commands a
    terminal or turns the direction of text.

    Example:
        >>> storable("a\\r\\nb\\x1bc\\u202e")
        'a \\nb\ufffdc\ufffd'
    """
    return _UNSAFE.sub("\ufffd", _BLANK.sub(" ", words))


def _number(found: re.Match[str]) -> str:
    number = ord(found[0])
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
