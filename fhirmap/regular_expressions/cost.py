"""How much work a pattern may be: an upper bound on the steps of Python's matcher, which goes back and tries again.

A pattern becomes an automaton whose states are its characters, each way from one to the next counted: two ways for the
same text are what makes a matcher try all of their combinations. A part that may repeat has at most one way from each
of its characters to the next, or nothing is known of the pattern. What is left over is polynomial: leaving a part that
repeats, for a text that would go on in it as well, multiplies by the length of the text.

Rests on: Weideman, van der Merwe, Berglund, Watson, "Analyzing Matching Time Behavior of Backtracking Regular
Expression Matchers by Using Ambiguity of NFA" (2016).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from fhirmap.regular_expressions.parsed import ENDLESS, Item, Items, characters, combined, op_name, single

__all__ = ["PatternCost", "cost_of"]

_ONE_CHARACTER = frozenset(("LITERAL", "NOT_LITERAL", "ANY", "IN"))
_REPEATS = frozenset(("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"))
_MOST_STATES = 400
_MOST_WAYS = 60_000
_MOST_SAMPLES = 20_000
_MOST_COPIES = 100
"""States that a counted group may become, one copy for each time it may repeat."""
_INFINITE = float("inf")


class _CostUnknown(Exception):
    """Nothing is known of the pattern's cost."""


@dataclass(slots=True)
class _PatternPart:
    """A part of a pattern. ``empty``: in how many ways it matches no text; ``first``, ``last``: its characters at the
    beginning and at the end, with the ways that lead there."""

    empty: int = 1
    first: Counter[int] = field(default_factory=Counter)
    last: Counter[int] = field(default_factory=Counter)


@dataclass
class PatternCost:
    """The work that a pattern may be, by the length of the text."""

    start: Mapping[int, int]
    ways: Mapping[int, Mapping[int, int]]
    """State -> the states that may follow, and in how many ways."""
    samples: Mapping[int, int]
    """State -> the characters of a sample that it takes, as bits."""
    caps: Mapping[int, int]
    """State -> how often it may follow itself, where that is limited."""
    asides: tuple[PatternCost, ...] = ()
    """What is looked for ahead and back."""
    is_anchored: bool = False
    """Does it match at the beginning of the text alone?"""

    def steps(self, length: int, *, everywhere: bool) -> float:
        """At most how many steps a text of ``length`` characters takes. ``everywhere``: from each of them on."""
        found = self._from_start(length)
        if everywhere:
            found = found + length if self.is_anchored else found * (length + 1)
        for aside in self.asides:
            found *= 1 + aside.steps(length, everywhere=False)
        return found

    def _from_start(self, length: int) -> float:
        known: dict[int, float] = {}
        for component in self._components:
            inside = set(component)
            followed = [self._followed(state, inside, known) for state in component]
            most = max(len(self.ways.get(state, ())) for state in component) + 1
            again = max(entry[0] for entry in followed)
            leaving, torn = max(entry[1] for entry in followed), max(entry[2] for entry in followed)
            if not again:
                cost = most + max(leaving, torn)
            elif again > 1:
                cost = _INFINITE
            else:
                rounds = min(length, self.caps.get(component[0], length)) if len(component) == 1 else length
                cost = rounds * (most + torn) + leaving + most
            known.update(dict.fromkeys(component, cost))
        return 1 + len(self.start) + self._most(self.start, known)

    def _followed(self, state: int, inside: set[int], known: Mapping[int, float]) -> tuple[int, float, float]:
        """In how many ways a character leads on inside of a component; the cost of leaving it for one that does not,
        and for one that does."""
        following = self.ways.get(state, {})
        within = {other: count for other, count in following.items() if other in inside}
        beyond = {other: count for other, count in following.items() if other not in inside}
        again = int(self._most(within, dict.fromkeys(within, 1.0)))
        if not within:
            return 0, self._most(beyond, known), 0.0
        covered = 0
        for other in within:
            covered |= self.samples[other]
        alone = {other: count for other, count in beyond.items() if not self.samples[other] & covered}
        torn = {other: count for other, count in beyond.items() if self.samples[other] & covered}
        return again, self._most(alone, known), self._most(torn, known)

    def _most(self, states: Mapping[int, int], known: Mapping[int, float]) -> float:
        """The greatest sum of what states cost that take the same character."""
        union, sum_, greatest, is_apart = 0, 0.0, 0.0, True
        for state, count in states.items():
            cost = count * known[state]
            is_apart = is_apart and not union & self.samples[state]
            union |= self.samples[state]
            sum_ += cost
            greatest = max(greatest, cost)
        if is_apart:
            return greatest
        if len(states) <= 2:
            return sum_
        found = 0.0
        rest = union
        while rest:
            bit = rest & -rest
            at = [state for state in states if self.samples[state] & bit]
            alike = union
            for state in states:
                alike &= self.samples[state] if self.samples[state] & bit else ~self.samples[state]
            rest &= ~(alike | bit)
            found = max(found, sum(states[state] * known[state] for state in at))
        return found

    @cached_property
    def _components(self) -> list[list[int]]:
        """States that lead to one another, those that come later first (Tarjan)."""
        order: dict[int, int] = {}
        low: dict[int, int] = {}
        stack: list[int] = []
        on_stack: set[int] = set()
        found: list[list[int]] = []
        for root in self.samples:
            if root in order:
                continue
            work = [(root, iter(self.ways.get(root, ())))]
            order[root] = low[root] = len(order)
            stack.append(root)
            on_stack.add(root)
            while work:
                state, following = work[-1]
                for other in following:
                    if other not in order:
                        order[other] = low[other] = len(order)
                        stack.append(other)
                        on_stack.add(other)
                        work.append((other, iter(self.ways.get(other, ()))))
                        break
                    if other in on_stack:
                        low[state] = min(low[state], order[other])
                else:
                    work.pop()
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[state])
                    if low[state] == order[state]:
                        place = stack.index(state)
                        found.append(stack[place:])
                        on_stack.difference_update(stack[place:])
                        del stack[place:]
        return found


