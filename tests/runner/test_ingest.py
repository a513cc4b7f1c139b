"""Verdicts, reasons, envelopes, and what goes into the journal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from fhirmap.journal import Counts, Entry, Journal, LeaseAnswer, ReadValues, RecordReading
from fhirmap.records import Fault, Note, Receipt, ReceiptState, Record, Result, Unmapped
from fhirmap.runner.ingest import EntryMaker, ingest
from fhirmap.runner.outcomes import OutcomeMaker
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


def test_a_cell_with_a_fault_of_its_own_is_not_called_empty() -> None:
    empty = [Fault("FM411", rule="required", columns=(column,)) for column in ("id", "lot")]
    for rule, severity, left in (
        ("cell", "error", ["lot"]),
        ("text", "warning", ["id", "lot"]),
        ("key", "error", ["id", "lot"]),
    ):
        record = Record("1", {"id": 1}, faults=(Fault("FM764", severity, rule=rule, columns=("id",)),))
        first, *others = mapped(record, lambda _: Result(BODY, (), tuple(empty))).faults
        assert (first.rule, [column for fault in others for column in fault.columns]) == (rule, left)


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

    def keep_unchanged(self, readings: Sequence[RecordReading], made_by: str) -> set[str]:
        raise AssertionError("nothing is asked where the same need not make the same")


def transform(values: Mapping[str, Any]) -> Result:
    kind = values.get("kind", "")
    if kind == "out":
        return Result(None)
    return Result({"resourceType": "Basic", "id": str(values["id"])}, (), (ERROR,) if kind == "bad" else ())


MAKER = EntryMaker(OutcomeMaker(lambda record: mapped(record, transform)))


def records(count: int) -> list[Record]:
    kinds = ["", "bad", "out", ""]
    return [Record(str(n), {"id": n, "kind": kinds[n % 4]}, f"T id={n}", superseded=n % 4 == 3) for n in range(count)]


def test_every_record_is_journalled_in_batches_with_a_checkpoint() -> None:
    spy, seen = Spy(), list[int]()
    done = ingest(
        records(10),
        EntryMaker(OutcomeMaker(lambda record: mapped(record, transform), lambda resource: f"limit {resource['id']}")),
        spy,
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
    ingest(lost, MAKER, spy)
    assert [(entry.key, entry.state) for entry in spy.batches[0]] == [
        ("? a.csv:2", "invalid"),
        ("? a.csv:3", "invalid"),
    ]


def test_a_second_reading_changes_nothing(tmp_path: Path) -> None:
    def run(journal: Journal) -> Counts:
        journal.start_run("digest")
        return ingest(records(40), MAKER, journal, batch=7).counts

    with Journal.open(tmp_path / "journal.db", establishment="chu", operation="op") as journal:
        assert run(journal).ready == 10
        again = run(journal)
    assert (again.ready, again.pending, again.read) == (0, 10, 40)


class Reruns:
    """Readings of records into one journal; ``mapped``: the keys of those that were mapped."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.mapped: list[str] = []

    def __call__(self, records: Sequence[Record], made_by: str = "m", kind: str = "") -> Counts:
        def result_of(record: Record) -> Result:
            self.mapped.append(record.key)
            return mapped(record, lambda values: transform({**values, "kind": kind or values.get("kind", "")}))

        self.mapped.clear()
        self.journal.start_run("digest")
        maker = EntryMaker(OutcomeMaker(result_of), read_values=read_values, made_by=made_by)
        done = ingest(records, maker, self.journal, batch=7)
        assert (
            done.read == done.counts.read == self.journal.ledger().read == self.journal.ledger().total == len(records)
        )
        while leases := self.journal.lease(50):
            self.journal.exchange([LeaseAnswer(lease, Receipt(ReceiptState.ACCEPTED, "")) for lease in leases], 0)
        return done.counts


def read_values(record: Record) -> ReadValues:
    digest = json.dumps(record.values, sort_keys=True)[-32:]
    return ReadValues(digest, "layout", ("id", "kind"), lambda: digest.encode()[:8])


@pytest.fixture
def rerun(tmp_path: Path) -> Iterator[Reruns]:
    with Journal.open(tmp_path / "journal.db", establishment="chu", operation="op") as journal:
        yield Reruns(journal)


def test_a_record_that_is_what_it_was_is_not_mapped_again(rerun: Reruns) -> None:
    first = rerun(records(40))
    assert len(rerun.mapped) == 40
    again = rerun(records(40))
    # What is invalid is looked at again, and so is what the source itself says is an older revision.
    assert rerun.mapped == [str(n) for n in range(40) if n % 4 in (1, 3)]
    assert (first.ready, first.invalid, first.out_of_scope, first.superseded) == (10, 10, 10, 10)
    assert (again.unchanged, again.invalid, again.superseded, again.read) == (20, 10, 10, 40)
    assert rerun.journal.close_reading(40) == 0


