"""Operators on collections: equality, equivalence, order, three-valued logic, arithmetic, membership.

Each takes and gives lists of items; an empty list is "unknown".
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from fhirmap.data import FhirpathItem, JsonValue
from fhirmap.errors import TransformFailed
from fhirmap.runtime.fhirpath import quantity as quantities
from fhirmap.runtime.fhirpath import temporal
from fhirmap.runtime.fhirpath.item import FhirNode, Items, one, plain, system, type_name
from fhirmap.runtime.fhirpath.long_texts import bounded_sum
from fhirmap.runtime.fhirpath.quantity import Quantity
from fhirmap.runtime.fhirpath.temporal import Temporal
from fhirmap.runtime.fhirpath.whole import computed

# --- truth ------------------------------------------------------------------------------------------------------------


def truth(collection: Items, what: str) -> bool | None:
    """The boolean of a collection: its only boolean, true for any other single item, a primitive with nothing but
    extensions too; None where it is empty.

    Spec: FHIRPath 2.0, 4.5, singleton evaluation of collections.

    Raises: ``TransformFailed`` FM430 for several items.
    """
    value = one(collection, what)
    if value is None:
        return True if collection and collection[0].type != "boolean" else None
    # of a trace, a boolean that knows its cell is one only to `isinstance`
    return bool(value) if isinstance(value, bool) else True


def is_true(collection: Items) -> bool:
    """Does a criterion hold? Empty does not."""
    return truth(collection, "a criterion") is True


def holds(collection: Items) -> bool:
    """A map's test: one boolean is itself, nothing is false, anything else is true."""
    if len(collection) == 1:
        return truth(collection, "a test") is True
    return bool(collection)


def and_(*sides: Items) -> Items:
    """Three-valued `and`, of two or more."""
    answers = [truth(side, "and") for side in sides]
    if False in answers:
        return [False]
    return [] if None in answers else [True]


def or_(*sides: Items) -> Items:
    """Three-valued `or`, of two or more."""
    answers = [truth(side, "or") for side in sides]
    if True in answers:
        return [True]
    return [] if None in answers else [False]


def xor(left: Items, right: Items) -> Items:
    """Three-valued `xor`."""
    one_, two = truth(left, "xor"), truth(right, "xor")
    return [] if one_ is None or two is None else [one_ is not two]


def implies(left: Items, right: Items) -> Items:
    """Three-valued `implies`."""
    one_, two = truth(left, "implies"), truth(right, "implies")
    if one_ is False or two:
        return [True]
    return [] if one_ is None or two is None else [False]


def not_(collection: Items) -> Items:
    """Three-valued `not()`."""
    value = truth(collection, "not()")
    return [] if value is None else [not value]


# --- equality ---------------------------------------------------------------------------------------------------------


def equal(left: Items, right: Items) -> Items:
    """`=`: same items in the same order; empty where either side is, or where dates or units leave it open."""
    left, right = _valued(left), _valued(right)
    if not left or not right:
        return []
    if len(left) != len(right):
        return [False]
    answer: bool | None = True
    for one_, two in zip(left, right, strict=True):
        found = same(one_, two)
        if found is False:
            return [False]
        answer = found if found is None else answer
    return [] if answer is None else [answer]


def _valued(collection: Items) -> Items:
    """Without primitives that only have extensions: there is nothing to compare."""
    if any(isinstance(item, FhirNode) and item.value is None for item in collection):
        return [item for item in collection if not (isinstance(item, FhirNode) and item.value is None)]
    return collection


def not_equal(left: Items, right: Items) -> Items:
    """`!=`."""
    found = equal(left, right)
    return [not found[0]] if found else []


def same(left: FhirpathItem, right: FhirpathItem) -> bool | None:
    """Are two items equal? None where precision or units leave it open."""
    one_, two = system(left), system(right)
    if isinstance(one_, bool) or isinstance(two, bool):
        return one_ is two
    if isinstance(one_, Temporal) and isinstance(two, Temporal):
        if "time" in (one_.kind, two.kind) and one_.kind != two.kind:
            return False
        found = temporal.compare(one_, two)
        return None if found is None else found == 0
    one_, two = _as_alike(one_, two)
    if isinstance(one_, Quantity) and isinstance(two, Quantity):
        order = quantities.compare(one_, two)
        return None if order is None else order == 0
    if isinstance(one_, int | Decimal) and isinstance(two, int | Decimal):
        return one_ == two
    if isinstance(one_, str) and isinstance(two, str):
        return one_ == two
    mine, other = plain(one_), plain(two)
    return isinstance(mine, dict) and isinstance(other, dict) and mine == other


def equivalent(left: Items, right: Items) -> Items:
    """`~`: same items in any order, text without regard to case and blanks, numbers to the lesser precision."""
    if len(left) != len(right):
        return [False]
    rest = list(right)
    for item in left:
        match = next((rank for rank, other in enumerate(rest) if alike(item, other)), None)
        if match is None:
            return [False]
        del rest[match]
    return [True]


