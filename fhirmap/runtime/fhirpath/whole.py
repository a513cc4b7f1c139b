"""Whole numbers: an Integer of 32 bits is Python's int, a Long of 64 bits is a `Long`.

Spec: FHIRPath 2.0, "Math": what overflows is empty. FHIRPath 3.0 (ballot), "Long".
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fhirmap.fhir_types import INTEGER_RANGES

_LEAST, _MOST = INTEGER_RANGES["integer"]
_LEAST_LONG, _MOST_LONG = INTEGER_RANGES["integer64"]


class Long(int):
    """A whole number of 64 bits as an item of a collection."""

    __slots__ = ()


def longs(values: list[int] | int | None) -> list[Any]:
    """Bare values of type Long (None, one, or a list) as items."""
    if values is None:
        return []
    return [Long(value) for value in values] if isinstance(values, list) else [Long(values)]


def computed(value: int | Decimal, *operands: int | Decimal) -> list[Any]:
    """A computed number as a collection: of the widest type of its operands, empty where it overflows that."""
    if isinstance(value, Decimal):
        return [value]
    if any(isinstance(operand, Long) for operand in operands):
        found = long(value)
        return [] if found is None else [Long(found)]
    return [value] if _LEAST <= value <= _MOST else []


def integer(value: int) -> int | None:
    """A computed Integer; None where it overflows.

    Example:
        >>> integer(2147483647), integer(2147483647 + 1)
        (2147483647, None)
    """
    return value if _LEAST <= value <= _MOST else None


def long(value: int) -> int | None:
    """A computed Long; None where it overflows."""
    return int(value) if _LEAST_LONG <= value <= _MOST_LONG else None
