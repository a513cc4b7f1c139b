"""Verdicts, reasons, envelopes, and what goes into the journal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhirmap.journal import Counts, Entry, Journal
from fhirmap.records import Fault, Note, Record, Result
from fhirmap.runner.ingest import canonical_json, ingest
from fhirmap.runner.verdict import classify, mapped, reason

ERROR = Fault("FM520", rule="nir-key")
WARNING = Fault("FM520", severity="warning", rule="lot-differs")
NOTE = Note("side unknown", "maps/own.map:12:3")
BODY: dict[str, Any] = {"resourceType": "Parameters", "id": "x"}


@pytest.mark.parametrize(
    ("record", "result", "verdict", "reasons"),
    [
        (Record("1", {}), Result(BODY), "sendable", ()),
        (Record("1", {}), Result(BODY, (NOTE,)), "sendable-with-notes", ("own.map:12",)),
        (Record("1", {}), Result(BODY, (), (WARNING,)), "sendable-with-notes", ("lot-differs",)),
        (
            Record("1", {}),
            Result(BODY, (NOTE,), (WARNING, ERROR, ERROR)),
            "invalid",
            ("nir-key", "lot-differs", "own.map:12"),
        ),
        (Record("1", {}), Result(None, (NOTE,)), "out-of-scope", ("own.map:12",)),
        (Record("1", {}), Result(None, (), (ERROR,)), "invalid", ("nir-key",)),
        (Record("1", {}), Result(None, (), (WARNING,)), "out-of-scope", ("lot-differs",)),
        (Record("1", {}, superseded=True), Result(BODY, (NOTE,), (ERROR,)), "superseded", ("nir-key",)),
        (Record("1", {}, superseded=True), Result(None), "superseded", ()),
        (Record("1", {}, faults=(Fault("FM718", rule="key", columns=("id",)),)), Result(BODY), "invalid", ("key:id",)),
        (Record("", {}, faults=(Fault("FM719", rule="line"),)), Result(None), "invalid", ("line",)),
    ],
)
def test_verdicts(record: Record, result: Result, verdict: str, reasons: tuple[str, ...]) -> None:
    classified = classify(record, result)
    assert (classified.verdict, classified.reasons) == (verdict, reasons)
    found = classify(record, mapped(record, lambda _: result))
    assert found == classified


def test_reasons_are_the_names_of_rules_where_they_are_known() -> None:
    names = {"maps/own.map:12": "side-unknown"}
    assert classify(Record("1", {}), Result(BODY, (NOTE,)), names).reasons == ("side-unknown",)
    failed = Fault("FM451", rule="rule", position="maps/own.map:12:9")
    assert reason(failed, names) == "FM451:side-unknown"
    assert reason(failed) == "FM451:own.map:12"
    assert reason(Fault("FM400", rule="rule")) == "FM400"


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (Fault("FM504", rule="required", element="Parameters.parameter:implants.part:lot.value[x]"), "required:lot"),
        (Fault("FM504", rule="required", element="Parameters.parameter:nir"), "required:nir"),
        (Fault("FM410", rule="conversion", element="Operation.date", columns=("T.d",)), "conversion:date"),
        (Fault("FM720", rule="lines", columns=("Côté",)), "lines:Côté"),
        (Fault("FM520", rule="pe-requires-implants-count", element="Parameters"), "pe-requires-implants-count"),
        (Fault("FM999"), "FM999"),
    ],
)
def test_reasons(fault: Fault, word: str) -> None:
    assert reason(fault) == word


def test_the_same_content_has_the_same_bytes_and_decimals_keep_their_digits() -> None:
    left = {"b": [{"y": 1, "x": Decimal("1.50")}], "a": "é"}
    right = {"a": "é", "b": [{"x": Decimal("1.50"), "y": 1}]}
    assert canonical_json(left) == canonical_json(right) == '{"a":"é","b":[{"x":1.50,"y":1}]}'.encode()


class Spy:
    """A journal that keeps what it is given."""

    def __init__(self) -> None:
        self.batches: list[list[Entry]] = []
        self.checkpoints: list[dict[str, Any]] = []

    def put(self, entries: Iterable[Entry], checkpoints: Mapping[str, str] | None = None) -> Counts:
        batch = list(entries)
        self.batches.append(batch)
        self.checkpoints.append(json.loads((checkpoints or {})["source"]))
        return Counts(ready=len(batch))


def transform(values: Mapping[str, Any]) -> Result:
    kind = values.get("kind", "")
    if kind == "out":
        return Result(None)
    return Result({"resourceType": "Basic", "id": str(values["id"])}, (), (ERROR,) if kind == "bad" else ())


def records(count: int) -> list[Record]:
    kinds = ["", "bad", "out", ""]
    return [Record(str(n), {"id": n, "kind": kinds[n % 4]}, f"T id={n}", superseded=n % 4 == 3) for n in range(count)]


def test_every_record_is_journalled_in_batches_with_a_checkpoint() -> None:
    spy, seen = Spy(), list[int]()
    done = ingest(
        records(10),
        lambda record: mapped(record, transform),
        spy,
        limit_key=lambda resource: f"limit {resource['id']}",
        progress=seen.append,
        batch=4,
    )
    assert [len(batch) for batch in spy.batches] == [4, 4, 2, 0]
    assert (done.read, dict(done.verdicts)) == (
        10,
        {"sendable": 3, "invalid": 3, "out-of-scope": 2, "superseded": 2},
    )
    assert dict(done.reasons) == {"nir-key": 3}
    assert seen == [4, 8, 10]
    assert [(c["records"], c["last"], c["complete"]) for c in spy.checkpoints] == [
        (4, "3", False),
        (8, "7", False),
        (10, "9", False),
        (10, "9", True),
    ]
    first, second, third, fourth = spy.batches[0]
    assert (first.state, first.payload, first.limit_key) == ("ready", b'{"id":"0","resourceType":"Basic"}', "limit 0")
    assert first.digest == hashlib.sha256(first.payload).hexdigest()
    assert (second.state, second.payload, second.faults) == ("invalid", b"", (ERROR,))
    assert (third.state, fourth.state, fourth.origin) == ("out_of_scope", "superseded", "T id=3")


def test_records_without_a_key_stay_apart() -> None:
    spy = Spy()
    lost = [Record("", {"id": 1}, f"a.csv:{n}", (Fault("FM717", rule="key"),)) for n in (2, 3)]
    ingest(lost, lambda record: mapped(record, transform), spy)
    assert [(entry.key, entry.state) for entry in spy.batches[0]] == [
        ("? a.csv:2", "invalid"),
        ("? a.csv:3", "invalid"),
    ]


def test_a_second_reading_changes_nothing(tmp_path: Path) -> None:
    def run(journal: Journal) -> Counts:
        journal.start_run("digest")
        return ingest(records(40), lambda record: mapped(record, transform), journal, batch=7).counts

    with Journal.open(tmp_path / "journal.db", establishment="chu", operation="op") as journal:
        assert run(journal).ready == 10
        again = run(journal)
    assert (again.ready, again.pending, again.read) == (0, 10, 40)


def test_nothing_is_missing_of_a_line_that_was_not_read() -> None:
    line, missing = Fault("FM719", rule="line"), Fault("FM411", rule="required")
    unread = Record("", {"id": None, "lines": []}, faults=(line,))
    assert mapped(unread, lambda _: Result(None, (), (missing,))).faults == (line,)
    partly = Record("1", {"id": None, "lines": [{"lot": "A"}]}, faults=(line,))
    assert mapped(partly, lambda _: Result(BODY, (), (missing,))).faults == (line, missing)
