"""Searches for items that are alike, by what their condition compares."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from fhirmap.data import MapValue
from fhirmap.runtime.fhirpath.environment import EvaluationContext

_FEW = 16
"""As many items are looked at sooner than they are kept by their keys."""


def alike_items(
    environment: EvaluationContext,
    items: Collection[Any],
    key: Callable[[Any], tuple[MapValue, ...]],
    wanted: tuple[MapValue, ...],
) -> Collection[Any]:
    """Those of ``items`` that a search for ``wanted`` may find, in their order; none where a part of it is absent.

    ``key``: what of an item is compared. The items are kept by it for the whole run, so they must not change.
    """
    if None in wanted:
        return ()
    if len(items) < _FEW:
        return items
    # The list is kept beside what is known of it: no other may take its identity.
    place = (id(items), key.__code__)
    known = environment.searches.get(place)
    if known is None:
        by_key: dict[tuple[MapValue, ...], list[Any]] = {}
        for item in items:
            by_key.setdefault(key(item), []).append(item)
        known = environment.searches[place] = (items, by_key)
    return known[1].get(wanted, ())
