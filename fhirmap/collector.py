"""Python's cycle collector, put off while much is made and little of it let go.

It looks through all that is alive time and again as that grows, so ten times the objects take more than ten times the
time. What it has put off it does once, when the work is done.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


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
