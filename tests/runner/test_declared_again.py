"""Runs of one project over a source and a map that change: what was accepted is never forgotten."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fhirmap.cli import commands
from fhirmap.registry import RegistryConfig
from fhirmap.runner.engine import build_engine
from fhirmap.runner.planned_run import differing_elements, make_plan, plan_lines
from fhirmap.runner.project_file import load_project
from fhirmap.runner.report_file import report_to_html
from fhirmap.runner.report_lines import report_lines
from fhirmap.runner.run import RunOutcome, look_into_journal, run, simulated
from tests.pace import without_limit

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


class Hospital:
    """A copy of `ch-valmorel`, with a registry that takes everything at once."""

    def __init__(self, folder: Path, registry: Any, clock: Any) -> None:
        self.folder = folder
        self.calls = 0
        self._registry = registry
        self._clock = clock

    def run(self, **more: Any) -> RunOutcome:
        self._clock.time += 3600
        engine = build_engine(load_project(self.folder))
        # a registry's numbers go on from run to run
        server = self._registry(RegistryConfig(rate_per_s=0, first_number=self.calls + 1), clock=self._clock.now)
        client = server.simulator.registry.config.clients[0]
        settings = simulated(
            engine.project.sink_settings(), url=server.url, token_url=server.token_url,
            client_id=client.id, client_secret=client.secret,
        )  # fmt: skip
        outcome = run(engine, settings=settings, clock=self._clock, **more)
        self.sent = len(server.simulator.registry.calls)
        self.calls += self.sent
        return outcome

    def plan(self, **more: Any) -> Any:
        return make_plan(build_engine(load_project(self.folder)), **more)

    def sql(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.folder / "data" / "sih.sqlite")) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    def edit(self, before: str, after: str, file: str = "valmorel.map") -> None:
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after), encoding="utf-8")

    def command(self, *words: str) -> Result:
        return CliRunner().invoke(commands, [*words], standalone_mode=False)


@pytest.fixture
def hospital(tmp_path: Path, registry: Any, clock: Any) -> Hospital:
    ignored = shutil.ignore_patterns("journal*", "reports")
    folder = Path(shutil.copytree(EXAMPLES / "ch-valmorel", tmp_path / "ch", ignore=ignored))
    return Hospital(without_limit(folder), registry, clock)


def test_changed_cancelled_and_gone(hospital: Hospital) -> None:
    hospital.run()
    hospital.sql(
        "UPDATE INTERVENTION SET date_debut = '20250203091500' WHERE id_intervention = 1",
        "UPDATE INTERVENTION SET statut = 'A' WHERE id_intervention = 2",
        "DELETE FROM INTERVENTION WHERE id_intervention = 3",
    )
    plan = hospital.plan()
    assert (plan.changed_by_source, plan.changed_by_map) == (["1"], [])
    assert [(entry.key, entry.cause) for entry in plan.withdrawn] == [("2", "out_of_scope"), ("3", "gone")]

    outcome = hospital.run()
    report = outcome.report
    assert hospital.sent == 1
    assert [(entry.key, entry.cause) for entry in report.withdrawn] == [("2", "out_of_scope"), ("3", "gone")]
    assert outcome.exit_code == 1
    shown = "\n".join(report_lines(report))
    for entry in report.withdrawn:
        assert entry.key in shown
        assert entry.identifiers[0].value in shown
        assert entry.identifiers[0].value in report_to_html(report)
    listed = hospital.command("status", str(hospital.folder), "--withdrawn")
    assert all(entry.identifiers[0].value in listed.output for entry in report.withdrawn)
    history = hospital.command("status", str(hospital.folder), "--key", "1")
    assert history.output.count("identifier RENACOT") == 2, "both of its identifiers"

    hospital.command("acknowledge", "2", "3", "--why", "mail of 3 March", "--project", str(hospital.folder))
    assert hospital.run().report.withdrawn == ()
    assert "mail of 3 March" in hospital.command("status", str(hospital.folder), "--key", "2").output


def test_an_empty_source_sends_nothing_and_nothing_is_gone(hospital: Hospital) -> None:
    hospital.run()
    hospital.sql("DELETE FROM INTERVENTION WHERE id_intervention > 1")
    assert hospital.plan().exit_code == 3
    outcome = hospital.run()
    assert (outcome.exit_code, hospital.sent, outcome.report.withdrawn) == (3, 0, ())
    assert outcome.report.stopped_by is not None
    assert outcome.report.stopped_by.code == "FM665"
    assert hospital.run().exit_code == 3, "an odd reading is not what the next one is compared with"
    hospital.edit("[source]\n", "[source]\nleast_share = 0\n", "fhirmap.toml")
    assert len(hospital.run().report.withdrawn) > 20


def test_a_source_that_holds_a_part_only(hospital: Hospital) -> None:
    hospital.edit("[source]\n", "[source]\ncomplete = false\n", "fhirmap.toml")
    hospital.run()
    hospital.sql("DELETE FROM INTERVENTION WHERE id_intervention > 1")
    outcome = hospital.run()
    assert (outcome.report.stopped_by, outcome.report.withdrawn) == (None, ())


def test_what_waits_and_is_gone_is_not_sent(hospital: Hospital, clock: Any) -> None:
    hospital.edit('url = "simulator"', 'url = "http://127.0.0.1:9/fhir"', "fhirmap.toml")
    run(build_engine(load_project(hospital.folder)), clock=clock)
    hospital.sql("DELETE FROM INTERVENTION WHERE id_intervention = 1")
    hospital.edit('url = "http://127.0.0.1:9/fhir"', 'url = "simulator"', "fhirmap.toml")
    report = hospital.run().report
    assert report.withdrawn == ()
    journal = look_into_journal(load_project(hospital.folder))
    assert journal is not None
    assert journal.history("1")[-1]["state"] != "accepted"
    journal.close()


@pytest.mark.parametrize("layout", ["the same columns", "a column more"])
def test_a_changed_map_is_held_until_it_is_sent_on_purpose(hospital: Hospital, layout: str) -> None:
    hospital.run()
    hospital.edit("s:D - t:DROITE", "s:D - t:GAUCHE")
    if layout == "a column more":
        hospital.edit(
            "  cote      : code          0..1 from 'cote' null 'N'\n",
            "  cote      : code          0..1 from 'cote' null 'N'\n  titre : string 0..1 from 'libelle'\n",
        )
    plan = hospital.plan()
    held = [change for change in plan.changed_by_map if change.held]
    assert len(held) > 5
    assert plan.changed_by_source == []
    assert all(change.elements for change in held)
    assert plan.exit_code == 1
    assert held[0].elements[0] in "\n".join(plan_lines(plan))

    report = hospital.run().report
    assert report.ledger.held == len(held)
    assert report.ledger.balanced
    assert report.held
    assert "--resend" in "\n".join(report_lines(report))
    assert "held" in hospital.command("status", str(hospital.folder)).output

    hospital.sql("UPDATE POSE_DMI SET num_lot = 'OTHER' WHERE id_intervention = 1")
    report = hospital.run().report
    assert report.ledger.held == len(held) - 1, "what the source changes is sent"

    report = hospital.run(resend=True).report
    assert (report.ledger.held, report.ledger.accepted) == (0, len(held) - 1)
    assert hospital.plan().changed_by_map == []


def test_a_plan_writes_nothing_and_needs_no_right_to(hospital: Hospital) -> None:
    before = sorted(path.name for path in hospital.folder.iterdir())
    assert hospital.plan().exit_code == 1
    assert sorted(path.name for path in hospital.folder.iterdir()) == before, "no journal"
    hospital.run()
    journal = hospital.folder / "journal.db"
    content, stat = journal.read_bytes(), journal.stat()
    files = sorted(path.name for path in hospital.folder.iterdir())
    journal.chmod(0o400)
    plan = hospital.plan()
    assert (plan.new, plan.changed_by_source, plan.unchanged > 20) == ([], [], True)
    assert journal.read_bytes() == content
    assert journal.stat().st_mtime_ns == stat.st_mtime_ns
    assert sorted(path.name for path in hospital.folder.iterdir()) == files


def test_dry_run_is_the_plan(hospital: Hospital) -> None:
    planned = hospital.command("plan", str(hospital.folder), "--json")
    dry = hospital.command("run", str(hospital.folder), "--dry-run", "--json")
    assert planned.stdout == dry.stdout
    assert planned.return_value == dry.return_value == 1


def test_the_elements_that_differ_are_named_by_slice_and_without_a_value() -> None:
    before = b'{"resourceType":"P","a":[{"name":"x","valueCode":"1"},'
    before += b'{"name":"y","part":[{"name":"l","valueDate":"2"}]}],"n":1.5}'
    after = b'{"resourceType":"P","a":[{"name":"y","part":[{"name":"l","valueDate":"3"}]},'
    after += b'{"name":"z","valueCode":"1"}],"n":1.50}'
    assert differing_elements(before, after) == ("P.a:x.value[x]", "P.a:y.part:l.value[x]", "P.a:z.value[x]", "P.n")
    assert differing_elements(before, before) == ()


def test_killed_between_reading_and_sending(hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the reading found is in the journal: the next run reports it."""
    hospital.run()
    hospital.sql("DELETE FROM INTERVENTION WHERE id_intervention = 3")

    def die(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("fhirmap.runner.run.deliver", die)
    with pytest.raises(RuntimeError):
        hospital.run()
    monkeypatch.undo()
    assert [entry.key for entry in hospital.run().report.withdrawn] == ["3"]
