"""What a checked map reaches: a fault in a group that nothing calls stops nothing, and is a warning."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from fhirmap.analysis.typed import DefaultTable, Program, TypedGroup, Unit
from fhirmap.diagnostics import Diagnostic, Severity, Span
from fhirmap.language.nodes import Group


def called_from(groups: Iterable[TypedGroup], seen: Collection[TypedGroup] = ()) -> dict[TypedGroup, None]:
    """``groups`` and every group that their rules call, by name or by types that are known, in the order of the calls.

    A group that only the type of an item can call for is not among them. ``seen``: left out.
    """
    found: dict[TypedGroup, None] = {}
    waiting = list(groups)[::-1]
    while waiting:
        group = waiting.pop()
        if group not in found and group not in seen:
            found[group] = None
            waiting += group.calls[::-1]
    return found


def run_by(groups: Iterable[TypedGroup]) -> list[TypedGroup]:
    """``groups`` with all that they call, also by the type of an item: what a run may need."""
    found = called_from(groups)
    waiting = [table for group in found for table in group.tables][::-1]
    seen: set[DefaultTable] = set()
    while waiting:
        table = waiting.pop()
        if table in seen:
            continue
        seen.add(table)
        for typed in table.groups.values():
            if typed is not None:
                new = called_from([typed], found)
                found.update(new)
                waiting += [table for group in new for table in group.tables][::-1]
    return list(found)


def without_errors(
    tables: Iterable[DefaultTable], groups: Iterable[TypedGroup], diagnostics: Iterable[Diagnostic]
) -> None:
    """Take out of ``tables`` the groups that have an error, or call one that has.

    ``diagnostics``: what was found beside the rules of ``groups`` themselves.
    """
    errors: dict[str, list[Span]] = {}
    for entry in diagnostics:
        if entry.is_error and entry.span is not None:
            errors.setdefault(entry.span.name, []).append(entry.span)
    callers: dict[TypedGroup, list[TypedGroup]] = {}
    waiting = []
    for group in groups:
        for called in group.calls:
            callers.setdefault(called, []).append(group)
        if any(entry.is_error for entry in group.found) or any(_is_hit(part, errors) for part in group.parts):
            waiting.append(group)
    wrong: set[TypedGroup] = set()
    while waiting:
        group = waiting.pop()
        if group not in wrong:
            wrong.add(group)
            waiting += callers.get(group, ())
    for table in tables:
        for choice, typed in table.groups.items():
            table.groups[choice] = None if typed in wrong else typed


def _is_hit(part: tuple[Unit, Group], errors: Mapping[str, Sequence[Span]]) -> bool:
    """Is there an error in a group, or in its map outside of all groups?"""
    unit, node = part
    return any(
        _holds(node, span) or not any(_holds(group, span) for group in unit.tree.groups)
        for span in errors.get(unit.name, ())
    )


def _holds(group: Group, span: Span) -> bool:
    return group.span.start <= span.start <= group.span.end


@dataclass(frozen=True, slots=True)
class Reach:
    """The maps and groups that a program surely reaches, groups as places: spans by the names of their maps."""

    units: Mapping[Unit, None]
    """The maps that are reached."""
    reached: Mapping[str, frozenset[int]]
    """Where the groups begin that are reached, by the name of the map; each map that is reached is among them."""
    groups: Mapping[str, tuple[Span, ...]]
    """All groups of the maps that are reached."""

    @classmethod
    def of(cls, program: Program, groups: Collection[TypedGroup]) -> Reach:
        """What ``groups`` are, with those that they extend; a map named by the import of one that is reached, too."""
        units: dict[Unit, None] = {}
        waiting: list[Unit] = [*program.stages, *(place for group in groups for place, _ in group.parts)]
        while waiting:
            unit = waiting.pop()
            if unit not in units:
                units[unit] = None
                waiting += _named(unit)
        starts: dict[str, set[int]] = {unit.name: set() for unit in units}
        for group in groups:
            for place, node in group.parts:
                starts[place.name].add(node.span.start)
        spans = {unit.name: tuple(group.span for group in unit.tree.groups) for unit in units}
        return cls(units, {name: frozenset(held) for name, held in starts.items()}, spans)

    def holds(self, span: Span | None) -> bool:
        """Is the place in a map that is reached, and not in a group of it that is not?"""
        if span is None:
            return True
        reached = self.reached.get(span.name)
        if reached is None:
            return False
        group = next((held for held in self.groups[span.name] if held.start <= span.start <= held.end), None)
        return group is None or group.start in reached

    def weighed(self, diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
        """``diagnostics``, those that are errors outside of what is reached made warnings."""
        return tuple(entry if self.holds(entry.span) else as_warning(entry) for entry in diagnostics)


def as_warning(diagnostic: Diagnostic) -> Diagnostic:
    """The same, which stops nothing."""
    return replace(diagnostic, severity_override=Severity.WARNING) if diagnostic.is_error else diagnostic


def _named(unit: Unit) -> Iterator[Unit]:
    """The maps that ``unit`` imports by their own address."""
    urls = {entry.url.partition("|")[0] for entry in unit.tree.imports if "*" not in entry.url}
    for imported in unit.imported:
        for other in imported.units if urls else ():
            if other.url in urls:
                yield other