def cost_of(items: Items, flags: int) -> PatternCost | None:
    """The cost of a pattern; None where nothing is known of it: some texts may take for ever."""
    try:
        sample = _sample(items)
        if not flags & re.ASCII:
            return None  # what is a letter then is more than a sample shows
        return _AutomatonBuilder(sample).cost(items, flags)
    except _CostUnknown:
        return None


def _sample(items: Items) -> str:
    """Characters of which each that a pattern may take alone has one: those of ASCII, and both ends of every range."""
    codes = set(range(130))
    codes |= {0xE9, 0x660, 0x2028, 0x10FFFF}
    for first, last in characters(items):
        codes |= {first - 1, first, first + 1, last - 1, last, last + 1}
    codes = {code for code in codes if 0 <= code <= 0x10FFFF}
    if len(codes) > _MOST_SAMPLES:
        raise _CostUnknown
    return "".join(map(chr, sorted(codes)))


class _AutomatonBuilder:
    """Makes the automaton of one pattern."""

    def __init__(self, sample: str) -> None:
        self._sample = sample
        self._ways: dict[int, Counter[int]] = {}
        self._samples: dict[int, int] = {}
        self._caps: dict[int, int] = {}
        self._asides: list[PatternCost] = []
        self._count = 0

    def cost(self, items: Items, flags: int) -> PatternCost:
        part = self._sequence(items, flags)
        is_anchored = not flags & re.MULTILINE and _begins_with_place(items)
        return PatternCost(part.first, self._ways, self._samples, self._caps, tuple(self._asides), is_anchored)

    def _sequence(self, items: Iterable[Item], flags: int) -> _PatternPart:
        whole = _PatternPart()
        for item in items:
            whole = self._joined(whole, self._item(item, flags))
        return whole

    def _joined(self, left: _PatternPart, right: _PatternPart) -> _PatternPart:
        self._connect(left.last, right.first)
        first = left.first + _times(right.first, left.empty)
        last = right.last + _times(left.last, right.empty)
        return _PatternPart(left.empty * right.empty, first, last)

    def _connect(self, before: Counter[int], after: Counter[int]) -> None:
        self._count += len(before) * len(after)
        if self._count > _MOST_WAYS:
            raise _CostUnknown
        for state, count in before.items():
            ways = self._ways.setdefault(state, Counter())
            for other, more in after.items():
                ways[other] += count * more

    def _item(self, item: Item, flags: int) -> _PatternPart:
        name, held = op_name(item), item[1]
        if name in _ONE_CHARACTER:
            return self._character(item, flags)
        if name == "BRANCH":
            whole = _PatternPart(0)
            for items in held[1]:
                part = self._sequence(items, flags)
                whole = _PatternPart(whole.empty + part.empty, whole.first + part.first, whole.last + part.last)
            return whole
        if name == "SUBPATTERN":
            _, added, removed, items = held
            inside = combined(flags, added, removed)
            if not inside & re.ASCII:
                raise _CostUnknown
            return self._sequence(items, inside)
        if name == "ATOMIC_GROUP":
            return self._sequence(held, flags)
        if name in _REPEATS:
            least, most, repeated = held
            return self._repeat(int(least), int(most), repeated, flags)
        if name in ("ASSERT", "ASSERT_NOT"):
            self._asides.append(_AutomatonBuilder(self._sample).cost(held[1], flags))
            return _PatternPart()
        if name == "AT":
            return _PatternPart()
        raise _CostUnknown  # what a group held before may be anything

    def _character(self, item: Item, flags: int) -> _PatternPart:
        state = len(self._samples)
        if state >= _MOST_STATES:
            raise _CostUnknown
        bits = 0
        for found in single(item, flags).finditer(self._sample):
            bits |= 1 << found.start()
        self._samples[state] = bits
        return _PatternPart(0, Counter({state: 1}), Counter({state: 1}))

    def _repeat(self, least: int, most: int, items: Items, flags: int) -> _PatternPart:
        before = len(self._samples)
        if most == 0:
            return _PatternPart()
        part = self._sequence(items, flags)
        size = len(self._samples) - before
        if most == 1:
            return _PatternPart(part.empty + (least == 0), part.first, part.last)
        if most < ENDLESS and size * most <= _MOST_COPIES and (least == most or size > 1 or part.empty):
            return self._copied(part, least, most, items, flags)
        if part.empty:
            raise _CostUnknown
        if size == 1 and most < ENDLESS:
            self._caps[before] = most
        self._connect(part.last, part.first)
        return _PatternPart(int(least == 0), part.first, part.last)

    def _copied(self, part: _PatternPart, least: int, most: int, items: Items, flags: int) -> _PatternPart:
        """One copy for each time: those that must be, then those that may be, each only after the one before."""
        copies = [part, *(self._sequence(items, flags) for _ in range(most - 1))]
        optional = _PatternPart()
        for copy in reversed(copies[least:]):
            whole = self._joined(copy, optional)
            optional = _PatternPart(whole.empty + 1, whole.first, whole.last)
        found = _PatternPart()
        for copy in copies[:least]:
            found = self._joined(found, copy)
        return self._joined(found, optional)


def _begins_with_place(items: Items) -> bool:
    """Is the beginning of the text the first that a pattern asks for?"""
    while items and op_name(items[0]) == "SUBPATTERN":
        items = items[0][1][3]
    return bool(items) and op_name(items[0]) == "AT" and str(items[0][1]) in ("AT_BEGINNING", "AT_BEGINNING_STRING")


def _times(states: Counter[int], count: int) -> Counter[int]:
    return Counter({state: ways * count for state, ways in states.items()}) if count else Counter()
