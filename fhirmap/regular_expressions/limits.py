"""How long patterns may be, and for which texts Python's own matcher, which goes back to try again, is quick enough."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from fhirmap.regular_expressions.cost import PatternCost, cost_of
from fhirmap.regular_expressions.matcher import Matcher
from fhirmap.regular_expressions.parsed import Items, characters, items_of
from fhirmap.regular_expressions.translation import python_pattern

__all__ = ["LongPattern", "ReadPattern", "is_plain", "read_pattern"]

_MOST_CHARACTERS = 20_000
"""Of a pattern."""
_MOST_WRITTEN = 400_000
"""Of a pattern as Python reads it, where `\\p{L}` is some thousand characters."""
_MOST_FOLDED = 2_000_000
"""Characters in ranges that are looked up one by one, where case does not count."""
_MOST_STEPS = 300_000
"""Of the matcher that counts them: about half a second."""
_MOST_COST = 50_000_000
"""Steps that Python's matcher may take for a text, far more than it really takes: about half a second."""
_LONG_TEXT = 1 << 20
"""Characters of the longest FHIR string."""
_MOST_FOR_LONG = 100_000_000
"""Steps for the longest FHIR string, below which the work grows with the text and no faster."""


class LongPattern(ValueError):
    """A pattern that is too long, or nested too deeply, to be compiled."""


@dataclass(frozen=True)
class ReadPattern:
    """A pattern, compiled, and what is known of the work that it may be."""

    compiled: re.Pattern[str]
    items: Items
    flags: int

    @cached_property
    def cost(self) -> PatternCost | None:
        """An upper bound of the work; None where nothing is known: some texts may take for ever."""
        return cost_of(self.items, self.flags)

    def is_plain(self, *, everywhere: bool) -> bool:
        """Is it quick with any text? ``everywhere``: by `search` and `sub`, not `match` and `fullmatch` alone."""
        return self.cost is not None and self.cost.steps(_LONG_TEXT, everywhere=everywhere) <= _MOST_FOR_LONG

    def longest(self, *, everywhere: bool) -> int:
        """The length of the longest text that is surely quick; -1 where no text is."""
        cost = self.cost
        if cost is None:
            return -1
        low, high = -1, 1
        while high < 1 << 40 and cost.steps(high, everywhere=everywhere) <= _MOST_COST:
            low, high = high, 2 * high
        while high - low > max(1, low // 16):
            middle = (low + high) // 2
            low, high = (middle, high) if cost.steps(middle, everywhere=everywhere) <= _MOST_COST else (low, middle)
        return low

    def matcher(self) -> Matcher:
        """The matcher that counts its steps, for all other texts."""
        return Matcher(self.items, self.flags, self.compiled.groups, self.compiled.groupindex, _MOST_STEPS)


def read_pattern(pattern: str, flags: int = 0, *, by_line: bool = False) -> ReadPattern:
    """A pattern of FHIRPath: `.` takes line breaks, `\\d` and `\\w` are ASCII. ``by_line``: as of `python_pattern`.

    Raises: ``re.error`` for a pattern that is none, ``LongPattern``.
    """
    written = python_pattern(pattern, by_line=by_line) if len(pattern) <= _MOST_CHARACTERS else ""
    if len(pattern) > _MOST_CHARACTERS or len(written) > _MOST_WRITTEN:
        raise LongPattern
    try:
        items, found = items_of(written, re.DOTALL | re.ASCII | flags)
        if found & re.IGNORECASE and sum(last - first for first, last in characters(items)) > _MOST_FOLDED:
            raise LongPattern
        return ReadPattern(re.compile(written, re.DOTALL | re.ASCII | flags), items, found)
    except (RecursionError, OverflowError):
        raise LongPattern from None


def is_plain(pattern: str, *, everywhere: bool) -> bool:
    """`ReadPattern.is_plain` of a pattern. Raises: as `read_pattern`."""
    return read_pattern(pattern).is_plain(everywhere=everywhere)
