"""What every issuer's labels have in common: the parts, dates, and how a reading ends."""

from __future__ import annotations

from functools import lru_cache
from time import localtime, mktime, time
from typing import Literal, TypedDict

from fhirmap.runtime.cell_text import MISSING
from fhirmap.runtime.functions import FhirDate, FhirUri

__all__ = [
    "GS1",
    "HIBCC",
    "ICCBBA",
    "ZEROS_14",
    "LabelParts",
    "PartName",
    "Udi",
    "calendar_date",
    "calendar_year",
    "gs1_date",
    "is_gtin_valid",
    "ordinal_date",
]

GS1 = "http://hl7.org/fhir/NamingSystem/gs1"
HIBCC = "http://hl7.org/fhir/NamingSystem/hibcc"
ICCBBA = "http://hl7.org/fhir/NamingSystem/iccbba"


class Udi(TypedDict, total=False):
    """The parts of a UDI; a part that the label has not is no key."""

    issuer: FhirUri
    deviceIdentifier: str
    lot: str
    serial: str
    expiry: FhirDate
    manufactured: FhirDate
    humanReadable: str
    problems: list[str]


PartName = Literal["deviceIdentifier", "lot", "serial", "expiry", "manufactured"]
"""A part that the label may have once."""

# A GTIN's digits are summed by their character codes, every other one thrice: what that comes to, modulo 10, for zeros.
ZEROS_14 = (14 + 2 * 7) * ord("0") % 10
_DAYS = frozenset(
    f"{month:02d}{day:02d}"
    for month, last in enumerate((31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1)
    for day in range(last + 1)
)
_LAST_DAY = {"01": "31", "03": "31", "04": "30", "05": "31", "06": "30", "07": "31", "08": "31"}
_LAST_DAY |= {"09": "30", "10": "31", "11": "30", "12": "31"}


@lru_cache(4096)
def is_gtin_valid(gtin: str) -> bool:
    """Is the last digit of a number of at most 14 digits its check digit?

    Answers are kept: an article's labels and its row of the catalogue ask again and again.
    """
    codes = gtin.zfill(14).encode()
    return (sum(codes) + 2 * sum(codes[::2])) % 10 == ZEROS_14


class _Window:
    """The hundred years that a year of two digits can mean, by the digits; read from the clock once a year."""

    __slots__ = ("ends", "years")

    def __init__(self) -> None:
        self.ends = 0.0
        self.years: dict[str, int] = {}

    def turn(self) -> None:
        now = localtime().tm_year
        self.ends = mktime((now + 1, 1, 1, 0, 0, 0, 0, 1, -1))
        self.years = {f"{digits:02d}": calendar_year(digits, now) for digits in range(100)}


_WINDOW = _Window()


def calendar_year(digits: int, now: int) -> int:
    """The year that two digits mean in the year ``now``: from 49 years before it to 50 years after it.

    Spec: GS1 General Specifications 7.12.
    """
    ahead = digits - now % 100
    return now - now % 100 + digits + (-100 if ahead >= 51 else 100 if ahead <= -50 else 0)


def gs1_date(text: str) -> str:
    """`YYMMDD` as a FHIR date, day 00 as the last of its month; empty where there is no such day."""
    if time() >= _WINDOW.ends:
        _WINDOW.turn()
    year = _WINDOW.years.get(text[:2])
    return calendar_date(year, text[2:]) if year else ""


def calendar_date(year: int, text: str) -> str:
    """``year`` and `MMDD` as a FHIR date, day 00 as the last of its month; empty where there is no such day."""
    if text not in _DAYS:
        return ""
    month, day = text[:2], text[2:]
    if day == "00":
        day = _LAST_DAY.get(month) or ("29" if _is_leap(year) else "28")
    elif text == "0229" and not _is_leap(year):
        return ""
    return f"{year:04d}-{month}-{day}"


def ordinal_date(text: str, century: int | None = None) -> str:
    """`YYJJJ`, day of the year, as a FHIR date; empty where there is no such day. ``century``: that of the label."""
    january = gs1_date(f"{text[:2]}0101")
    year = int(january[:4]) if century is None else century + int(text[:2])
    rest = int(text[2:])
    for month in range(1, 13):
        last = (29 if _is_leap(year) else 28) if month == 2 else int(_LAST_DAY[f"{month:02d}"])
        if 1 <= rest <= last:
            return f"{year}-{month:02d}-{rest:02d}"
        rest -= last
    return ""


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


class LabelParts:
    """What a label is being read into: its parts, and what is wrong with them.

    ``udi``: the parts so far. ``problems``: see the package's own docstring; each is there once. ``differing``: the
    parts that are there twice and not the same.
    """

    __slots__ = ("differing", "problems", "udi")

    def __init__(self, issuer: str, problems: list[str] | None = None) -> None:
        self.udi: Udi = {"issuer": issuer}
        self.problems = problems or []
        self.differing: set[str] = set()

    def problem(self, name: str) -> None:
        """Say what is wrong, once."""
        if name not in self.problems:
            self.problems.append(name)

    def take(self, name: PartName, value: str, most: int = 20) -> None:
        """Keep a part; not one that is a word of absence, or over ``most`` characters, or there twice and not the same.

        Of two that differ none is kept, since nothing says which is right.
        """
        if name in ("lot", "serial"):
            if len(value) > most:
                self.problem("too-long")
                return
            if value.upper() in MISSING:
                return
        if name in self.differing or self.udi.setdefault(name, value) != value:
            self.problem("two-values")
            self.differing.add(name)
            self.udi.pop(name, None)

    def finished(self, printed: str) -> Udi:
        """The parts and their problems. ``printed``: the form that people read, which is a UDI's only where there is a
        device identifier."""
        if "deviceIdentifier" not in self.udi:
            self.problem("no-device-identifier")
        else:
            self.udi["humanReadable"] = printed
        if self.problems:
            self.udi["problems"] = self.problems
        return self.udi
