"""A function of many batches, in processes of their own: its answers in the order of the batches, few of which are
under way at a time.

A worker is started anew (`spawn`) and is given the function, pickled: as a copy of this process it would share its
connections to databases, and the locks that its threads hold. It ends when this process does, however that ends. All of
this runs in the caller's thread: while answers are waited for, and whenever a further batch is ready. In between, which
may be as long as a batch takes, a worker has its next batch at hand, and a place for an answer.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar, cast

from fhirmap.collector import collecting_later
from fhirmap.errors import ConfigError, FhirmapError, InternalError
from fhirmap.texts import os_reason

__all__ = ["in_order", "one_by_one"]

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")

_BATCH = 200
_BATCHES_EACH = 2
"""Under way for each worker: what it works on, and what waits for it or for its turn."""
_CAPACITY = 1 << 20
"""Bytes that a pipe may hold: the most that Linux allows every user. Some hundred records are half of that."""
_PER_MESSAGE = 4096
"""What a message may take beside its own bytes."""
_END_S = 5.0
_OWN_SIGNAL_S = 1.0
_READY = b""
_NOT_PICKLED = (pickle.PicklingError, TypeError, AttributeError, RecursionError, ValueError, ImportError)
"""What pickle raises of a value that it cannot write, or not make again; it has no exception of its own for all."""


def in_order(
    function: Callable[[Sequence[_Item]], _Answer], batches: Iterable[Sequence[_Item]], count: int
) -> Generator[_Answer, None, None]:
    """What ``function`` gives for each batch, in their order, from ``count`` processes.

    No more than ``2 * count + 1`` batches are under way. An empty batch is answered here, and so is a single one, which
    no process would be done with sooner. What ``batches`` raises comes after the answers to those before it.

    Raises: ConfigError FM787 where a process ended, or something cannot be sent to it or back; InternalError FM900 for
    what else ``function`` raises.
    """
    team = _Team(function, count)
    waiting: deque[_Task[_Item, _Answer]] = deque()
    source = iter(batches)
    failure: Exception | None = None
    is_open = True
    try:
        while is_open or waiting:
            if is_open and len(waiting) <= _BATCHES_EACH * count:
                try:
                    waiting.append(_Task(next(source)))
                except StopIteration:
                    is_open = False
                except Exception as error:  # noqa: BLE001 - raised below, in its turn
                    failure, is_open = error, False
                else:
                    team.take(waiting[-1])
            else:
                team.finish(waiting[0])
            while waiting and waiting[0].is_done:
                yield waiting.popleft().answer()
        if failure is not None:
            raise failure
    finally:
        team.end()


def one_by_one(
    function: Callable[[_Item], _Answer], items: Iterable[_Item], count: int
) -> Generator[_Answer, None, None]:
    """What ``function`` gives for each item, in their order, from ``count`` processes; see `in_order`."""
    with closing(in_order(_OfEach(function), _batches(items), count)) as answers:
        for found in answers:
            yield from found


@dataclass(frozen=True, slots=True)
class _OfEach(Generic[_Item, _Answer]):
    """A function of one item as a function of many."""

    function: Callable[[_Item], _Answer]

    def __call__(self, items: Sequence[_Item]) -> list[_Answer]:
        return [self.function(item) for item in items]


def _batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    """``items`` by batches; what they raise comes after those before it."""
    batch: list[_Item] = []
    try:
        for item in items:
            batch.append(item)
            if len(batch) == _BATCH:
                yield batch
                batch = []
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


class _Task(Generic[_Item, _Answer]):
    """A batch, and what came of it."""

    def __init__(self, batch: Sequence[_Item]) -> None:
        self.batch: Sequence[_Item] | None = batch
        self.content = b""
        """The batch as it is sent, once that is known."""
        self.is_done = False
        self._answer: _Answer | None = None
        self._error: FhirmapError | None = None

    def done(self, answer: _Answer) -> None:
        """It is answered."""
        self.batch, self.content, self.is_done, self._answer = None, b"", True, answer

    def failed(self, error: FhirmapError) -> None:
        """There is no answer."""
        self.batch, self.content, self.is_done, self._error = None, b"", True, error

    def answer(self) -> _Answer:
        """The answer.

        Raises: what it failed with.
        """
        if self._error is not None:
            raise self._error
        return cast(_Answer, self._answer)


@dataclass(slots=True, eq=False)
class _Worker:
    """A process, and what it has been sent and has not answered: nothing while it starts.

    ``capacity``: how many bytes its end of ``requests`` takes while it reads nothing.
    """

    process: BaseProcess
    requests: Connection
    answers: Connection
    capacity: int
    tasks: deque[_Task[Any, Any]] = field(default_factory=deque)
    has_function: bool = False

    def takes(self, content: bytes) -> bool:
        """Can this be sent to it without a wait until it has read what was sent before?"""
        sizes = [len(task.content) for task in self.tasks]
        return (
            len(sizes) < _BATCHES_EACH and sum(sizes, len(content)) + _PER_MESSAGE * (len(sizes) + 1) <= self.capacity
        )


class _Team(Generic[_Item, _Answer]):
    """The processes, started when there is work for them."""

    def __init__(self, function: Callable[[Sequence[_Item]], _Answer], count: int) -> None:
        self._function = function
        self._count = count
        self._pickled = b""
        self._workers: list[_Worker] = []
        self._idle: list[_Worker] = []
        self._busy: dict[Connection, _Worker] = {}
        self._unsent: deque[_Task[_Item, _Answer]] = deque()

    def take(self, task: _Task[_Item, _Answer]) -> None:
        """Have a batch worked on, and see what has been done meanwhile."""
        if not task.batch:
            task.done(self._function(()))
            return
        self._unsent.append(task)
        if self._workers or len(self._unsent) > 1:
            self._send()
            self._receive(timeout_s=0)

    def finish(self, task: _Task[_Item, _Answer]) -> None:
        """Wait until a batch is done; one that is alone is worked on here."""
        if not self._workers and task.batch is not None:
            self._unsent.remove(task)
            task.done(self._function(task.batch))
        while not task.is_done:
            self._receive()

    def _send(self) -> None:
        while self._unsent:
            idle = self._idle[-1] if self._idle else None
            if idle is None and not self._all_started():
                break
            task = self._unsent[0]
            if not self._pickle(task):
                self._unsent.popleft()
                continue
            worker = idle or next((each for each in self._busy.values() if each.takes(task.content)), None)
            if worker is None:
                break
            self._send_to(worker, self._unsent.popleft())
        starting = sum(not worker.tasks for worker in self._busy.values())
        for _ in range(min(len(self._unsent) - starting, self._count - len(self._workers))):
            self._start()

    def _all_started(self) -> bool:
        return len(self._workers) == self._count and all(worker.tasks for worker in self._busy.values())

    def _start(self) -> None:
        context = get_context("spawn")
        theirs, requests = context.Pipe(duplex=False)
        answers, their_answers = context.Pipe(duplex=False)
        capacity = min(map(_enlarged, (requests, their_answers)))
        process = context.Process(target=_serve, args=(theirs, their_answers), daemon=True, name="fhirmap-worker")
        try:
            with _interrupts_held():
                process.start()
        except OSError as error:
            raise ConfigError("FM787", variant="start", reason=os_reason(error)) from error
        theirs.close()
        their_answers.close()
        worker = _Worker(process, requests, answers, capacity)
        self._workers.append(worker)
        self._busy[answers] = worker

    def _pickle(self, task: _Task[_Item, _Answer]) -> bool:
        """Have what is sent of a batch at hand; False where there is no such thing, which its answer says."""
        if not task.content:
            try:
                task.content = pickle.dumps(task.batch, pickle.HIGHEST_PROTOCOL)
            except _NOT_PICKLED as error:
                task.failed(_not_sent("record", error))
                return False
            task.batch = None
        return True

    def _send_to(self, worker: _Worker, task: _Task[_Item, _Answer]) -> None:
        if not worker.tasks:
            self._idle.remove(worker)
            self._busy[worker.answers] = worker
        worker.tasks.append(task)
        with suppress(OSError):  # its process has ended, which its answers show
            if not worker.has_function:
                self._pickled = self._pickled or _pickled_function(self._function)
                worker.requests.send_bytes(self._pickled)
                worker.has_function = True
            worker.requests.send_bytes(task.content)

    def _receive(self, timeout_s: float | None = None) -> None:
        """Take what has come, after a wait for something."""
        for connection in wait(list(self._busy), timeout_s):
            worker = self._busy[cast(Connection, connection)]
            try:
                content = worker.answers.recv_bytes()
            except (EOFError, OSError):
                self._lose(worker)
                continue
            if worker.tasks:
                _settle(worker.tasks.popleft(), content)
            if not worker.tasks:
                self._idle.append(self._busy.pop(worker.answers))
        self._send()

    def _lose(self, worker: _Worker) -> None:
        """A process has ended: with what it was sent, where it was sent something.

        Raises: ConfigError FM787 where it was not.
        """
        del self._busy[worker.answers]
        worker.process.join(_END_S)
        code = worker.process.exitcode
        if code == -signal.SIGTERM:
            # Whoever ends a service sends this to each of its processes: what this one does about it comes first.
            time.sleep(_OWN_SIGNAL_S)
        error = ConfigError("FM787", ended=_ending(code))
        if not worker.tasks:
            raise error
        for task in worker.tasks:
            task.failed(error)

    def end(self) -> None:
        """End the processes: those that have nothing to do by themselves, the others at once."""
        for worker in self._workers:
            if worker.answers in self._busy:
                worker.process.kill()
            worker.requests.close()
            worker.answers.close()
        for worker in self._workers:
            worker.process.join(_END_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.process.close()


@collecting_later
def _settle(task: _Task[Any, Any], content: bytes) -> None:
    try:
        error, answer = pickle.loads(content)  # noqa: S301 - what our own process sent
    except _NOT_PICKLED as wrong:
        error, answer = _not_sent("result", wrong), None
    if error is not None:
        task.failed(error)
    else:
        task.done(answer)


def _pickled_function(function: Callable[..., Any]) -> bytes:
    try:
        return pickle.dumps(function, pickle.HIGHEST_PROTOCOL)
    except _NOT_PICKLED as error:
        raise _not_sent("function", error) from error


def _not_sent(variant: str, error: BaseException) -> ConfigError:
    return ConfigError("FM787", variant=variant, kind=type(error).__name__)


def _ending(code: int | None) -> str:
    """How a process ended, in one word: the signal's name, else the exit code."""
    if code is not None and code < 0:
        with suppress(ValueError):
            return signal.Signals(-code).name
    return str(code)