def not_equivalent(left: Items, right: Items) -> Items:
    """`!~`."""
    return [not equivalent(left, right)[0]]


def alike(left: FhirpathItem, right: FhirpathItem) -> bool:
    """Are two items equivalent?"""
    one_, two = system(left), system(right)
    if isinstance(one_, bool) or isinstance(two, bool):
        return one_ is two
    if isinstance(one_, Temporal) and isinstance(two, Temporal):
        return (one_.kind == "time") == (two.kind == "time") and temporal.is_equivalent(one_, two)
    one_, two = _as_alike(one_, two)
    if isinstance(one_, Quantity) and isinstance(two, Quantity):
        return quantities.is_equivalent(one_, two)
    if isinstance(one_, int | Decimal) and isinstance(two, int | Decimal):
        return _to_lesser_precision(Decimal(one_), Decimal(two))
    if isinstance(one_, str) and isinstance(two, str):
        return " ".join(one_.casefold().split()) == " ".join(two.casefold().split())
    mine, other = plain(one_), plain(two)
    return isinstance(mine, dict) and isinstance(other, dict) and _alike_json(mine, other)


# --- membership -------------------------------------------------------------------------------------------------------


def in_(left: Items, right: Items) -> Items:
    """`in`: is the one item among the others?"""
    if not left:
        return []
    if len(left) > 1:
        raise TransformFailed("FM430", what="in", count=len(left))
    return [holds_item(right, left[0])]


def contains(left: Items, right: Items) -> Items:
    """`contains`: `in` the other way round."""
    return in_(right, left)


def holds_item(collection: Items, item: FhirpathItem) -> bool:
    """Is an equal item in the collection?"""
    return any(same(item, other) for other in collection)


# --- order ------------------------------------------------------------------------------------------------------------


def less(left: Items, right: Items) -> Items:
    """`<`."""
    order = _order(left, right, "<")
    return [] if order is None else [order < 0]


def less_or_equal(left: Items, right: Items) -> Items:
    """`<=`."""
    order = _order(left, right, "<=")
    return [] if order is None else [order <= 0]


def greater(left: Items, right: Items) -> Items:
    """`>`."""
    order = _order(left, right, ">")
    return [] if order is None else [order > 0]


def greater_or_equal(left: Items, right: Items) -> Items:
    """`>=`."""
    order = _order(left, right, ">=")
    return [] if order is None else [order >= 0]


def order_of(left: FhirpathItem, right: FhirpathItem, operator: str) -> int | None:
    """-1, 0 or 1 for two System values; None where it is open.

    Raises: ``TransformFailed`` FM431 for values that have no order between them.
    """
    one_, two = _as_alike(left, right)
    if isinstance(one_, Temporal) and isinstance(two, Temporal) and (one_.kind == "time") == (two.kind == "time"):
        return temporal.compare(one_, two)
    if isinstance(one_, Quantity) and isinstance(two, Quantity):
        return quantities.compare(one_, two)
    numbers = isinstance(one_, int | Decimal) and isinstance(two, int | Decimal)
    if (numbers and not isinstance(one_, bool) and not isinstance(two, bool)) or (
        isinstance(one_, str) and isinstance(two, str)
    ):
        return (one_ > two) - (one_ < two)
    raise _mismatch(operator, left, right)


def _order(left: Items, right: Items, operator: str) -> int | None:
    one_, two = one(left, operator), one(right, operator)
    if one_ is None or two is None:
        return None
    return order_of(one_, two, operator)


# --- arithmetic -------------------------------------------------------------------------------------------------------


def add(left: Items, right: Items) -> Items:
    """`+`: numbers, text, quantities, a date and a duration."""
    one_, two = one(left, "+"), one(right, "+")
    if one_ is None or two is None:
        return []
    if isinstance(one_, str) and isinstance(two, str):
        return [bounded_sum(one_, two, "+")]
    return _sum(one_, two, "+", 1)


def subtract(left: Items, right: Items) -> Items:
    """`-`."""
    one_, two = one(left, "-"), one(right, "-")
    if one_ is None or two is None:
        return []
    return _sum(one_, two, "-", -1)


def multiply(left: Items, right: Items) -> Items:
    """`*`."""
    one_, two = one(left, "*"), one(right, "*")
    if one_ is None or two is None:
        return []
    if _is_number(one_) and _is_number(two):
        return computed(one_ * two, one_, two)
    one_, two = _as_quantities(one_, two, "*")
    found = quantities.multiply(one_, two)
    return [] if found is None else [found]


def divide(left: Items, right: Items) -> Items:
    """`/`: always a decimal; empty for a division by zero."""
    one_, two = one(left, "/"), one(right, "/")
    if one_ is None or two is None:
        return []
    if _is_number(one_) and _is_number(two):
        return [Decimal(one_) / Decimal(two)] if two else []
    one_, two = _as_quantities(one_, two, "/")
    found = quantities.multiply(one_, two, -1) if two.value else None
    return [] if found is None else [found]


