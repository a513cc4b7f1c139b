"""Runs whose records are mapped by several processes: what is written, journalled and reported is the same."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fhirmap.errors import ConfigError
from fhirmap.journal import Journal, LeaseAnswer, ReadValues, schema
from fhirmap.journal.stored_cells import Seconds
from fhirmap.records import Receipt, ReceiptState, Record, Result
from fhirmap.runner import planned_run
from fhirmap.runner import run as run_module
from fhirmap.runner.engine import build_engine
from fhirmap.runner.ingest import EntryMaker, ingest, made_batches
from fhirmap.runner.outcomes import OutcomeMaker
from fhirmap.runner.planned_run import make_plan, plan_to_data
from fhirmap.runner.project_file import load_project
from fhirmap.runner.report_file import report_to_data
from fhirmap.runner.run import run
from fhirmap.runtime import workers as workers_module

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
BATCH = 4

TABLES = """
create table stay (id text, version integer, status text, nir text, born text, lot text);
"""
MAP = """\
/// url = 'https://tiny.example/fhir/StructureMap/tiny'
uses "http://hl7.org/fhir/StructureDefinition/Parameters" alias Parameters as target
conceptmap "lots" { prefix s = "urn:s" prefix t = "urn:t" s:L1 - t:one s:'LOT-2' - t:two }
model Stay from table 'stay' key 'id' latest by 'version' {
  id     : string 1..1 from 'id'
  status : string 0..1 from 'status'
  nir    : string 1..1 from 'nir'
  born   : date   0..1 from 'born' format 'yyyy-MM-dd'
  lot    : string 0..1 from 'lot'
}
group tiny(source src : Stay, target tgt : Parameters) {
  src where (status != 'CANCELLED') then sent(src, tgt) "sent";
}
group sent(source src : Stay, target tgt : Parameters) {
  src.nir as v -> tgt.parameter as p, p.name = 'nir', p.value = v "nir";
  src.born as v -> tgt.parameter as p, p.name = 'born', p.value = v "born";
  src.lot as v -> tgt.parameter as p, p.name = 'lot', p.value = translate(v, '#lots', 'code') "lot";
  src where (lot.empty()) log ('no lot of 151024610204372') "no-lot";
}
"""
SINK = '[sink]\nkind = "ndjson"\npath = "out.ndjson"\n'
PROJECT = f'[map]\nsource = "tiny.map"\n[source]\nurl = "tiny.sqlite"\n{SINK}'


def tiny(folder: Path, count: int = 41) -> None:
    """Records of every kind: with faults, out of scope, older revisions, notes, codes that are in no concept map."""
    folder.mkdir()
    (folder / "tiny.map").write_text(MAP, encoding="utf-8")
    (folder / "fhirmap.toml").write_text(PROJECT, encoding="utf-8")
    rows = []
    for number in range(count):
        status = "CANCELLED" if number % 7 == 3 else "DONE"
        born = "soon" if number % 11 == 5 else "1951-02-03"
        lot = (None, "L1", "LOT-2", "L9")[number % 4]
        row = (str(number), 1, status, f"{number:015}", born, lot)
        rows += [row, (row[0], 2, *row[2:])] if number % 5 == 0 else [row]
    with closing(sqlite3.connect(folder / "tiny.sqlite")) as connection:
        connection.executescript(TABLES)
        connection.executemany("insert into stay values (?, ?, ?, ?, ?, ?)", rows)
        connection.commit()


def example(name: str, folder: Path) -> None:
    """A shipped example that writes its results into a file."""
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns("journal*", "reports"))
    file = folder / "fhirmap.toml"
    text = file.read_text(encoding="utf-8")
    kept = [f"[{part}" for part in text.split("\n[") if part.startswith(("map]", "source]", "sources."))]
    file.write_text("\n".join([*kept, SINK]), encoding="utf-8")


PROJECTS: dict[str, Callable[[Path], None]] = {
    "tiny": tiny,
    **{entry.name: partial(example, entry.name) for entry in sorted(EXAMPLES.iterdir()) if entry.is_dir()},
}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each process that was started; batches are small, and all journals hash keys alike."""
    found: list[int] = []
    monkeypatch.setattr("secrets.token_hex", lambda size: "5" * 2 * size)
    monkeypatch.setattr("secrets.token_bytes", lambda size: b"5" * size)
    start = workers_module._Team._start

    def noted(team: Any) -> None:
        found.append(1)
        start(team)

    monkeypatch.setattr(workers_module._Team, "_start", noted)
    monkeypatch.setattr(run_module, "ingest", partial(ingest, batch=BATCH))
    monkeypatch.setattr(planned_run, "made_batches", lambda *args, **named: made_batches(*args, **named | {"batch": 4}))
    return found


_OF_THE_PROCESS = ("fhirmap_meta", "fhirmap_audit", "fhirmap_audit_chain")
"""Secrets, digests over moments, numbers of processes."""


def journalled(path: Path) -> dict[str, list[Any]]:
    """All that a journal holds, but for moments."""
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        found = {
            table.name: connection.execute(
                sa.select(*(column for column in table.c if not isinstance(column.type, Seconds))).order_by(
                    *table.primary_key
                )
            ).all()
            for table in schema.metadata.sorted_tables
        }
    engine.dispose()
    return {name: [tuple(row) for row in rows] for name, rows in found.items() if name not in _OF_THE_PROCESS}


