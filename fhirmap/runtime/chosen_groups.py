"""Default rules whose group is chosen by the type of each item."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fhirmap.data import MapValue
from fhirmap.errors import TransformFailed
from fhirmap.fhir_types import ANY_RESOURCE, PRIMITIVES, UNNAMED_TYPES
from fhirmap.runtime.context import RecordRun
from fhirmap.runtime.fhirpath.item import plain
from fhirmap.runtime.nodes import Choices, assign, child_node, given_type, slot
from fhirmap.runtime.single import SingleWrite, assign_once

Group = Callable[[Any, Any, RecordRun], None]


def run_default(  # noqa: PLR0913 - generated code hands over each thing the compiler knew
    run: RecordRun,
    item: MapValue,
    node: MapValue,
    name: str,
    choices: Choices,
    repeats: bool | None,
    groups: Mapping[tuple[str, str], tuple[str, Group]],
    write: SingleWrite | None = None,
) -> None:
    """`src.a -> tgt.b;` for one item: the group for its type and the element's, else a copy.

    ``groups``: (source type, target type) -> target type, function; `type+` groups are under (type, '') too.

    ``write``: where the element takes one value, and another write may meet this one.

    Raises: ``TransformFailed`` FM408 where there is no group and the types differ, FM415 for a second value.
    """
    types, is_choice = choices
    given = given_type(item, plain(item))
    wanted = types[0] if len(types) == 1 and types[0] not in ANY_RESOURCE else ""
    found, made = _group_for(groups, given, wanted)
    if found is None:
        if isinstance(plain(item), dict) and wanted and given and wanted != given and not is_choice:
            raise TransformFailed("FM408", source=given, target=wanted)
        if write is None:
            assign(node, name, [item], choices, repeats)
        else:
            assign_once(run, node, name, [item], choices, write)
        return
    key_choices: Choices = ((made,), is_choice)
    if made in PRIMITIVES:
        target: Any = slot(node, name, key_choices, repeats)
    else:
        fresh = {"resourceType": made} if types and types[0] in ANY_RESOURCE else {}
        target = child_node(node, name, key_choices, repeats, fresh, run.shares, None)
    found[1](item, target, run)


def _group_for(
    groups: Mapping[tuple[str, str], tuple[str, Group]], given: str, wanted: str
) -> tuple[tuple[str, Group] | None, str]:
    """The group for the two types, and the type that is made. A part without a type of its own has a general one."""
    sources = (given, *UNNAMED_TYPES) if "." in given else (given,)
    targets = () if not wanted else (wanted, *UNNAMED_TYPES) if "." in wanted else (wanted,)
    for source in sources:
        for target in targets:
            if (source, target) in groups:
                return groups[source, target], wanted
        if (source, "") in groups:
            found = groups[source, ""]
            return found, found[0]
    return None, wanted


def of_object(group: Group) -> Group:
    """A group that takes the object of a source, for an item that knows its type."""

    def run_group(item: MapValue, target: MapValue, run: RecordRun) -> None:
        group(plain(item), target, run)

    return run_group


def undecided(first: str, position: str, second: str, other: str) -> Group:
    """Two groups that are marked for the same types: what calls for one of them is a fault of the record.

    Raises: the group, when it is called: ``TransformFailed`` FM408.
    """

    def refuse(_item: MapValue, _target: MapValue, _run: RecordRun) -> None:
        raise TransformFailed("FM408", variant="several", first=first, position=position, second=second, other=other)

    return refuse


def refusing(name: str, position: str) -> Group:
    """A group that cannot run, since its map has an error: what calls for it is a fault of the record.

    Raises: the group, when it is called: ``TransformFailed`` FM408.
    """

    def refuse(_item: MapValue, _target: MapValue, _run: RecordRun) -> None:
        raise TransformFailed("FM408", variant="wrong", group=name, position=position)

    return refuse
