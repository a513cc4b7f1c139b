"""Threads that only wait for the network share one processor.

Only one thread of a Python process computes at a time. What takes its turn on another processor has to be woken there,
and on a virtual machine that costs more than most turns last (measured: docs/performance.md).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["one_processor"]

_PROCESSOR = 36
"""Which field, after the program's name in brackets, says where a thread ran last (proc(5), `processor`)."""


@contextmanager
def one_processor() -> Iterator[None]:
    """This thread, and those that it starts, stay on the processor where it runs, until the end of the ``with``.

    Does nothing where the system has no such setting (other than Linux), does not allow it, or where threads do compute
    at the same time (a free-threaded interpreter).
    """
    before = _allowed()
    at = _current()
    if len(before) < 2 or at not in before:
        yield
        return
    _allow({at})
    try:
        yield
    finally:
        _allow(before)


def _allowed() -> set[int]:
    if sys.platform != "linux" or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return set()
    return os.sched_getaffinity(0)


def _allow(processors: set[int]) -> None:
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setaffinity(0, processors)


def _current() -> int:
    """The processor that this thread runs on, -1 where it is not known."""
    try:
        stat = Path("/proc/thread-self/stat").read_text(encoding="ascii", errors="replace")
        return int(stat.rpartition(")")[2].split()[_PROCESSOR])
    except (OSError, ValueError, IndexError):
        return -1
