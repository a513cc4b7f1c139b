"""Tokens."""

from __future__ import annotations

from typing import Any

from fhirmap.records import Envelope
from fhirmap.sinks import SinkSettings, open_sink


def test_without_a_token_nothing_is_served(registry: Any) -> None:
    server = registry()
    sink = open_sink(SinkSettings("fhir-operation", server.url, "$associer-implants-registre"))
    assert sink.send(Envelope("1", b"{}", "d")).status == 401
    sink.close()
