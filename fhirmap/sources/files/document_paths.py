"""Paths into documents: which ones a plan reads, which of them a file has, and all that are there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fhirmap.data import JsonValue, PathSteps, RawValue
from fhirmap.diagnostics import is_slip
from fhirmap.records import TreeText
from fhirmap.runtime.reading import UnreadDocument, at
from fhirmap.source_plan import Child, ChildKind, RowLayout, SourcePlan, path_name, path_steps

__all__ = [
    "PathRead",
    "PathsFound",
    "look_ups_with_conditions",
    "path_meant",
    "paths_in",
    "paths_read",
    "without_conditions",
]


@dataclass(frozen=True, slots=True)
class PathRead:
    """A path that the map reads: its ``name`` there, the ``place`` that names it, and the steps from a record."""

    name: str
    place: str
    steps: PathSteps


def paths_read(plan: SourcePlan) -> list[PathRead]:
    """The paths of the key and the revision, then those of the elements, each once; also of rows that are looked up in
    the same document."""
    own = [*plan.key, *((plan.latest.column,) if plan.latest else ())]
    found = {path_steps(name): PathRead(name, plan.position, path_steps(name)) for name in own}
    for read in _of_layout(plan.shape, plan.position, ()):
        # An element that reads the key is a better place to look at than the whole `from`.
        if found.setdefault(read.steps, read).place == plan.position:
            found[read.steps] = read
    return list(found.values())


def _of_layout(layout: RowLayout, position: str, lead: PathSteps) -> Iterator[PathRead]:
    for column in layout.columns:
        yield PathRead(column.name, column.position or position, (*lead, *path_steps(column.name)))
    for child in layout.children:
        if child.kind == ChildKind.LINES:
            yield from _of_layout(child.shape, child.position or position, lead)
        elif child.store is None:
            yield from _of_layout(child.shape, child.position or position, (*lead, child.key))


def look_ups_with_conditions(layout: RowLayout, lead: PathSteps = ()) -> Iterator[tuple[PathSteps, Child]]:
    """What is looked up in the same document and has a `where`, with the steps from a record to what is found."""
    for column in layout.columns:
        if column.below is not None:
            yield from look_ups_with_conditions(column.below, (*lead, *path_steps(column.name)))
    for child in layout.children:
        if child.kind == ChildKind.LINES:
            yield from look_ups_with_conditions(child.shape, lead)
        elif child.store is None:
            steps = (*lead, child.key)
            if child.where:
                yield steps, child
            yield from look_ups_with_conditions(child.shape, steps)


def without_conditions(layout: RowLayout) -> RowLayout:
    """The layout with all that look-ups find, whatever their `where` says."""
    columns = [
        replace(column, below=without_conditions(column.below)) if column.below is not None else column
        for column in layout.columns
    ]
    children = [
        replace(child, shape=without_conditions(child.shape), where="" if child.store is None else child.where)
        for child in layout.children
    ]
    return replace(layout, columns=tuple(columns), children=tuple(children))


class PathsFound:
    """Which paths some record has, as far as records were looked at.

    ``lacking``: those that none has; ``listed``: those of the key that always led to several values.
    """

    def __init__(self, paths: Iterable[PathRead], singles: Iterable[str]) -> None:
        self.lacking = {path.steps: path for path in paths}
        self._singles = {path_steps(name): name for name in singles}
        self._listed: dict[str, bool] = {}

    @property
    def listed(self) -> list[str]:
        """Paths of the key that led to a list in each record that has them."""
        return [name for name, is_listed in self._listed.items() if is_listed]

    @property
    def is_settled(self) -> bool:
        """Can no other record change what was found?"""
        return not self.lacking and all(self._listed.get(name) is False for name in self._singles.values())

    def look(self, record: Mapping[str, Any]) -> None:
        """Look at one record."""
        for steps in [steps for steps in self.lacking if _holds(at(record, steps))]:
            del self.lacking[steps]
        for steps, name in self._singles.items():
            found = at(record, steps)
            if _holds(found) and not any(isinstance(step, tuple) for step in steps):
                self._listed[name] = self._listed.get(name, True) and isinstance(found, list)
            elif _holds(found):
                self._listed[name] = False  # a filter may leave one item of a list

    def look_below(self, leads: Iterable[PathSteps], records: Iterable[Mapping[str, Any]]) -> None:
        """Look only for the paths that begin as one of ``leads`` does."""
        ways = list(leads)
        waiting = [steps for steps in self.lacking if any(steps[: len(lead)] == lead for lead in ways)]
        for record in records if waiting else ():
            for steps in [steps for steps in waiting if _holds(at(record, steps))]:
                del self.lacking[steps]
                waiting.remove(steps)
            if not waiting:
                return


def _holds(found: RawValue) -> bool:
    return found is not None and found != [] and not isinstance(found, UnreadDocument)


def paths_in(entries: Iterable[JsonValue]) -> dict[str, bool]:
    """Every dotted path at which some of the entries holds something, and whether all that do have a list on the way
    to it, or at it. `../x`: what the objects hold that an entry is in."""
    paths: dict[str, bool] = {}
    for entry in entries:
        prefix, node = "", entry
        while isinstance(node, Mapping):
            _gather({name: held for name, held in node.items() if name != ".."}, paths, prefix)
            prefix, node = f"{prefix}../", node.get("..")
        if not isinstance(entry, Mapping):
            _gather(entry, paths, "")
    return paths


def _gather(entry: JsonValue, paths: dict[str, bool], lead: str) -> None:
    """The dotted paths in ``entry``, in its order, and which of them always lead through a list, into its items."""
    waiting: list[tuple[str, Any, bool]] = [("", entry, False)]  # no recursion: as deep as Python goes
    while waiting:
        prefix, node, is_listed = waiting.pop()
        is_listed = is_listed or isinstance(node, list)
        if prefix:
            paths[lead + prefix] = paths.get(lead + prefix, True) and is_listed
        held = node.members if isinstance(node, TreeText) else node
        if isinstance(held, Mapping):
            names = {name: path_name(str(name)) for name in held}
            inner = [(f"{prefix}.{names[name]}" if prefix else names[name], value) for name, value in held.items()]
            waiting.extend((name, value, is_listed) for name, value in reversed(inner))
        elif isinstance(held, list):
            waiting.extend((prefix, item, True) for item in reversed(held))


def path_meant(name: str, there: Iterable[str]) -> str | None:
    """The one of ``there`` that a path is with a slip in one of its names; places and filters of lists do not count.

    Example:
        >>> path_meant("stay.statut", ["stay.status", "stay.date"]), path_meant("OBR.25", ["OBR.24"])
        ('stay.status', None)
    """
    own = _names_in(name)
    for candidate in there:
        other = _names_in(candidate)
        if len(other) == len(own):
            differing = [pair for pair in zip(own, other, strict=True) if pair[0] != pair[1]]
            if len(differing) == 1 and is_slip(*differing[0]):
                return candidate
    return None


def _names_in(path: str) -> list[str]:
    return [step for step in path_steps(path) if isinstance(step, str)]
