"""Lists and nodes of the result, as rules build them: reuse, append, place, prune.

A complex node is a plain dict in FHIR-JSON shape. Helpers work by identity where they must not confuse two equal nodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhirmap.data import MapValue
from fhirmap.errors import TransformFailed
from fhirmap.runtime.context import PlacedItem, RecordRun, Shares


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


def place_first(  # noqa: PLR0913 - generated code hands over each thing the compiler knew
    run: RecordRun, node: dict[str, Any], key: str, items: list[Any], value: MapValue, rule: str
) -> None:
    """Append ``value`` to ``items``, the list ``key`` of ``node``: when the stage ends, it comes to the front, after
    the others that ``rule`` placed there.

    Raises: ``TransformFailed`` FM409 where another rule claimed the front of the same list.
    """
    place(run, PlacedItem(node, key, items, len(items), value, "first"), rule)
    items.append(value)


def place_last(  # noqa: PLR0913 - generated code hands over each thing the compiler knew
    run: RecordRun, node: dict[str, Any], key: str, items: list[Any], value: MapValue, rule: str
) -> None:
    """Append ``value`` to ``items``, the list ``key`` of ``node``, for good: what other rules append later comes before
    it.

    Raises: ``TransformFailed`` FM409 where another rule claimed the end of the same list.
    """
    place(run, PlacedItem(node, key, items, len(items), value, "last"), rule)
    items.append(value)


def place(run: RecordRun, item: PlacedItem, rule: str) -> None:
    """Have ``rule`` claim an end of a list for one of its items.

    Raises: ``TransformFailed`` FM409 where another rule claimed it.
    """
    _, owner = run.claims.setdefault((id(item.items), item.end), (item.items, rule))
    if owner != rule:
        raise TransformFailed("FM409", rule=rule, other=owner)
    run.endings.append(item)


def settle_endings(run: RecordRun) -> None:
    """Move items placed first or last to that end of their lists, in their order: once a stage, when its rules have
    run. What was taken out of its list meanwhile, since nothing was written to it, stays out. The parts of a primitive
    (`_name`) go where it goes."""
    lists: dict[int, list[PlacedItem]] = {}
    for item in run.endings:
        lists.setdefault(id(item.items), []).append(item)
    for placed in lists.values():
        node, key, items = placed[0].node, placed[0].key, placed[0].items
        # A node is found by itself, since others may have been taken out before it; a primitive stays where it is.
        nodes = {id(item.value): item.end for item in placed if isinstance(item.value, dict)}
        ranks = {item.rank: item.end for item in placed if not isinstance(item.value, dict)}
        order: dict[str, list[int]] = {"first": [], "": [], "last": []}
        for rank, entry in enumerate(items):
            order[nodes.get(id(entry), "") if isinstance(entry, dict) else ranks.get(rank, "")].append(rank)
        wanted = [rank for ranks_there in order.values() for rank in ranks_there]
        siblings = node.get(f"_{key}")
        if siblings is not None:
            known = siblings if isinstance(siblings, list) else [siblings]
            known = known + [None] * (len(items) - len(known))
            node[f"_{key}"] = [known[rank] for rank in wanted]
        items[:] = [items[rank] for rank in wanted]
    run.endings.clear()


def shared(shares: Shares, items: list[Any], share: str, fresh: dict[str, Any]) -> dict[str, Any]:
    """The one item of ``items`` that all rules sharing ``share`` write to.

    ``shares``: of the scope that holds the rule, a call of its group or a firing of the rule around it.
    """
    known = shares.get((id(items), share))
    if known is None:
        known = shares[id(items), share] = (items, fresh)
        items.append(fresh)
    item: dict[str, Any] = known[1]
    return item


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
