"""Words of others on a screen, in a log, in a page: what would command the terminal or hide text is shown as itself.

Keys, names of columns and a receiver's words may hold escapes (C0, C1, OSC), line breaks, separators of lines and
marks that turn the direction of text. Every one of them is shown by its number.
"""

from __future__ import annotations

import re

__all__ = ["blotted", "visible"]

# Unicode categories Cc, Zl, Zp and Cs, the marks of direction of UAX #9, and what is seen nowhere: of width zero,
# interlinear, variation, tags.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)


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


def _number(found: re.Match[str]) -> str:
    number = ord(found[0])
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
