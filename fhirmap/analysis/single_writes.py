"""Writes of elements that occur at most once: which of them may meet in one node, and which replaces which on purpose.

One walk over each typed group finds every write of a single element, seen from the node it starts from: a parameter, or
an item that a rule creates. A call hands the writes of the called group on to the nodes of its arguments. Two writes of
one element, or one that repeats, meet; most writes of a map meet no other and need no look when it runs.

What replaces on purpose: a value written over a constant without a condition of its own (a default), and a
rule of a group that extends another over those of its base.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fhirmap.analysis.reach import calls_of
from fhirmap.analysis.typed import (
    Checked,
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


@dataclass(frozen=True, slots=True)
class Guard:
    """A write that needs a look when it runs. ``replaces``: writes whose value it replaces on purpose."""

    rule: TypedRule
    replaces: tuple[TypedTarget, ...] = ()


def may_give_several(source: TypedSource) -> bool:
    """May a source fire its rule more than once?"""
    node = source.node
    if node.list_mode in ("first", "last", "only_one") or node.maximum in (0, 1):
        return False
    held = (source.context.static, *((source.default.static,) if source.default is not None else ()))
    return source.repeats or source.search is not None or any(entry.cardinality == "many" for entry in held)


@dataclass
class _Walk:
    """The writes of one group, by the node they start from."""

    group: TypedGroup
    known: Mapping[TypedGroup, Mapping[Variable, Sequence[Write]]]
    found: dict[Variable, dict[tuple[object, ...], list[Write]]] = field(default_factory=dict)
    tables: list[DefaultTable] = field(default_factory=list)
    """Groups of which several may fill one single element, each chosen by the type of an item."""

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
            self._fresh(target, places, way)
            return
        path = context.path
        for step in target.steps:
            if step.repeats is not False and (step is not target.steps[-1] or not self._is_shared(target)):
                self._fresh(target, places, way)
                return
            if step.element is None and step.name == "value" and step.repeats is False:
                continue  # The value of a primitive is the element itself.
            name = step.element.name if step.element is not None else step.name
            path = (*path, name if step.repeats is False else f"{name}[{target.node.share or ''}]")
        place = replace(context, path=path)
        table = rule.default.table if rule.default is not None else None
        if (target.steps or target.transform is not None) and not self._is_shared_item(target):
            is_touch = table is None and (target.transform is None or self._creates_known(target))
            write = Write(path, rule, target, way[context.depth :], context.through, is_touch)
            self._add(context.node, write)
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

    def _fresh(self, target: TypedTarget, places: dict[Variable, NodePath], way: Way) -> None:
        if target.variable is not None:
            places[target.variable] = NodePath(target.variable, (), len(way))

    def _called(
        self, group: TypedGroup, held: Mapping[Variable, Variable | None], places: Mapping[Variable, NodePath], way: Way
    ) -> None:
        for parameter, writes in self.known.get(group, {}).items():
            variable = held.get(parameter)
            place = places.get(variable) if variable is not None else None
            if place is None:
                continue
            for write in writes:
                path = (*place.path, *write.path)
                if len(path) <= _LONGEST:
                    through = write.through | place.through
                    inner = (*way[place.depth :], *write.way)
                    self._add(place.node, replace(write, path=path, way=inner, through=through))

    def _add(self, node: Variable, write: Write) -> None:
        """Two ways to one write are enough to know that it may meet itself."""
        entries = self.found.setdefault(node, {}).setdefault((write.path, id(write.target)), [])
        if len(entries) < 2:
            entries.append(write)
        default = write.rule.default
        if default is not None and default.table is not None and (write.several or len(entries) > 1):
            self.tables.append(default.table)


def single_writes(checked: Checked) -> Iterator[list[Write]]:
    """The writes of single elements that start from one node, for each node of each group, in text order."""
    for walk in _walks(checked.groups):
        yield from _by_node(walk)


def _by_node(walk: _Walk) -> Iterator[list[Write]]:
    for entries in walk.found.values():
        yield [write for writes in entries.values() for write in writes]


def _walks(groups: Sequence[TypedGroup]) -> list[_Walk]:
    """One walk a group, called ones first; groups that call themselves are walked until nothing more is found."""
    known: dict[TypedGroup, dict[Variable, Sequence[Write]]] = {}
    order = _called_first(groups)
    for _ in range(_ROUNDS):
        before = {group: _size(known.get(group, {})) for group in order}
        walks = []
        for group in order:
            walk = _Walk(group, known)
            walk.run()
            walks.append(walk)
            parameters = [entry for entry in group.parameters if entry in walk.found]
            known[group] = {
                entry: [write for writes in walk.found[entry].values() for write in writes] for entry in parameters
            }
        if all(_size(known[group]) == before[group] for group in order):
            break
    return walks


def _size(found: Mapping[Variable, Sequence[Write]]) -> int:
    return sum(map(len, found.values()))


def _called_first(groups: Iterable[TypedGroup]) -> list[TypedGroup]:
    """The groups, those that they call before them; without a limit for the length of a chain of calls."""
    found: dict[TypedGroup, None] = {}
    active: set[TypedGroup] = set()
    waiting = list(groups)[::-1]
    while waiting:
        group = waiting[-1]
        if group in found or group in active:
            found.setdefault(waiting.pop())
        else:
            active.add(group)
            waiting += calls_of(group)
    return list(found)


# --- what meets ------------------------------------------------------------------------------------------------------


def guards(checked: Checked) -> Mapping[TypedTarget, Guard]:
    """The writes that may meet another in one node, or themselves."""
    met: dict[TypedTarget, tuple[TypedRule, list[TypedTarget]]] = {}
    walks = _walks((*checked.groups, *checked.later))
    for walk in walks:
        for writes in _by_node(walk):
            for write, others in _meetings(writes):
                _, replaced = met.setdefault(write.target, (write.rule, []))
                replaced += (other.target for other in others if replaces_on_purpose(write, other))
    for write in _of_tables(walks):
        met.setdefault(write.target, (write.rule, []))
    return {target: Guard(rule, tuple(dict.fromkeys(replaced))) for target, (rule, replaced) in met.items()}


def _of_tables(walks: Sequence[_Walk]) -> Iterator[Write]:
    """Writes into the target of a group that an item's type calls for, where several items share that target."""
    filling = {group for walk in walks for table in walk.tables for group in table.groups.values() if group is not None}
    for walk in walks:
        if walk.group in filling:
            entries = (entry for parameter in walk.group.parameters for entry in walk.found.get(parameter, {}).values())
            yield from (write for writes in entries for write in writes if not write.is_touch)


def _meetings(writes: Sequence[Write]) -> Iterator[tuple[Write, list[Write]]]:
    """Each of the ``writes`` of one node that may meet others of them, with those; with none where it meets itself."""
    places: dict[tuple[str, ...], list[Write]] = {}
    for write in writes:
        places.setdefault(write.path, []).append(write)
    for path, entries in places.items():
        if len(entries) > 1 or entries[0].several:
            yield from ((entry, entries) for entry in entries if not entry.is_touch)
        outer = [entry for end in range(len(path)) for entry in places.get(path[:end], ()) if not entry.is_touch]
        for whole in outer:
            # A write through the variable of a whole value changes a part of it, and meets none.
            others = [entry for entry in entries if whole.target not in entry.through]
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
