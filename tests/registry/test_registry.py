"""The simulator, over real HTTP: what it pairs, what it refuses and how it misbehaves."""

from __future__ import annotations

import copy
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from fhirmap.errors import ConfigError
from fhirmap.records import Envelope, Receipt
from fhirmap.registry import InjectedFault, RegistryConfig, RegistryOperation, ScriptedAnswer, read_config
from fhirmap.sinks import ClientCredentials, SinkSettings, open_sink

ENTERED = RegistryOperation("284051012345678", "10001234567", "750100018", "2025-03-15", "19063003", "DROITE", "R-7")
STRICT = RegistryConfig(accept_all=False, operations=(ENTERED,), rate_per_s=0)


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def knee(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "nir": {"valueString": "284051012345678"},
        "rpps": {"valueString": "10001234567"},
        "finessGeographique": {"valueString": "750100018"},
        "dateIntervention": {"valueDateTime": "2025-03-15"},
        "typeProcedure": {"valueCodeableConcept": concept("http://snomed.info/sct", "19063003")},
        "lateralite": {"valueCodeableConcept": concept("https://fhir.orthense.com/CodeSystem/lateralite", "DROITE")},
    }
    values.update(changes)
    implant = {
        "name": "implants",
        "part": [
            {"name": "udi", "valueString": "u"},
            {"name": "lot", "valueString": "L1"},
            {
                "name": "type",
                "valueCodeableConcept": concept("https://fhir.orthense.com/CodeSystem/implant-types", "PG_FEMORAL"),
            },
        ],
    }
    parameters = [{"name": name, **value} for name, value in values.items() if value is not None]
    return {"resourceType": "Parameters", "parameter": [*parameters, *(copy.deepcopy(implant) for _ in range(3))]}


def call(
    server: Any, resource: Any, endpoint: str = "$associer-implants-registre", kind: str = "fhir-operation"
) -> Receipt:
    credentials = ClientCredentials(server.token_url, "demo", "demo", scope="implant")
    sink = open_sink(SinkSettings(kind, server.url, endpoint, credentials))
    try:
        return sink.send(Envelope("1", json.dumps(resource).encode(), "d", request_key="rk"))
    finally:
        sink.close()


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


def test_several_things_wrong_are_told_at_once(registry: Any) -> None:
    receipt = call(registry(STRICT), knee(nir=None, rpps={"valueString": "1"}))
    assert len(receipt.issues) == 2
    assert receipt.issues[1].element == "Parameters.parameter:rpps.value[x]"


def test_the_same_payload_again_gets_the_same_identifier_and_is_counted(registry: Any) -> None:
    server = registry(RegistryConfig(rate_per_s=0))
    assert call(server, knee()).identifier_value == call(server, knee()).identifier_value == "RENACOT-2025-00001"
    assert call(server, knee(dateIntervention={"valueDateTime": "2025-04-01"})).identifier_value == "RENACOT-2025-00002"
    assert (server.simulator.registry.repeats, server.simulator.registry.associated) == (1, 2)


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
        faults=(InjectedFault("503", {"lot": "L1"}, times=1),),
        rate_per_s=0,
    )
    server = registry(config)
    assert call(server, knee()).status == 503
    assert call(server, knee()).status == 200
    receipt = call(server, knee(dateIntervention={"valueDateTime": "2025-03-16"}))
    assert (receipt.status, receipt.issues[0].diagnostics) == (422, "Pas encore")


def test_without_a_token_nothing_is_served(registry: Any) -> None:
    server = registry()
    sink = open_sink(SinkSettings("fhir-operation", server.url, "$associer-implants-registre"))
    assert sink.send(Envelope("1", b"{}", "d")).status == 401
    sink.close()


def test_no_value_in_its_log_or_its_answers(registry: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server = registry(STRICT)
    receipts = [call(server, knee()), call(server, knee(nir={"valueString": "184051099999999"}))]
    seen = caplog.text + repr(server.simulator.registry.calls) + b"".join(r.body for r in receipts).decode()
    assert "284051012345678" not in seen
    assert "184051099999999" not in seen


@pytest.mark.parametrize(
    "text",
    [
        "[server]\nspeed = 1",
        "[[fault]]\nkind = 'nap'",
        "[[client]]\nname = 'x'",
        "not toml",
        "[[fault]]\nkind='503'\nmatch={x='1'}",
    ],
)
def test_a_setting_it_does_not_have_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "registry.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="FM794"):
        read_config(path)


def test_a_port_that_is_taken_is_told(registry: Any) -> None:
    from fhirmap.registry import RegistryServer

    with pytest.raises(ConfigError, match="FM795"):
        RegistryServer(port=registry().port)
