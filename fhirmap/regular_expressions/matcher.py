"""A matcher that counts its steps, for patterns and texts with which Python's own might not end.

It finds what `re` finds, in the same order of trying. Where a place in the pattern and a place in the text come
together a second time nothing new can be found, so it does not try again: the work grows with the length of the text,
unless the pattern refers back to its groups. The limit of steps holds in any case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fhirmap.regular_expressions.parsed import ENDLESS, Item, Items, combined, op_name, single

__all__ = ["Matcher", "PatternMatch", "TooManySteps"]

Groups = tuple[int, ...]
"""Beginning and end of each group, the whole match first; -1 where it matched nothing."""
_LoopStates = tuple[tuple[int, bool], ...]
"""For each repeat: how often it has repeated, as far as that matters, and whether text was taken since then."""
_NOT_BEGUN = (0, True)


class TooManySteps(Exception):
    """The limit is reached, and it is not known whether the pattern matches."""


@dataclass(frozen=True, slots=True)
class PatternMatch:
    """What a pattern matched, as `re.Match` gives it."""

    text: str
    groups: Groups
    names: Mapping[str, int]

    def __getitem__(self, group: int | str) -> str | None:
        number = self.names[group] if isinstance(group, str) else group
        start, end = self.groups[2 * number : 2 * number + 2]
        return self.text[start:end] if start >= 0 and end >= 0 else None

    def span(self) -> tuple[int, int]:
        """Beginning and end of the whole."""
        return self.groups[0], self.groups[1]


class _MatcherStep(NamedTuple):
    """One instruction. ``kind``: what to do; ``held``: with what; ``to``: where to go on, unless at the next."""

    kind: str
    held: Any = None
    to: int = 0


@dataclass(slots=True)
class _MatcherProgram:
    steps: list[_MatcherStep] = field(default_factory=list)


@dataclass(slots=True)
class _MatcherRun:
    """One search. ``left``: the steps that it may still take."""

    text: str
    left: int
    is_whole: bool = False
    not_empty_at: int = -1
    known: dict[tuple[int, int], tuple[int, Groups] | None] = field(default_factory=dict)
    """Of parts that are matched on their own: by part and place, where they end and their groups."""


class Matcher:
    """One pattern. ``items``, ``flags``: as `items_of` gives them; ``groups``: how many it has.

    ``most``: how many steps one call may take.
    """

    def __init__(self, items: Items, flags: int, groups: int, names: Mapping[str, int], most: int) -> None:
        self._groups = groups
        self._names = names
        self._most = most
        self._loops = 0
        self._refers_back = False
        self._program = self._compiled(items, flags)

    def search(self, text: str) -> PatternMatch | None:
        """As `re.Pattern.search`. Raises: ``TooManySteps``."""
        return self._search(_MatcherRun(text, self._most), 0)

    def match(self, text: str) -> PatternMatch | None:
        """As `re.Pattern.match`. Raises: ``TooManySteps``."""
        return self._at(_MatcherRun(text, self._most), 0, set())

    def fullmatch(self, text: str) -> PatternMatch | None:
        """As `re.Pattern.fullmatch`. Raises: ``TooManySteps``."""
        return self._at(_MatcherRun(text, self._most, is_whole=True), 0, set())

    def finditer(self, text: str) -> Iterator[PatternMatch]:
        """As `re.Pattern.finditer`; the limit is of all of it. Raises: ``TooManySteps``."""
        run, start = _MatcherRun(text, self._most), 0
        while start <= len(text):
            found = self._search(run, start)
            if found is None:
                return
            yield found
            first, start = found.span()
            run.not_empty_at = start if first == start else -1

    def _search(self, run: _MatcherRun, start: int) -> PatternMatch | None:
        seen: set[tuple[int, int, _LoopStates]] = set()
        for place in range(start, len(run.text) + 1):
            found = self._at(run, place, seen)
            if found is not None:
                return found
        return None

    def _at(self, run: _MatcherRun, start: int, seen: set[tuple[int, int, _LoopStates]]) -> PatternMatch | None:
        nothing = (-1,) * (2 * self._groups + 2)
        found = self._run(run, self._program, start, nothing, seen, is_top=True)
        return None if found is None else PatternMatch(run.text, (start, found[0], *found[1][2:]), self._names)

    # --- running ------------------------------------------------------------------------------------------------------

    def _run(  # noqa: PLR0913 - one loop over all instructions, as fast as it can be
        self,
        run: _MatcherRun,
        program: _MatcherProgram,
        start: int,
        groups: Groups,
        seen: set[tuple[int, int, _LoopStates]],
        *,
        is_top: bool = False,
    ) -> tuple[int, Groups] | None:
        """Where a program ends that begins at ``start``, and its groups; None where it does not match."""
        text, steps, refers_back = run.text, program.steps, self._refers_back
        loops: _LoopStates = (_NOT_BEGUN,) * self._loops
        waiting: list[tuple[int, int, Groups, _LoopStates]] = []
        at, place = 0, start
        while True:
            run.left -= 1
            if run.left < 0:
                raise TooManySteps
            kind, held, to = steps[at]
            fits = True
            if kind == "character":
                fits = held(text, place) is not None
                if fits:
                    place, at, loops = place + 1, at + 1, _moved(loops)
            elif kind == "split" or kind == "loop":
                if not refers_back:
                    state = (at, place, loops)
                    fits = state not in seen
                    seen.add(state)
                if not fits:
                    pass
                elif kind == "split":
                    waiting += [(other, place, groups, loops) for other in held[:0:-1]]
                    at = held[0]
                else:
                    slot, least, most, is_greedy, body = held
                    count, has_moved = loops[slot]
                    again = _with(loops, slot, (count + 1 if count < least or most < ENDLESS else least, False))
                    if count < least:
                        at, loops = body, _with(again, slot, (again[slot][0], has_moved))
                    elif not has_moved or count >= most:
                        at, loops = to, _with(loops, slot, _NOT_BEGUN)
                    elif is_greedy:
                        waiting.append((to, place, groups, _with(loops, slot, _NOT_BEGUN)))
                        at, loops = body, again
                    else:
                        waiting.append((body, place, groups, again))
                        at, loops = to, _with(loops, slot, _NOT_BEGUN)
            elif kind == "begin":
                at, loops = at + 1, _with(loops, held, _NOT_BEGUN)
            elif kind == "go":
                at = to
            elif kind == "mark":
                at, groups = at + 1, (*groups[:held], place, *groups[held + 1 :])
            elif kind == "place":
                fits = held(text, place) is not None
                at += 1
            elif kind == "alone":
                ended = self._alone(run, held, place, groups)
                fits = ended is not None
                if ended is not None:
                    loops = _moved(loops) if ended[0] > place else loops
                    (place, groups), at = ended, at + 1
            elif kind == "look":
                part, width, is_wanted = held
                ended = self._alone(run, part, place - width, groups) if place >= width else None
                fits = (ended is not None) == is_wanted
                groups = ended[1] if ended is not None and is_wanted else groups
                at += 1
            elif kind == "back":
                end = self._repeated(text, place, groups, *held)
                fits = end >= 0
                loops = _moved(loops) if end > place else loops
                at, place = at + 1, end
            elif kind == "whether":
                at = at + 1 if groups[2 * held + 1] >= 0 else to
            else:  # the end
                is_refused = is_top and (
                    (run.is_whole and place != len(text)) or (place == run.not_empty_at and place == start)
                )
                if not is_refused:
                    return place, groups
                fits = False
            if not fits:
                if not waiting:
                    return None
                at, place, groups, loops = waiting.pop()

    def _alone(self, run: _MatcherRun, part: _MatcherProgram, place: int, groups: Groups) -> tuple[int, Groups] | None:
        """A part that is matched on its own, and never again in another way: where it ends, and the groups then."""
        if self._refers_back:
            return self._run(run, part, place, groups, set())
        key = (id(part), place)
        if key not in run.known:
            run.known[key] = self._run(run, part, place, (-1,) * len(groups), set())
        found = run.known[key]
        if found is None:
            return None
        return found[0], tuple(new if new >= 0 else old for old, new in zip(groups, found[1], strict=True))

    def _repeated(self, text: str, place: int, groups: Groups, group: int, ignores_case: bool) -> int:
        """Where the text of a group ends that comes again at ``place``; -1 where it does not."""
        start, end = groups[2 * group : 2 * group + 2]
        if start < 0 or end < 0:
            return -1
        wanted, there = text[start:end], text[place : place + end - start]
        if wanted == there or (ignores_case and _lower(wanted) == _lower(there)):
            return place + end - start
        return -1

    # --- compiling ----------------------------------------------------------------------------------------------------

    def _compiled(self, items: Items, flags: int) -> _MatcherProgram:
        program = _MatcherProgram()
        self._sequence(program.steps, items, flags)
        program.steps.append(_MatcherStep("end"))
        return program

    def _sequence(self, steps: list[_MatcherStep], items: Items, flags: int) -> None:
        for item in items:
            _WRITERS[op_name(item)](self, steps, item, flags)

    def _character(self, steps: list[_MatcherStep], item: Item, flags: int) -> None:
        steps.append(_MatcherStep("character", single(item, flags).match))

    def _place(self, steps: list[_MatcherStep], item: Item, flags: int) -> None:
        steps.append(_MatcherStep("place", single(item, flags).match))

    def _branch(self, steps: list[_MatcherStep], item: Item, flags: int) -> None:
        at, ends, starts = len(steps), [], []
        steps.append(_MatcherStep("split"))
        for items in item[1][1]:
            starts.append(len(steps))
            self._sequence(steps, items, flags)
            ends.append(len(steps))
            steps.append(_MatcherStep("go"))
        steps[at] = _MatcherStep("split", tuple(starts))
        for end in ends:
            steps[end] = _MatcherStep("go", None, len(steps))

    def _group(self, steps: list[_MatcherStep], item: Item, flags: int) -> None:
        number, added, removed, items = item[1]
        if number is not None:
            steps.append(_MatcherStep("mark", 2 * number))
        self._sequence(steps, items, combined(flags, added, removed))
        if number is not None:
            steps.append(_MatcherStep("mark", 2 * number + 1))

    def _repeat(self, steps: list[_MatcherStep], item: Item, flags: int) -> None:
        least, most, items = item[1]
        slot = self._loops
        self._loops += 1
        steps.append(_MatcherStep("begin", slot))
        at = len(steps)
        steps.append(_MatcherStep("loop"))
        self._sequence(steps, items, flags)
        steps.append(_MatcherStep("go", None, at))
        steps[at] = _MatcherStep("loop", (slot, least, most, op_name(item) != "MIN_REPEAT", at + 1), len(steps))

    def _possessive(self, steps: list[_MatcherStep], item: Item, flags: int) -> None:
        part = _MatcherProgram()
        self._repeat(part.steps, item, flags)
        part.steps.append(_MatcherStep("end"))
        steps.append(_MatcherStep("alone", part))

    def _atomic(self, steps: list[_MatcherStep], item: Item, flags: int) -> None:
        steps.append(_MatcherStep("alone", self._compiled(item[1], flags)))

    def _look(self, steps: list[_MatcherStep], item: Item, flags: int) -> None:
        direction, items = item[1]
        width = items.getwidth()[0] if direction < 0 else 0
        steps.append(_MatcherStep("look", (self._compiled(items, flags), width, op_name(item) == "ASSERT")))

    def _back(self, steps: list[_MatcherStep], item: Item, flags: int) -> None:
        self._refers_back = True
        steps.append(_MatcherStep("back", (item[1], bool(flags & re.IGNORECASE))))

    def _whether(self, steps: list[_MatcherStep], item: Item, flags: int) -> None:
        self._refers_back = True
        group, then, otherwise = item[1]
        at = len(steps)
        steps.append(_MatcherStep("whether"))
        self._sequence(steps, then, flags)
        end = len(steps)
        steps.append(_MatcherStep("go"))
        steps[at] = _MatcherStep("whether", group, len(steps))
        self._sequence(steps, otherwise or [], flags)
        steps[end] = _MatcherStep("go", None, len(steps))

    def _failure(self, steps: list[_MatcherStep], _item: Item, _flags: int) -> None:
        steps.append(_MatcherStep("place", re.compile("(?!)").match))


_Writer = Callable[[Matcher, list[_MatcherStep], Item, int], None]
_WRITERS: Mapping[str, _Writer] = {
    "LITERAL": Matcher._character,
    "NOT_LITERAL": Matcher._character,
    "ANY": Matcher._character,
    "IN": Matcher._character,
    "AT": Matcher._place,
    "BRANCH": Matcher._branch,
    "SUBPATTERN": Matcher._group,
    "MAX_REPEAT": Matcher._repeat,
    "MIN_REPEAT": Matcher._repeat,
    "POSSESSIVE_REPEAT": Matcher._possessive,
    "ATOMIC_GROUP": Matcher._atomic,
    "ASSERT": Matcher._look,
    "ASSERT_NOT": Matcher._look,
    "GROUPREF": Matcher._back,
    "GROUPREF_EXISTS": Matcher._whether,
    "FAILURE": Matcher._failure,
}


def _moved(loops: _LoopStates) -> _LoopStates:
    for _, has_moved in loops:
        if not has_moved:
            return tuple((count, True) for count, _ in loops)
    return loops


def _with(loops: _LoopStates, slot: int, state: tuple[int, bool]) -> _LoopStates:
    return loops if loops[slot] == state else (*loops[:slot], state, *loops[slot + 1 :])


def _lower(text: str) -> str:
    """As `re.ASCII` takes capitals and small letters alike."""
    return "".join(character.lower() if character < "\x80" else character for character in text)
