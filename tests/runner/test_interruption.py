"""What asks a run to end: the first signal calls, the second has its ordinary effect, and all is as before after."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from fhirmap.runner.interruption import interruptible

NUMBERS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@contextmanager
def handled(number: signal.Signals, handler: Callable[..., object] | signal.Handlers) -> Iterator[None]:
    former = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, former)


@pytest.mark.parametrize("number", NUMBERS)
def test_the_first_signal_calls_once_and_the_handlers_come_back(number: signal.Signals) -> None:
    calls: list[int] = []
    former = {each: signal.getsignal(each) for each in NUMBERS}
    with interruptible(lambda: calls.append(1)):
        os.kill(os.getpid(), number)
        assert calls == [1]
        assert {each: signal.getsignal(each) for each in NUMBERS} == former
    assert {each: signal.getsignal(each) for each in NUMBERS} == former


def test_a_second_signal_has_its_ordinary_effect() -> None:
    calls: list[int] = []
    with handled(signal.SIGINT, signal.default_int_handler), interruptible(lambda: calls.append(1)):
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert calls == [1]


def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    """As under ``nohup``."""
    calls: list[int] = []
    with handled(signal.SIGHUP, signal.SIG_IGN), interruptible(lambda: calls.append(1)):
        os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert calls == []


def test_another_thread_changes_nothing() -> None:
    found: list[bool] = []
    former = signal.getsignal(signal.SIGTERM)

    def enter() -> None:
        with interruptible(lambda: None):
            found.append(signal.getsignal(signal.SIGTERM) is former)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [True]
