"""Quantities: UCUM units as exact factors over base units, calendar durations as FHIRPath has them.

Spec: FHIRPath 2.0, "Quantity" and "Time-valued Quantities"; UCUM's case-sensitive codes. A unit that is not known here
still equals itself; it compares with nothing else, and the result is then empty, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, Inexact, localcontext
from fractions import Fraction
from functools import lru_cache

from fhirmap.decimals import decimal_text
from fhirmap.runtime.fhirpath.temporal import calendar_unit

UCUM = "http://unitsofmeasure.org"

_PREFIXES = {
    "Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1,
    "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18, "z": -21, "y": -24,
}  # fmt: skip
_BASES = ("m", "g", "s", "rad", "K", "C", "cd")
_METRIC: dict[str, tuple[str, str]] = {
    # unit: (factor, what it is a multiple of)
    "mol": ("602214076000000000000000", "1"), "sr": ("1", "rad2"), "Hz": ("1", "s-1"), "N": ("1000", "g.m.s-2"),
    "Pa": ("1000", "g.m-1.s-2"), "J": ("1000", "g.m2.s-2"), "W": ("1000", "g.m2.s-3"), "A": ("1", "C.s-1"),
    "V": ("1000", "g.m2.s-2.C-1"), "F": ("0.001", "g-1.m-2.s2.C2"), "Ohm": ("1000", "g.m2.s-1.C-2"),
    "S": ("0.001", "g-1.m-2.s.C2"), "Wb": ("1000", "g.m2.s-1.C-1"), "T": ("1000", "g.s-1.C-1"),
    "H": ("1000", "g.m2.C-2"),
    "lm": ("1", "cd.rad2"), "lx": ("1", "cd.rad2.m-2"), "Bq": ("1", "s-1"), "Gy": ("1", "m2.s-2"),
    "Sv": ("1", "m2.s-2"),
    "l": ("0.001", "m3"), "L": ("0.001", "m3"), "ar": ("100", "m2"), "t": ("1000000", "g"),
    "bar": ("100000000", "g.m-1.s-2"),
    "u": ("0.00000000000000000000000166053906660", "g"), "eV": ("0.000000000000000160217653", "g.m2.s-2"),
    "eq": ("602214076000000000000000", "1"), "osm": ("602214076000000000000000", "1"),
    "kat": ("602214076000000000000000", "s-1"),
    "cal": ("4184", "g.m2.s-2"), "[iU]": ("1", "[iU]"), "[IU]": ("1", "[iU]"), "B": ("1", "B"),
    "g%": ("10000", "g.m-3"),
    "m[H2O]": ("9806650", "g.m-1.s-2"), "m[Hg]": ("133322000", "g.m-1.s-2"), "Cel": ("1", "Cel"),
}  # fmt: skip
_PLAIN: dict[str, tuple[str, str]] = {
    "1": ("1", ""), "%": ("0.01", ""), "[ppth]": ("0.001", ""), "[ppm]": ("0.000001", ""), "[ppb]": ("0.000000001", ""),
    "10*": ("10", ""), "10^": ("10", ""), "[pi]": ("3.1415926535897932384626433832795028841971693993751", ""),
    "min": ("60", "s"), "h": ("3600", "s"), "d": ("86400", "s"), "wk": ("604800", "s"), "a": ("31557600", "s"),
    "mo": ("2629800", "s"),
    "deg": ("0.017453292519943295769236907684886", "rad"), "[in_i]": ("0.0254", "m"), "[ft_i]": ("0.3048", "m"),
    "[yd_i]": ("0.9144", "m"), "[mi_i]": ("1609.344", "m"), "[lb_av]": ("453.59237", "g"),
    "[oz_av]": ("28.349523125", "g"),
    "[gr]": ("0.06479891", "g"), "[stone_av]": ("6350.29318", "g"), "[gal_us]": ("0.003785411784", "m3"),
    "[qt_us]": ("0.000946352946", "m3"), "[pt_us]": ("0.000473176473", "m3"), "[foz_us]": ("0.0000295735295625", "m3"),
    "[cup_us]": ("0.0002365882365", "m3"), "[tbs_us]": ("0.00001478676478125", "m3"),
    "[tsp_us]": ("0.00000492892159375", "m3"),
    "[in_i'H2O]": ("249088.91", "g.m-1.s-2"), "[degF]": ("1", "[degF]"), "[psi]": ("6894757.293168", "g.m-1.s-2"),
    "[Cal]": ("4184000", "g.m2.s-2"), "[drp]": ("0.00000005", "m3"), "[arb'U]": ("1", "[arb'U]"),
}  # fmt: skip
_TERM = re.compile(r"([./]?)((?:10[*^]|\d+(?![*^])|(?:[A-Za-z%]|\[[^\]]+\])+))([+-]?\d+)?")
_ANNOTATION = re.compile(r"\{[^}]*\}")
_CALENDAR_AS_UCUM = {"week": "wk", "day": "d", "hour": "h", "minute": "min", "second": "s", "millisecond": "ms"}
_CALENDAR_MONTHS = {"year": 12, "month": 1}
_CALENDAR_DIMENSION = "calendar month"
_CALENDAR_DAYS = {"year": 365, "month": 30}
"""Days of a year and of a month where a conversion is asked for: `1 month.toQuantity('days')`."""
_UCUM_OF_CALENDAR = {**_CALENDAR_AS_UCUM, "year": "a", "month": "mo"}
CALENDAR_OF_UCUM = {"a": "year", "mo": "month", "d": "day", "h": "hour", "min": "minute", "s": "second"}
"""The calendar duration that a FHIR Quantity of a UCUM unit is (FHIR R5, fhirpath.html)."""
_SPECIAL = frozenset(("Cel", "[degF]", "B"))
"""Units on a scale of their own, which have no products (UCUM, 21: special units)."""
_POWER = re.compile(r"([A-Za-z]+)(\d?)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with a unit: a UCUM code, or a calendar word (`day`, `months`) as written.

    ``system``: the code system of the unit. One that is not UCUM has units which equal themselves alone.
    """

    value: Decimal
    unit: str = "1"
    system: str = UCUM

    def __str__(self) -> str:
        number = decimal_text(self.value)
        return f"{number} {self.unit}" if is_calendar_word(self.unit) else f"{number} '{self.unit}'"

    def with_value(self, value: Decimal) -> Quantity:
        """Another number of the same unit."""
        return Quantity(value, self.unit, self.system)

    def as_json(self) -> dict[str, object]:
        """The FHIR Quantity. A calendar word is the unit's text; its code is UCUM's: `7 days` has the code `d`."""
        code = _UCUM_OF_CALENDAR[calendar_unit(self.unit)] if is_calendar_word(self.unit) else self.unit
        return {"value": self.value, "unit": self.unit, "system": self.system, "code": code}


