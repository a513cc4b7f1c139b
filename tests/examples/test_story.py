"""The first five minutes of a newcomer: ch-valmorel against a real simulator on loopback."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from fhirmap.registry.config import read_config
from fhirmap.registry.server import RegistryServer
from fhirmap.runner.engine import build_engine
from fhirmap.runner.project_file import load_project
from fhirmap.runner.report import Report
from fhirmap.runner.run import run, simulated

VALMOREL = Path(__file__).resolve().parent.parent.parent / "examples" / "ch-valmorel"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy whose limits let a test run in a moment."""
    copy = tmp_path / "ch-valmorel"
    shutil.copytree(VALMOREL, copy, ignore=shutil.ignore_patterns("journal.db*", "reports"))
    settings = copy / "fhirmap.toml"
    text = settings.read_text(encoding="utf-8").replace("rate_per_s = 5", "rate_per_s = 500")
    settings.write_text(text.replace("backoff_s = 0.5", "backoff_s = 0.01"), encoding="utf-8")
    return copy


def run_once(folder: Path, server: RegistryServer) -> Report:
    project = load_project(folder)
    settings = project.sink_settings(url=server.url, token_url=server.token_url)
    known = simulated(settings, url=server.url, token_url=server.token_url, client_id="demo", client_secret="demo")
    return run(build_engine(project), settings=known).report


def test_a_newcomer_s_first_run_and_the_next(folder: Path) -> None:
    project = load_project(folder)
    assert project.registry is not None
    config = replace(read_config(project.registry), rate_per_s=500)
    with RegistryServer(config) as server:
        first = run_once(folder, server).ledger
        assert (first.read, first.accepted, first.refused, first.invalid, first.out_of_scope) == (34, 24, 1, 4, 3)
        assert (first.unchanged, first.pending) == (0, 2)
        with sqlite3.connect(folder / "data" / "sih.sqlite") as base:
            archived = base.execute("SELECT identifiant, etat FROM RENACOT_RECU ORDER BY identifiant").fetchall()
            # A surgeon's secretary finds the lot that was missing.
            base.execute("UPDATE POSE_DMI SET num_lot = 'T700001' WHERE id_intervention = 26 AND num_lot IS NULL")
        base.close()
        assert archived == [(f"RENACOT-2025-{number:05d}", "complet") for number in range(1, 25)]
        second = run_once(folder, server).ledger
        assert (second.accepted, second.invalid, second.unchanged) == (1, 3, 25)