def timeless(data: Any) -> Any:
    """A plan or report without the moments of the machine's clock."""
    if isinstance(data, dict):
        return {name: timeless(value) for name, value in data.items() if name not in ("at", "audit_head")}
    return [timeless(value) for value in data] if isinstance(data, list | tuple) else data


def all_of(folder: Path, clock: Any, workers: int, change: Callable[[Path], None] | None) -> list[Any]:
    """What a plan says, what a run writes, journals and reports; then the same once more, after a ``change``."""
    found: list[Any] = []
    for is_second in (False, True):
        if is_second and change is not None:
            change(folder)
        engine = build_engine(load_project(folder))
        seen: list[int] = []
        found.append(timeless(plan_to_data(make_plan(engine, workers=workers))))
        report = run(engine, clock=clock, workers=workers, reading=seen.append).report
        found += [timeless(report_to_data(report)), seen, journalled(folder / "journal.db")]
        found.append((folder / "out.ndjson").read_bytes())
    return found


def corrected(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "tiny.sqlite")) as connection:
        connection.execute("update stay set lot = 'LOT-2' where cast(id as integer) % 6 = 1")
        connection.execute("update stay set status = 'CANCELLED' where cast(id as integer) % 9 = 1")
        connection.execute("delete from stay where id = '8'")
        connection.commit()


@pytest.mark.parametrize(("name", "counts"), [(name, (2, 3) if name == "tiny" else (3,)) for name in PROJECTS])
def test_all_is_the_same(name: str, counts: tuple[int, ...], tmp_path: Path, clock: Any, started: list[int]) -> None:
    found = {}
    for workers in (1, *counts):
        folder = tmp_path / "p"
        PROJECTS[name](folder)
        found[workers] = all_of(folder, clock, workers, corrected if name == "tiny" else None)
        assert len(started) >= 2 * workers if workers > 1 else not started
        started.clear()
        shutil.rmtree(folder)
    assert all(found[workers] == found[1] for workers in counts)
    ledger = found[1][1]["ledger"]
    assert ledger["accepted"]
    if name == "tiny":
        assert all(ledger[kind] for kind in ("invalid", "out_of_scope", "superseded"))
        assert found[1][1]["unmapped"] and found[1][1]["notes"]
        assert found[1][5]["changed_by_source"] and found[1][6]["ledger"]["unchanged"]


# ---- keys that come again while batches are under way ----------------------------------------------------------------


def basic(record: Record) -> Result:
    return Result({"resourceType": "Basic", "id": str(record.values["id"])})


def read_values(record: Record) -> ReadValues:
    digest = json.dumps(record.values)[-32:]
    return ReadValues(digest, "layout", ("id",), lambda: b"four")


@pytest.mark.parametrize("workers", [2, 3])
def test_of_a_key_in_two_batches_the_last_counts(workers: int, tmp_path: Path) -> None:
    def record(key: int, value: int) -> Record:
        return Record(str(key), {"id": value}, f"T id={key}")

    before = [record(n, n) for n in range(12)]
    readings = [
        before,
        [record(0, 90), *before[1:], before[0]],
        [*before[:6], record(0, 91), *before[6:], before[0]],
        [record(0, 92)._replace(superseded=True), *before],
    ]
    found: dict[int, list[object]] = {}
    for count in (1, workers):
        path = tmp_path / f"journal-{count}.db"
        found[count] = []
        with Journal.open(path, establishment="chu", operation="op") as journal:
            for reading in readings:
                journal.start_run("digest")
                maker = EntryMaker(OutcomeMaker(basic), read_values=read_values, made_by="m")
                done = ingest(reading, maker, journal, batch=2, workers=count)
                found[count].append((done.counts, done.kept, done.verdicts))
                while leases := journal.lease(50):
                    journal.exchange([LeaseAnswer(lease, Receipt(ReceiptState.ACCEPTED, "")) for lease in leases], 0)
        found[count].append(journalled(path))
    assert found[1] == found[workers]


# ---- what goes wrong ---------------------------------------------------------------------------------------


def killed(record: Record) -> Result:
    if record.values["id"] == 9:
        os.kill(os.getpid(), signal.SIGKILL)
    return basic(record)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_process_that_is_killed_leaves_whole_batches(tmp_path: Path) -> None:
    records = [Record(str(n), {"id": n}) for n in range(20)]
    with Journal.open(tmp_path / "journal.db", establishment="chu", operation="op") as journal:
        journal.start_run("digest")
        with pytest.raises(ConfigError, match="FM787"):
            ingest(records, EntryMaker(OutcomeMaker(killed)), journal, batch=2, workers=2)
        assert [answer.key for answer in journal.answers()] == [str(n) for n in range(8)]
        journal.start_run("digest")
        done = ingest(records, EntryMaker(OutcomeMaker(basic)), journal, batch=2, workers=2)
        assert (done.read, done.counts.pending, done.counts.ready) == (20, 8, 12)


def failing(records: Sequence[Record]) -> Iterator[Record]:
    yield from records
    raise ConfigError("FM702", source="x", reason="gone")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_source_that_fails_leaves_the_batches_before(tmp_path: Path, workers: int) -> None:
    records = [Record(str(n), {"id": n}) for n in range(13)]
    with Journal.open(tmp_path / "journal.db", establishment="chu", operation="op") as journal:
        journal.start_run("digest")
        with pytest.raises(ConfigError, match="FM702"):
            ingest(failing(records), EntryMaker(OutcomeMaker(basic)), journal, batch=3, workers=workers)
        assert [answer.key for answer in journal.answers()] == [str(n) for n in range(12)]