@dataclass(frozen=True, slots=True)
class Scale:
    """A unit as an exact factor over base units."""

    factor: Fraction
    dimensions: tuple[tuple[str, int], ...]


def is_calendar_word(unit: str) -> bool:
    """`day`, `months`: written without quotes."""
    name = calendar_unit(unit)
    return (name in _CALENDAR_AS_UCUM or name in _CALENDAR_MONTHS) and unit not in ("d", "h", "s", "min", "ms", "wk")


@lru_cache(maxsize=512)
def scale(unit: str) -> Scale | None:
    """The unit's factor and dimensions; None for a unit that is not known here."""
    word = calendar_unit(unit)
    if is_calendar_word(unit):
        if word in _CALENDAR_MONTHS:
            return Scale(Fraction(_CALENDAR_MONTHS[word]), ((_CALENDAR_DIMENSION, 1),))
        unit = _CALENDAR_AS_UCUM[word]
    text = _ANNOTATION.sub("", unit) or "1"
    factor, dimensions, position = Fraction(1), dict[str, int](), 0
    while position < len(text):
        found = _TERM.match(text, position)
        if found is None or (position and not found[1]):
            return None
        atom = _atom(found[2])
        if atom is None:
            return None
        power = int(found[3] or 1) * (-1 if found[1] == "/" else 1)
        factor *= atom.factor**power
        for name, exponent in atom.dimensions:
            dimensions[name] = dimensions.get(name, 0) + exponent * power
        position = found.end()
    return Scale(factor, tuple(sorted((name, power) for name, power in dimensions.items() if power)))


