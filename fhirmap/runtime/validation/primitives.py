"""Is a JSON value a FHIR primitive of a certain type? One predicate a type; their forms are those of `fhir_types`.

A value that is no fit is never shown: a predicate answers, and the caller reports.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from decimal import Decimal

from fhirmap.fhir_types import CONTROL_CHARACTERS, INTEGER_RANGES, MOST_CHARACTERS, PATTERNS

Predicate = Callable[[object], bool]

_CONTROL = re.compile(CONTROL_CHARACTERS)
_BASE64 = re.compile(PATTERNS["base64Binary"])
_CODE = re.compile(PATTERNS["code"])
_DATE = re.compile(PATTERNS["date"])
_DATE_TIME = re.compile(PATTERNS["dateTime"])
_ID = re.compile(PATTERNS["id"])
_INSTANT = re.compile(PATTERNS["instant"])
_INTEGER64 = re.compile(PATTERNS["integer64"])
_OID = re.compile(PATTERNS["oid"])
_TIME = re.compile(PATTERNS["time"])
_URI = re.compile(PATTERNS["uri"])
_UUID = re.compile(PATTERNS["uuid"])
_LEAST, _GREATEST = INTEGER_RANGES["integer"]
_LEAST_64, _GREATEST_64 = INTEGER_RANGES["integer64"]


def is_string(value: object) -> bool:
    """Is it a FHIR string: text with something in it, no control characters but tab and line breaks, at most 1 MB?"""
    if type(value) is not str:
        return False
    if value >= "!" and value.isprintable():
        # It does not begin with a blank, so it is more than blanks.
        return len(value) <= MOST_CHARACTERS
    return len(value) <= MOST_CHARACTERS and not (not value or value.isspace()) and _CONTROL.search(value) is None


def is_code(value: object) -> bool:
    """Is it a FHIR code: words apart by one blank, none at the ends?"""
    return type(value) is str and _CODE.fullmatch(value) is not None and is_string(value)


def is_id(value: object) -> bool:
    """Is it a FHIR id?"""
    return type(value) is str and _ID.fullmatch(value) is not None


def is_uri(value: object) -> bool:
    """Is it a FHIR uri, url or canonical: text without blanks?"""
    return type(value) is str and _URI.fullmatch(value) is not None and is_string(value)


def is_oid(value: object) -> bool:
    """Is it a FHIR oid?"""
    return type(value) is str and _OID.fullmatch(value) is not None


def is_uuid(value: object) -> bool:
    """Is it a FHIR uuid, its letters lower-case?"""
    return type(value) is str and _UUID.fullmatch(value) is not None


def is_boolean(value: object) -> bool:
    """Is it true or false?"""
    return type(value) is bool


def is_integer(value: object) -> bool:
    """Is it a FHIR integer of 32 bits?"""
    return type(value) is int and _LEAST <= value <= _GREATEST


def is_positive_int(value: object) -> bool:
    """Is it 1 or more?"""
    return type(value) is int and 1 <= value <= _GREATEST


def is_unsigned_int(value: object) -> bool:
    """Is it 0 or more?"""
    return type(value) is int and 0 <= value <= _GREATEST


def is_integer64(value: object) -> bool:
    """Is it a FHIR integer64, which JSON holds as text? Spec: FHIR R5, json.html#primitive."""
    # 64 bits have at most 19 digits: Python refuses to read texts of thousands of digits.
    is_text = type(value) is str and len(value) <= 20 and _INTEGER64.fullmatch(value) is not None
    return is_text and _LEAST_64 <= int(str(value)) <= _GREATEST_64


def is_decimal(value: object) -> bool:
    """Is it a finite number?"""
    if type(value) is Decimal:
        return value.is_finite()
    if type(value) is float:
        return value - value == 0
    return type(value) is int


def is_date(value: object) -> bool:
    """Is it a FHIR date (year, month or day) that the calendar has?"""
    return type(value) is str and _is_day(_DATE.fullmatch(value))


def is_date_time(value: object) -> bool:
    """Is it a FHIR dateTime (a date, or an instant with its zone) that the calendar has?"""
    return type(value) is str and _is_day(_DATE_TIME.fullmatch(value))


def is_instant(value: object) -> bool:
    """Is it a FHIR instant?"""
    return type(value) is str and _is_day(_INSTANT.fullmatch(value))


def is_time(value: object) -> bool:
    """Is it a FHIR time?"""
    return type(value) is str and _TIME.fullmatch(value) is not None


def is_base64_binary(value: object) -> bool:
    """Is it base64 text: groups of four characters, padded at the end?"""
    return type(value) is str and _BASE64.fullmatch(value) is not None


def is_xhtml(value: object) -> bool:
    """Is it a narrative's text: one `div`, well-formed but for what HTML leaves out?"""
    # Here, not above: few records have one.
    from fhirmap.xhtml import NarrativeError, xhtml_of

    if type(value) is not str:
        return False
    try:
        xhtml_of(value)
    except NarrativeError:
        return False
    return True


def has_control_characters(text: str) -> bool:
    """Does a text hold a character that no FHIR text holds?"""
    return _CONTROL.search(text) is not None


def _is_day(match: re.Match[str] | None) -> bool:
    if match is None or match[1] == "0000":
        return False
    day = match[3]
    return day is None or day <= "28" or int(day) <= monthrange(int(match[1]), int(match[2]))[1]


PREDICATES: Mapping[str, Predicate] = {
    "base64Binary": is_base64_binary,
    "boolean": is_boolean,
    "canonical": is_uri,
    "code": is_code,
    "date": is_date,
    "dateTime": is_date_time,
    "decimal": is_decimal,
    "id": is_id,
    "instant": is_instant,
    "integer": is_integer,
    "integer64": is_integer64,
    "markdown": is_string,
    "oid": is_oid,
    "positiveInt": is_positive_int,
    "string": is_string,
    "time": is_time,
    "unsignedInt": is_unsigned_int,
    "uri": is_uri,
    "url": is_uri,
    "uuid": is_uuid,
    "xhtml": is_xhtml,
}
"""Primitive type -> its predicate."""
JSON_TYPES: Mapping[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "decimal": (int, float, Decimal),
    "integer": (int,),
    "positiveInt": (int,),
    "unsignedInt": (int,),
}
"""Primitive type -> what its JSON value is in Python. One that is not here is text."""
