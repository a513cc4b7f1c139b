"""How far a long work is: a bar with rate and time to go where a terminal watches, else a plain line now and then."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from fhirmap.texts import text

if TYPE_CHECKING:
    from rich.progress import Progress

_FIRST_LINE_S = 5.0
_NEXT_LINE_S = 30.0


class ProgressBar:
    """Shows ``label`` with the count done of ``total`` (None: unknown) on standard error, from ``with`` to its end;
    nothing where it is to be ``quiet``."""

    def __init__(self, label: str, total: int | None = None, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._label = label
        self._total = total
        self._bar: Progress | None = None
        self._started = time.monotonic()
        self._next_line = self._started + _FIRST_LINE_S

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        self._next_line = self._started + _FIRST_LINE_S
        if sys.stderr.isatty() and not self._quiet:
            self._bar = _bar()
            self._bar.start()
            self._task = self._bar.add_task(self._label, total=self._total)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, done: int, total: int | None = None) -> None:
        """``done`` so far, of ``total`` where that has become known."""
        self._total = total if total is not None else self._total
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=self._total)
        elif not self._quiet and (now := time.monotonic()) >= self._next_line:
            self._next_line = now + _NEXT_LINE_S
            click.echo(self._line(done, now - self._started), err=True)

    def _line(self, done: int, elapsed_s: float) -> str:
        rate = done / elapsed_s if elapsed_s else 0.0
        if self._total is None:
            return f"{self._label} {done:,}   {rate:,.1f}/s"
        left_s = (self._total - done) / rate if rate else 0.0
        return f"{self._label} {done:,}/{self._total:,}   {rate:,.1f}/s   {text('run.to_go', time=_clock(left_s))}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text as StyledText

    class Rate(ProgressColumn):
        """Records a second."""

        def render(self, task: Task) -> StyledText:
            """The rate of the last seconds."""
            speed = task.finished_speed or task.speed
            return StyledText(f"{speed:,.1f}/s" if speed else "")

    return Progress(
        TextColumn("  {task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
