"""Functions on whole collections: existence, subsets, combination, types, order. Lists of items in and out."""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

from fhirmap.errors import TransformFailed
from fhirmap.fhir_types import PRIMITIVES
from fhirmap.runtime.fhirpath.item import FhirNode, Items, is_type, one, single, system, type_name
from fhirmap.runtime.fhirpath.membership import Pool, Seen, distinct
from fhirmap.runtime.fhirpath.operators import _shown, order_of
from fhirmap.runtime.fhirpath.strings import number_of

_MOST_ROUNDS = 10_000
_MOST_ITEMS = 1_000_000
_MOST_TEXT = 50_000_000
"""Characters of all texts that one round gives."""


def criterion(collection: Items) -> bool:
    """The criterion of `iif`: a boolean, or empty for false.

    Raises: ``TransformFailed`` FM432 for anything else.
    """
    value = one(collection, "iif")
    if value is None or isinstance(value, bool):
        return bool(value)
    raise TransformFailed("FM432", function="iif", found=_shown(value), wanted="Boolean")


def all_true(collection: Items) -> Items:
    """`allTrue`."""
    return [all(_booleans(collection, "allTrue"))]


def any_true(collection: Items) -> Items:
    """`anyTrue`."""
    return [any(_booleans(collection, "anyTrue"))]


def all_false(collection: Items) -> Items:
    """`allFalse`."""
    return [not any(_booleans(collection, "allFalse"))]


def any_false(collection: Items) -> Items:
    """`anyFalse`."""
    return [not all(_booleans(collection, "anyFalse"))]


def subset_of(collection: Items, other: Items) -> Items:
    """`subsetOf`: is every item among the others?"""
    pool = Pool(other)
    return [all(item in pool for item in collection)]


def superset_of(collection: Items, other: Items) -> Items:
    """`supersetOf`."""
    return subset_of(other, collection)


def is_distinct(collection: Items) -> Items:
    """`isDistinct`."""
    return [len(distinct(collection)) == len(collection)]


def single_item(collection: Items) -> Items:
    """`single`: an error for several items."""
    single(collection, "single()")
    return collection


def indexed(collection: Items, index: Items) -> Items:
    """`[index]`."""
    rank = number_of(index, "[]")
    return [collection[rank]] if rank is not None and 0 <= rank < len(collection) else []


def skip(collection: Items, count: Items) -> Items:
    """`skip`."""
    return collection[max(0, number_of(count, "skip") or 0) :]


def take(collection: Items, count: Items) -> Items:
    """`take`."""
    return collection[: max(0, number_of(count, "take") or 0)]


def intersect(collection: Items, other: Items) -> Items:
    """`intersect`: items in both, each once."""
    pool = Pool(other)
    return distinct([item for item in collection if item in pool])


def exclude(collection: Items, other: Items) -> Items:
    """`exclude`: items that are not among the others."""
    pool = Pool(other)
    return [item for item in collection if item not in pool]


def combine(collection: Items, other: Items) -> Items:
    """`combine`: the items of both, with duplicates.

    Raises: ``TransformFailed`` FM433 for more than `_MOST_ITEMS`.
    """
    if len(collection) + len(other) > _MOST_ITEMS:
        raise TransformFailed("FM433", variant="endless_repeat", function="combine")
    return [*collection, *other]


def repeat(collection: Items, project: Callable[[Any], Items]) -> Items:
    """`repeat`: what the projection finds, and finds again from there, each once."""
    seen = Seen()
    found: Items = []
    level = collection
    rounds = 0
    while level:
        level = [result for item in level for result in project(item) if seen.is_new(result)]
        found.extend(level)
        rounds += 1
        if rounds > _MOST_ROUNDS or len(found) > _MOST_ITEMS or sum(map(_text_size, level)) > _MOST_TEXT:
            raise TransformFailed("FM433", variant="endless_repeat", function="repeat")
    return found


def _text_size(item: object) -> int:
    return len(item) if isinstance(item, str) else 0


def repeat_all(collection: Items, project: Callable[[Any], Items]) -> Items:
    """`repeatAll`: as `repeat`, with duplicates."""
    found: Items = []
    level = collection
    rounds = 0
    while level:
        level = [result for item in level for result in project(item)]
        found.extend(level)
        rounds += 1
        if rounds > _MOST_ROUNDS or len(found) > _MOST_ITEMS:
            raise TransformFailed("FM433", variant="endless", function="repeatAll")
    return found


def aggregate(collection: Items, step: Callable[[Any, Items, int], Items], start: Items) -> Items:
    """`aggregate`."""
    total = start
    for rank, item in enumerate(collection):
        total = step(item, total, rank)
        if len(total) > _MOST_ITEMS or sum(map(_text_size, total)) > _MOST_TEXT:
            raise TransformFailed("FM433", variant="endless_repeat", function="aggregate")
    return total


def sort(keyed: list[tuple[Any, ...]], descending: tuple[bool, ...]) -> Items:
    """`sort`: ``keyed`` holds an item and its keys (collections); an item without a key comes last, first where
    descending.
    """

    def order(left: tuple[Any, ...], right: tuple[Any, ...]) -> int:
        for rank, down in enumerate(descending, 1):
            one_, two = one(left[rank], "sort"), one(right[rank], "sort")
            absent = (one_ is None) - (two is None)
            found = absent if one_ is None or two is None else order_of(one_, two, "sort") or 0
            if found:
                return -found if down else found
        return 0

    return [entry[0] for entry in sorted(keyed, key=cmp_to_key(order))]


def has_value(collection: Items) -> Items:
    """`hasValue`: is there one primitive with a value?"""
    return [bool(get_value(collection))]


def get_value(collection: Items) -> Items:
    """`getValue`: the System value of the one primitive."""
    if len(collection) != 1:
        return []
    value = system(collection[0])
    return [] if isinstance(value, FhirNode | dict) else [value]


def is_of_type(collection: Items, name: str, space: str = "") -> Items:
    """`is`."""
    item = single(collection, "is")
    return [] if item is None else [is_type(item, name, space)]


def as_type(collection: Items, name: str, space: str = "") -> Items:
    """`as`: the one item where it is of the type."""
    return of_type(collection, name, space) if single(collection, "as") is not None else []


def of_type(collection: Items, name: str, space: str = "") -> Items:
    """`ofType`: items of the type; a `code` is no `string` here, an Age is a Quantity."""
    exact = name in PRIMITIVES
    return [item for item in collection if is_type(item, name, space, exact=exact)]


def type_info(collection: Items) -> Items:
    """`type`: name space and name of each item's type."""
    found = []
    for item in collection:
        space, name = type_name(item)
        found.append({"namespace": space, "name": name})
    return found


def _booleans(collection: Items, function: str) -> list[bool]:
    found = []
    for item in collection:
        value = system(item)
        if not isinstance(value, bool):
            raise TransformFailed("FM432", function=function, found=_shown(value), wanted="Boolean")
        found.append(value)
    return found
