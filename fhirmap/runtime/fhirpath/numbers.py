"""Functions on numbers and quantities. Spec: FHIRPath 2.0, "Math", and the boundary and precision functions."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, DecimalException
from typing import Any

from fhirmap.data import FhirpathItem
from fhirmap.errors import TransformFailed
from fhirmap.runtime.fhirpath import quantity as quantities
from fhirmap.runtime.fhirpath import temporal
from fhirmap.runtime.fhirpath.item import Items, one, systems
from fhirmap.runtime.fhirpath.operators import _is_number, _shown, add, divide, order_of
from fhirmap.runtime.fhirpath.quantity import Quantity
from fhirmap.runtime.fhirpath.strings import number_of
from fhirmap.runtime.fhirpath.temporal import Temporal
from fhirmap.runtime.fhirpath.whole import computed
from fhirmap.texts import Text

_EXACT = Context(prec=50)
_SHOWN = Context(prec=28)
_MOST_DIGITS = 31


def abs_(collection: Items) -> Items:
    """`abs`."""
    value = one(collection, "abs")
    if isinstance(value, Quantity):
        return [value.with_value(abs(value.value))]
    number = _number(value, "abs")
    return [] if number is None else computed(-number if number < 0 else number, number)


def ceiling(collection: Items) -> Items:
    """`ceiling`."""
    return _rounded(collection, "ceiling", ROUND_CEILING)


def floor(collection: Items) -> Items:
    """`floor`."""
    return _rounded(collection, "floor", ROUND_FLOOR)


def truncate(collection: Items) -> Items:
    """`truncate`."""
    return _rounded(collection, "truncate", ROUND_DOWN)


def round_(collection: Items, digits: Items | None = None) -> Items:
    """`round`: half goes away from zero, as at school."""
    value = one(collection, "round")
    number = _number(value.value if isinstance(value, Quantity) else value, "round")
    places = 0 if digits is None else number_of(digits, "round")
    if number is None or places is None:
        return []
    if places < 0:
        raise TransformFailed("FM433", variant="digits", function="round")
    found = _to_places(Decimal(number), places)
    return [value.with_value(found)] if isinstance(value, Quantity) else [found]


def _to_places(number: Decimal, places: int) -> Decimal:
    """A number with so many digits after the point; as it is where it has no more, and zeros would make it too long."""
    exponent = number.as_tuple().exponent
    digits = number.adjusted() + places + 2
    if digits <= _EXACT.prec:
        return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _EXACT)
    if isinstance(exponent, int) and -exponent <= places:
        return number
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, Context(prec=digits))


def exp(collection: Items) -> Items:
    """`exp`."""
    return _real(collection, "exp", lambda number: number.exp(_EXACT))


def ln(collection: Items) -> Items:
    """`ln`: empty for a number that has none."""
    return _real(collection, "ln", lambda number: number.ln(_EXACT) if number > 0 else None)


def sqrt(collection: Items) -> Items:
    """`sqrt`: empty for a negative number."""
    return _real(collection, "sqrt", lambda number: number.sqrt(_EXACT) if number >= 0 else None)


def log(collection: Items, base: Items) -> Items:
    """`log` to a base."""
    of = _number(one(base, "log"), "log")
    if of is None or of <= 0 or of == 1:
        return []
    return _real(collection, "log", lambda number: _log(number, Decimal(of)))


def power(collection: Items, exponent: Items) -> Items:
    """`power`: an integer for integers; empty where there is no real result."""
    base, by = _number(one(collection, "power"), "power"), _number(one(exponent, "power"), "power")
    if base is None or by is None:
        return []
    try:
        if isinstance(base, int) and isinstance(by, int) and 0 <= by < 10_000:
            whole: int = base**by
            return computed(whole, base, by)
        return [_shown_number(_EXACT.power(Decimal(base), Decimal(by)))]
    except DecimalException:
        return []


def precision(collection: Items) -> Items:
    """`precision`: decimals of a number, digits of a date or time."""
    value = one(collection, "precision")
    if value is None:
        return []
    if isinstance(value, Temporal):
        return [temporal.precision(value)]
    number = _number(value, "precision")
    exponent = Decimal(number or 0).as_tuple().exponent
    return [max(0, -exponent) if isinstance(exponent, int) else 0]


def low_boundary(collection: Items, digits: Items | None = None) -> Items:
    """`lowBoundary`: the least value that what is written may mean."""
    return _boundary(collection, digits, high=False)


def high_boundary(collection: Items, digits: Items | None = None) -> Items:
    """`highBoundary`: the greatest value that what is written may mean."""
    return _boundary(collection, digits, high=True)


def comparable(collection: Items, other: Items) -> Items:
    """`comparable`: do two quantities have units that compare?"""
    left, right = one(collection, "comparable"), one(other, "comparable")
    if left is None or right is None:
        return []
    return [isinstance(left, Quantity) and isinstance(right, Quantity) and quantities.comparable(left, right)]


def total(collection: Items) -> Items:
    """`sum`."""
    found: Items = []
    for item in systems(collection):
        if not isinstance(item, Quantity):
            _number(item, "sum")
        found = add(found, [item]) if found else [item]
        if not found:
            # It overflowed, or the units do not go together.
            return []
    return found


def smallest(collection: Items) -> Items:
    """`min`."""
    return _extreme(collection, "min", -1)


def greatest(collection: Items) -> Items:
    """`max`."""
    return _extreme(collection, "max", 1)


def average(collection: Items) -> Items:
    """`avg`: empty for an empty collection."""
    return divide(total(collection), [len(systems(collection))])


def _extreme(collection: Items, function: str, sign: int) -> Items:
    best: Any = None
    for item in collection:
        value = one([item], function)
        if best is None or (order_of(value, best, function) or 0) == sign:
            best = value
    return [] if best is None else [best]


def _boundary(collection: Items, digits: Items | None, *, high: bool) -> Items:
    function = "highBoundary" if high else "lowBoundary"
    value = one(collection, function)
    wanted = None if digits is None else number_of(digits, function)
    if value is None or (digits is not None and wanted is None):
        return []
    if isinstance(value, Temporal):
        moment = temporal.boundary(value, wanted, high=high)
        return [] if moment is None else [moment]
    number = _number(value.value if isinstance(value, Quantity) else value, function)
    places = 8 if wanted is None else wanted
    if number is None or not 0 <= places <= _MOST_DIGITS:
        return []
    exact = Decimal(number)
    exponent = exact.as_tuple().exponent
    half = Decimal(5).scaleb(min(exponent, 0) - 1 if isinstance(exponent, int) else -1)
    edge = exact + half if high else exact - half
    found = edge.quantize(Decimal(1).scaleb(-places), ROUND_CEILING if high else ROUND_FLOOR, _EXACT)
    return [value.with_value(found)] if isinstance(value, Quantity) else [found]


def _log(number: Decimal, base: Decimal) -> Decimal | None:
    return number.ln(_EXACT) / base.ln(_EXACT) if number > 0 else None


def _real(collection: Items, function: str, compute: Callable[[Decimal], Decimal | None]) -> Items:
    number = _number(one(collection, function), function)
    try:
        found = None if number is None else compute(Decimal(number))
        return [] if found is None else [_shown_number(found)]
    except DecimalException:
        return []


def _shown_number(exact: Decimal) -> Decimal:
    """28 digits, without the zeros that a computation leaves at the end: `16.log(2)` is 4."""
    found = _SHOWN.plus(exact).normalize()
    exponent = found.as_tuple().exponent
    return found.quantize(Decimal(1)) if isinstance(exponent, int) and 0 < exponent < _MOST_DIGITS else found


def _rounded(collection: Items, function: str, rounding: str) -> Items:
    number = _number(one(collection, function), function)
    if number is None or isinstance(number, int):
        return [] if number is None else [number]
    # Beyond the digits of an Integer there is none, and writing it out would take memory without end.
    return computed(int(number.to_integral_value(rounding))) if number.adjusted() < _MOST_DIGITS else []


def _number(value: FhirpathItem, function: str) -> int | Decimal | None:
    if value is None or _is_number(value):
        return value  # type: ignore[no-any-return]
    raise TransformFailed("FM432", function=function, found=_shown(value), wanted=Text("values.a_number"))
