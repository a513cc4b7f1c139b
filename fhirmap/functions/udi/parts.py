"""What every issuer's labels have in common: the parts, dates, and how a reading ends."""

from __future__ import annotations

from typing import TypedDict

from fhirmap.runtime.functions import FhirDate, FhirUri

__all__ = ["GS1", "HIBCC", "ICCBBA", "ZEROS_14", "Udi", "finished", "gs1_date", "is_gtin_valid", "ordinal_date"]

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


# A GTIN's digits are summed by their character codes, every other one thrice: what that comes to, modulo 10, for zeros.
ZEROS_14 = (14 + 2 * 7) * ord("0") % 10
_DAYS = frozenset(
    f"{month:02d}{day:02d}"
    for month, last in enumerate((31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1)
    for day in range(last + 1)
)
_LAST_DAY = {"01": "31", "03": "31", "04": "30", "05": "31", "06": "30", "07": "31", "08": "31"}
_LAST_DAY |= {"09": "30", "10": "31", "11": "30", "12": "31"}


def is_gtin_valid(gtin: str) -> bool:
    """Is the last digit of a number of at most 14 digits its check digit?"""
    codes = gtin.zfill(14).encode()
    return (sum(codes) + 2 * sum(codes[::2])) % 10 == ZEROS_14


def gs1_date(text: str) -> str:
    """`YYMMDD` as a FHIR date, day 00 as the last of its month; empty where there is no such day."""
    year, month, day = text[:2], text[2:4], text[4:]
    if text[2:] not in _DAYS or not (text.isdecimal() and len(text) == 6):
        return ""
    if month == "02" and (day == "00" or day == "29"):
        leap = int(year) % 4 == 0
        if day == "29" and not leap:
            return ""
        day = "29" if leap else "28"
    elif day == "00":
        day = _LAST_DAY[month]
    return f"{'19' if year >= '80' else '20'}{year}-{month}-{day}"


def ordinal_date(text: str) -> str:
    """`YYJJJ`, day of the year, as a FHIR date; empty where there is no such day."""
    year, rest = int(text[:2]), int(text[2:])
    for month in range(1, 13):
        last = 29 if month == 2 and year % 4 == 0 else 28 if month == 2 else int(_LAST_DAY[f"{month:02d}"])
        if 1 <= rest <= last:
            return gs1_date(f"{text[:2]}{month:02d}{rest:02d}")
        rest -= last
    return ""


def finished(udi: Udi, problems: list[str]) -> Udi:
    """``udi`` with its problems, if any; a label without a device identifier has one more."""
    if "deviceIdentifier" not in udi:
        problems.append("no-device-identifier")
    if problems:
        udi["problems"] = problems
    return udi
