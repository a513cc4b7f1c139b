"""Batches on several processes: in order, few at a time, and none outlives the work, whatever ends it."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from fhirmap.errors import ConfigError, FhirmapError, InternalError
from fhirmap.runtime.workers import in_order, one_by_one
from tests.runtime.worked import PATIENT, OnlyHere, marked, odd, of_one, processes, slow_processes, squares

ROOT = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def batches(count: int, size: int = 3) -> list[list[int]]:
    return [list(range(number, number + size)) for number in range(0, count * size, size)]


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("number", [0, 1, 2, 20])
def test_answers_come_in_the_order_of_the_batches(number: int, count: int) -> None:
    assert list(in_order(squares, batches(number), count)) == [squares(batch) for batch in batches(number)]


def test_each_process_has_its_part() -> None:
    found = {pid for answer in in_order(slow_processes, batches(20), 2) for pid in answer}
    assert len(found) == 2
    assert os.getpid() not in found


def test_no_process_is_started_where_there_is_one_batch_or_nothing_in_it() -> None:
    assert list(in_order(processes, [[], [1], []], 2)) == [[], [os.getpid()], []]
    assert list(in_order(processes, [[], [], []], 2)) == [[], [], []]


def test_few_batches_are_under_way() -> None:
    taken: list[int] = []

    def noted() -> Iterator[list[int]]:
        for number, batch in enumerate(batches(30)):
            taken.append(number)
            yield batch

    answers = in_order(squares, noted(), 2)
    for given in range(30):
        next(answers)
        assert len(taken) <= given + 2 * 2 + 1
    assert list(answers) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much a pipe takes")
def test_each_process_has_its_next_batch_at_hand(tmp_path: Path) -> None:
    """What was taken is done, though this process does something else meanwhile."""
    taken: list[int] = []

    def noted() -> Iterator[list[tuple[str, int]]]:
        for number in count():
            taken.append(number)
            yield [(str(tmp_path), number)]

    answers = in_order(marked, noted(), 2)
    seen: set[int] = set()
    while len(seen) < 2:
        seen.update(next(answers))
    deadline = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < len(taken):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    answers.close()


def test_what_the_batches_raise_comes_after_the_answers_before_it() -> None:
    def failing() -> Iterator[list[int]]:
        yield from batches(5)
        raise LookupError("source")

    answers = in_order(squares, failing(), 2)
    assert [next(answers) for _ in range(5)] == [squares(batch) for batch in batches(5)]
    with pytest.raises(LookupError, match="source"):
        next(answers)


def test_items_before_one_that_cannot_be_had_are_answered() -> None:
    def failing() -> Iterator[int]:
        yield from range(450)
        raise LookupError("source")

    found: list[int] = []
    with pytest.raises(LookupError, match="source"):
        found.extend(number for number, _ in one_by_one(of_one, failing(), 2))
    assert found == list(range(450))


def answers_before(function: Callable[[Sequence[Any]], list[Any]], found: Iterable[Sequence[Any]]) -> tuple[Any, ...]:
    """The answers before an error of fhirmap's, and the error."""
    answers: list[Any] = []
    with pytest.raises(FhirmapError) as raised:
        answers.extend(in_order(function, found, 2))
    return answers, raised.value


def test_an_error_comes_in_its_turn() -> None:
    answers, error = answers_before(odd, [*batches(6), [-1], *batches(6)])
    assert answers == [squares(batch) for batch in batches(6)]
    assert isinstance(error, ConfigError)
    assert error.code == "FM730"


def test_an_exception_that_is_not_foreseen_comes_without_its_text() -> None:
    answers, error = answers_before(odd, [*batches(6), [-2], *batches(6)])
    assert len(answers) == 6
    assert isinstance(error, InternalError)
    assert error.code == "FM900"
    shown = error.diagnostic()
    assert shown.args["kind"] == "KeyError"
    assert "worked.py:" in str(shown.args["where"])
    assert PATIENT not in f"{error} {shown.args} {shown.message} {shown.hint_text} {error.__cause__}"


