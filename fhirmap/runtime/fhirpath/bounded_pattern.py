"""Patterns of which some texts may take too long: those are matched by counting steps, up to a limit."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

from fhirmap.errors import TransformFailed
from fhirmap.regular_expressions import Matcher, PatternMatch, ReadPattern, TooManySteps

__all__ = ["BoundedPattern"]

_Match = re.Match[str] | PatternMatch
_Answer = TypeVar("_Answer")


class BoundedPattern:
    """Has what `re.Pattern` has that is used here, with the same results. Python's own matcher takes the texts that are
    surely quick.

    Each method raises ``TransformFailed`` FM433 where the limit is reached: whether the text matches is not known then.
    """

    def __init__(self, read: ReadPattern) -> None:
        self._read = read
        self._compiled = read.compiled
        self.groups = read.compiled.groups
        self.groupindex = read.compiled.groupindex
        self._longest_anywhere = read.longest(everywhere=True)
        self._longest = read.longest(everywhere=False)

    @cached_property
    def _matcher(self) -> Matcher:
        return self._read.matcher()

    def search(self, text: str) -> _Match | None:
        """The first place where it matches."""
        if len(text) <= self._longest_anywhere:
            return self._compiled.search(text)
        return _within_limit(lambda: self._matcher.search(text))

    def fullmatch(self, text: str) -> _Match | None:
        """Is the text the pattern, from end to end?"""
        if len(text) <= self._longest:
            return self._compiled.fullmatch(text)
        return _within_limit(lambda: self._matcher.fullmatch(text))

    def sub(self, filled: Callable[[_Match], str], text: str) -> str:
        """The text with each match replaced by what ``filled`` says."""
        if len(text) <= self._longest_anywhere:
            return self._compiled.sub(filled, text)
        pieces, end = [], 0
        for found in _within_limit(lambda: list(self._matcher.finditer(text))) or ():
            start, until = found.span()
            pieces += [text[end:start], filled(found)]
            end = until
        return "".join([*pieces, text[end:]])


def _within_limit(ask: Callable[[], _Answer]) -> _Answer:
    try:
        return ask()
    except TooManySteps:
        raise TransformFailed("FM433", variant="work") from None
