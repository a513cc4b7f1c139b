"""Tokens."""

from __future__ import annotations

import base64
from typing import Any

from fhirmap.records import Envelope
from fhirmap.registry.config import Client
from fhirmap.registry.identity import IdentityServer
from fhirmap.sinks import SinkSettings, open_sink


def test_without_a_token_nothing_is_served(registry: Any) -> None:
    server = registry()
    sink = open_sink(SinkSettings("fhir-operation", server.url, "$associer-implants-registre"))
    assert sink.send(Envelope("1", b"{}", "d")).status == 401
    sink.close()


def token(server: IdentityServer, body: bytes, authorization: str = "") -> tuple[int, dict[str, Any]]:
    status, content = server.answer(body, authorization, "http://127.0.0.1/connect/token")
    return status, dict(content)


def test_a_secret_in_the_body_or_by_basic(clock: Any) -> None:
    server = IdentityServer((Client("a b", "s:1"),), 60, clock.now)
    status, content = token(server, b"grant_type=client_credentials&client_id=a+b&client_secret=s%3A1&scope=implant")
    assert (status, content["expires_in"], content["scope"]) == (200, 60, "implant")
    basic = base64.b64encode(b"a+b:s%3A1").decode()
    assert token(server, b"grant_type=client_credentials", f"Basic {basic}")[0] == 200
    assert server.issued == 2


def test_what_gets_no_token(clock: Any) -> None:
    server = IdentityServer((Client("a", "s"),), 60, clock.now)
    for body, error in (
        (b"grant_type=password", "unsupported_grant_type"),
        (b"%%", "invalid_request"),
        (b"grant_type=client_credentials&client_id=a&client_secret=x", "invalid_client"),
        (b"grant_type=client_credentials&client_id=a&client_secret=s&scope=all", "invalid_scope"),
    ):
        assert token(server, body) == (400, {"error": error})
    assert token(server, b"grant_type=client_credentials", "Basic !")[0] == 401


def test_a_token_ends(clock: Any) -> None:
    server = IdentityServer((Client("a", "s"),), 60, clock.now)
    _, content = token(server, b"grant_type=client_credentials&client_id=a&client_secret=s")
    bearer = f"Bearer {content['access_token']}"
    assert server.scope_of(bearer) == "implant"
    clock.time += 61
    assert server.scope_of(bearer) is None
    assert server.scope_of("Bearer x") is None
