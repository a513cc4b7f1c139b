"""Each check is one function of a file of its own, with a test of its own, and names its code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fhirmap.analysis.checks import GROUP_CHECKS, MAP_CHECKS, PROGRAM_CHECKS, Check
from fhirmap.diagnostics.catalog import codes

HERE = Path(__file__).parent
CHECKS = tuple(dict.fromkeys((*MAP_CHECKS, *GROUP_CHECKS, *PROGRAM_CHECKS)))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_each_check_is_a_file_with_a_test(check: Check) -> None:
    assert check.__module__.endswith(f".{check.__name__}")
    assert (HERE / f"test_{check.__name__}.py").is_file()
    named = re.findall(r"FM\d{3}", check.__doc__ or "")
    assert named and set(named) <= set(codes())


def test_the_check_that_needs_a_source_has_a_test() -> None:
    assert "unknown_columns" not in {check.__name__ for check in CHECKS}
    assert (HERE / "test_unknown_column.py").is_file()