@posix
@pytest.mark.parametrize(("request_number", "name"), [(-3, "SIGKILL"), (-5, "SIGTERM")])
def test_a_process_that_is_ended_is_said(request_number: int, name: str) -> None:
    answers, error = answers_before(odd, [*batches(6), [request_number], *batches(20)])
    assert answers == [squares(batch) for batch in batches(6)]
    assert isinstance(error, ConfigError)
    assert (error.code, error.diagnostic().args) == ("FM787", {"ended": name})


@posix
def test_a_process_that_is_ended_between_batches_is_said() -> None:
    answers = in_order(processes, batches(40), 2)
    with pytest.raises(ConfigError, match="FM787"):
        for pid, *_ in answers:
            with contextlib.suppress(ProcessLookupError):  # an answer of one that was ended before
                os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("function", "found", "variant"),
    [
        (odd, [[1], [OnlyHere()], [2]], "record"),
        (odd, [[1], [-4], [2]], "result"),
        (lambda _: [], [[1], [2], [3]], "function"),
    ],
)
def test_what_pickle_cannot_write_is_said(function: Any, found: Any, variant: str) -> None:
    _, error = answers_before(function, found)
    assert isinstance(error, ConfigError)
    shown = error.diagnostic()
    assert (error.code, shown.variant) == ("FM787", variant)
    assert PATIENT not in f"{error} {shown.args} {shown.hint_text}"


def test_a_module_that_only_this_process_has_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    module = type(sys)("only_here")
    exec("def function(batch):\n    return []\n", module.__dict__)
    monkeypatch.setitem(sys.modules, "only_here", module)
    _, error = answers_before(module.function, [[1], [2], [3]])
    assert (error.code, error.diagnostic().args) == ("FM787", {"kind": "ModuleNotFoundError"})


# ---- none outlives the work ---------------------------------------------------------------------------------


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        if not Path("/proc").exists():
            return True
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):  # at any moment
        return False


def gone(pids: Iterable[int]) -> bool:
    deadline = time.monotonic() + 60
    while any(map(is_alive, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@posix
@pytest.mark.parametrize("end", ["close", "del", "exhaust"])
def test_processes_end_with_the_answers(end: str) -> None:
    answers = in_order(slow_processes, batches(30), 2)
    pids = {pid for _ in range(10) for pid in next(answers)}
    assert len(pids) == 2
    assert all(map(is_alive, pids))
    if end == "close":
        answers.close()
    elif end == "exhaust":
        assert len(list(answers)) == 20
    del answers
    gc.collect()
    assert not any(map(is_alive, pids))


@posix
def test_a_long_work_does_not_keep_a_process_alive() -> None:
    answers = in_order(slow_processes, [[1], [2], [-1], [-1], [-1]], 2)
    assert next(answers) != [os.getpid()]
    started = time.monotonic()
    answers.close()
    assert time.monotonic() - started < 30


PROGRAM = """
import sys
from fhirmap.runtime.workers import in_order
from tests.runtime.worked import long_processes

def batches():
    for _ in range(40):
        yield [""]
    while True:
        yield [sys.argv[1]]

if __name__ == "__main__":
    seen = set()
    for answer in in_order(long_processes, batches(), 2):
        if not seen.issuperset(answer):
            seen.update(answer)
            if len(seen) == 2:
                print(*seen, flush=True)
"""


@posix
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("work", ["short work", "long work"])
def test_processes_end_with_their_parent(tmp_path: Path, number: signal.Signals, work: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    begun = tmp_path / "begun"
    begun.mkdir()
    path = os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))
    parent = subprocess.Popen(
        [sys.executable, str(program), str(begun)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    assert all(map(is_alive, pids))
    if work == "long work":
        deadline = time.monotonic() + 60
        while len(list(begun.iterdir())) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    parent.send_signal(number)
    _, err = parent.communicate(timeout=60)
    assert gone(pids)
    assert err.count("Traceback") == (1 if number == signal.SIGINT else 0), err
