"""From the journal to the sink: lease, send, settle, within the limits, until nothing more can be done now.

The caller's thread alone uses the journal; worker threads only send. A record is leased when its turn has come and a
thread is free, and not before, so that what is `sending` is what may really be on its way. Ctrl-C, SIGTERM and SIGHUP
let what is under way be answered and settled, and leave the rest.
"""

from __future__ import annotations

import math
import queue
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Protocol

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import DeliveryError
from fhirmap.events import Answered, CircuitOpened, RetryPlanned, emit
from fhirmap.journal import Journal, Lease, LeaseAnswer
from fhirmap.records import Receipt, ReceiptState, UncertainPolicy
from fhirmap.runner.first_answers import FirstAnswers
from fhirmap.runner.flight import Flight
from fhirmap.runner.interruption import interruptible
from fhirmap.runner.one_processor import one_processor
from fhirmap.runner.pace import Backoff, Breaker, RateLimit
from fhirmap.runner.project import SinkLimits
from fhirmap.sinks import InterruptibleSink, Sink
from fhirmap.sinks.foreign_text import made_safe
from fhirmap.texts import text

__all__ = ["Clock", "Delivery", "DeliveryProgress", "Lineage", "SystemClock", "deliver"]

Lineage = Callable[[str], tuple[str, tuple[str, ...]] | None]
"""From an element with slice names to the map rule's ``file:line:col`` and the source columns it comes from."""

_LONGEST_WAIT_S = 120.0
"""Within a run. Whatever has to wait longer is left for the next one."""

_LOOK_AGAIN_S = 0.25

_SHORTEST_WAIT_S = 0.002

_GATHER_S = 0.003
"""How long answers are gathered after the first one, for one commit: about as long as the commit takes."""

_LEASE_S = 30.0
"""A lease of a worker that died runs out after that. Those of one that lives are renewed, however long a call takes."""

_BEAT_S = 10.0
"""From one renewal of the leases to the next."""

_OTHERS_S = _LEASE_S + 2 * _BEAT_S
"""How long a run that has nothing to do waits for what others have under way: should they be dead, it takes over."""

_LOOK_AT_OTHERS_S = 1.0

_NOT_THE_RECORDS_FAULT = frozenset({"FM600", "FM602", "FM603", "FM604", "FM621", "FM650", "FM651", "FM652"})
_VERDICTS = (ReceiptState.ACCEPTED, ReceiptState.REFUSED)

_Answered = tuple[Lease, Receipt | BaseException]
_Arrival = _Answered | None
_Arrivals = queue.SimpleQueue[_Arrival]


class Clock(Protocol):
    """Time, and waiting for an answer or for time to pass: so that tests wait for nothing."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def wait(self, arrivals: _Arrivals, seconds: float | None) -> _Arrival:
        """The next arrival, or ``None`` after ``seconds`` (``None``: however long it takes)."""


class SystemClock:
    """The machine's."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def wait(self, arrivals: _Arrivals, seconds: float | None) -> _Arrival:
        """The next arrival, or ``None`` after ``seconds``."""
        try:
            return arrivals.get(timeout=seconds)
        except queue.Empty:
            return None


@dataclass(frozen=True, slots=True)
class DeliveryProgress:
    """How far a delivery is. Units: records, records a second, seconds."""

    done: int
    total: int
    rate: float
    eta_s: float | None


@dataclass(slots=True)
class Delivery:
    """What a delivery came to. ``states``: answers by the state they led to; ``stopped_by``: why it ended early, if it
    did."""

    sent: int = 0
    states: Counter[str] = field(default_factory=Counter)
    interrupted: bool = False
    stopped_by: Diagnostic | None = None
    has_verdict: bool = False
    """Was any record accepted or refused?"""
    last_failure: str = ""
    """In words, where the last answer, or the lack of one, was no verdict."""


def deliver(  # noqa: PLR0913 - named settings
    journal: Journal,
    sink: Sink,
    limits: SinkLimits,
    *,
    clock: Clock | None = None,
    progress: Callable[[DeliveryProgress], None] | None = None,
    lineage: Lineage | None = None,
    rng: random.Random | None = None,
    quarantine_s: float = 0.0,
) -> Delivery:
    """Sends what the journal holds ready, and again what failed for a passing cause, at most ``limits.attempts`` times
    each. ``quarantine_s``: as of `fhirmap.journal.Journal.recover`.

    Ends when nothing is left that may be sent within two minutes, at Ctrl-C, or when nothing at all can be sent any
    more: a refused client (FM61x), a sink that fails whatever it is given (FM620), an address that is not the
    operation's (FM621).

    Raises: JournalError; what is under way then is uncertain at the next run.
    """
    rng = rng or random.Random()
    dispatcher = _Dispatcher(journal, sink, limits, clock or SystemClock(), progress, lineage, rng, quarantine_s)
    with interruptible(dispatcher.interrupt):
        if sink.is_remote:
            with one_processor():
                dispatcher.run()
        else:
            dispatcher.run_in_batches()
    return dispatcher.delivery


