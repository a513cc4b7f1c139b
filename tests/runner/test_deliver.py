"""Delivery: how fast, how often, and when it stops. Time is the test's own; sinks are scripted or a real simulator."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from fhirmap.errors import DeliveryError
from fhirmap.journal import Entry, EntryState, Journal
from fhirmap.records import Envelope, Receipt, ReceiptState, UncertainPolicy
from fhirmap.registry import Client, InjectedFault, InjectedKind, RegistryConfig
from fhirmap.runner.deliver import DeliveryProgress, SystemClock, deliver
from fhirmap.runner.pace import Backoff, Breaker, RateLimit
from fhirmap.runner.project import SinkLimits
from fhirmap.sinks import ClientCredentials, SinkSettings, TransportSettings, open_sink
from fhirmap.sinks.fhir_operation import FhirOperation
from fhirmap.sinks.ndjson_file import NdjsonFile
from fhirmap.sinks.oauth import TokenSource
from fhirmap.sinks.transport import Transport
from tests.journal.sending import digest_of

ACCEPTED = Receipt(ReceiptState.ACCEPTED, "", 200, identifier_value="R")
FAST = SinkLimits(rate_per_s=0.0, concurrency=4, attempts=3)


class Scripted:
    """A sink that gives the receipts of a list by record key, the last for ever, and remembers when it was called."""

    name = "scripted"
    batch_size = 1
    is_remote = True

    def __init__(
        self,
        clock: Any,
        default: Receipt | Exception = ACCEPTED,
        by_key: Mapping[str, list[Receipt | Exception]] | None = None,
    ) -> None:
        self.calls: list[tuple[str, float]] = []
        self._clock = clock
        self._default = default
        self._by_key = by_key or {}
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()

    def prepare(self) -> None:
        pass

    def send(self, envelope: Envelope) -> Receipt:
        with self._lock:
            self.calls.append((envelope.key, self._clock.now()))
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        script = self._by_key.get(envelope.key, [self._default])
        found = script.pop(0) if len(script) > 1 else script[0]
        with self._lock:
            self._now -= 1
        if isinstance(found, Exception):
            raise found
        return found

    def send_all(self, envelopes: Sequence[Envelope]) -> list[Receipt]:
        return [self.send(envelope) for envelope in envelopes]

    def close(self) -> None:
        pass


def put(journal: Journal, *keys: str, limit_key: str = "L") -> None:
    journal.put([Entry(key, EntryState.READY, b"{}", digest_of(b"{}"), limit_key) for key in keys])


def states(journal: Journal) -> dict[str, str]:
    return {answer.key: answer.state for answer in journal.answers()}


def test_never_more_than_the_limit_in_any_second_for_one_establishment(journal: Journal, clock: Any) -> None:
    put(journal, *(f"a{n}" for n in range(12)), limit_key="A")
    put(journal, *(f"b{n}" for n in range(12)), limit_key="B")
    sink = Scripted(clock)
    delivery = deliver(journal, sink, SinkLimits(rate_per_s=5), clock=clock)
    assert delivery.states == {"accepted": 24}
    for key in "ab":
        times = sorted(at for name, at in sink.calls if name.startswith(key))
        assert all(later - earlier > 1.0 for earlier, later in zip(times, times[5:], strict=False))
    assert sum(clock.waits) < 2.6, "both establishments together, and no longer than the limit asks"


@pytest.mark.parametrize("rate", [5, 250, 1000])
def test_turns_keep_to_the_limit_of_a_second_and_come_in_a_moment(rate: int) -> None:
    turns = RateLimit(rate)
    left: list[float] = []
    now = 1000.0
    while now < 1003:
        while (at := turns.take("A", now)) is not None:
            assert now <= at <= now + 0.051
            left.append(at)
        now = turns.next_free(now) or now
    assert len(left) > 3 * rate * 0.9, "and hardly less than it allows"
    assert all(later - earlier > 1.04 for earlier, later in zip(left, left[rate:], strict=False))


def test_retry_after_is_honoured_and_holds_back_the_whole_establishment(journal: Journal, clock: Any) -> None:
    put(journal, "k1", "k2")
    throttled = Receipt(ReceiptState.DEFERRED, "FM601", 429, retry_after_s=30.0)
    sink = Scripted(clock, by_key={"k1": [throttled, ACCEPTED]})
    start = clock.now()
    deliver(journal, sink, SinkLimits(rate_per_s=5, concurrency=1), clock=clock)
    times = dict(sink.calls)
    assert times["k1"] - start >= 30
    assert times["k2"] - start >= 30
    assert states(journal) == {"k1": "accepted", "k2": "accepted"}


def test_without_retry_after_the_wait_grows_and_the_tries_are_bounded(journal: Journal, clock: Any) -> None:
    put(journal, "k1")
    sink = Scripted(clock, Receipt(ReceiptState.DEFERRED, "FM603", 503))
    delivery = deliver(
        journal, sink, SinkLimits(rate_per_s=0, attempts=4, backoff_s=1), clock=clock, rng=random.Random(1)
    )
    times = [at for _, at in sink.calls]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(times) == 4
    assert all(0.75 * 2**n <= gap <= 1.3 * 2**n for n, gap in enumerate(gaps))
    assert states(journal) == {"k1": "deferred"}
    assert delivery.stopped_by is not None
    assert delivery.stopped_by.code == "FM620", "nothing that was sent got an answer of its own"
    assert (journal.status().next_due or 0) >= clock.now() + 100


def test_nothing_waits_for_what_an_earlier_run_has_put_off(journal: Journal, clock: Any) -> None:
    put(journal, "k1")
    sink = Scripted(clock, Receipt(ReceiptState.DEFERRED, "FM603", 503))
    deliver(journal, sink, SinkLimits(attempts=1), clock=clock)
    clock.waits.clear()
    journal.start_run()
    stopped_by = deliver(journal, sink, SinkLimits(attempts=1), clock=clock).stopped_by
    assert clock.waits == []
    assert len(sink.calls) == 1
    assert stopped_by is not None and (stopped_by.code, stopped_by.variant) == ("FM620", "put_off")
    assert stopped_by.args["minutes"] == 2


def test_a_very_long_retry_after_is_left_for_another_run(journal: Journal, clock: Any) -> None:
    put(journal, "k1")
    sink = Scripted(clock, Receipt(ReceiptState.DEFERRED, "FM601", 429, retry_after_s=3000.0))
    deliver(journal, sink, FAST, clock=clock)
    assert len(sink.calls) == 1
    assert sum(clock.waits) < 1
    assert (journal.status().next_due or 0) >= clock.now() + 2990


def test_an_uncertain_record_goes_again_or_is_held(tmp_path: Path, clock: Any) -> None:
    for policy, calls in ((UncertainPolicy.RESEND, 2), (UncertainPolicy.HOLD, 1)):
        with Journal.open(tmp_path / f"{policy}.db", "e", "o", uncertain=policy, clock=clock) as journal:
            journal.start_run()
            put(journal, "k1")
            sink = Scripted(clock, by_key={"k1": [Receipt(ReceiptState.UNCERTAIN, "FM650"), ACCEPTED]})
            deliver(journal, sink, SinkLimits(rate_per_s=0, uncertain=policy), clock=clock)
            assert len(sink.calls) == calls
            assert [answer.key for answer in journal.status().possible_duplicates] == ["k1"]
            assert states(journal) == {"k1": "accepted" if policy == "resend" else "uncertain"}


def test_as_many_at_once_as_allowed_and_no_more(journal: Journal, clock: Any) -> None:
    put(journal, *map(str, range(40)))
    sink = Scripted(clock)
    deliver(journal, sink, SinkLimits(rate_per_s=0, concurrency=3), clock=clock)
    assert sink.most_at_once <= 3
    assert len(sink.calls) == 40


def test_a_receiver_that_is_down_is_tried_with_one_record_at_a_time_and_then_left(journal: Journal, clock: Any) -> None:
    put(journal, *map(str, range(50)))
    sink = Scripted(clock, Receipt(ReceiptState.DEFERRED, "FM600"))
    delivery = deliver(journal, sink, SinkLimits(rate_per_s=5, attempts=3), clock=clock, rng=random.Random(1))
    assert delivery.stopped_by is not None
    assert delivery.stopped_by.code == "FM620"
    assert len(sink.calls) < 15
    assert set(states(journal).values()) <= {"ready", "deferred"}


def test_the_breaker_closes_again_when_the_receiver_is_back(journal: Journal, clock: Any) -> None:
    put(journal, *(f"k{n}" for n in range(20)))
    down: list[Receipt | Exception] = [Receipt(ReceiptState.DEFERRED, "FM602", 500), ACCEPTED]
    sink = Scripted(clock, by_key={f"k{n}": list(down) for n in range(6)})
    delivery = deliver(journal, sink, SinkLimits(rate_per_s=5, attempts=5), clock=clock, rng=random.Random(1))
    assert delivery.stopped_by is None
    assert set(states(journal).values()) == {"accepted"}


def test_one_record_that_always_fails_does_not_stop_the_others(journal: Journal, clock: Any) -> None:
    put(journal, *map(str, range(10)))
    sink = Scripted(clock, by_key={"3": [Receipt(ReceiptState.DEFERRED, "FM602", 500)]})
    delivery = deliver(journal, sink, SinkLimits(rate_per_s=5, attempts=9), clock=clock)
    assert delivery.stopped_by is None
    assert delivery.states == {"accepted": 9, "deferred": 1}


@pytest.mark.parametrize("code", ["FM614", "FM615"])
def test_a_refused_client_stops_the_run_at_once_and_nothing_is_lost(journal: Journal, clock: Any, code: str) -> None:
    put(journal, *map(str, range(30)))
    sink = Scripted(clock, Receipt(ReceiptState.DEFERRED, code, 403, stops_run=True))
    delivery = deliver(journal, sink, SinkLimits(rate_per_s=5), clock=clock)
    assert delivery.stopped_by is not None
    assert delivery.stopped_by.code == code
    assert len(sink.calls) <= 4
    assert set(states(journal).values()) <= {"ready", "deferred"}
    assert journal.next_due() == 0.0


def test_a_sink_that_cannot_be_used_stops_the_run_with_its_own_words(journal: Journal, clock: Any) -> None:
    put(journal, "1", "2")
    error = DeliveryError("FM612", host="id.example", status=400, error="invalid_client")
    delivery = deliver(journal, Scripted(clock, error), SinkLimits(rate_per_s=5), clock=clock)
    assert delivery.stopped_by is not None
    assert "invalid_client" in delivery.stopped_by.message
    assert set(states(journal).values()) <= {"ready", "deferred"}


def test_a_bug_in_a_sink_is_not_hidden_and_its_record_is_in_doubt(journal: Journal, clock: Any) -> None:
    put(journal, "1")
    with pytest.raises(ZeroDivisionError):
        deliver(journal, Scripted(clock, ZeroDivisionError()), SinkLimits(rate_per_s=5), clock=clock)
    assert states(journal) == {"1": "uncertain"}


def test_nothing_to_send_asks_nothing_of_the_sink(journal: Journal, clock: Any) -> None:
    class Untouched(Scripted):
        def prepare(self) -> None:
            raise AssertionError("asked")

    assert deliver(journal, Untouched(clock), FAST, clock=clock).sent == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_settles_what_is_under_way_and_keeps_the_rest(journal: Journal, number: signal.Signals) -> None:
    put(journal, *map(str, range(50)))

    # Once, whichever of two threads comes first: a second signal would end the tests.
    signals = iter([number])

    class Interrupted(Scripted):
        def send(self, envelope: Envelope) -> Receipt:
            if len(self.calls) >= 5:
                for request in signals:
                    os.kill(os.getpid(), request)
            return super().send(envelope)

    former = signal.getsignal(number)
    sink = Interrupted(SystemClock())
    delivery = deliver(journal, sink, SinkLimits(rate_per_s=0, concurrency=2))
    assert delivery.interrupted
    assert signal.getsignal(number) is former
    found = list(states(journal).values())
    assert set(found) == {"accepted", "ready"}
    assert found.count("accepted") == len(sink.calls) < 50
    deliver(journal, sink, SinkLimits(rate_per_s=0))
    assert len(sink.calls) == 50
    assert sorted(key for key, _ in sink.calls) == sorted(map(str, range(50)))


def test_progress_has_done_total_and_rate(journal: Journal, clock: Any) -> None:
    put(journal, *map(str, range(10)))
    shown: list[DeliveryProgress] = []
    deliver(journal, Scripted(clock), SinkLimits(rate_per_s=5), clock=clock, progress=shown.append)
    assert [(progress.done, progress.total) for progress in shown] == [(n, 10) for n in range(1, 11)]
    assert shown[-1].eta_s == 0
    assert 4 < shown[-1].rate < 7


def test_no_answer_at_all_is_a_sink_that_was_not_reached(journal: Journal, clock: Any) -> None:
    put(journal, "1")
    sink = Scripted(clock, Receipt(ReceiptState.DEFERRED, "FM600"))
    delivery = deliver(journal, sink, FAST, clock=clock)
    assert delivery.stopped_by is not None
    assert delivery.stopped_by.code == "FM620"


# ---- against the simulator ------------------------------------------------------------------------------------------


def declaration(number: int, finess: str = "750100018") -> bytes:
    knee = {"coding": [{"system": "http://snomed.info/sct", "code": "19063003"}]}
    implant = {"coding": [{"system": "https://fhir.orthense.com/CodeSystem/implant-types", "code": "PG_FEMORAL"}]}
    parts = [{"name": "udi", "valueString": "x"}, {"name": "lot", "valueString": f"L{number}"}]
    implants = {"name": "implants", "part": [*parts, {"name": "type", "valueCodeableConcept": implant}]}
    return json.dumps(
        {
            "resourceType": "Parameters",
            "parameter": [
                {"name": "nir", "valueString": f"2840510123{number:05d}"},
                {"name": "rpps", "valueString": "10001234567"},
                {"name": "finessGeographique", "valueString": finess},
                {"name": "dateIntervention", "valueDateTime": "2025-03-15"},
                {"name": "typeProcedure", "valueCodeableConcept": knee},
                implants,
                implants,
                implants,
            ],
        }
    ).encode()


def send_all(
    journal: Journal, registry: Any, config: RegistryConfig, clock: Any, count: int, limits: SinkLimits
) -> Any:
    server = registry(config, clock=clock.now)
    client = config.clients[0]
    credentials = ClientCredentials(server.token_url, client.id, client.secret, scope="implant")
    transport = Transport(server.url, TransportSettings())
    tokens = TokenSource(credentials, TransportSettings(), clock=clock.now, sleep=clock.sleep)
    sink = FhirOperation(f"{server.url}/$associer-implants-registre", transport, tokens, clock=clock.now)
    journal.put(
        [Entry(str(n), EntryState.READY, declaration(n), digest_of(declaration(n)), "750100018") for n in range(count)]
    )
    delivery = deliver(journal, sink, limits, clock=clock, rng=random.Random(3))
    sink.close()
    return server, delivery


def test_one_token_for_a_whole_run_and_the_limit_is_kept(journal: Journal, clock: Any, registry: Any) -> None:
    # One at a time: with several, a call that a busy machine holds back meets the clock of a later one.
    limits = SinkLimits(rate_per_s=5, concurrency=1)
    server, delivery = send_all(journal, registry, RegistryConfig(), clock, 30, limits)
    assert delivery.states == {"accepted": 30}
    assert server.simulator.identity.issued == 1
    assert {call.status for call in server.simulator.registry.calls} == {200}
    assert journal.answers()[0].identifier_value.startswith("RENACOT-2025-")


def test_a_token_that_ends_within_the_run_is_renewed_before(journal: Journal, clock: Any, registry: Any) -> None:
    config = RegistryConfig(token_life_s=3)
    server, delivery = send_all(journal, registry, config, clock, 20, SinkLimits(rate_per_s=5, concurrency=1))
    assert delivery.states == {"accepted": 20}
    assert server.simulator.identity.issued > 1
    assert 401 not in {call.status for call in server.simulator.registry.calls}


def test_one_renewal_after_a_401_then_it_goes_on(journal: Journal, clock: Any, registry: Any) -> None:
    config = RegistryConfig(faults=(InjectedFault(InjectedKind.STATUS_401, calls=(4,)),))
    server, delivery = send_all(journal, registry, config, clock, 10, SinkLimits(rate_per_s=5))
    assert delivery.states == {"accepted": 10}
    assert server.simulator.identity.issued == 2


def test_a_401_that_stays_stops_the_run(journal: Journal, clock: Any, registry: Any) -> None:
    config = RegistryConfig(faults=(InjectedFault(InjectedKind.STATUS_401, rate=1.0),))
    server, delivery = send_all(journal, registry, config, clock, 10, SinkLimits(rate_per_s=5, concurrency=1))
    assert delivery.stopped_by.code == "FM614"
    assert len(server.simulator.registry.calls) == 2
    assert set(states(journal).values()) <= {"ready", "deferred"}


def test_a_client_without_the_scope_is_stopped_by_the_403(journal: Journal, clock: Any, registry: Any) -> None:
    config = RegistryConfig(faults=(InjectedFault(InjectedKind.STATUS_403, rate=1.0),))
    server, delivery = send_all(journal, registry, config, clock, 10, SinkLimits(rate_per_s=5, concurrency=1))
    assert delivery.stopped_by.code == "FM615"
    assert len(server.simulator.registry.calls) == 1


def test_a_wrong_secret_is_reported_before_anything_is_sent(journal: Journal, clock: Any, registry: Any) -> None:
    server = registry(RegistryConfig(clients=(Client("c", "right"),)))
    credentials = ClientCredentials(server.token_url, "c", "canary-wrong")
    sink = open_sink(SinkSettings("fhir-operation", server.url, "$associer-implants-registre", credentials))
    put(journal, "1")
    delivery = deliver(journal, sink, FAST, clock=clock)
    sink.close()
    assert delivery.stopped_by is not None
    assert delivery.stopped_by.code == "FM612"
    assert "canary" not in delivery.stopped_by.message
    assert states(journal) == {"1": "ready"}


def test_everything_is_taken_in_the_end_by_a_failing_registry(journal: Journal, clock: Any, registry: Any) -> None:
    kinds = ("500", "503", "reset", "truncated", "html", "empty", "429", "401", "html-503", "reset-before")
    config = RegistryConfig(
        faults=tuple(InjectedFault(InjectedKind(kind), rate=0.05) for kind in kinds), seed=7, rate_per_s=0
    )
    # One at a time: which call meets which fault is the same each time.
    limits = SinkLimits(rate_per_s=0, attempts=12, backoff_s=0.1, concurrency=1)
    server, delivery = send_all(journal, registry, config, clock, 60, limits)
    assert delivery.stopped_by is None
    left = {key for key, state in states(journal).items() if state != "accepted"}
    assert {states(journal)[key] for key in left} <= {"uncertain"}, "a page for browsers is sent to twice, no more"
    assert len(left) < 6
    assert server.simulator.registry.associated >= 60 - len(left)
    doubtful = {answer.key for answer in journal.status().possible_duplicates}
    repeated = {call.digest for call in server.simulator.registry.calls if call.is_repeat}
    assert len(repeated) <= len(doubtful), "whatever the registry got twice is on the list"


# ---- files ----------------------------------------------------------------------------------------------------------


def test_a_file_takes_batches_and_an_interrupted_line_is_mended(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "out.ndjson"
    path.write_bytes(b'{"whole":1}\n{"torn')
    put(journal, *map(str, range(1200)))
    sink = NdjsonFile(path)
    assert deliver(journal, sink, SinkLimits()).states == {"accepted": 1200}
    sink.close()
    lines = path.read_bytes().splitlines()
    assert len(lines) == 1201
    assert lines[0] == b'{"whole":1}'
    assert deliver(journal, NdjsonFile(path), SinkLimits()).sent == 0


# ---- pace -----------------------------------------------------------------------------------------------------------


def test_backoff_is_bounded() -> None:
    backoff = Backoff(1.0, random.Random(1))
    assert backoff.wait_s(1) < 1.3
    assert backoff.wait_s(1000) <= 75


def test_rate_zero_is_no_limit() -> None:
    limit = RateLimit(0)
    limit.take("a", 5.0)
    assert not limit.blocked(5.0)
    assert limit.next_free(5.0) is None


def test_the_breaker_counts_records_not_failures() -> None:
    breaker = Breaker(Backoff(1.0, random.Random(1)), 3)
    for _ in range(20):
        breaker.note(1, True, 0.0)
    assert not breaker.is_open
    for number in range(2, 6):
        breaker.note(number, True, 0.0)
    assert breaker.is_open
    breaker.note(6, False, 0.0)
    assert not breaker.is_open
