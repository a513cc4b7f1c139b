"""From an object to the records that a path leads to in it, with their places and the objects around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fhirmap.data import JsonValue, PathSteps
from fhirmap.runtime.reading import at
from fhirmap.source_plan import path_name
from fhirmap.sources.shown_names import MemberNames, member_names

__all__ = ["JsonWalk", "PathFound"]

_MOST_LACKING = 1000
"""Objects without the next name of a path that are kept for their own names."""


class PathFound(NamedTuple):
    """What is at the end of a path: ``value``; ``place``: names and numbers that lead there; ``above``: the objects
    that it is in, the outermost first.
    """

    value: JsonValue
    place: tuple[str, ...] = ()
    above: tuple[Mapping[str, Any], ...] = ()


@dataclass(slots=True)
class JsonWalk:
    """The way along a path, and how far it led anywhere."""

    path: PathSteps
    _left: int = field(init=False)
    _lacking: list[Mapping[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begin()

    @property
    def levels(self) -> int:
        """How many objects are above a record: one for each name of the path."""
        return sum(isinstance(step, str) for step in self.path)

    def begin(self) -> None:
        """Forget how far the path led."""
        self._left = len(self.path) + 1
        self._lacking = []

    @property
    def missing(self) -> tuple[str, MemberNames] | None:
        """The name of the path that no object had of those to which it led, and those that they have; None where it
        led on, or a filter kept nothing."""
        step = self.path[-self._left] if 0 < self._left <= len(self.path) else None
        if not isinstance(step, str) or not any(self._lacking):
            return None
        return path_name(step), member_names(self._lacking)

    def entries(
        self,
        value: JsonValue,
        steps: PathSteps,
        place: tuple[str, ...] = (),
        above: tuple[Mapping[str, Any], ...] = (),
    ) -> Iterator[PathFound]:
        """What the last ``steps`` of the path lead to from ``value``: through lists, in each of their items.

        A plain value where an object should be is found as it is; what an object lacks is not.
        """
        while True:
            if len(steps) < self._left:
                self._left, self._lacking = len(steps), []
            step = steps[0] if steps else None
            if isinstance(value, list) and not isinstance(step, int):
                for number, item in enumerate(value):
                    yield from self.entries(item, steps, (*place, str(number)), above)
                return
            if step is None:
                yield PathFound(value, place, above)
                return
            if isinstance(step, str):
                # An exact type is seen sooner than an abstract one.
                if not (type(value) is dict or isinstance(value, Mapping)):
                    if value is not None:
                        yield PathFound(value, place, above)
                    return
                held = value.get(step)
                if held is None:
                    if step not in value and len(steps) == self._left and len(self._lacking) < _MOST_LACKING:
                        self._lacking.append(value)
                    return
                value, place, above = held, (*place, step), (*above, value)
            elif isinstance(step, int):
                items = value if isinstance(value, list) else [value]
                if step >= len(items):
                    return
                place = (*place, str(step)) if isinstance(value, list) else place
                value = items[step]
            elif at(value, (step,)) is None:
                return
            steps = steps[1:]
