"""`secret_in_map`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.secret_in_map import secret_in_map
from tests.analysis.checks.harness import reported, stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (stored() + "// mysql://ann:hunter2@db/people\n", ["FM171: hunter2"]),
        (stored() + "// password = 'hunter22'\n", ["FM171: hunter22"]),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(secret_in_map, text) == found


@pytest.mark.parametrize(
    "text",
    [
        stored(),
        stored() + "// mysql://db/people\n",
        stored() + "// the password is asked for\n",
        stored() + "// password = \n",
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(secret_in_map, text) == []