def comparable(left: Quantity, right: Quantity) -> bool:
    """Do the two measure the same kind of thing, in units whose ratio is known?"""
    if left.system != right.system or left.system != UCUM:
        return left.system == right.system and left.unit == right.unit
    if calendar_unit(left.unit) == calendar_unit(right.unit):
        return True
    one, two = scale(left.unit), scale(right.unit)
    return one is not None and two is not None and one.dimensions == two.dimensions


def compare(left: Quantity, right: Quantity) -> int | None:
    """-1, 0, 1, or None where the units do not compare."""
    if not comparable(left, right):
        return None
    if left.unit == right.unit:
        return (left.value > right.value) - (left.value < right.value)
    one, two = _exact(left), _exact(right)
    return (one > two) - (one < two)


def key_of(quantity: Quantity) -> tuple[object, ...]:
    """What two values that `compare` finds equal have in common, and no others; that of a number where it is one."""
    known = scale(quantity.unit) if quantity.system == UCUM else None
    if known is None:
        return (quantity.system, calendar_unit(quantity.unit), quantity.value)
    exact = _exact(quantity)
    if known.dimensions:
        return (known.dimensions, exact)
    if known.factor == 1:
        return ("number", quantity.value)
    with localcontext() as context:
        # Enough for every number of UCUM and all digits of a value; what is no decimal fraction is no number.
        context.prec = 200 + len(quantity.value.as_tuple().digits)
        context.clear_flags()
        number = _decimal(exact)
        return ("ratio", exact) if context.flags[Inexact] else ("number", number)


def is_equivalent(left: Quantity, right: Quantity) -> bool:
    """Equal once both are rounded to the less precise of the two. A year is like UCUM's `a`, a month like its `mo`."""
    if not comparable(left, right):
        left, right = _definite(left), _definite(right)
    if not comparable(left, right):
        return False
    one, two = _exact(left), _exact(right)
    step = max(_step(left), _step(right))
    return round(one / step) == round(two / step)


def convert(quantity: Quantity, unit: str) -> Quantity | None:
    """The same amount in another unit, a year being 365 days and a month 30 where both are calendar durations.

    Spec: FHIRPath 2.0, `toQuantity`.
    """
    other = Quantity(Decimal(1), unit)
    of_calendar = quantity.system == UCUM and is_calendar_word(unit) and is_calendar_word(quantity.unit)
    if of_calendar and not comparable(quantity, other):
        quantity, other = _in_days(quantity), _in_days(other)
    if not comparable(quantity, other):
        return None
    return Quantity(_decimal(_exact(quantity) / _exact(other)), unit)


def add(left: Quantity, right: Quantity, sign: int = 1) -> Quantity | None:
    """Sum in the finer of the two units; None where the units do not compare. Spec: FHIRPath 2.0, "Math"."""
    if not comparable(left, right):
        return None
    if left.unit == right.unit:
        return left.with_value(left.value + sign * right.value)
    is_left_finer = _exact(left.with_value(Decimal(1))) <= _exact(right.with_value(Decimal(1)))
    unit = left.unit if is_left_finer else right.unit
    one, two = convert(left, unit), convert(right, unit)
    return Quantity(one.value + sign * two.value, unit) if one and two else None


