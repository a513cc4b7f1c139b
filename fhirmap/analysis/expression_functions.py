"""What FHIRPath's own functions take and give: the table that inference and the compiler share.

Argument kinds: `value` is evaluated at the call, `each` once per item with `$this` bound, `focus` with the
whole input as `$this`, `type` names a type, `sort` is an expression with a direction. Inputs: `any`, `text`, `number`.
Results: a System type's name with `!` (always one), `?` (at most one) or `*`; `same` the input's types, `item` at most
one of them, `filtered` perhaps fewer; `projection` what the argument gives; the rest is decided in `expression`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One function: its arguments' kinds, how many are required, what it gives, what it wants as input."""

    arguments: tuple[str, ...] = ()
    required: int = 0
    result: str = "unknown"
    input: str = "any"
    is_ordered: bool = False
    """Its result depends on the order of its input."""


def _spec(
    result: str, arguments: str = "", required: int | None = None, *, of: str = "any", ordered: bool = False
) -> FunctionSpec:
    kinds = tuple(arguments.split())
    return FunctionSpec(kinds, len(kinds) if required is None else required, result, of, ordered)


FUNCTIONS: Mapping[str, FunctionSpec] = {
    # existence
    "empty": _spec("Boolean!"),
    "exists": _spec("Boolean!", "each", 0),
    "all": _spec("Boolean!", "each"),
    "allTrue": _spec("Boolean!"),
    "anyTrue": _spec("Boolean!"),
    "allFalse": _spec("Boolean!"),
    "anyFalse": _spec("Boolean!"),
    "subsetOf": _spec("Boolean!", "value"),
    "supersetOf": _spec("Boolean!", "value"),
    "count": _spec("Integer!"),
    "distinct": _spec("same"),
    "isDistinct": _spec("Boolean!"),
    "not": _spec("Boolean?"),
    # filtering and projection
    "where": _spec("filtered", "each"),
    "select": _spec("projection", "each"),
    "repeat": _spec("projection", "each"),
    "repeatAll": _spec("projection", "each"),
    "ofType": _spec("type", "type"),
    "as": _spec("type", "type"),
    "is": _spec("Boolean?", "type"),
    "coalesce": _spec("arguments", "value value value value value value value value", 1),
    # subsets
    "single": _spec("item"),
    "first": _spec("item", ordered=True),
    "last": _spec("item", ordered=True),
    "tail": _spec("filtered", ordered=True),
    "skip": _spec("filtered", "value", ordered=True),
    "take": _spec("filtered", "value", ordered=True),
    "intersect": _spec("filtered", "value"),
    "exclude": _spec("filtered", "value"),
    "union": _spec("union", "value"),
    "combine": _spec("union", "value value", 1),
    # conversion
    "iif": _spec("iif", "focus focus focus", 2),
    "toBoolean": _spec("Boolean?"),
    "convertsToBoolean": _spec("Boolean?"),
    "toInteger": _spec("Integer?"),
    "convertsToInteger": _spec("Boolean?"),
    "toLong": _spec("Long?"),
    "convertsToLong": _spec("Boolean?"),
    "toDecimal": _spec("Decimal?"),
    "convertsToDecimal": _spec("Boolean?"),
    "toDate": _spec("Date?"),
    "convertsToDate": _spec("Boolean?"),
    "toDateTime": _spec("DateTime?"),
    "convertsToDateTime": _spec("Boolean?"),
    "toTime": _spec("Time?"),
    "convertsToTime": _spec("Boolean?"),
    "toQuantity": _spec("Quantity?", "value", 0),
    "convertsToQuantity": _spec("Boolean?", "value", 0),
    "toString": _spec("String?"),
    "convertsToString": _spec("Boolean?"),
    # text
    "indexOf": _spec("Integer?", "value", of="text"),
    "lastIndexOf": _spec("Integer?", "value", of="text"),
    "substring": _spec("String?", "value value", 1, of="text"),
    "startsWith": _spec("Boolean?", "value", of="text"),
    "endsWith": _spec("Boolean?", "value", of="text"),
    "contains": _spec("Boolean?", "value", of="text"),
    "upper": _spec("String?", of="text"),
    "lower": _spec("String?", of="text"),
    "replace": _spec("String?", "value value", of="text"),
    "matches": _spec("Boolean?", "value value", 1, of="text"),
    "matchesFull": _spec("Boolean?", "value value", 1, of="text"),
    "replaceMatches": _spec("String?", "value value value", 2, of="text"),
    "length": _spec("Integer?", of="text"),
    "toChars": _spec("String*", of="text"),
    "trim": _spec("String?", of="text"),
    "split": _spec("String*", "value", of="text"),
    "join": _spec("String?", "value", 0, of="text"),
    "encode": _spec("String?", "value", of="text"),
    "decode": _spec("String?", "value", of="text"),
    "escape": _spec("String?", "value", of="text"),
    "unescape": _spec("String?", "value", of="text"),
    # numbers
    "abs": _spec("item", of="number"),
    "ceiling": _spec("Integer?", of="number"),
    "exp": _spec("Decimal?", of="number"),
    "floor": _spec("Integer?", of="number"),
    "ln": _spec("Decimal?", of="number"),
    "log": _spec("Decimal?", "value", of="number"),
    "power": _spec("unknown", "value", of="number"),
    "round": _spec("Decimal?", "value", 0, of="number"),
    "sqrt": _spec("Decimal?", of="number"),
    "truncate": _spec("Integer?", of="number"),
    "lowBoundary": _spec("unknown", "value", 0),
    "highBoundary": _spec("unknown", "value", 0),
    "precision": _spec("Integer?"),
    "comparable": _spec("Boolean?", "value"),
    "sum": _spec("unknown"),
    "min": _spec("item"),
    "max": _spec("item"),
    "avg": _spec("Decimal?"),
    "aggregate": _spec("unknown", "each value", 1),
    # tree, utility, types
    "children": _spec("unknown"),
    "descendants": _spec("unknown"),
    "trace": _spec("same", "value each", 1),
    "now": _spec("DateTime!"),
    "timeOfDay": _spec("Time!"),
    "today": _spec("Date!"),
    "sort": _spec("same", "sort sort sort sort sort sort sort sort", 0),
    "defineVariable": _spec("same", "value focus", 1),
    "type": _spec("unknown"),
    # FHIR
    "extension": _spec("Extension", "value"),
    "hasValue": _spec("Boolean!"),
    "getValue": _spec("getValue"),
    "resolve": _spec("unknown"),
    "memberOf": _spec("Boolean?", "value"),
    "conformsTo": _spec("Boolean?", "value"),
    "htmlChecks": _spec("Boolean?"),
}
"""Every function of FHIRPath (2.0, 3.0 ballot, FHIR's own) that is known."""
