"""How often each key occurs in a file, and which of its revisions is the current one."""

from __future__ import annotations

import math
import re
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from fhirmap.data import RawValue
from fhirmap.records import CalendarText
from fhirmap.sources.keys import KeyColumn

State = Literal["current", "superseded", "double"]

Revision: TypeAlias = tuple[int, int | Decimal, str]
"""What distinguishes the rows of a key, comparable: the first part keeps numbers and texts apart."""


_DAY = re.compile(r"(?!0000)\d{4}-(?!00)\d\d-(?!00)\d\d(?![\d-])(?!.*BC).*", re.DOTALL)
_DAY_FIRST = re.compile(
    r"\d{1,2}[/.-](?:\d{1,2}|[^\W\d]{3,9}\.?)[/.-]\d{2,4}.*|\d{1,2} [^\W\d]{3,9}\.? \d{2,4}.*", re.DOTALL
)
_NO_DAYS = ("infinity", "-infinity", "nan")
_WRITTEN_DAY = re.compile(
    r"(?:(?P<year>\d{4})[-/.](?P<month>\d\d)[-/.](?P<day>\d\d)|(?P<d>\d{1,2})[/.-](?P<m>\d{1,2})[/.-](?P<y>\d{4}))"
    r"(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?P<rest>(?::\d\d(?:[.,]\d+)?)?)"
    r"(?P<offset> ?(?:[Zz]|[+-]\d\d(?::?\d\d)?))?)?",
    re.ASCII,
)
_ABSENT, _NUMBER, _MOMENT, _INSTANT, _TEXT, _NONE = range(6)
"""Kinds of revisions in a file. ``_MOMENT``: a day, or a time without an offset; ``_NONE``: no order at all."""


def is_no_moment(value: RawValue) -> bool:
    """Is this no day or number that comes before or after others: `infinity`, NaN, a zero date, BC, a year after 9999?

    Example:
        >>> is_no_moment("infinity"), is_no_moment("0000-00-00"), is_no_moment("2025-03-15"), is_no_moment("v2")
        (True, True, False, False)
    """
    if isinstance(value, float | Decimal):
        return not math.isfinite(value)
    if not isinstance(value, str):
        return False
    text = value.strip().lower()
    return text in _NO_DAYS or text.startswith("0000-") or (isinstance(value, CalendarText) and not _DAY.match(value))


def cannot_be_compared(least: RawValue, greatest: RawValue, column: KeyColumn | None = None) -> bool:
    """Says the order of a database nothing of these revisions, which are the ends of a key's?

    Numbers and days that a text column holds are in the order of their signs: `9` after `10`, `31/12/2024` after
    `02/01/2025`; so are other texts of different lengths (`v9` after `v10`). ``column``: whose words of absence are no
    revision.

    Example:
        >>> cannot_be_compared("9", "10"), cannot_be_compared("2024-12-31", "2025-01-02"), cannot_be_compared(9, 10)
        (True, False, False)
    """
    if least is greatest or least == greatest:  # NaN equals nothing
        return False
    if is_no_moment(least) or is_no_moment(greatest):
        return True
    if not isinstance(greatest, str) or isinstance(greatest, CalendarText):
        return isinstance(least, str) and not isinstance(greatest, str) and bool(least.strip())
    if not isinstance(least, str):
        return True
    one, other = least.strip(), greatest.strip()
    if column is not None and any(text and column.is_word(text) for text in (one, other)):
        return True
    if not one:
        return False
    if _DAY.match(one) and _DAY.match(other):
        return False
    return len(one) != len(other) or any(_DAY_FIRST.fullmatch(text) for text in (one, other))


def revision_of(text: str, column: KeyColumn) -> Revision:
    """A revision that a trimmed text writes, in an order that ISO and French days share; absent comes first.

    Example:
        >>> french, iso = revision_of("2/1/2025 9:05", KeyColumn()), revision_of("2025-01-02 10:00", KeyColumn())
        >>> french < iso, revision_of("9", KeyColumn()) < revision_of("10", KeyColumn())
        (True, True)
    """
    if not text or text in column.nulls:
        return (_ABSENT, 0, "")
    if text.isdecimal():
        return (_NUMBER, int(text), "") if text.isascii() and len(text) < 4000 else (_NONE, 0, text)
    if column.is_word(text) or is_no_moment(text):
        return (_NONE, 0, text)
    moment = _WRITTEN_DAY.fullmatch(text)
    if moment is None:
        # `02/01/25` and `15-MAR-25` are in no order.
        return (_NONE if _DAY_FIRST.fullmatch(text) else _TEXT, 0, text)
    year, month, day = (int(moment[name] or moment[name[0]]) for name in ("year", "month", "day"))
    hour, minute, rest = int(moment["hour"] or 0), int(moment["minute"] or 0), (moment["rest"] or "").replace(",", ".")
    try:
        time = datetime(year, month, day, hour, minute)
    except ValueError:
        return (_NONE, 0, text)  # the month first, 24:00
    if moment["offset"]:
        zone = moment["offset"].strip().replace(":", "")
        minutes = 0 if zone in "Zz" else int(zone[0] + str(int(zone[1:3]) * 60 + int(zone[3:] or 0)))
        return (_INSTANT, time.toordinal() * 1440 + hour * 60 + minute - minutes, rest)
    return (_MOMENT, 0, time.isoformat(timespec="minutes") + rest if moment["hour"] else time.date().isoformat())


def number_revision(number: Decimal | int) -> Revision:
    """A revision that is a number."""
    return (_NUMBER, number, "")


NO_REVISION: Revision = (_NONE, 0, "")
"""What no order has a place for: a list, an object."""


_ONCE: tuple[int, Any, int] = (1, None, 1)
"""Of a key that occurs once, where revisions do not count: one for all of them, as most are such."""


class Revisions:
    """Gathered in a first reading, asked in the second. Holds one small entry a key."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[int, Any, int]] = {}
        self._odd: dict[str, Any] = {}
        self.are_single = True
        """Does each key occur once?"""

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: str, revision: Revision | None = None) -> None:
        """One row of ``key``; ``revision`` is comparable, or None where revisions do not count."""
        keys = self._keys
        if revision is None and key not in keys:
            keys[key] = _ONCE
            return
        known = keys.get(key)
        if revision is not None and revision[0] == _NONE:
            self._odd.setdefault(key, revision)
        if known is None:
            self._keys[key] = (1, revision, 1)
            return
        self.are_single = False
        count, best, same = known
        if revision is not None and revision[0] and best[0] and revision[0] != best[0]:
            self._odd.setdefault(key, None)  # a number and a text
        if revision is not None and revision[0] == best[0] == _TEXT and len(revision[2]) != len(best[2]):
            self._odd.setdefault(key, None)  # `v9` and `v10`
        if revision is None or revision == best:
            self._keys[key] = (count + 1, best, same + 1)
        elif revision > best:
            self._keys[key] = (count + 1, revision, 1)
        else:
            self._keys[key] = (count + 1, best, same)

    def count(self, key: str) -> int:
        """How often ``key`` occurs."""
        return self._keys.get(key, (0, None, 0))[0]

    def are_odd(self, key: str) -> bool:
        """Can the revisions of ``key`` not be compared, though there are several?"""
        return key in self._odd and self.count(key) > 1

    def state(self, key: str, revision: Revision | None = None) -> State:
        """What a row of ``key`` and ``revision`` is; ``double``: another row claims to be the current one too."""
        known = self._keys.get(key)
        if known is None or known is _ONCE:
            return "current"
        _, best, same = known
        if revision != best:
            return "superseded"
        return "double" if same > 1 else "current"
