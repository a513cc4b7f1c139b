"""Declarations to send, and a strict registry that knows one operation."""

from __future__ import annotations

import copy
import json
from typing import Any

from fhirmap.records import Envelope, Receipt
from fhirmap.registry import RegistryConfig, RegistryOperation
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
