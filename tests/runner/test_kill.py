"""A run that is killed for real, at random moments: nothing lost, nothing sent twice after its acceptance was
recorded."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import pytest

URL = os.environ.get("FHIRMAP_TEST_POSTGRESQL", "")
ROOT = Path(__file__).resolve().parents[2]


def kill_often(**how: Any) -> Any:
    spec = importlib.util.spec_from_file_location("kill", ROOT / "benchmarks" / "kill.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)

    sys.modules["kill"] = module
    spec.loader.exec_module(module)
    return module.kill_often(**how)


@pytest.mark.parametrize(
    "server",
    ["", pytest.param(URL, marks=pytest.mark.skipif(not URL, reason="FHIRMAP_TEST_POSTGRESQL names no server"))],
    ids=["file", "server"],
)
def test_a_run_that_is_killed_loses_nothing_and_repeats_nothing_it_knows_of(server: str) -> None:
    found = kill_often(kills=5, records=60, seed=11, journal_server=server)
    assert found.wrong == ()
    assert found.kills == 5
    assert found.repeats <= found.possible_duplicates