class _Dispatcher:
    def __init__(  # noqa: PLR0913 - named settings
        self,
        journal: Journal,
        sink: Sink,
        limits: SinkLimits,
        clock: Clock,
        progress: Callable[[DeliveryProgress], None] | None,
        lineage: Lineage | None,
        rng: random.Random,
        quarantine_s: float,
    ) -> None:
        self.delivery = Delivery()
        self._journal = journal
        self._sink = sink
        self._limits = limits
        self._clock = clock
        self._progress = progress
        self._lineage = lineage
        self._backoff = Backoff(limits.backoff_s, rng)
        self._quarantine_s = quarantine_s
        self._rate = RateLimit(limits.rate_per_s, sink.name)
        self._breaker = Breaker(self._backoff, limits.attempts)
        self._first = FirstAnswers()
        self._has_words = False
        self._arrivals: _Arrivals = queue.SimpleQueue()
        self._tries: Counter[int] = Counter()
        self._again: dict[int, float] = {}
        self._finished = 0
        self._total = journal.waiting()
        self._started = self._idle_since = journal.now()
        self._beat_at = self._started + _BEAT_S

    # ---- one by one ----------------------------------------------------------------------------------------

    def run(self) -> None:
        """Sends one by one, as many at a time as the limits allow.

        One transaction records all answers that have come and leases as many records as there are free slots: what is
        leased leaves at once, or when its turn is in a moment.
        """
        if not self._prepared():
            return
        answered: list[_Answered] = []
        pool = ThreadPoolExecutor(self._limits.concurrency, thread_name_prefix="fhirmap-send")
        flight = Flight(pool, self._send)
        try:
            while True:
                wait_s = self._turn(flight, answered)
                if not flight and (wait_s is None or self._is_over):
                    break
                answered = self._gather(flight, wait_s)
        finally:
            # Nothing is under way any more, unless somebody has asked twice for the end: then nothing is waited for.
            pool.shutdown(wait=not flight, cancel_futures=True)
        self._conclude()

    def _prepared(self) -> bool:
        """Is the sink ready? It is not asked where there is nothing to send."""
        if self._total or self._journal.others_under_way():
            try:
                self._sink.prepare()
            except DeliveryError as error:
                self._stop(error.diagnostic())
        return not self._is_over

    @property
    def _is_over(self) -> bool:
        return self.delivery.interrupted or self.delivery.stopped_by is not None

    def _turn(self, flight: Flight, answered: Sequence[_Answered]) -> float | None:
        """Settles what was ``answered`` and sends off what may leave now; seconds until more may, ``None`` where only
        an answer can change anything."""
        now = self._journal.now()
        for lease, _ in answered:
            flight.landed(lease)
        answers = [self._answer(lease, found, now) for lease, found in answered]
        broken = next((found for _, found in answered if not isinstance(found, Receipt | DeliveryError)), None)
        slots = 1 if self._breaker.is_open else self._limits.concurrency
        pause_s = self._breaker.closed_until - now
        free = 0 if self._is_over or broken is not None or pause_s > 0 else max(0, slots - len(flight))
        leases: list[Lease] = []
        if answers or free:
            leases = self._journal.exchange(answers, free, now, turns=self._rate, lease_s=_LEASE_S).leases
        flight.add(leases)
        waits = [flight.launch(self._journal.now()), self._keep_leases(flight, now)]
        for lease in leases:
            self._again.pop(lease.entry_id, None)
        for answer in answers:
            self._count(answer.lease, answer.receipt, answer.is_given_up)
        if answers:
            self._report_progress()
        if isinstance(broken, BaseException):
            raise broken
        if leases:
            self._idle_since = now
        if not self._is_over:
            waits.append(pause_s if pause_s > 0 else self._next_turn(flight, now) if len(leases) < free else None)
        return min((wait_s for wait_s in waits if wait_s is not None), default=None)

    def _gather(self, flight: Flight, wait_s: float | None) -> list[_Answered]:
        """What has been answered, after a wait for the first of it: a commit costs the same for one answer and for
        all that come a moment later."""
        found: list[_Answered] = []
        arrival = self._clock.wait(self._arrivals, wait_s)
        until = time.monotonic() + _GATHER_S
        while arrival is not None:
            found.append(arrival)
            try:
                left_s = until - time.monotonic()
                if len(found) == len(flight) or left_s <= 0:
                    arrival = self._arrivals.get_nowait()
                else:
                    arrival = self._arrivals.get(timeout=left_s)
            except queue.Empty:
                break
        return found

    def _keep_leases(self, flight: Flight, now: float) -> float | None:
        """Where several workers share the journal, says now and then that this one lives, and takes over from those
        that do not. Seconds until the next time, None where it is not needed."""
        if not self._journal.is_shared:
            return None
        if now >= self._beat_at:
            self._journal.keep(flight.leases, _LEASE_S, self._quarantine_s)
            self._beat_at = now + _BEAT_S
        return self._beat_at - now if flight else None

    def _next_turn(self, flight: Flight, now: float) -> float | None:
        """Seconds until a record whose turn has not come, or one that this run tries again, may leave.

        What an earlier run has put off beyond now is not waited for here, unless a call of it was lost with a process
        that died. What another worker has under way is waited for, since that one may be dead.
        """
        turns = [at for at in self._again.values() if at > now]
        due = self._journal.next_due()
        if due is not None and due <= now:
            free_at = self._rate.next_free(now)
            turns.append(now + _LOOK_AGAIN_S if free_at is None else max(free_at, now + _SHORTEST_WAIT_S))
        lost = self._journal.next_after_loss(now)
        if lost is not None:
            turns.append(lost)
        if not turns and not flight and now < self._idle_since + _OTHERS_S and self._journal.others_under_way():
            self._beat_at = now + _LOOK_AT_OTHERS_S
            turns.append(self._beat_at)
        if not turns:
            return None
        wait_s = min(turns) - now
        return wait_s if wait_s <= _LONGEST_WAIT_S else None

    def _send(self, lease: Lease) -> None:
        try:
            self._arrivals.put((lease, self._sink.send(lease.envelope)))
        except BaseException as error:  # noqa: BLE001 - the thread that owns the journal raises it again
            self._arrivals.put((lease, error))

    def _receipt_of(self, error: BaseException) -> Receipt:
        """What to note where a sink raised: a `DeliveryError` says that nothing was taken, anything else says
        nothing."""
        if isinstance(error, DeliveryError):
            self._stop(error.diagnostic())
            return Receipt(ReceiptState.DEFERRED, error.code)
        return Receipt(ReceiptState.UNCERTAIN, "FM651")

    # ---- in batches ----------------------------------------------------------------------------------------

    def run_in_batches(self) -> None:
        """For a sink on this machine: a batch is leased, written, and settled while the next one is leased."""
        answers: list[LeaseAnswer] = []
        while True:
            count = 0 if self._is_over else self._sink.batch_size
            leases = self._journal.exchange(answers, count, self._journal.now()).leases
            for answer in answers:
                self._count(answer.lease, answer.receipt, is_final=True)
            if answers:
                self._report_progress()
            if not leases:
                break
            try:
                receipts = self._sink.send_all([lease.envelope for lease in leases])
            except DeliveryError as error:
                self._stop(error.diagnostic())
                receipts = [Receipt(ReceiptState.DEFERRED, error.code)] * len(leases)
            answers = [LeaseAnswer(lease, made_safe(found)) for lease, found in zip(leases, receipts, strict=True)]

    # ---- answers -------------------------------------------------------------------------------------------

    def _answer(self, lease: Lease, found: Receipt | BaseException, now: float) -> LeaseAnswer:
        """What is to be recorded of one answer, after which the run goes on accordingly."""
        receipt = found if isinstance(found, Receipt) else self._receipt_of(found)
        receipt = self._first.noted(lease.entry_id, made_safe(receipt))
        not_before, is_final = self._retry_at(lease, receipt, now)
        failed = receipt.code in _NOT_THE_RECORDS_FAULT
        self.delivery.last_failure = "" if receipt.state in _VERDICTS else _failure(receipt)
        self._breaker.note(lease.entry_id, failed, now)
        # A failure in the operation's own words may be the record's: it says that somebody is there.
        self._has_words = bool(receipt.issues)
        if failed and self._breaker.is_open:
            emit(CircuitOpened(self._breaker.failures, self._breaker.closed_until - now))
        if receipt.stops_run:
            self._stop(Diagnostic(receipt.code, args={"sink": self._sink.name, "status": receipt.status}))
        elif self._first.is_wrong:
            self._stop(_wrong_address(self._sink, self.delivery))
        elif self._breaker.gave_up:
            self._stop(_keeps_failing(self._sink, self._breaker.failures, self.delivery.last_failure))
        return LeaseAnswer(lease, self._tied(receipt), not_before, is_final)

    def _conclude(self) -> None:
        """What the answers together say, where no single one of them has ended the run."""
        if self._is_over:
            return
        if self._first.is_doubtful:
            self._stop(_wrong_address(self._sink, self.delivery))
        elif (self._breaker.failing > 1 and not self._has_words) or (
            self.delivery.sent and not self.delivery.has_verdict
        ):
            failures = self._breaker.failures or self.delivery.sent
            self._stop(_keeps_failing(self._sink, failures, self.delivery.last_failure))
        elif self._total and not self.delivery.sent and not self._journal.others_under_way():
            due, now = self._journal.next_due(), self._journal.now()
            if due is not None and due > now:
                args = {"sink": self._sink.name, "minutes": math.ceil((due - now) / 60)}
                self._stop(Diagnostic("FM620", args=args, variant="put_off"))

    def _retry_at(self, lease: Lease, receipt: Receipt, now: float) -> tuple[float, bool]:
        """When the record may go again, and whether this run is done with it."""
        if receipt.state not in (ReceiptState.DEFERRED, ReceiptState.UNCERTAIN):
            return 0.0, True
        held = receipt.state == ReceiptState.UNCERTAIN and self._limits.uncertain is UncertainPolicy.HOLD
        if held or receipt.stops_run or self.delivery.stopped_by is not None or self._first.is_wrong:
            return 0.0, True
        self._tries[lease.entry_id] += 1
        tries = self._tries[lease.entry_id]
        most = self._first.tries(receipt, self._limits.attempts)
        if receipt.is_stranger and tries >= most:
            return 0.0, True
        asked = receipt.retry_after_s
        wait_s = self._backoff.wait_s(tries) if asked is None else asked
        if receipt.code == "FM601":
            self._rate.pause(lease.envelope.limit_key, now + wait_s)
        if tries < most and wait_s <= _LONGEST_WAIT_S:
            self._again[lease.entry_id] = now + wait_s
            emit(RetryPlanned(lease.envelope.key, receipt.code, tries, wait_s))
            return now + wait_s, False
        return now + max(wait_s, _LONGEST_WAIT_S), True

    def _tied(self, receipt: Receipt) -> Receipt:
        """The receipt with the map rule and columns of each issue's element."""
        if self._lineage is None or not any(issue.element for issue in receipt.issues):
            return receipt
        issues = []
        for issue in receipt.issues:
            place = self._lineage(issue.element) if issue.element else None
            issues.append(replace(issue, position=place[0], columns=place[1]) if place else issue)
        return replace(receipt, issues=tuple(issues))

    def _count(self, lease: Lease, receipt: Receipt, is_final: bool) -> None:
        sent = lease.envelope
        said = receipt.state, receipt.code, receipt.status, receipt.duration_s
        emit(Answered(sent.key, sent.request_key, lease.number, *said))
        self.delivery.sent += 1
        self.delivery.has_verdict |= receipt.state in _VERDICTS
        if is_final:
            self._finished += 1
            self.delivery.states[receipt.state] += 1

    def _stop(self, diagnostic: Diagnostic) -> None:
        if self.delivery.stopped_by is None and not self.delivery.interrupted:
            self.delivery.stopped_by = diagnostic

    def _report_progress(self) -> None:
        if self._progress is None:
            return
        elapsed = max(self._journal.now() - self._started, 1e-6)
        rate = self._finished / elapsed
        self._total = max(self._total, self._finished)  # with those of a worker that died
        eta_s = (self._total - self._finished) / rate if rate else None
        self._progress(DeliveryProgress(self._finished, self._total, rate, eta_s))

    def interrupt(self) -> None:
        """Ends the delivery in good order; may be called from a signal's handler."""
        self.delivery.interrupted = True
        if isinstance(self._sink, InterruptibleSink):
            self._sink.interrupt()
        self._arrivals.put(None)  # wakes the thread that waits; SimpleQueue is safe here


def _failure(receipt: Receipt) -> str:
    return text("run.status", status=receipt.status) if receipt.status else receipt.reason or text("run.no_answer")


def _keeps_failing(sink: Sink, failures: int, last: str) -> Diagnostic:
    return Diagnostic("FM620", args={"sink": sink.name, "failures": failures, "last": last or text("run.no_answer")})


def _wrong_address(sink: Sink, delivery: Delivery) -> Diagnostic:
    return Diagnostic("FM621", args={"sink": sink.name, "last": delivery.last_failure})
