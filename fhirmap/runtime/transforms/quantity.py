"""Quantities: qty.

Spec: FML, transforms, qty: `qty(text)` with `[comparator]value[ ]unit`, or `qty(value, unit[, system, code])`.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from fhirmap.data import MapValue
from fhirmap.errors import TransformFailed
from fhirmap.runtime.lists import present
from fhirmap.texts import Text

_TEXT = re.compile(r"\s*(<=|>=|<|>|ad)?\s*([+-]?\d+(?:\.\d+)?)\s*(\S.*?)?\s*", re.ASCII | re.DOTALL)


def quantity(text: MapValue) -> dict[str, Any] | None:
    """A Quantity from text; the value keeps its digits, the unit is the text alone (no system, no code).

    Raises: ``TransformFailed`` FM450 where the text is no quantity.

    Example:
        >>> quantity("<= 5.10 mg")
        {'value': Decimal('5.10'), 'comparator': '<=', 'unit': 'mg'}
    """
    if text is None or text == "":
        return None
    match = _TEXT.fullmatch(str(text))
    if match is None:
        raise TransformFailed("FM450", function="qty", what=Text("values.quantity_text"))
    held: dict[str, Any] = {"value": Decimal(match[2])}
    if match[1]:
        held["comparator"] = match[1]
    if match[3]:
        held["unit"] = match[3]
    return held


def quantity_of(
    value: MapValue, unit: MapValue, system: MapValue = None, code: MapValue = None
) -> dict[str, Any] | None:
    """A Quantity from its parts; None without a value.

    Raises: ``TransformFailed`` FM450 where the value is no number.
    """
    if value is None or value == "":
        return None
    try:
        number = value if isinstance(value, int | Decimal) and not isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        raise TransformFailed("FM450", function="qty", what=Text("values.a_number")) from None
    return present({"value": number, "unit": unit, "system": system, "code": code})
