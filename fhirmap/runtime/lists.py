"""Lists and nodes of the result, as rules build them: reuse, append, place, prune.

A complex node is a plain dict in FHIR-JSON shape. Helpers work by identity where they must not confuse two equal nodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fhirmap.data import MapValue
from fhirmap.errors import TransformFailed

if TYPE_CHECKING:
    from fhirmap.runtime.context import RecordRun, Shares


def only_one(items: list[Any]) -> list[Any]:
    """The items of an `only_one` source: none or one.

    Raises: ``TransformFailed`` FM402 for more.
    """
    if len(items) > 1:
        raise TransformFailed("FM402", count=len(items))
    return items


def counted(items: list[Any], least: int, most: int | None) -> list[Any]:
    """The items of a source with a cardinality.

    Raises: ``TransformFailed`` FM403 where there are fewer or more.
    """
    if len(items) < least or (most is not None and len(items) > most):
        allowed = f"{least}..{'*' if most is None else most}"
        raise TransformFailed("FM403", count=len(items), allowed=allowed)
    return items


def single(values: list[Any]) -> MapValue:
    """The one value for an element that takes one; None where there is none.

    Raises: ``TransformFailed`` FM407 for more.
    """
    if len(values) > 1:
        raise TransformFailed("FM407", count=len(values))
    return values[0] if values else None


def sole(values: list[Any], name: str) -> list[Any]:
    """The values of a target that rules write on through the variable ``name``: none or one.

    Raises: ``TransformFailed`` FM416 for more: the variable can mean one element.
    """
    if len(values) > 1:
        raise TransformFailed("FM416", name=name, count=len(values))
    return values


def discard(items: list[Any], node: MapValue) -> None:
    """Take ``node`` itself, not its equal, out of ``items``, looking from the end, where it mostly is."""
    for index in range(len(items) - 1, -1, -1):
        if items[index] is node:
            del items[index]
            return


def drop(node: dict[str, Any], key: str, item: MapValue) -> None:
    """Take ``item`` itself out of a list of ``node``, and the list with it when nothing is left."""
    items = node[key]
    discard(items, item)
    if not items:
        del node[key]


def take_away(node: dict[str, Any], key: str, child: MapValue) -> None:
    """Remove a single child that holds nothing, if it is ``child`` itself that is there."""
    if node.get(key) is child:
        del node[key]


def place_first(run: RecordRun, items: list[Any], value: MapValue, rule: str) -> None:
    """Put ``value`` at the front of ``items``, after the others that ``rule`` placed there.

    Nodes get there when the stage ends: one by one, each would move the whole list.

    Raises: ``TransformFailed`` FM409 where another rule claimed the front of the same list.
    """
    count = _claim(run, items, "first", rule)
    if isinstance(value, dict):
        run.endings.append((items, value, "first"))
        items.append(value)
    else:
        items.insert(count, value)


class _Last:
    """A primitive on its way to the end of its list: two equal words may be one object, these never are."""

    __slots__ = ("value",)

    def __init__(self, value: MapValue) -> None:
        self.value = value


def place_last(run: RecordRun, items: list[Any], value: MapValue, rule: str) -> None:
    """Put ``value`` at the end of ``items`` for good: what other rules append later comes before it.

    Raises: ``TransformFailed`` FM409 where another rule claimed the end of the same list.
    """
    _claim(run, items, "last", rule)
    if not isinstance(value, dict):
        value = _Last(value)
    run.endings.append((items, value, "last"))
    items.append(value)


def settle_endings(run: RecordRun) -> None:
    """Move items placed first or last to that end of their lists, in their order: once a stage, when its rules have
    run. What was taken out of its list meanwhile, since nothing was written to it, stays out."""
    lists: dict[int, tuple[list[Any], dict[int, str]]] = {}
    for items, value, end in run.endings:
        lists.setdefault(id(items), (items, {}))[1][id(value)] = end
    for items, ends in lists.values():
        parts: dict[str, list[Any]] = {"first": [], "": [], "last": []}
        for entry in items:
            parts[ends.get(id(entry), "")].append(entry.value if isinstance(entry, _Last) else entry)
        items[:] = [entry for part in parts.values() for entry in part]
    run.endings.clear()


def _claim(run: RecordRun, items: list[Any], end: str, rule: str) -> int:
    """How many items ``rule`` placed at that end before."""
    _, owner, count = run.claims.setdefault((id(items), end), (items, rule, 0))
    if owner != rule:
        raise TransformFailed("FM409", rule=rule, other=owner)
    run.claims[id(items), end] = (items, rule, count + 1)
    return count


def shared(shares: Shares, items: list[Any], share: str, fresh: dict[str, Any]) -> dict[str, Any]:
    """The one item of ``items`` that all rules sharing ``share`` write to.

    ``shares``: of the scope that holds the rule, a call of its group or a firing of the rule around it.
    """
    known = shares.get((id(items), share))
    if known is None:
        known = shares[id(items), share] = (items, fresh)
        items.append(fresh)
    return known[1]


def copied(value: MapValue) -> MapValue:
    """A deep copy of FHIR JSON: what a rule writes later never reaches the source.

    A member that is null or an empty text says nothing and does not travel, but in the two lists of a repeating
    primitive, which stay in step: where the source has one of them, the copy has both.
    """
    if isinstance(value, dict):
        held: dict[str, Any] = {}
        siblings: list[str] = []
        for key, entry in value.items():
            if isinstance(entry, str):
                if entry:
                    held[key] = entry
            elif isinstance(entry, list):
                kept = [(item or None) if isinstance(item, str) else copied(item) for item in entry]
                if key[:1] == "_":
                    siblings.append(key)
                elif value.get("_" + key) is None:
                    kept = [item for item in kept if item is not None]
                if kept or not entry:
                    held[key] = kept
            elif entry is not None:
                kept = copied(entry)
                if kept or not isinstance(kept, dict) or not entry:
                    held[key] = kept
        for key in siblings:
            _kept_in_step(held, key[1:], key)
        return held
    if isinstance(value, list):
        return [entry if isinstance(entry, str) else copied(entry) for entry in value]
    return value


def _kept_in_step(held: dict[str, Any], key: str, sibling: str) -> None:
    """Give a list of siblings the list of values that belongs to it, and both the same length."""
    values, siblings = held.get(key), held[sibling]
    values = values if isinstance(values, list) else []
    length = max(len(values), len(siblings))
    held[key] = values + [None] * (length - len(values))
    held[sibling] = siblings + [None] * (length - len(siblings))


def present(parts: Mapping[str, MapValue]) -> dict[str, Any]:
    """Those of ``parts`` that hold something: what is absent, or a text without characters, is no element."""
    return {name: part for name, part in parts.items() if part is not None and part != ""}


def pruned(value: MapValue) -> MapValue:
    """``value`` without empty objects, empty lists and nulls; None where nothing is left."""
    if isinstance(value, dict):
        held = {key: kept for key, entry in value.items() if (kept := _kept(value, key, entry)) is not None}
        return held or None
    if isinstance(value, list):
        items = [kept for entry in value if (kept := pruned(entry)) is not None]
        return items or None
    return value


def _kept(node: dict[str, Any], key: str, entry: MapValue) -> MapValue:
    """An element of ``node`` without what is empty; a list of primitives stays in step with its `_name` list."""
    other = node.get(key[1:] if key.startswith("_") else f"_{key}")
    if not isinstance(entry, list) or not isinstance(other, list):
        return pruned(entry)
    length = max(len(entry), len(other))
    own, siblings = ([pruned(item) for item in held] + [None] * (length - len(held)) for held in (entry, other))
    if all(item is None for item in own) and (key.startswith("_") or all(item is None for item in siblings)):
        return None
    return [item for item, its in zip(own, siblings, strict=True) if item is not None or its is not None]
