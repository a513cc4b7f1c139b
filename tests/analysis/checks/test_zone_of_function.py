"""`zone_of_function`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.zone_of_function import zone_of_function
from tests.analysis.checks.harness import reported, stored


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("toDate(v, 'yyyy-MM-dd HH:mm Z')", ["FM771 function: 'yyyy-MM-dd HH:mm Z'"]),
        ("unixToDate(v)", ["FM771 unix: unixToDate(v)"]),
        ("unixToDate(v, 'Europe/Paris')", []),
        ("unixToDate(v, '+10:00')", []),
        ("unixToDate(v, 'Europe/Pari')", ["FM236: 'Europe/Pari'"]),
        ("toDate(v, 'yyyy-MM-dd HH:mm Z', 'Paris')", ["FM236: 'Paris'"]),
        ("toDate(v, 'yyyyMMdd')", []),
    ],
)
def test_functions_that_depend_on_a_zone(rule: str, found: list[str]) -> None:
    text = stored("x : string 0..1", f"src.x as v -> tgt.birthDate = {rule};")
    assert reported(zone_of_function, text) == found
