"""What a function that a map calls has mended in a value, reported to the record's run: a function has no other way to.

A function is pure for the map that calls it: the same value comes out. That the value was another one before is the
record's warning (FM470), with the rule that called the function and the columns of its element.
"""

from __future__ import annotations

import sys
from threading import local
from types import FrameType
from typing import Protocol

__all__ = ["Repairable", "begin", "report_repair"]


class Repairable(Protocol):
    """A record's run, as far as functions know it."""

    def repaired(self, variant: str, caller: FrameType) -> None:
        """Keep that a value was mended, by a function that was called from ``caller``."""


class _Thread(local):
    run: Repairable | None = None


_THREAD = _Thread()


def begin(run: Repairable) -> None:
    """From now on functions that are called in this thread report to ``run``."""
    _THREAD.run = run


def report_repair(variant: str) -> None:
    """The value that a rule gave to a function was mended: ``variant`` of FM470 says how. No value is in it.

    Nothing outside a run: what a test or a program calls has no record.
    """
    if _THREAD.run is not None:
        _THREAD.run.repaired(variant, sys._getframe(1))
