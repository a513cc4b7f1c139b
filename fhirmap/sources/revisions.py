"""How often each key occurs in a file, and which of its revisions is the current one."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from fhirmap.data import RawValue
from fhirmap.records import CalendarText

State = Literal["current", "superseded", "double"]

Revision: TypeAlias = tuple[int, int | Decimal, str]
"""What distinguishes the rows of a key, comparable: the first part keeps numbers and texts apart."""


_DAY = re.compile(r"(?!0000)\d{4}-(?!00)\d\d-(?!00)\d\d(?![\d-])(?!.*BC).*", re.DOTALL)
_DAY_FIRST = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}.*", re.DOTALL)
_NO_DAYS = ("infinity", "-infinity", "nan")


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


def cannot_be_compared(least: RawValue, greatest: RawValue) -> bool:
    """Says the order of a database nothing of these revisions, which are the ends of a key's?

    Numbers and days that a text column holds are in the order of their signs: `9` after `10`, `31/12/2024` after
    `02/01/2025`.

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
    if not one:
        return False
    if one.isdecimal() or other.isdecimal():
        return not (one.isdecimal() and other.isdecimal() and len(one) == len(other))
    return bool(_DAY_FIRST.fullmatch(one) or _DAY_FIRST.fullmatch(other))


class Revisions:
    """Gathered in a first reading, asked in the second. Holds one small entry a key."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[int, Any, int]] = {}
        self._odd: dict[str, Any] = {}
        self.total = 0
        """Number of rows with a key."""

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: str, revision: Revision | None = None) -> None:
        """One row of ``key``; ``revision`` is comparable, or None where revisions do not count."""
        self.total += 1
        known = self._keys.get(key)
        if revision is not None and is_no_moment(revision[1] if revision[0] == 1 else revision[2]):
            self._odd.setdefault(key, revision)
        if known is None:
            self._keys[key] = (1, revision, 1)
            return
        count, best, same = known
        if revision is not None and revision[0] and best[0] and revision[0] != best[0]:
            self._odd.setdefault(key, None)  # a number and a text
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
        _, best, same = self._keys.get(key, (0, revision, 1))
        if revision != best:
            return "superseded"
        return "double" if same > 1 else "current"
