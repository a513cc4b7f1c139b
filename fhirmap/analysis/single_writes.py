"""Writes of elements that occur at most once, seen from the node they start from: a parameter, or an item that a rule
creates.

A walk over a typed group finds its writes, and the nodes that it hands over to other groups. What those write there is
only looked at where it may meet something: another write, another group that gets the node, or itself, where the call
repeats. Most nodes go to one group, whose own writes are known from its own walk; so each group is walked once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fhirmap.analysis.typed import (
    DefaultTable,
    TypedCall,
    TypedGroup,
    TypedRule,
    TypedSource,
    TypedTarget,
    Variable,
)

_LONGEST = 8
"""Names of a path that a group which calls itself may lengthen for ever."""
_ROUNDS = 5
_TAKEN_UP = "[]"
"""Ends the name of an item that a target takes up (`single`), whoever made it."""
SHARING = frozenset(("share", "single", "collate"))
"""List modes of a target that may reuse an item."""
PLACING = frozenset(("first", "last", "single", "collate"))
"""List modes that say which of several values a single element keeps."""


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """One rule, or one call, on the way from a node to a write.

    ``several``: may it happen more than once? ``level``: rank of the group that a rule is inherited from.
    """

    sources: tuple[TypedSource, ...]
    several: bool
    call: TypedCall | None = None
    level: int = 0

    @property
    def is_held_back(self) -> bool:
        """Does a condition decide whether it fires?"""
        return any(
            source.where is not None or source.node.list_mode or source.node.maximum == 1 or source.node.type
            for source in self.sources
        )

    @property
    def is_unconditional(self) -> bool:
        """Does it fire once, whatever the source holds?"""
        return all(not source.steps and source.where is None and not source.node.type for source in self.sources)


Way = tuple[Frame, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Write:
    """A write of a single element, or (``is_touch``) a node made there for others to fill.

    ``path``: names from the node it starts from. ``through``: writes whose value it changes through their own variable.
    """

    path: tuple[str, ...]
    rule: TypedRule
    target: TypedTarget
    way: Way
    through: frozenset[TypedTarget] = frozenset()
    is_touch: bool = False

    @property
    def several(self) -> bool:
        """May it happen several times in one node?"""
        return any(frame.several for frame in self.way)

    @property
    def is_constant(self) -> bool:
        """Does it always write the same?"""
        transform = self.target.transform
        return transform is not None and bool(transform.arguments) and all(
            entry.literal is not None
            or (entry.variable is not None and entry.variable.expression is not None
                and entry.variable.expression.literal is not None)
            for entry in transform.arguments
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class NodePath:
    """What a target variable means: a path from its node. ``depth``: frames of the way that do not repeat it."""

    node: Variable
    path: tuple[str, ...]
    depth: int
    through: frozenset[TypedTarget] = frozenset()


def may_give_several(source: TypedSource) -> bool:
    """May a source fire its rule more than once?"""
    node = source.node
    if node.list_mode in ("first", "last", "only_one") or node.maximum in (0, 1):
        return False
    held = (source.context.static, *((source.default.static,) if source.default is not None else ()))
    return source.repeats or source.search is not None or any(entry.cardinality == "many" for entry in held)


def is_taken_up(path: tuple[str, ...], names: frozenset[str] = frozenset()) -> bool:
    """Does a path go through an item that may hold what other rules wrote? ``names``: of lists whose items are taken up
    somewhere, so that a shared one may be."""
    return any(name.endswith(_TAKEN_UP) or ("[" in name and name.partition("[")[0] in names) for name in path)


@dataclass(frozen=True, eq=False, slots=True)
class Handover:
    """A node, or what is at ``path`` below it, handed to a group as its ``parameter``."""

    path: tuple[str, ...]
    group: TypedGroup
    parameter: Variable
    way: Way
    through: frozenset[TypedTarget]

    @property
    def several(self) -> bool:
        """May it happen several times for one node?"""
        return any(frame.several for frame in self.way)

    def write(self, write: Write) -> Write | None:
        """A write of the group, seen from the node; None where only a group that calls itself leads so far below."""
        path, way = (*self.path, *write.path), (*self.way, *write.way)
        if len(path) > _LONGEST and _comes_back(way):
            return None
        return replace(write, path=path, way=way, through=write.through | self.through)


def _comes_back(way: Way) -> bool:
    """Does a way go through one call twice?"""
    calls = [id(frame.call) for frame in way if frame.call is not None]
    return len(set(calls)) < len(calls)


@dataclass
class _Walk:
    """What one group writes, and hands over, by the node it starts from; in text order."""

    group: TypedGroup
    found: dict[Variable, list[Write | Handover]] = field(default_factory=dict)
    lists: dict[Variable, str] = field(default_factory=dict)
    """Of a node that is an item of a list, or in one: the name of the list."""
    taken_up: set[str] = field(default_factory=set)
    """Names of lists whose last item a target takes up."""

    def run(self) -> None:
        places = {entry: NodePath(entry, (), 0) for entry in self.group.parameters if entry.mode == "target"}
        for level, rule in self.group.leveled():
            self._rule(rule, places, (), level)

    def _rule(self, rule: TypedRule, places: Mapping[Variable, NodePath], outer: Way, level: int) -> None:
        way = (*outer, Frame(rule.sources, any(map(may_give_several, rule.sources)), level=level))
        places = dict(places)
        for target in rule.targets:
            self._target(rule, target, places, way)
        for call in rule.calls:
            several = any(entry.static.cardinality == "many" for entry in call.arguments)
            held = {
                parameter: entry.variable
                for parameter, entry in zip(call.group.parameters, call.arguments, strict=True)
            }
            self._called(call.group, held, places, (*way, Frame((), several, call)))
        if rule.default is not None and rule.default.group is not None:
            parameter = rule.default.group.parameters[1]
            self._called(rule.default.group, {parameter: rule.targets[0].variable}, places, way)
        for inner in rule.rules:
            self._rule(inner, places, way, level)

    def _target(self, rule: TypedRule, target: TypedTarget, places: dict[Variable, NodePath], way: Way) -> None:
        context = places.get(target.context) if target.context is not None else None
        if context is None:
            self._fresh(target, "", places, way)
            return
        path = context.path
        for step in target.steps:
            name = step.element.name if step.element is not None else step.name
            if step.repeats is not False and (step is not target.steps[-1] or not self._is_shared(target)):
                self._fresh(target, name, places, way)
                return
            if step.is_own_value:
                continue
            if step.repeats is not False:
                self.taken_up.update(() if target.node.share else (name,))
                name += f"[{target.node.share}]" if target.node.share else _TAKEN_UP
            path = (*path, name)
        place = replace(context, path=path)
        table = rule.default.table if rule.default is not None else None
        if (target.steps or target.transform is not None) and not self._is_shared_item(target):
            is_touch = table is None and (target.transform is None or self._creates_known(target))
            write = Write(path, rule, target, way[context.depth :], context.through, is_touch)
            self.found.setdefault(context.node, []).append(write)
        if target.variable is not None:
            if target.transform is not None:
                place = replace(place, through=place.through | {target})
            places[target.variable] = place

    def _creates_known(self, target: TypedTarget) -> bool:
        """`create(…)` of the only type that the element has: the node that is there does as well."""
        assert target.transform is not None
        element = target.steps[-1].element if target.steps else None
        declared = [ref.name for ref in element.types] if element is not None else []
        return target.transform.name == "create" and declared == [target.transform.result.type_name]

    def _is_shared(self, target: TypedTarget) -> bool:
        return target.node.share is not None or bool(set(target.node.list_modes) & SHARING)

    def _is_shared_item(self, target: TypedTarget) -> bool:
        return bool(target.steps) and target.steps[-1].repeats is not False

    def _fresh(self, target: TypedTarget, name: str, places: dict[Variable, NodePath], way: Way) -> None:
        if target.variable is not None:
            places[target.variable] = NodePath(target.variable, (), len(way))
            self.lists[target.variable] = name

    def _called(
        self, group: TypedGroup, held: Mapping[Variable, Variable | None], places: Mapping[Variable, NodePath], way: Way
    ) -> None:
        for parameter, variable in held.items():
            place = places.get(variable) if variable is not None else None
            if place is not None:
                handed = Handover(place.path, group, parameter, way[place.depth :], place.through)
                self.found.setdefault(place.node, []).append(handed)


_Slot = tuple[TypedGroup, Variable]
"""A group, and the parameter that a node is handed to it as."""


class Entries:
    """Writes of one node. Two ways to one write are enough to know that it may meet itself."""

    def __init__(self) -> None:
        self._held: dict[tuple[object, ...], list[Write]] = {}

    def add(self, write: Write) -> bool:
        """Keep a write; is it one of several?"""
        entries = self._held.setdefault((write.path, id(write.target)), [])
        if len(entries) < 2:
            entries.append(write)
        return write.several or len(entries) > 1

    def all(self) -> list[Write]:
        """The writes, those of one target together."""
        return [write for writes in self._held.values() for write in writes]


class Surroundings:
    """What there is in one node at a path, around it and below it. ``handovers``: how many there are at each path;
    ``touched``: paths where a node is only made."""

    def __init__(self, entries: Iterable[Write | Handover]) -> None:
        self.handovers: Counter[tuple[str, ...]] = Counter()
        self.touched: set[tuple[str, ...]] = set()
        self._written: set[tuple[str, ...]] = set()
        self._above: set[tuple[str, ...]] = set()
        """Paths below which there is something."""
        for entry in entries:
            if isinstance(entry, Handover):
                self.handovers[entry.path] += 1
            else:
                (self.touched if entry.is_touch else self._written).add(entry.path)
            self._above.update(entry.path[:end] for end in range(len(entry.path)))

    def near(self, path: tuple[str, ...]) -> bool:
        """Is a value written at ``path`` or around it, a node handed over around it, or is there anything below?"""
        around = (path[:end] for end in range(len(path)))
        return (
            path in self._above
            or path in self._written
            or any(outer in self._written or outer in self.handovers for outer in around)
        )


@dataclass(frozen=True, slots=True)
class NodeWrites:
    """The writes of one node that may meet one another there, and its own; in text order. ``is_taken_up``: it is an
    item that another rule may take up, so that each of them may meet one that is not here."""

    writes: list[Write]
    is_taken_up: bool = False


class SingleWrites:
    """The writes of single elements of typed groups. A group is walked once, however often it is asked for.

    ``names``, wherever it is a parameter: of the lists whose items are taken up (`taken_up`).
    """

    def __init__(self) -> None:
        self._walks: dict[TypedGroup, _Walk] = {}
        self._below: dict[_Slot, list[Write]] = {}
        self._itself: dict[_Slot, bool] = {}
        self._nodes: dict[tuple[TypedGroup, frozenset[str]], list[NodeWrites]] = {}
        self._tables: dict[tuple[TypedGroup, frozenset[str]], tuple[DefaultTable, ...]] = {}

    def taken_up(self, groups: Iterable[TypedGroup]) -> frozenset[str]:
        """Names of the lists of which a target of ``groups`` takes up the last item, whoever made it."""
        return frozenset(name for group in groups for name in self._walk(group).taken_up)

    def nodes(self, group: TypedGroup, names: frozenset[str] = frozenset()) -> list[NodeWrites]:
        """The writes of each node of a group."""
        known = self._nodes.get((group, names))
        if known is None:
            tables: list[DefaultTable] = []
            walk = self._walk(group)
            known = [
                self._of_node(found, tables, names, is_item=walk.lists.get(node, "") in names)
                for node, found in walk.found.items()
            ]
            self._nodes[group, names], self._tables[group, names] = known, tuple(tables)
        return known

    def tables(self, group: TypedGroup, names: frozenset[str]) -> tuple[DefaultTable, ...]:
        """Groups of which several may fill one single element, each chosen by the type of an item."""
        self.nodes(group, names)
        return self._tables[group, names]

    def below(self, group: TypedGroup) -> Iterator[Write]:
        """All writes into the targets that a group is given, by itself and by the groups that it hands them to."""
        for parameter in group.parameters:
            yield from self._writes((group, parameter))

    def _walk(self, group: TypedGroup) -> _Walk:
        known = self._walks.get(group)
        if known is None:
            known = self._walks[group] = _Walk(group)
            known.run()
        return known

    def _of_node(
        self, found: Sequence[Write | Handover], tables: list[DefaultTable], names: frozenset[str], *, is_item: bool
    ) -> NodeWrites:
        entries = Entries()
        met = set(found) if is_item else self._met(found, names)
        for entry in found:
            for write in self._expanded(entry) if entry in met else (entry,):
                if isinstance(write, Handover):
                    continue
                default = write.rule.default
                if entries.add(write) and default is not None and default.table is not None:
                    tables.append(default.table)
        return NodeWrites(entries.all(), is_item)

    def _met(self, found: Sequence[Write | Handover], names: frozenset[str]) -> set[Write | Handover]:
        """The handovers of one node that may meet another entry of it, or themselves."""
        met: set[Write | Handover] = {
            entry
            for entry in found
            if isinstance(entry, Handover) and (entry.several or is_taken_up(entry.path, names))
        }
        entries = Surroundings(found)
        for entry in found:
            if isinstance(entry, Handover) and entry not in met and self._meets(entry, entries):
                met.add(entry)
        return met

    def _meets(self, entry: Handover, entries: Surroundings) -> bool:
        """May what a group writes meet another entry of the node?"""
        if entries.near(entry.path) or entries.handovers[entry.path] > 1:
            return True
        # A node that is only made there meets what is written in its place, not what is below it.
        return entry.path in entries.touched and self._writes_itself((entry.group, entry.parameter))

    def _writes_itself(self, slot: _Slot) -> bool:
        """Does a group write the very node that it is given?"""
        known = self._itself.get(slot)
        if known is None:
            known = self._itself[slot] = self._finds_itself(slot)
        return known

    def _finds_itself(self, slot: _Slot) -> bool:
        seen: dict[_Slot, None] = {slot: None}
        waiting = [slot]
        while waiting:
            for entry in self._entries_of(waiting.pop()):
                if entry.path:
                    continue
                if isinstance(entry, Write):
                    return True
                inner = (entry.group, entry.parameter)
                if inner not in seen:
                    seen[inner] = None
                    waiting.append(inner)
        return False

    def _expanded(self, entry: Write | Handover) -> Iterator[Write]:
        if isinstance(entry, Write):
            yield entry
            return
        for write in self._writes((entry.group, entry.parameter)):
            inner = entry.write(write)
            if inner is not None:
                yield inner

    def _entries_of(self, slot: _Slot) -> Sequence[Write | Handover]:
        return self._walk(slot[0]).found.get(slot[1], ())

    def _writes(self, slot: _Slot) -> list[Write]:
        """Every write into a parameter. Groups that call themselves are followed until nothing more is found."""
        known = self._below.get(slot)
        if known is None:
            order = self._called_first(slot)
            for _ in range(_ROUNDS):
                before = [len(self._below.get(each, ())) for each in order]
                for each in order:
                    entries = Entries()
                    for entry in self._entries_of(each):
                        for write in self._followed(entry):
                            entries.add(write)
                    self._below[each] = entries.all()
                if [len(self._below[each]) for each in order] == before:
                    break
            known = self._below[slot]
        return known

    def _followed(self, entry: Write | Handover) -> Iterator[Write]:
        if isinstance(entry, Write):
            yield entry
            return
        found = (entry.write(write) for write in self._below.get((entry.group, entry.parameter), ()))
        yield from (write for write in found if write is not None)

    def _called_first(self, slot: _Slot) -> list[_Slot]:
        """What is not known yet of all that a parameter is handed to, innermost first."""
        found: dict[_Slot, None] = {}
        active: set[_Slot] = set()
        waiting = [slot]
        while waiting:
            each = waiting[-1]
            if each in found or each in active:
                found.setdefault(waiting.pop())
                continue
            active.add(each)
            inner = (entry for entry in self._entries_of(each) if isinstance(entry, Handover))
            waiting += [below for entry in inner if (below := (entry.group, entry.parameter)) not in self._below]
        return list(found)
