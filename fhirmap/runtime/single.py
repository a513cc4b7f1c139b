"""Single elements that several rules, or one rule several times, may write: a second value is a fault unless the map
says which one stays.

Only the writes that may meet come here: the compiler knows them. The same value twice is no fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fhirmap.data import MapValue
from fhirmap.errors import TransformFailed
from fhirmap.runtime.context import RecordRun, WrittenElement
from fhirmap.runtime.fhirpath.item import plain
from fhirmap.runtime.lists import copied, single
from fhirmap.runtime.nodes import Choices, TargetSlot, assign

_WHOLE = ""
"""The key of the element that a node is itself, in what is known of writes."""


@dataclass(frozen=True, slots=True)
class SingleWrite:
    """Who writes. ``mode``: the target's list mode. ``replaces``: positions of the writes it replaces on purpose.

    ``is_alone``: no other rule writes there, so that what is there is its own.
    """

    rule: str
    position: str
    mode: str = ""
    replaces: tuple[str, ...] = ()
    is_alone: bool = False


def put_once(  # noqa: PLR0913 - generated code hands over each thing the compiler knew
    run: RecordRun,
    node: dict[str, Any],
    key: str,
    value: MapValue,
    by: SingleWrite,
    stem: str = "",
    is_whole: bool = True,
) -> MapValue:
    """Set the single element ``key`` of ``node``; what is there then. ``stem``: name of a choice.

    ``is_whole``: is it the element as a whole, not the value of a primitive alone?

    A node that is there stays the same object, so that other names for it still mean it.

    Raises: ``TransformFailed`` FM415 where another rule, or an earlier repetition, wrote another value.
    """
    if type(value) is str and not stem and key not in node:
        # Mostly nothing is there.
        node[key] = value
        run.written[id(node), key] = node, key, value, by.rule, by.position
        return value
    name = stem or key
    others = _known(run, node, name, key)
    if by.is_alone and not others and node.get(key) is not None:
        others = [WrittenElement(node, key, node[key], by.rule, by.position)]
    kept = next((entry for entry in others if _stays(entry, key, value, by)), None)
    if kept is not None:
        return node[kept.key]
    for entry in others:
        _allow(entry, name, by)
        if entry.key != key:
            del node[entry.key]
        if is_whole:
            node.pop(f"_{entry.key}", None)  # the id and the extensions of a primitive go with its value
    held = node.get(key)
    if isinstance(held, dict) and isinstance(value, dict) and held is not value:
        for part in held:
            run.written.pop((id(held), part), None)
        held.clear()
        held.update(value)
    else:
        node[key] = held = value
    own = WrittenElement(node, key, copied(value), by.rule, by.position)
    run.written[id(node), name] = own
    if isinstance(held, dict):
        run.written[id(held), _WHOLE] = WrittenElement(held, _WHOLE, None, by.rule, by.position)
    return held


def reused(run: RecordRun, items: list[Any], fresh: dict[str, Any]) -> dict[str, Any]:
    """The last of ``items``, or ``fresh`` as the first: what an item holds that another rule made counts as written."""
    if not items:
        items.append(fresh)
    found: dict[str, Any] = items[-1]
    _count_as_written(run, found)
    return found


def _count_as_written(run: RecordRun, node: dict[str, Any]) -> None:
    for key, value in node.items():
        run.written.setdefault((id(node), key), WrittenElement(node, key, copied(value), "", ""))
        if isinstance(value, dict):
            _count_as_written(run, value)


def _known(run: RecordRun, node: dict[str, Any], name: str, key: str) -> list[WrittenElement]:
    """The writes whose value a new one would take away: of the element, of what holds it, of its parts."""
    found = run.written.get((id(node), name))
    if found is not None and found[1] in node:
        return [WrittenElement(*found)]
    held = node.get(key)
    if held is None:
        others = (part for part in node if _is_choice(part, name)) if name != key else ()
        return _writes(run, node, others)
    whole = run.written.get((id(node), _WHOLE))
    if whole is not None:
        return [WrittenElement(node, key, held, *whole[3:])]
    inner = _writes(run, held, held) if isinstance(held, dict) else []
    return [WrittenElement(node, key, held, entry.rule, entry.position) for entry in inner]


def _writes(run: RecordRun, node: dict[str, Any], parts: Iterable[str]) -> list[WrittenElement]:
    """What is known of who wrote ``parts`` of a node."""
    found = (run.written.get((id(node), part)) for part in parts)
    return [WrittenElement(*entry) for entry in found if entry is not None]


def _is_choice(key: str, stem: str) -> bool:
    return key.startswith(stem) and key[len(stem) : len(stem) + 1].isupper()


def _stays(known: WrittenElement, key: str, value: MapValue, by: SingleWrite) -> bool:
    is_same = known.key == key and known.value == value and isinstance(known.value, bool) == isinstance(value, bool)
    return is_same or by.mode == "first"


def _allow(known: WrittenElement, name: str, by: SingleWrite) -> None:
    if by.mode or known.position in by.replaces:
        return
    if not known.position:
        raise TransformFailed("FM415", variant="reused", element=name, rule=by.rule)
    if known.position == by.position:
        raise TransformFailed("FM415", variant="repeats", element=name, rule=by.rule)
    raise TransformFailed("FM415", element=name, rule=by.rule, other=known.rule, place=known.position)


def assign_once(  # noqa: PLR0913 - generated code hands over each thing the compiler knew
    run: RecordRun, node: MapValue, name: str, items: Sequence[Any], choices: Choices, by: SingleWrite
) -> MapValue:
    """As `nodes.assign` for an element that takes one value, which `put_once` looks after.

    Raises: ``TransformFailed`` FM407 for several values, FM404 where one does not convert, FM415 for another value.
    """
    value = single([item for item in items if item is not None and item != ""])
    if value is None or (isinstance(node, TargetSlot) and plain(value) == ""):
        return node if isinstance(node, TargetSlot) else None
    if isinstance(node, TargetSlot):
        _put_into_slot(run, node, name, value, by)
        return node
    made: dict[str, Any] = {}
    assign(made, name, [value], choices, False)
    written = None
    for key in (entry for entry in made if not entry.startswith("_")):
        written = put_once(run, node, key, made[key], by, name)
        if node.get(key) != made[key]:
            return written  # another value stays: nothing of this one belongs to it
    for key in (entry for entry in made if entry.startswith("_")):
        _put_parts(run, node, key, made[key], by, f"_{name}")
    return written


def _put_parts(  # noqa: PLR0913 - the facts of `put_once`
    run: RecordRun, node: dict[str, Any], key: str, parts: dict[str, Any], by: SingleWrite, stem: str
) -> None:
    """Set the id and the extensions that a primitive came with: beside those that rules gave it one by one."""
    held = node.get(key)
    if held is None or (id(node), stem) in run.written:
        put_once(run, node, key, parts, by, stem)
        return
    for part, value in parts.items():
        if part == "extension":
            known = held.setdefault(part, [])
            known += [entry for entry in value if entry not in known]
        else:
            put_once(run, held, part, value, by)


def _put_into_slot(run: RecordRun, slot: TargetSlot, name: str, value: MapValue, by: SingleWrite) -> None:
    if name != "value":
        put_once(run, slot.parts(), name, plain(value), by)
        return
    made = slot.fitted(plain(value))
    if not slot.is_one_of_several:
        put_once(run, slot.node, slot.key, made, by, slot.name, is_whole=False)
        return
    put_once(run, slot.held, "value", made, by)
    slot.put(slot.held["value"])