def multiply(left: Quantity, right: Quantity, sign: int = 1) -> Quantity | None:
    """Product (``sign`` 1) or quotient (-1) in base units, `cm2` for centimetres; None where UCUM has no such unit."""
    if left.unit == "1" and sign == 1:
        return right.with_value(left.value * right.value)
    if right.unit == "1":
        return left.with_value(left.value * right.value if sign == 1 else left.value / right.value)
    one, two = scale(left.unit), scale(right.unit)
    if one is None or two is None or left.system != UCUM or right.system != UCUM:
        return None
    if not _SPECIAL.isdisjoint(name for name, _ in (*one.dimensions, *two.dimensions)):
        return None
    power = _power_of_one_unit(left.unit, right.unit) if sign == 1 else None
    if power is not None:
        return Quantity(left.value * right.value, power)
    unit = _unit_of({name: _power(one, name) + sign * _power(two, name) for name, _ in one.dimensions + two.dimensions})
    return None if unit is None else Quantity(_decimal(_exact(left) * _exact(right) ** sign), unit or "1")


def _power(of: Scale, name: str) -> int:
    return dict(of.dimensions).get(name, 0)


def _unit_of(dimensions: Mapping[str, int]) -> str | None:
    """The unit of some powers of base units; None where one of them is the calendar's month, which UCUM lacks."""
    held = sorted((name, power) for name, power in dimensions.items() if power)
    if any(name == _CALENDAR_DIMENSION for name, _ in held):
        return None
    return ".".join(f"{name}{power if power != 1 else ''}" for name, power in held)


def _power_of_one_unit(left: str, right: str) -> str | None:
    """`cm3` for `cm` and `cm2`; None for different units."""
    one, two = _POWER.fullmatch(left), _POWER.fullmatch(right)
    if one is None or two is None or one[1] != two[1] or is_calendar_word(one[1]):
        return None
    return f"{one[1]}{int(one[2] or 1) + int(two[2] or 1)}"


def _definite(quantity: Quantity) -> Quantity:
    """Years and months of the calendar as UCUM's."""
    name = calendar_unit(quantity.unit)
    return Quantity(quantity.value, _UCUM_OF_CALENDAR[name]) if name in _CALENDAR_MONTHS else quantity


def _in_days(quantity: Quantity) -> Quantity:
    name = calendar_unit(quantity.unit)
    return Quantity(quantity.value * _CALENDAR_DAYS[name], "day") if name in _CALENDAR_DAYS else quantity


def _exact(quantity: Quantity) -> Fraction:
    known = scale(quantity.unit)
    return Fraction(quantity.value) * (known.factor if known else 1)


def _step(quantity: Quantity) -> Fraction:
    exponent = quantity.value.normalize().as_tuple().exponent
    known = scale(quantity.unit)
    return Fraction(10) ** (exponent if isinstance(exponent, int) else 0) * (known.factor if known else 1)


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def _atom(name: str) -> Scale | None:
    if name.isdigit():
        return Scale(Fraction(int(name)), ())
    if name in _BASES:
        return Scale(Fraction(1), ((name, 1),))
    known = _PLAIN.get(name) or _METRIC.get(name)
    if known is not None:
        return _derived(name, known)
    for length in (2, 1):
        prefix, rest = name[:length], name[length:]
        if prefix in _PREFIXES and (rest in _BASES or rest in _METRIC):
            whole = _atom(rest)
            return Scale(whole.factor * Fraction(10) ** _PREFIXES[prefix], whole.dimensions) if whole else None
    return None


def _derived(name: str, known: tuple[str, str]) -> Scale | None:
    factor, of = known
    if of in ("", name):
        return Scale(Fraction(factor), ((name, 1),) if of else ())
    whole = Scale(Fraction(1), ((of, 1),)) if of in ("[iU]",) else scale(of)
    return Scale(Fraction(factor) * whole.factor, whole.dimensions) if whole else None
