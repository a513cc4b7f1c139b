"""Lists and nodes of the result, as rules build them: reuse, append, place, prune.

A complex node is a plain dict in FHIR-JSON shape. Helpers work by identity where they must not confuse two equal nodes.
"""

from __future__ import annotations

from typing import Any

from fhirmap.errors import TransformFailed


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


def single(values: list[Any]) -> Any:
    """The one value for an element that takes one; None where there is none.

    Raises: ``TransformFailed`` FM407 for more.
    """
    if len(values) > 1:
        raise TransformFailed("FM407", count=len(values))
    return values[0] if values else None


def discard(items: list[Any], node: Any) -> None:
    """Take ``node`` itself, not its equal, out of ``items``."""
    for index, entry in enumerate(items):
        if entry is node:
            del items[index]
            return


def place_first(items: list[Any], value: Any, claims: dict[int, Any], rule: str) -> None:
    """Append ``value`` behind the others that ``rule`` placed at the front.

    Raises: ``TransformFailed`` FM409 where another rule claimed the front of the same list.
    """
    owner, count = claims.setdefault(id(items), (rule, 0))
    if owner != rule:
        raise TransformFailed("FM409", rule=rule, other=owner)
    items.insert(count, value)
    claims[id(items)] = (rule, count + 1)


def copied(value: Any) -> Any:
    """A deep copy of FHIR JSON: what a rule writes later never reaches the source."""
    if isinstance(value, dict):
        return {key: copied(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [copied(entry) for entry in value]
    return value


def pruned(value: Any) -> Any:
    """``value`` without empty objects, empty lists and nulls; None where nothing is left."""
    if isinstance(value, dict):
        held = {key: kept for key, entry in value.items() if (kept := pruned(entry)) is not None}
        return held or None
    if isinstance(value, list):
        items = [kept for entry in value if (kept := pruned(entry)) is not None]
        return items or None
    return value
