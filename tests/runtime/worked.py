"""Functions for workers: a process that is started anew finds them by their module."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fhirmap.errors import ConfigError

PATIENT = "DURAND-1951"


class OnlyHere:
    """What pickle cannot write."""

    def __reduce__(self) -> str:
        raise TypeError(PATIENT)


def squares(numbers: Sequence[int]) -> list[int]:
    return [number * number for number in numbers]


def processes(numbers: Sequence[int]) -> list[int]:
    return [os.getpid()] * len(numbers)


def slow_processes(numbers: Sequence[int]) -> list[int]:
    time.sleep(0.05 if numbers[0] >= 0 else 60)
    return processes(numbers)


def long_processes(folders: Sequence[str]) -> list[int]:
    """A moment's work without a folder; in one a minute's, once a file there has the number of the process."""
    if folders[0]:
        (Path(folders[0]) / str(os.getpid())).touch()
    time.sleep(60 if folders[0] else 0.05)
    return [os.getpid()] * len(folders)


def marked(batch: Sequence[tuple[str, int]]) -> list[int]:
    """Leaves a file for each number."""
    for folder, number in batch:
        (Path(folder) / str(number)).touch()
    time.sleep(0.01)
    return processes([number for _, number in batch])


def odd(numbers: Sequence[int]) -> list[Any]:
    """What its first number asks for."""
    match numbers[0] if numbers else 0:
        case -1:
            raise ConfigError("FM730", path="nowhere")
        case -2:
            raise KeyError(PATIENT)
        case -3:
            os.kill(os.getpid(), signal.SIGKILL)
        case -4:
            return [OnlyHere()]
        case -5:
            os.kill(os.getpid(), signal.SIGTERM)
    return squares(numbers)


def of_one(number: int) -> tuple[int, int]:
    return number, os.getpid()
