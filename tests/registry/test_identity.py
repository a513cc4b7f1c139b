"""Tokens."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from fhirmap.records import Envelope
from fhirmap.registry.config import Client
from fhirmap.registry.identity import IdentityServer
from fhirmap.sinks import ClientCredentials, SinkSettings, open_sink
from fhirmap.sinks.client_authentication import ClientAuthentication
from tests.sinks.keys import P256, P384, RSA, jwk, key_set, private_pem, public_pem


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


URL = "http://127.0.0.1/connect/token"


def assertion(clock: Any, key: Any, **settings: Any) -> bytes:
    """The body of a token request that a key signs."""
    credentials = ClientCredentials(URL, "c", method="private_key_jwt", private_key=private_pem(key), **settings)
    return ClientAuthentication(credentials, clock.now).request(URL)[1]


@pytest.mark.parametrize("key", [RSA, P384, P256], ids=["RS384", "ES384", "ES256"])
def test_an_assertion_is_taken_once_until_it_ends(clock: Any, key: Any) -> None:
    server = IdentityServer(
        (Client("c", public_key=public_pem(key)), Client("d", public_key=public_pem(key))), 60, clock.now
    )
    body = assertion(clock, key)
    assert token(server, body)[0] == 200
    assert token(server, body) == (400, {"error": "invalid_client"}), "used"
    assert token(server, assertion(clock, key))[0] == 200
    late = assertion(clock, key)
    clock.time += 600
    assert token(server, late) == (400, {"error": "invalid_client"}), "out of its time"
    assert token(server, body) == (400, {"error": "invalid_client"})


def test_whose_assertion_it_is(clock: Any) -> None:
    public = key_set(jwk(RSA, private=False, kid="k1"), jwk(P384, private=False, kid="k2"))
    server = IdentityServer((Client("c", public_key=public), Client("secret", "s")), 60, clock.now)
    assert token(server, assertion(clock, RSA, key_id="k1"))[0] == 200
    assert token(server, assertion(clock, P384, key_id="k2"))[0] == 200
    assert token(server, assertion(clock, P384))[0] == 200, "without an id, any key of the set"
    for wrong in (
        assertion(clock, RSA, key_id="k2"),
        assertion(clock, P256),
        assertion(clock, RSA, audience="https://id.example/token"),
        assertion(clock, RSA).replace(b"client_id=c", b"client_id=secret"),
        assertion(clock, RSA).replace(b"jwt-bearer", b"saml2-bearer"),
        assertion(clock, RSA)[:-4],
    ):
        assert token(server, wrong) == (400, {"error": "invalid_client"})


def test_a_client_that_is_not_registered_for_the_grant(clock: Any) -> None:
    server = IdentityServer((Client("a", "s", grants=("authorization_code",)),), 60, clock.now)
    body = b"grant_type=client_credentials&client_id=a&client_secret=s"
    assert token(server, body) == (400, {"error": "unauthorized_client"})
