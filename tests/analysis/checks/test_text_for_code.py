"""`text_for_code`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.text_for_code import text_for_code
from tests.analysis.checks.harness import DECLARATION, SIDE, copied, reported


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (DECLARATION.replace("cc('" + SIDE + "', v)", "v"), ["FM308: v"]),
        (DECLARATION.replace("cc('" + SIDE + "', v)", "cc(v)"), ["FM308: cc(v)"]),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(text_for_code, text) == found


@pytest.mark.parametrize(
    "text",
    [
        DECLARATION,
        copied("string 0..1").replace("tgt.language = v", "tgt.maritalStatus = v"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(text_for_code, text) == []
