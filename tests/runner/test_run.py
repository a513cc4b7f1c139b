"""The main job on an example: once, again, after a correction, and with everything that may be shown looked through."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fhirmap.errors import ConfigError
from fhirmap.journal import Journal
from fhirmap.registry import RegistryConfig, read_config
from fhirmap.runner.engine import build_engine
from fhirmap.runner.project_file import load_project
from fhirmap.runner.report_lines import report_lines
from fhirmap.runner.run import RunOutcome, open_journal, run, simulated
from tests.pace import without_limit

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("journal*", "reports")
    return without_limit(Path(shutil.copytree(EXAMPLES / "ch-valmorel", tmp_path / "ch-valmorel", ignore=ignored)))


def run_once(folder: Path, registry: Any, clock: Any, config: RegistryConfig | None = None) -> tuple[RunOutcome, Any]:
    engine = build_engine(load_project(folder))
    server = registry(config or read_config(folder / "registry.toml"), clock=clock.now)
    client = server.simulator.registry.config.clients[0]
    settings = simulated(
        engine.project.sink_settings(), url=server.url, token_url=server.token_url,
        client_id=client.id, client_secret=client.secret,
    )  # fmt: skip
    return run(engine, settings=settings, clock=clock), server


def test_an_interruption_in_the_middle_of_a_transaction_leaves_no_lock(
    hospital: Path, registry: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO fhirmap_entry"):
            raise KeyboardInterrupt

    put = Journal.put

    def put_interrupted(journal: Journal, *arguments: Any) -> Any:
        sa.event.listen(sa.Engine, "after_cursor_execute", interrupted)
        try:
            return put(journal, *arguments)
        finally:
            sa.event.remove(sa.Engine, "after_cursor_execute", interrupted)

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "put", put_interrupted)
        first, _ = run_once(hospital, registry, clock)
    assert (first.exit_code, first.report.ledger.read) == (130, 0)
    second, _ = run_once(hospital, registry, clock, RegistryConfig(rate_per_s=0))
    assert second.report.ledger.accepted > 20


def test_once_again_and_after_a_correction(hospital: Path, registry: Any, clock: Any) -> None:
    first, server = run_once(hospital, registry, clock, RegistryConfig(rate_per_s=0))
    ledger = first.report.ledger
    assert ledger.balanced
    assert ledger.accepted == len(server.simulator.registry.calls) > 20
    assert first.exit_code == 1, "some records are invalid"
    archived = sqlite3.connect(hospital / "data" / "sih.sqlite").execute("SELECT count(*) FROM RENACOT_RECU").fetchone()
    assert archived == (ledger.accepted,)

    second, server = run_once(hospital, registry, clock)
    assert server.simulator.registry.calls == []
    assert second.report.ledger.unchanged == ledger.accepted

    connection = sqlite3.connect(hospital / "data" / "sih.sqlite")
    connection.execute(
        "UPDATE POSE_DMI SET num_lot = 'CORRECTED' WHERE rowid = (SELECT min(p.rowid) FROM POSE_DMI p"
        " JOIN RENACOT_RECU r ON r.id_intervention = p.id_intervention)"
    )
    connection.commit()
    connection.close()
    third, server = run_once(hospital, registry, clock, RegistryConfig(rate_per_s=0))
    assert len(server.simulator.registry.calls) == 1
    assert third.report.ledger.accepted == 1


def test_no_patient_in_what_is_shown(
    hospital: Path, registry: Any, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    outcome, _ = run_once(hospital, registry, clock)
    connection = sqlite3.connect(hospital / "data" / "sih.sqlite")
    columns = [row[1] for row in connection.execute("PRAGMA table_info(PATIENT)")]
    known = {str(value) for row in connection.execute("SELECT * FROM PATIENT") for value in row}
    connection.close()
    values = {value for value in known if len(value) > 6 and value not in columns}
    assert outcome.page is not None
    shown = "\n".join(
        [
            caplog.text,
            *report_lines(outcome.report),
            outcome.page.read_text(),
            outcome.page.with_suffix(".json").read_text(),
        ]
    )
    assert [value for value in values if value in shown] == []


def test_a_receiver_that_is_not_there_is_exit_3_and_everything_waits(hospital: Path, clock: Any) -> None:
    text = (hospital / "fhirmap.toml").read_text().replace('url = "simulator"', 'url = "http://127.0.0.1:9/fhir"')
    (hospital / "fhirmap.toml").write_text(text)
    engine = build_engine(load_project(hospital))
    outcome = run(engine, clock=clock)
    assert outcome.exit_code == 3
    assert outcome.report.stopped_by is not None
    with open_journal(engine.project) as journal:
        assert set(journal.status().states) <= {"ready", "deferred", "invalid", "out_of_scope"}


@pytest.mark.parametrize(
    ("source", "path"),
    [("rows.ndjson", "rows.ndjson"), ("./rows.ndjson", "../own/rows.ndjson"), ("*.ndjson", "rows.ndjson")],
)
def test_results_are_not_written_where_records_are_read(source: str, path: str, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    held = '{"id":"a","resourceType":"Patient"}\n'
    (folder / "rows.ndjson").write_text(held, encoding="utf-8")
    (folder / "own.map").write_text(
        'uses "http://hl7.org/fhir/StructureDefinition/Patient" as target\n'
        "model Row from json key 'id' { id : string 1..1 }\n"
        "group row(source src : Row, target tgt : Patient) { src.id as v -> tgt.id = v; }\n",
        encoding="utf-8",
    )
    (folder / "fhirmap.toml").write_text(
        f'[project]\nname = "p"\n[map]\nsource = "own.map"\n[source]\nurl = "{source}"\n'
        f'[sink]\nkind = "ndjson"\npath = "{path}"\n',
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as raised:
        run(build_engine(load_project(folder)))
    shown = raised.value.diagnostic()
    assert (shown.code, shown.hint_text) == ("FM791", "choose another `path` for the results")
    assert (folder / "rows.ndjson").read_text(encoding="utf-8") == held
