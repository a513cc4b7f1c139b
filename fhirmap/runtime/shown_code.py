"""Which codes of a record a message or a report may show."""

from __future__ import annotations

import re

__all__ = ["shown_code"]

_CODE = re.compile(r"\S+(?: \S+)*")
_DATE = re.compile(r"\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}(?!\d)")
_SEPARATORS = re.compile(r"[\s./+-]")


def shown_code(value: object, longest: int) -> str:
    """``value`` where it is a code that a report may show, else an empty text: short, also beside the codes that its
    table holds (``longest``: the length of the longest), no long number, no date.

    A column that is mapped by mistake may hold anything, a name, an identity number or a birth date too.

    Example:
        >>> shown_code("DROIT", 6), shown_code("DUVAL-LEROY", 1), shown_code("1951-02-03", 12)
        ('DROIT', '', '')
    """
    text = str(value)
    if (
        len(text) > min(20, max(2 * longest, longest + 4))
        or _CODE.fullmatch(text) is None
        or _DATE.match(text) is not None
    ):
        return ""
    plain = _SEPARATORS.sub("", text)
    return "" if plain.isdecimal() and len(plain) > 8 else text
