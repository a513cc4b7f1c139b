"""Threads that wait for the network share one processor, and the process has all of them again afterwards."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from fhirmap.runner.one_processor import one_processor

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="needs Linux and two processors"
)


def _seen_by_a_thread() -> set[int]:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(os.sched_getaffinity, 0).result()


def test_threads_that_are_started_there_share_one() -> None:
    before = os.sched_getaffinity(0)
    with one_processor():
        within = _seen_by_a_thread()
        assert len(within) == 1 and within < before
        with one_processor():  # there is only one to choose from
            assert _seen_by_a_thread() == within
        assert os.sched_getaffinity(0) == within
    assert os.sched_getaffinity(0) == before == _seen_by_a_thread()


def test_an_error_ends_it_too() -> None:
    before = os.sched_getaffinity(0)
    with pytest.raises(ValueError, match="so it is"), one_processor():
        raise ValueError("so it is")
    assert os.sched_getaffinity(0) == before