def _enlarged(connection: Connection) -> int:
    """How many bytes a pipe takes while it is not read, once it takes as many as it may; 0 where that is not said."""
    if sys.platform != "linux":
        return 0
    import fcntl

    with suppress(OSError):  # as many pipes of this size as a user may have are there
        fcntl.fcntl(connection.fileno(), fcntl.F_SETPIPE_SZ, _CAPACITY)
    return fcntl.fcntl(connection.fileno(), fcntl.F_GETPIPE_SZ)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """A process that starts meanwhile is not interrupted before it can see to that itself: Ctrl-C reaches each process
    of a terminal. Windows has no such thing."""
    if sys.platform == "win32":
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # started by the first process otherwise, which would undo what is done here
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# ---- in a worker -------------------------------------------------------------------------------------------


def _serve(requests: Connection, sent: Connection) -> None:
    """What a worker does: it gets the function, then batches, and answers each."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):  # nothing more is wanted, or the parent is gone
        sent.send_bytes(_READY)
        answers = _Answers(requests.recv_bytes())
        gc.freeze()
        while True:
            sent.send_bytes(answers.to(requests.recv_bytes()))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class _Answers:
    """The pickled answers of a function, each with the error in its place."""

    def __init__(self, pickled: bytes) -> None:
        self._error: FhirmapError | None = None
        try:
            self._function: Callable[[Any], Any] = pickle.loads(pickled)  # noqa: S301 - what the parent sent
        except Exception as error:  # noqa: BLE001 - a module of the maps may raise anything when it is loaded
            self._error = _not_sent("function", error)

    @collecting_later
    def to(self, content: bytes) -> bytes:
        """The answer to a batch. Never an exception's own text, nor its frames' values: they may be a patient's."""
        if self._error is not None:
            return _pickled(self._error)
        try:
            batch = pickle.loads(content)  # noqa: S301 - what the parent sent
        except _NOT_PICKLED as error:
            return _pickled(_not_sent("record", error))
        try:
            answer = self._function(batch)
        except FhirmapError as error:
            return _pickled(error)
        except Exception as error:  # noqa: BLE001 - said by the parent
            return _pickled(InternalError.of(error))
        try:
            return pickle.dumps((None, answer), pickle.HIGHEST_PROTOCOL)
        except _NOT_PICKLED as error:
            return _pickled(_not_sent("result", error))


def _pickled(error: FhirmapError) -> bytes:
    return pickle.dumps((error, None), pickle.HIGHEST_PROTOCOL)
