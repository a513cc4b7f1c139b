"""Python's cycle collector, put off while much is made and little of it let go.

It looks through all that is alive time and again as that grows, so ten times the objects take more than ten times the
time. What it has put off it does once, when the work is done. A command puts it off while it loads and compiles, and
takes it up again before it reads records (`expect_records`).
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


_WHILE_COMPILING = 200_000
"""Modules, trees, types and plans stay for as long as a command runs: looking through them at every 700 new objects, as
Python does by default, is a tenth of `check` and `preview`."""
_WHILE_READING = 10_000
"""What is made of a batch of records is let go with it. Statements for the database are cycles that hold its keys: a
million records would leave 100 MiB of them."""


def expect_little_garbage() -> None:
    """Collect seldom from now on, in this process: what is made stays."""
    gc.set_threshold(_WHILE_COMPILING)


def keep_what_is_there() -> None:
    """What is alive now stays until the process ends, and is not looked through again: modules, types, the compiled
    map. For a process that is about to do its only work."""
    gc.freeze()


def expect_records() -> None:
    """Collect often enough from now on, in this process, that memory does not grow with the number of records."""
    gc.set_threshold(_WHILE_READING)


def collecting_later(function: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """``function``, during each call of which nothing is collected; where it was off before, it stays off."""

    @wraps(function)
    def wrapped(*arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
        if not gc.isenabled():
            return function(*arguments, **named)
        gc.disable()
        try:
            return function(*arguments, **named)
        finally:
            gc.enable()

    return wrapped