def test_an_older_revision_of_a_record_that_is_what_it_was_is_counted(rerun: Reruns) -> None:
    both = [Record("1", {"id": 0}, superseded=True), Record("1", {"id": 1})]
    rerun(both)
    for found in (both, both[::-1]):
        again = rerun(found)
        assert (again.read, again.superseded, again.unchanged) == (2, 1, 1)


def test_what_is_not_the_same_is_mapped(rerun: Reruns) -> None:
    before = [Record(str(n), {"id": n}, f"T id={n}") for n in range(5)]
    rerun(before)
    rerun([*before[:2], before[2]._replace(values={"id": 9}), *before[3:], Record("5", {"id": 5})])
    assert rerun.mapped == ["2", "5"]
    rerun(before)
    assert rerun.mapped == ["2"], "its former values are back"
    rerun(before, made_by="another")
    assert len(rerun.mapped) == 5
    rerun(before, made_by="another")
    assert rerun.mapped == ["2"], "the journal has two payloads of it"


def test_what_was_out_of_scope_is_looked_at_where_it_is_elsewhere(rerun: Reruns) -> None:
    rerun([Record(str(n), {"id": n, "kind": "out"}, f"a.csv:{n}") for n in range(3)])
    rerun([Record(str(n), {"id": n, "kind": "out"}, f"a.csv:{n + n // 2}") for n in range(3)])
    assert rerun.mapped == ["2"]
    assert [answer.origin for answer in rerun.journal.answers()] == ["a.csv:0", "a.csv:1", "a.csv:3"]


def test_of_a_key_that_comes_twice_the_last_counts(rerun: Reruns) -> None:
    one, other = Record("1", {"id": 1}), Record("1", {"id": 2})
    rerun([one])
    assert (rerun([other, one]).read, rerun.mapped) == (2, ["1", "1"])
    rerun([one, *records(20)[8:20:4], other])
    assert rerun.mapped[-1] == "1"
    assert [a.state for a in rerun.journal.answers(keys=["1"])] == ["accepted"]
    assert rerun.journal.lease(1) == []
    doubled = other._replace(faults=(Fault("FM718", rule="key"),))
    rerun([doubled, one])
    assert [a.state for a in rerun.journal.answers(keys=["1"])] == ["accepted"]
    rerun([one, doubled])
    assert [a.state for a in rerun.journal.answers(keys=["1"])] == ["invalid"]


def test_a_record_in_which_the_source_finds_a_fault_is_mapped(rerun: Reruns) -> None:
    record = Record("1", {"id": 1})
    rerun([record])
    assert rerun([record._replace(faults=(Fault("FM718", rule="key"),))]).invalid == 1
    assert rerun([record]).unchanged == 1
    assert rerun.mapped == ["1"], "it was withdrawn meanwhile"


def test_what_is_held_stays_held(rerun: Reruns) -> None:
    record = Record("1", {"id": 1})
    rerun([record])
    held = EntryMaker(
        OutcomeMaker(lambda record: Result({"resourceType": "Basic", "id": "other"})),
        read_values=read_values,
        made_by="new",
    )
    for _ in range(2):
        rerun.journal.start_run()
        assert ingest([record], held, rerun.journal).counts.held == 1
        assert rerun.journal.ledger().held == 1


def test_codes_that_concept_maps_lack_are_counted_each_time(rerun: Reruns) -> None:
    found = Result(dict(BODY), unmapped=(Unmapped("side", "X"),))
    maker = EntryMaker(OutcomeMaker(lambda _: found), read_values=read_values, made_by="m")
    for _ in range(2):
        rerun.journal.start_run()
        done = ingest([Record("1", {"id": 1})], maker, rerun.journal)
        assert [table.count for table in done.unmapped.tables()] == [1]
        for lease in rerun.journal.lease(1):
            rerun.journal.settle(lease, Receipt(ReceiptState.ACCEPTED, ""))


def test_nothing_is_missing_of_a_line_that_was_not_read() -> None:
    line, missing = Fault("FM719", rule="line"), Fault("FM411", rule="required")
    unread = Record("", {"id": None, "lines": []}, faults=(line,))
    assert mapped(unread, lambda _: Result(None, (), (missing,))).faults == (line,)
    partly = Record("1", {"id": None, "lines": [{"lot": "A"}]}, faults=(line,))
    assert mapped(partly, lambda _: Result(BODY, (), (missing,))).faults == (line, missing)
