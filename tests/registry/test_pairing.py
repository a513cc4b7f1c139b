"""What is paired, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from fhirmap.registry import RegistryConfig
from tests.registry.declarations import STRICT, call, concept, knee


def test_an_operation_equal_in_everything_is_paired(registry: Any) -> None:
    server = registry(STRICT)
    assert call(server, knee()).identifier_value == "R-7"
    assert call(server, knee(lateralite=None)).identifier_value == "R-7", "no side sent: it is not compared"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"dateIntervention": {"valueDateTime": "2025-03-16"}}, 422),
        (
            {
                "lateralite": {
                    "valueCodeableConcept": concept("https://fhir.orthense.com/CodeSystem/lateralite", "GAUCHE")
                }
            },
            422,
        ),
        ({"nir": {"valueString": "184051012345678"}}, 400),
        ({"rpps": {"valueString": "10009999999"}}, 400),
        ({"finessGeographique": {"valueString": "750100099"}}, 400),
        ({"nir": {"valueString": "short"}}, 400),
        ({"nir": None}, 400),
        ({"typeProcedure": {"valueCodeableConcept": concept("http://snomed.info/sct", "1")}}, 400),
    ],
)
def test_anything_else_is_not(registry: Any, changes: dict[str, Any], status: int) -> None:
    receipt = call(registry(STRICT), knee(**changes))
    assert (receipt.status, receipt.state) == (status, "refused")
    assert receipt.issues


def test_the_same_payload_again_gets_the_same_identifier_and_is_counted(registry: Any) -> None:
    server = registry(RegistryConfig(rate_per_s=0))
    assert call(server, knee()).identifier_value == call(server, knee()).identifier_value == "RENACOT-2025-00001"
    assert call(server, knee(dateIntervention={"valueDateTime": "2025-04-01"})).identifier_value == "RENACOT-2025-00002"
    assert (server.simulator.registry.repeats, server.simulator.registry.associated) == (1, 2)
