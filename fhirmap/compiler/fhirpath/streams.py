"""Streams: several bare values as the clauses of a comprehension, until a use says what is made of them.

`poses.where(used).lot` is one comprehension, `[poses_1.get('lot') for poses_1 in … if poses_1.get('used') is True …]`,
not a list for each step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fhirmap.analysis.static import StaticType
from fhirmap.compiler import python as py
from fhirmap.compiler.fhirpath.typed_values import TypedValue, ValueKind
from fhirmap.compiler.runtime_functions import fp_call

Fresh = Callable[[str], py.Name]
NONE = py.Literal(None)
TRUE = py.Literal(True)
_NO_ENTRIES = py.TupleOf()


def held(code: py.Expr, static: StaticType, fresh: Fresh) -> TypedValue:
    """What the caller holds in a Python name or another expression, of the given static view."""
    if not static.plain:
        return TypedValue(code, static, ValueKind.ITEMS)
    if static.cardinality != "many":
        return TypedValue(code, static)
    item = fresh("item")
    return TypedValue(item, static, ValueKind.STREAM, (py.ForClause((item,), code),), source=code)


def through(items: py.Expr, static: StaticType, fresh: Fresh) -> TypedValue:
    """The entries of a list that another function makes."""
    item = fresh("item")
    return TypedValue(item, static, ValueKind.STREAM, (py.ForClause((item,), items),))


def listed(items: py.Expr, static: StaticType, fresh: Fresh) -> TypedValue:
    """As `through`, where what goes on may take the list as it is."""
    return replace(through(items, replace(static, cardinality="many", plain=True), fresh), source=items)


def or_no_entries(code: py.Expr) -> py.Expr:
    """A list that may be absent, to go through."""
    return code if _is_list(code) else py.or_default(code, _NO_ENTRIES)


def _is_list(code: py.Expr) -> bool:
    """Is the list there in any case: in a name, or made by a function?"""
    return isinstance(code, py.Name | py.Call)


def whole(value: TypedValue, fresh: Fresh) -> py.Expr:
    """All of a value: a scalar, or the list of a stream."""
    if value.kind is not ValueKind.STREAM:
        return value.code
    flat = flushed(value, fresh)
    if flat.source is None:
        return as_list(flat)
    return flat.source if _is_list(flat.source) else py.or_default(flat.source, py.ListOf())


def flushed(value: TypedValue, fresh: Fresh) -> TypedValue:
    """A stream whose elements are never absent: `poses.lot` skips the poses that have none."""
    if value.kind is not ValueKind.STREAM or value.static.cardinality != "optional":
        return value
    name = fresh("value")
    clauses = (*value.clauses, py.ForClause((name,), py.TupleOf((value.code,))), py.IfClause(py.is_not_none(name)))
    return TypedValue(name, value.static.with_cardinality("many"), ValueKind.STREAM, clauses)


def as_stream(value: TypedValue, fresh: Fresh) -> TypedValue:
    """A scalar as a stream of none or one: `first.where(lot = 'L1')`."""
    if value.kind is ValueKind.STREAM:
        return flushed(value, fresh)
    name = fresh("value")
    test = () if value.is_one else (py.IfClause(py.is_not_none(name)),)
    clauses = (py.ForClause((name,), py.TupleOf((value.code,))), *test)
    return TypedValue(name, value.static.with_cardinality("many"), ValueKind.STREAM, clauses)


def as_list(stream: TypedValue) -> py.Expr:
    """The list of a flushed stream."""
    return py.Comprehension(py.Container.LIST, stream.code, stream.clauses)


def generated(element: py.Expr, stream: TypedValue) -> py.Expr:
    """One ``element`` for each of a flushed stream: what `any`, `all`, `sum` and `next` take."""
    return py.Comprehension(py.Container.GENERATOR, element, stream.clauses)


def first_entry(stream: TypedValue) -> TypedValue:
    """The first of a flushed stream, None where it is empty."""
    code = py.builtin("next", generated(stream.code, stream), NONE)
    return TypedValue(code, stream.static.with_cardinality("optional"))


def first_found(stream: TypedValue) -> TypedValue | None:
    """The first child of those entries of one list that have one text: `part.where(name = 'lot').value.first()`.

    Maps ask so for one parameter after another; the runtime's loop says it shorter than a comprehension.
    """
    if len(stream.clauses) != 2:
        return None
    each, filtered = stream.clauses
    if not (isinstance(each, py.ForClause) and isinstance(filtered, py.IfClause)):
        return None
    item, test, child = each.targets[0], filtered.test, stream.code
    if not (isinstance(child, py.Get) and child.owner == item and child.default is None):
        return None
    if not (isinstance(test, py.Compare) and isinstance(test.first, py.Get) and test.first.owner == item):
        return None
    ((operator, text), *more) = test.rest
    if more or operator is not py.Comparison.EQUAL or not isinstance(text, py.Literal) or test.first.default:
        return None
    if not isinstance(text.value, str):
        return None
    code = fp_call("first_where", each.items, py.Literal(test.first.key), text, py.Literal(child.key))
    return TypedValue(code, stream.static.with_cardinality("optional"))
