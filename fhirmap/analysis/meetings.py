"""Writes of single elements that meet in one node, and which replaces which on purpose.

Two writes of one element, or one that repeats, meet; most writes of a map meet no other and need no look when it runs.
What replaces on purpose: a value written over a constant without a condition of its own (a default), and a rule of a
group that extends another over those of its base.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from fhirmap.analysis.single_writes import NodeWrites, SingleWrites, Way, Write, is_taken_up
from fhirmap.analysis.typed import TypedGroup, TypedRule, TypedTarget


@dataclass(frozen=True, slots=True)
class Guard:
    """A write that needs a look when it runs. ``replaces``: writes whose value it replaces on purpose. ``is_alone``: it
    meets nothing but its own repetition, so that what is there is its own."""

    rule: TypedRule
    replaces: tuple[TypedTarget, ...] = ()
    is_alone: bool = False


@dataclass(slots=True)
class _Meeting:
    """A write that meets others, or itself: its rule, those that it replaces on purpose, is it alone there?"""

    rule: TypedRule
    replaces: dict[TypedTarget, None] = field(default_factory=dict)
    is_alone: bool = True


_Met = dict[TypedTarget, _Meeting]


class Meetings:
    """Which writes of typed groups meet. Each group is looked at once."""

    def __init__(self) -> None:
        self.writes = SingleWrites()
        self._met: dict[tuple[TypedGroup, frozenset[str]], _Met] = {}

    def guards(self, groups: Collection[TypedGroup]) -> Mapping[TypedTarget, Guard]:
        """The writes of ``groups`` that may meet another in one node, or themselves."""
        met: _Met = {}
        names = self.writes.taken_up(groups)
        for group in groups:
            for target, meeting in self._of(group, names).items():
                known = met.setdefault(target, _Meeting(meeting.rule))
                known.replaces.update(meeting.replaces)
                known.is_alone = known.is_alone and meeting.is_alone
        for write in self._of_tables(groups, names):
            met.setdefault(write.target, _Meeting(write.rule)).is_alone = False
        return {
            target: Guard(meeting.rule, _in_text_order(meeting.replaces.keys() & met), meeting.is_alone)
            for target, meeting in met.items()
        }

    def _of(self, group: TypedGroup, names: frozenset[str]) -> _Met:
        known = self._met.get((group, names))
        if known is None:
            known = self._met[group, names] = {}
            for node in self.writes.nodes(group, names):
                for write, others in _meetings(node, names):
                    meeting = known.setdefault(write.target, _Meeting(write.rule))
                    found = (other.target for other in others if replaces_on_purpose(write, other))
                    # A part of a whole may meet other parts, or another whole, and never its own.
                    meeting.replaces.update(dict.fromkeys((*write.through, *found)))
                    is_open = node.is_taken_up or is_taken_up(write.path, names)
                    only_itself = all(other.target is write.target for other in others)
                    meeting.is_alone = meeting.is_alone and only_itself and not is_open and not write.through
        return known

    def _of_tables(self, groups: Collection[TypedGroup], names: frozenset[str]) -> Iterator[Write]:
        """Writes into the target of a group that an item's type calls for, where several items share that target."""
        tables = {table for group in groups for table in self.writes.tables(group, names)}
        filling = {group for table in tables for group in table.groups.values() if group is not None}
        for group in groups:
            if group in filling:
                yield from (write for write in self.writes.below(group) if not write.is_touch)


def _in_text_order(targets: Iterable[TypedTarget]) -> tuple[TypedTarget, ...]:
    return tuple(sorted(targets, key=lambda target: (target.span.name, target.span.start)))


def _meetings(node: NodeWrites, names: frozenset[str]) -> Iterator[tuple[Write, list[Write]]]:
    """Each of the writes of one node that may meet others of them, with those; with none where it meets itself, or what
    is written where its item is taken up."""
    places: dict[tuple[str, ...], list[Write]] = {}
    for write in node.writes:
        places.setdefault(write.path, []).append(write)
    for path, entries in places.items():
        is_open = node.is_taken_up or is_taken_up(path, names)
        if len(entries) > 1 or entries[0].several or is_open:
            yield from ((entry, entries) for entry in entries if not entry.is_touch)
        outer = [entry for end in range(len(path)) for entry in places.get(path[:end], ()) if not entry.is_touch]
        for whole in outer:
            # A write through the variable of a whole value changes a part of it, and meets none.
            others = [entry for entry in entries if is_open or whole.target not in entry.through]
            if others:
                yield whole, others
            yield from ((entry, [whole]) for entry in (entries if others else ()) if not entry.is_touch)


def replaces_on_purpose(write: Write, other: Write) -> bool:
    """Does ``write`` replace the value of ``other`` on purpose: a part of a whole that it names, an earlier target of
    its own rule, a default, or what a group of the base wrote?"""
    if other.target in write.through or _comes_before(other, write):
        return True
    own, its = apart(write, other)
    if own and its and its[0].level < own[0].level:
        return True
    return is_default(other, its) and not is_default(write, own)


def _comes_before(write: Write, other: Write) -> bool:
    """Is ``write`` an earlier target of the very rule?"""
    targets = other.rule.targets
    return write.rule is other.rule and targets.index(write.target) < targets.index(other.target)


def is_default(write: Write, way: Way) -> bool:
    """A constant that nothing holds back."""
    return write.is_constant and all(frame.is_unconditional for frame in way)


def apart(write: Write, other: Write) -> tuple[Way, Way]:
    """What the ways to two writes do not have in common."""
    shared = 0
    for first, second in zip(write.way, other.way, strict=False):
        if first is not second:
            break
        shared += 1
    return write.way[shared:], other.way[shared:]
