"""The simulator's addresses over real HTTP: rate, faults, scripted answers, and no value in its log."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from fhirmap.registry import InjectedFault, InjectedKind, RegistryConfig, ScriptedAnswer
from tests.registry.declarations import STRICT, call, concept, knee


def test_five_calls_a_second_and_the_sixth_is_refused(registry: Any, clock: Any) -> None:
    server = registry(RegistryConfig(), clock=clock.now)
    statuses = [call(server, knee(dateIntervention={"valueDateTime": f"2025-03-{n:02}"})).status for n in range(1, 8)]
    assert statuses == [200] * 5 + [429] * 2
    clock.time += 1.1
    assert call(server, knee()).status == 200


def test_the_draft_and_the_transaction_are_served(registry: Any) -> None:
    server = registry(RegistryConfig(rate_per_s=0))
    identifier = {"valueIdentifier": {"value": "284051012345678"}}
    draft = {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "identifiantsPartiesPrenantes",
                "part": [
                    {"name": "nir", **identifier},
                    {"name": "rpps", "valueIdentifier": {"value": "10001234567"}},
                    {"name": "finessGeo", "valueIdentifier": {"value": "750100018"}},
                ],
            },
            {
                "name": "procedureInfo",
                "part": [
                    {"name": "dateIntervention", "valueDate": "2025-03-15"},
                    {"name": "procedureType", "valueCodeableConcept": concept("http://snomed.info/sct", "609588000")},
                ],
            },
            {
                "name": "implants",
                "part": [
                    {"name": "fournisseur", "valueString": "f"},
                    {"name": "reference", "valueString": "r"},
                    {"name": "lot", "valueString": "L"},
                    {"name": "implantType", "valueCodeableConcept": {"text": "x"}},
                ],
            },
        ],
    }
    receipt = call(server, draft, "Procedure/$associer-implants-procedure")
    assert (receipt.state, receipt.identifier_value) == ("accepted", "RENACOT-2025-00001")
    entry = {"resource": {"resourceType": "Procedure"}, "request": {"method": "POST", "url": "Procedure"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    receipt = call(server, bundle, "", "fhir-transaction")
    assert (receipt.state, receipt.identifier_value) == ("accepted", "RENACOT-2025-00002")
    assert call(server, {**bundle, "type": "batch"}, "", "fhir-transaction").status == 400


def test_a_scripted_answer_and_a_fault_that_passes(registry: Any) -> None:
    config = RegistryConfig(
        answers=(ScriptedAnswer({"date": "2025-03-16"}, 422, "Pas encore"),),
        faults=(InjectedFault(InjectedKind.STATUS_503, {"lot": "L1"}, times=1),),
        rate_per_s=0,
    )
    server = registry(config)
    assert call(server, knee()).status == 503
    assert call(server, knee()).status == 200
    receipt = call(server, knee(dateIntervention={"valueDateTime": "2025-03-16"}))
    assert (receipt.status, receipt.issues[0].diagnostics) == (422, "Pas encore")


def test_no_value_in_its_log_or_its_answers(registry: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server = registry(STRICT)
    receipts = [call(server, knee()), call(server, knee(nir={"valueString": "184051099999999"}))]
    seen = caplog.text + repr(server.simulator.registry.calls) + b"".join(r.body for r in receipts).decode()
    assert "284051012345678" not in seen
    assert "184051099999999" not in seen
