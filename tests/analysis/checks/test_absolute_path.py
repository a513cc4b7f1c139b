"""`absolute_path`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.absolute_path import absolute_path
from tests.analysis.checks.harness import reported, stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (stored(store="query '/srv/rows.sql' key 'id'"), ["FM170: '/srv/rows.sql'"]),
        (stored(store="query 'C:/rows.sql' key 'id'"), ["FM170: 'C:/rows.sql'"]),
        (stored(store="query '~/rows.sql' key 'id'"), ["FM170: '~/rows.sql'"]),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(absolute_path, text) == found


@pytest.mark.parametrize(
    "text",
    [
        stored(store="query 'sql/rows.sql' key 'id'"),
        stored(store="query '../rows.sql' key 'id'"),
        stored(store="table '/people' key 'id'"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(absolute_path, text) == []
