"""How warnings reach the person who runs something else than `check`."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.cli.faults import show_warnings
from fhirmap.diagnostics import Diagnostic

WARNING = Diagnostic("FM241", None, {"element": "a", "column": "a", "table": "t"})


def test_several_warnings_about_the_map_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_warnings([], [WARNING, WARNING, WARNING], Path("hospital"))
    assert capsys.readouterr().err == "3 warnings about the map: `fhirmap check hospital` shows them\n"


def test_one_warning_and_those_of_the_project_file_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    show_warnings([WARNING, WARNING], [WARNING], Path("hospital"))
    assert capsys.readouterr().err.count("warning[FM241]") == 3


def test_no_warning(capsys: pytest.CaptureFixture[str]) -> None:
    show_warnings([], [], Path("hospital"))
    assert capsys.readouterr().err == ""
