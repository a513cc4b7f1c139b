"""Decimals as text, for all that shows one: cells, keys, FHIRPath, results."""

from __future__ import annotations

from decimal import Decimal

_LONGEST = 400
"""Places to which a number is written out: a cell `9E9999999999` would take more memory than there is."""


def decimal_text(value: Decimal) -> str:
    """The digits of a number without an exponent, with one where it would be longer than hundreds of places.

    Example:
        >>> decimal_text(Decimal("1.50")), decimal_text(Decimal("2E+3")), decimal_text(Decimal("9E+999999"))
        ('1.50', '2000', '9E+999999')
    """
    return format(value, "f") if abs(value.adjusted()) < _LONGEST else str(value)
