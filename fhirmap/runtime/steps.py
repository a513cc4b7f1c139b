"""Steps that are counted: of rules and expressions that may multiply, so that one record keeps no run busy for ever.

Standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from functools import cached_property
from typing import Any, TypeVar

from fhirmap.errors import TransformFailed
from fhirmap.records import Fault
from fhirmap.runtime.fhirpath.long_texts import check_length

__all__ = ["MOST_STEPS", "FaultList", "StepCount", "steps_of"]

MOST_STEPS = 1_000_000
"""How many steps of rules that may multiply a record may take: some seconds."""
_CHARACTERS, _TOTAL_ITEMS, _TOTAL_CHARACTERS = 100, 3, 1_000
"""What a step is, of a text that is put together, and of what a round of `aggregate` gives."""

_Sized = TypeVar("_Sized", bound=Sized)
_Given = TypeVar("_Given")
_Items = TypeVar("_Items", bound=Sequence[Any])


class StepCount:
    """The steps of one record's expressions, outside of its rules: of its invariants, or of one column."""

    steps_left = MOST_STEPS
    """Of what may multiply: calls of groups that call themselves, loops inside of loops."""

    def exceed(self) -> None:
        """What happens beyond `MOST_STEPS`.

        Raises: ``TransformFailed`` FM414, always.
        """
        raise TransformFailed("FM414", variant="steps", limit=MOST_STEPS)

    def spend(self, count: int = 1) -> None:
        """Count steps.

        Raises: what `exceed` raises, beyond `MOST_STEPS`.
        """
        self.steps_left -= count
        if self.steps_left < 0:
            self.exceed()

    def counted(self, items: _Sized) -> _Sized:
        """What a loop inside of a loop goes through, each item a step (`spend`)."""
        self.spend(max(1, len(items)))
        return items

    def counted_again(self, given: _Given) -> _Given:
        """What a loop is given once more for each item: each item of a list, and a hundred characters, are a step."""
        if isinstance(given, list):
            self.spend(len(given))
        elif isinstance(given, str):
            self.spend(len(given) // _CHARACTERS)
        return given

    def counted_total(self, items: _Items) -> _Items:
        """What a round of `aggregate` gives: it may have been copied once more in every round."""
        characters = sum(len(item) // _TOTAL_CHARACTERS for item in items if isinstance(item, str))
        self.spend(1 + len(items) // _TOTAL_ITEMS + characters)
        return items

    def counted_text(self, text: str) -> str:
        """A text that is made of constants of the map; a hundred characters are a step (`spend`).

        Raises: ``TransformFailed`` FM433 for one that is too long.
        """
        check_length(len(text), "&")
        self.spend(len(text) // _CHARACTERS)
        return text


class FaultList(list[Fault]):
    """The faults of one record, with the steps that its invariants have taken."""

    @cached_property
    def steps(self) -> StepCount:
        """Those of all invariants of the record."""
        return StepCount()


def steps_of(faults: list[Fault]) -> StepCount:
    """The steps of the record whose faults these are; of their own where they are of no record."""
    return faults.steps if isinstance(faults, FaultList) else StepCount()
