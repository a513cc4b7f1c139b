"""What makes results goes to other processes, without the project's files."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import pytest

from fhirmap.runner.engine import build_engine
from fhirmap.runner.project_file import load_project
from fhirmap.runner.source import open_project_source

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize("example", ["ch-valmorel", "clinique-sainte-aubierge", "export-pharmacie"])
def test_a_pickled_one_makes_the_same_results(example: str, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(EXAMPLES / example, folder)
    engine = build_engine(load_project(folder))
    with open_project_source(engine.project, engine.plan) as source:
        records = list(source.records())
    pickled = pickle.dumps(engine.result)
    shutil.rmtree(folder)
    made = pickle.loads(pickled)
    results = [made(record) for record in records]
    assert results == [engine.result(record) for record in records]
    assert any(fault.rule for result in results for fault in result.faults)