def div(left: Items, right: Items) -> Items:
    """`div`: the quotient without its fraction."""
    return _whole(left, right, "div")


def mod(left: Items, right: Items) -> Items:
    """`mod`: what `div` leaves, with the sign of the dividend."""
    return _whole(left, right, "mod")


def concatenate(left: Items, right: Items) -> Items:
    """`&`: text of both, nothing for an empty side.

    Raises: ``TransformFailed`` FM431 for an item that is no text: `toString()` says how it is written.
    """
    return [bounded_sum(_text(left), _text(right), "&")]


def negate(collection: Items) -> Items:
    """Unary `-`."""
    value = one(collection, "-")
    if value is None:
        return []
    if isinstance(value, Quantity):
        return [value.with_value(-value.value)]
    if not _is_number(value):
        raise TransformFailed("FM431", variant="one", operator="-", left=_shown(value))
    return computed(-value, value)


def plus(collection: Items) -> Items:
    """Unary `+`."""
    negate(collection)
    return collection


def _text(collection: Items) -> str:
    value = one(collection, "&")
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Temporal) and isinstance(collection[0], FhirNode):
        # A date of FHIR is a text as it is written; FHIRPath's own is none.
        return value.text
    raise TransformFailed("FM431", variant="text", operator="&", left=_shown(value))


def _whole(left: Items, right: Items, operator: str) -> Items:
    one_, two = one(left, operator), one(right, operator)
    if one_ is None or two is None:
        return []
    if not (_is_number(one_) and _is_number(two)):
        raise _mismatch(operator, one_, two)
    if not two:
        return []
    quotient = _quotient(one_, two)
    return computed(quotient if operator == "div" else one_ - quotient * two, one_, two)


def _quotient(left: int | Decimal, right: int | Decimal) -> int:
    if isinstance(left, int) and isinstance(right, int):
        return abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    return int((Decimal(left) / Decimal(right)).to_integral_value(ROUND_DOWN))


def _sum(left: FhirpathItem, right: FhirpathItem, operator: str, sign: int) -> Items:
    if _is_number(left) and _is_number(right):
        return computed(left + sign * right, left, right)
    if isinstance(left, Temporal) and isinstance(right, Quantity):
        if right.system != quantities.UCUM or not temporal.takes(left.kind, right.unit):
            # The unit may come from a cell: it is shown where it is one of UCUM's.
            unit = right.unit if right.system == quantities.UCUM and quantities.scale(right.unit) else "?"
            raise TransformFailed("FM431", variant="unit", operator=operator, left=left.kind, unit=unit)
        found = temporal.add(left, sign * right.value, right.unit)
        return [] if found is None else [found]
    if isinstance(left, Quantity) or isinstance(right, Quantity):
        one_, two = _as_quantities(left, right, operator)
        total = quantities.add(one_, two, sign)
        return [] if total is None else [total]
    raise _mismatch(operator, left, right)


def _is_number(value: object) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _as_quantities(left: FhirpathItem, right: FhirpathItem, operator: str) -> tuple[Quantity, Quantity]:
    made = [
        value if isinstance(value, Quantity) else Quantity(Decimal(value)) if _is_number(value) else None
        for value in (left, right)
    ]
    if made[0] is None or made[1] is None:
        raise _mismatch(operator, left, right)
    return made[0], made[1]


def _as_alike(left: FhirpathItem, right: FhirpathItem) -> tuple[Any, Any]:
    """A number compared with a quantity is a quantity of unit 1."""
    if isinstance(left, Quantity) and _is_number(right):
        return left, Quantity(Decimal(right))
    if isinstance(right, Quantity) and _is_number(left):
        return Quantity(Decimal(left)), right
    return left, right


def _to_lesser_precision(left: Decimal, right: Decimal) -> bool:
    places = min(_places(left), _places(right))
    step = Decimal(1).scaleb(-places)
    try:
        return left.quantize(step, ROUND_HALF_UP) == right.quantize(step, ROUND_HALF_UP)
    except InvalidOperation:
        return left == right


def _places(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _alike_json(left: JsonValue, right: JsonValue) -> bool:
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        # Ids of elements do not count in equivalence.
        keys, others = left.keys() - {"id"}, right.keys() - {"id"}
        return keys == others and all(_alike_json(left[key], right[key]) for key in keys)
    if isinstance(left, list) and isinstance(right, list):
        rest = list(right)
        for entry in left:
            match = next((rank for rank, other in enumerate(rest) if _alike_json(entry, other)), None)
            if match is None:
                return False
            del rest[match]
        return not rest
    return alike(left, right)


def _mismatch(operator: str, left: FhirpathItem, right: FhirpathItem) -> TransformFailed:
    return TransformFailed("FM431", operator=operator, left=_shown(left), right=_shown(right))


def _shown(value: object) -> str:
    space, name = type_name(value)
    return name or space or "unknown"
