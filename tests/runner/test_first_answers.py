"""Answers that do not come from the operation: about the address while nothing else has come, about a record after."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from fhirmap.journal import Entry, EntryState, Journal
from fhirmap.records import Envelope, Receipt
from fhirmap.runner.deliver import Delivery, deliver
from fhirmap.runner.first_answers import FirstAnswers
from fhirmap.runner.project import SinkLimits
from fhirmap.sinks import outcome
from fhirmap.sinks.transport import HttpAnswer
from tests.journal.sending import digest_of

Answer = tuple[int, bytes]

OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]}
UNSUPPORTED = json.dumps(OUTCOME).replace("not-found", "not-supported").encode()
ACCEPTED: Answer = (200, b'{"resourceType":"Parameters","parameter":[{"valueIdentifier":{"value":"R-1"}}]}')
NOT_FOUND: Answer = (404, json.dumps(OUTCOME).encode())
PAGE: Answer = (200, b"<!doctype html><title>sign in</title>")
BARE: Answer = (404, b"404 page not found")


class Answering:
    """A receiver: what it answers to each key, the last for ever."""

    name = "https://registry.example/fhir/$op"
    batch_size = 1
    is_remote = True

    def __init__(self, default: Answer, by_key: Mapping[str, Sequence[Answer]] | None = None) -> None:
        self.sent: list[str] = []
        self._default = default
        self._by_key = {key: list(answers) for key, answers in (by_key or {}).items()}

    def prepare(self) -> None:
        pass

    def send(self, envelope: Envelope) -> Receipt:
        self.sent.append(envelope.key)
        script = self._by_key.get(envelope.key, [self._default])
        status, body = script.pop(0) if len(script) > 1 else script[0]
        return outcome.classify(HttpAnswer(status, {}, body, True, 0.1), envelope.payload, 0.0)

    def send_all(self, envelopes: Sequence[Envelope]) -> list[Receipt]:
        return [self.send(envelope) for envelope in envelopes]

    def close(self) -> None:
        pass


def sent(journal: Journal, clock: Any, sink: Answering, count: int, **limits: Any) -> tuple[Delivery, dict[str, str]]:
    journal.put([Entry(f"k{n}", EntryState.READY, b"{}", digest_of(b"{}"), "L") for n in range(count)])
    given = SinkLimits(**{"rate_per_s": 0.0, "concurrency": 1, **limits})
    delivery = deliver(journal, sink, given, clock=clock, rng=random.Random(1))
    return delivery, {answer.key: answer.state for answer in journal.answers()}


@pytest.mark.parametrize("count", [1, 2, 10])
@pytest.mark.parametrize("answer", [BARE, (405, b""), (501, b""), (404, UNSUPPORTED), (400, PAGE[1])], ids=str)
def test_a_wrong_address_refuses_nothing(journal: Journal, clock: Any, count: int, answer: Answer) -> None:
    sink = Answering(answer)
    delivery, states = sent(journal, clock, sink, count)
    assert delivery.stopped_by is not None
    assert delivery.stopped_by.code == "FM621"
    assert str(answer[0]) in delivery.stopped_by.message
    assert set(states.values()) <= {"deferred", "ready"}
    assert len(sink.sent) <= max(2 * count, 5)
    assert len(set(sink.sent)) <= FirstAnswers.MOST
    clock.sleep(60)
    journal.start_run()
    good = Answering(ACCEPTED)
    assert deliver(journal, good, SinkLimits(rate_per_s=0), clock=clock).stopped_by is None
    assert len(good.sent) == count


@pytest.mark.parametrize("answer", [PAGE, (200, b""), (200, b'{"ok":1}')], ids=str)
def test_a_portal_s_page_is_sent_to_once(journal: Journal, clock: Any, answer: Answer) -> None:
    sink = Answering(answer)
    delivery, states = sent(journal, clock, sink, 2, attempts=5)
    assert delivery.stopped_by is not None
    assert delivery.stopped_by.code == "FM621"
    assert sink.sent == ["k0", "k1"]
    assert set(states.values()) == {"uncertain"}
    assert len(journal.doubts()) == 2


@pytest.mark.parametrize("attempts", [1, 5])
def test_a_record_that_a_gateway_stops_is_refused_where_others_are_answered(
    journal: Journal, clock: Any, attempts: int
) -> None:
    sink = Answering(ACCEPTED, {"k0": [BARE], "k1": [PAGE]})
    delivery, states = sent(journal, clock, sink, 4, attempts=attempts)
    assert delivery.stopped_by is None
    assert states == {"k0": "refused", "k1": "uncertain", "k2": "accepted", "k3": "accepted"}
    assert sorted(sink.sent) == ["k0", "k0", "k1", "k2", "k3"]
    assert next(answer.code for answer in journal.answers() if answer.key == "k0") == "FM662"


def test_a_page_among_good_answers_is_sent_to_once_more(journal: Journal, clock: Any) -> None:
    delivery, states = sent(journal, clock, sink := Answering(ACCEPTED, {"k1": [PAGE]}), 2, attempts=5)
    assert delivery.stopped_by is None
    assert states == {"k0": "accepted", "k1": "uncertain"}
    assert sink.sent == ["k0", "k1", "k1"]


def test_a_refusal_in_the_operation_s_own_words_is_one(journal: Journal, clock: Any) -> None:
    delivery, states = sent(journal, clock, Answering(NOT_FOUND), 4)
    assert delivery.stopped_by is None
    assert set(states.values()) == {"refused"}


def test_a_gateway_that_comes_and_goes(journal: Journal, clock: Any) -> None:
    """Each record meets it once; that says nothing of any."""
    sink = Answering(ACCEPTED, {"k0": [BARE, ACCEPTED], "k1": [BARE, ACCEPTED]})
    delivery, states = sent(journal, clock, sink, 2)
    assert delivery.stopped_by is None
    assert set(states.values()) == {"accepted"}


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_receiver_that_is_down_is_said_however_few_records_there_are(
    journal: Journal, clock: Any, count: int, status: int
) -> None:
    delivery, states = sent(journal, clock, Answering((status, b"<html>")), count, attempts=2)
    assert delivery.stopped_by is not None
    assert delivery.stopped_by.code == "FM620"
    assert str(status) in delivery.stopped_by.message
    assert set(states.values()) == {"deferred"}


def test_a_receiver_that_goes_down_before_the_end_is_said(journal: Journal, clock: Any) -> None:
    down = [(503, b"")]
    delivery, states = sent(journal, clock, Answering(ACCEPTED, {"k3": down, "k4": down}), 5, attempts=2)
    assert delivery.stopped_by is not None
    assert delivery.stopped_by.code == "FM620"
    assert sorted(states.values()) == ["accepted"] * 3 + ["deferred"] * 2


def test_failures_in_the_operation_s_own_words_at_the_end_are_the_records_own(journal: Journal, clock: Any) -> None:
    outcome = b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"exception"}]}'
    failing = [(503, outcome)]
    delivery, states = sent(journal, clock, Answering(ACCEPTED, {"k3": failing, "k4": failing}), 5, attempts=2)
    assert delivery.stopped_by is None
    assert sorted(states.values()) == ["accepted"] * 3 + ["deferred"] * 2


@pytest.mark.parametrize("last", [2, 12])
def test_a_route_that_is_lost_in_the_middle_of_a_run_refuses_nothing(journal: Journal, clock: Any, last: int) -> None:
    lost = {f"k{n}": [(404, b"no")] for n in range(5, 5 + last)}
    delivery, states = sent(journal, clock, Answering(ACCEPTED, lost), 5 + last, attempts=2)
    assert delivery.stopped_by is not None
    assert delivery.stopped_by.code == "FM620"
    assert sorted(set(states.values()) - {"ready"}) == ["accepted", "deferred"]
