"""What asks a run to end: Ctrl-C, SIGTERM, and SIGHUP where it is not ignored (as under ``nohup``)."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

__all__ = ["interruptible"]


@contextmanager
def interruptible(end: Callable[[], None]) -> Iterator[None]:
    """Turns the first Ctrl-C, SIGTERM or SIGHUP into a call of ``end``; a second one has its ordinary effect.

    ``end`` runs in a signal's handler: it may set a flag and put to a `queue.SimpleQueue`, no more. Signals reach the
    main thread only; in another one nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former: Mapping[int, object] = {number: signal.getsignal(number) for number in _ends()}

    def restore() -> None:
        for number, handler in former.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def end_orderly(_number: int, _frame: FrameType | None) -> None:
        restore()
        end()

    for number in former:
        signal.signal(number, end_orderly)
    try:
        yield
    finally:
        restore()


def _ends() -> Iterator[signal.Signals]:
    yield signal.SIGINT
    yield signal.SIGTERM
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        yield hangup
