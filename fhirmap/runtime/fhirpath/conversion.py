"""`toX()` and `convertsToX()`. What does not convert is the empty collection. Spec: FHIRPath 2.0, "Conversion"."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fhirmap.data import FhirpathItem
from fhirmap.decimals import decimal_text
from fhirmap.runtime.fhirpath import quantity as quantities
from fhirmap.runtime.fhirpath import temporal
from fhirmap.runtime.fhirpath.item import FhirNode, Items, one
from fhirmap.runtime.fhirpath.quantity import Quantity, is_calendar_word
from fhirmap.runtime.fhirpath.strings import text_of
from fhirmap.runtime.fhirpath.temporal import Temporal
from fhirmap.runtime.fhirpath.whole import longs

_TRUE = frozenset(("true", "t", "yes", "y", "1", "1.0"))
_FALSE = frozenset(("false", "f", "no", "n", "0", "0.0"))
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_QUANTITY = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(?:'([^']+)'|([A-Za-z]+))?", re.ASCII)
_INTEGER_LIMIT = 2**31
_LONG_LIMIT = 2**63


def to_boolean(collection: Items) -> Items:
    """`toBoolean`."""
    return _converted(collection, "toBoolean", as_boolean)


def converts_to_boolean(collection: Items) -> Items:
    """`convertsToBoolean`."""
    return _converts(collection, "convertsToBoolean", as_boolean)


def to_integer(collection: Items) -> Items:
    """`toInteger`."""
    return _converted(collection, "toInteger", as_integer)


def converts_to_integer(collection: Items) -> Items:
    """`convertsToInteger`."""
    return _converts(collection, "convertsToInteger", as_integer)


def to_long(collection: Items) -> Items:
    """`toLong`."""
    return longs(_converted(collection, "toLong", as_long))


def converts_to_long(collection: Items) -> Items:
    """`convertsToLong`."""
    return _converts(collection, "convertsToLong", as_long)


def to_decimal(collection: Items) -> Items:
    """`toDecimal`."""
    return _converted(collection, "toDecimal", as_decimal)


def converts_to_decimal(collection: Items) -> Items:
    """`convertsToDecimal`."""
    return _converts(collection, "convertsToDecimal", as_decimal)


def to_string(collection: Items) -> Items:
    """`toString`."""
    return _converted(collection, "toString", as_string)


def converts_to_string(collection: Items) -> Items:
    """`convertsToString`."""
    return _converts(collection, "convertsToString", as_string)


def to_date(collection: Items) -> Items:
    """`toDate`."""
    return _converted(collection, "toDate", as_date)


def converts_to_date(collection: Items) -> Items:
    """`convertsToDate`."""
    return _converts(collection, "convertsToDate", as_date)


def to_date_time(collection: Items) -> Items:
    """`toDateTime`."""
    return _converted(collection, "toDateTime", as_date_time)


def converts_to_date_time(collection: Items) -> Items:
    """`convertsToDateTime`."""
    return _converts(collection, "convertsToDateTime", as_date_time)


def to_time(collection: Items) -> Items:
    """`toTime`."""
    return _converted(collection, "toTime", as_time)


def converts_to_time(collection: Items) -> Items:
    """`convertsToTime`."""
    return _converts(collection, "convertsToTime", as_time)


def to_quantity(collection: Items, unit: Items | None = None) -> Items:
    """`toQuantity`, into a unit where one is given."""
    found = _converted(collection, "toQuantity", as_quantity)
    wanted = None if unit is None else text_of(unit, "toQuantity")
    if not found or wanted is None:
        return found
    other = quantities.convert(found[0], wanted)
    return [] if other is None else [other]


def converts_to_quantity(collection: Items, unit: Items | None = None) -> Items:
    """`convertsToQuantity`."""
    return [bool(to_quantity(collection, unit))] if collection else []


def as_boolean(value: FhirpathItem) -> bool | None:
    """A System value as a boolean."""
    if isinstance(value, bool):
        return value
    text = value.lower() if isinstance(value, str) else None
    if text in _TRUE or (isinstance(value, int | Decimal) and value == 1):
        return True
    return False if text in _FALSE or (isinstance(value, int | Decimal) and value == 0) else None


def as_integer(value: FhirpathItem) -> int | None:
    """A System value as an integer of 32 bits."""
    found = as_long(value)
    return found if found is not None and -_INTEGER_LIMIT <= found < _INTEGER_LIMIT else None


def as_long(value: FhirpathItem) -> int | None:
    """A System value as an integer of 64 bits."""
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value) and len(value) < 21:
        found = int(value)
        return found if -_LONG_LIMIT <= found < _LONG_LIMIT else None
    return None


def as_decimal(value: FhirpathItem) -> Decimal | None:
    """A System value as a decimal, digit for digit."""
    if isinstance(value, bool | int):
        return Decimal(int(value))
    if isinstance(value, Decimal):
        return value
    return Decimal(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else None


def as_string(value: FhirpathItem) -> str | None:
    """A System value as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return decimal_text(value)
    return str(value) if isinstance(value, int | Temporal | Quantity) else None


def as_date(value: FhirpathItem) -> Temporal | None:
    """A System value as a date; a dateTime gives its day."""
    if isinstance(value, Temporal):
        return None if value.kind == "time" else temporal.build("date", value.parts[:3], None, "")
    if not isinstance(value, str):
        return None
    found = temporal.parse_date_time(value)
    return temporal.build("date", found.parts[:3], None, "") if found else None


def as_date_time(value: FhirpathItem) -> Temporal | None:
    """A System value as a dateTime; a date keeps its precision."""
    if isinstance(value, Temporal):
        if value.kind == "date":
            return Temporal("dateTime", value.text, value.parts)
        return value if value.kind == "dateTime" else None
    return temporal.parse_date_time(value) if isinstance(value, str) else None


def as_time(value: FhirpathItem) -> Temporal | None:
    """A System value as a time of day."""
    if isinstance(value, Temporal):
        return value if value.kind == "time" else None
    return temporal.parse_time(value) if isinstance(value, str) else None


def as_quantity(value: FhirpathItem) -> Quantity | None:
    """A System value as a quantity; a number has unit 1."""
    if isinstance(value, Quantity):
        return value
    if isinstance(value, bool | int | Decimal):
        return Quantity(Decimal(value))
    found = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if found is None or (found[3] and not is_calendar_word(found[3])):
        return None
    return Quantity(Decimal(found[1]), found[2] or found[3] or "1")


def _converted(collection: Items, function: str, convert: Callable[[Any], Any]) -> Items:
    value = one(collection, function)
    found = None if value is None or isinstance(value, FhirNode) else convert(value)
    return [] if found is None else [found]


def _converts(collection: Items, function: str, convert: Callable[[Any], Any]) -> Items:
    return [bool(_converted(collection, function, convert))] if collection else []
