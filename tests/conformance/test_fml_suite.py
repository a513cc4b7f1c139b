"""Every official mapping case passes, and every example of the guide."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance import fml_suite


@pytest.mark.parametrize(("suite", "count"), [("manifest", 10), ("extra", 10), ("examples", 28)])
def test_official_cases(suite: str, count: int, shared_dir: Path) -> None:
    folder = shared_dir / "fml" / "suite"
    cases = [case for case in fml_suite.load(folder) if case.suite == suite]
    assert len(cases) == count
    assert {case.name: fault for case in cases if (fault := fml_suite.run_case(case))} == {}
