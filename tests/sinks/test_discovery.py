"""What a receiver says of its token endpoint: read with suspicion, and compared with the settings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhirmap.errors import DeliveryError
from fhirmap.sinks import ClientCredentials
from fhirmap.sinks.discovery import SmartConfiguration, configuration_url, read_configuration
from fhirmap.sinks.transport import HttpAnswer

BASE = "https://registry.example/fhir"
ENDPOINT = "https://id.example/token"


def read(body: Any, base: str = BASE, status: int = 200, method: str = "private_key_jwt") -> SmartConfiguration:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_configuration(base, HttpAnswer(status, {}, content, True, 0.1), method)


def test_the_document_is_below_the_base() -> None:
    for base in (BASE, f"{BASE}/"):
        assert configuration_url(base) == f"{BASE}/.well-known/smart-configuration"


def test_what_is_said_and_what_is_not() -> None:
    found = read(
        {
            "token_endpoint": ENDPOINT,
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "scopes_supported": 5,
        }
    )
    assert found == SmartConfiguration(
        ENDPOINT, ("private_key_jwt",), ("RS384", "ES384"), ("authorization_code", "client_credentials")
    )
    assert read({"token_endpoint": ENDPOINT}) == SmartConfiguration(ENDPOINT)


def test_a_certificate_may_have_an_address_of_its_own() -> None:
    body = {"token_endpoint": ENDPOINT, "mtls_endpoint_aliases": {"token_endpoint": "https://mtls.example/token"}}
    assert read(body, method="tls_client_auth").token_endpoint == "https://mtls.example/token"
    assert read(body).token_endpoint == ENDPOINT
    assert read({**body, "mtls_endpoint_aliases": 5}, method="tls_client_auth").token_endpoint == ENDPOINT


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 404, "status 404"),
        ({"token_endpoint": ENDPOINT}, 302, "status 302"),
        (b"<html>canary", 200, "not JSON"),
        (b"", 200, "not JSON"),
        (b"[" * 200_000, 200, "not JSON"),
        (b'{"a":' * 100_000, 200, "not JSON"),
        ([ENDPOINT], 200, "not JSON"),
        ({"issuer": "canary"}, 200, "names no token_endpoint"),
        ({"token_endpoint": 5}, 200, "names no token_endpoint"),
        ({"token_endpoint": ""}, 200, "names no token_endpoint"),
        ({"token_endpoint": "/token"}, 200, "no http(s) address"),
        ({"token_endpoint": "ftp://canary/token"}, 200, "no http(s) address"),
        ({"token_endpoint": "file:///etc/passwd"}, 200, "no http(s) address"),
        ({"token_endpoint": "https://canary:x@id.example/token"}, 200, "no http(s) address"),
        ({"token_endpoint": "https://id.example/to ken"}, 200, "no http(s) address"),
        ({"token_endpoint": "https://id.example/token\r\nX: canary"}, 200, "no http(s) address"),
        ({"token_endpoint": "https://id.example:canary/token"}, 200, "no http(s) address"),
        ({"token_endpoint": "https://[canary/token"}, 200, "no http(s) address"),
        ({"token_endpoint": "https://id.example/token#x"}, 200, "no http(s) address"),
        ({"token_endpoint": "http://id.example/token"}, 200, "plain `http://`"),
        ({"token_endpoint": "https://127.0.0.1/token"}, 200, "on this machine"),
        ({"token_endpoint": "https://localhost:8443/token"}, 200, "on this machine"),
        ({"token_endpoint": "https://[::1]/token"}, 200, "on this machine"),
        ({"token_endpoint": ENDPOINT, "grant_types_supported": "canary"}, 200, "grant_types_supported"),
        (
            {"token_endpoint": ENDPOINT, "token_endpoint_auth_methods_supported": ["a", 5]},
            200,
            "token_endpoint_auth_methods_supported",
        ),
        ({"token_endpoint": ENDPOINT, "grant_types_supported": ["canary" * 50]}, 200, "grant_types_supported"),
    ],
)
def test_what_cannot_be_used_is_said(body: Any, status: int, words: str) -> None:
    with pytest.raises(DeliveryError, match="FM608") as caught:
        read(body, status=status)
    shown = f"{caught.value} {caught.value.diagnostic()}"
    assert words in shown
    assert configuration_url(BASE) in shown
    assert "canary" not in shown


def test_on_loopback_plain_http_goes_to_loopback_alone() -> None:
    here = "http://127.0.0.1:8080/fhir"
    assert read({"token_endpoint": "http://127.0.0.1:8081/token"}, here).token_endpoint
    assert read({"token_endpoint": ENDPOINT}, here).token_endpoint
    with pytest.raises(DeliveryError, match="plain `http://`"):
        read({"token_endpoint": "http://id.example/token"}, here)


@pytest.mark.parametrize(
    ("method", "listed", "variant"),
    [
        ("client_secret_post", {"methods": ("private_key_jwt",)}, "does not take the method `client_secret_post`"),
        ("private_key_jwt", {"grants": ("authorization_code",)}, "does not list the grant client_credentials"),
        ("tls_client_auth", {"methods": ("self_signed_tls_client_auth",)}, ""),
        ("tls_client_auth", {"methods": ("private_key_jwt",)}, "does not take the method"),
        ("private_key_jwt", {"methods": ("private_key_jwt",), "grants": ("client_credentials",)}, ""),
        ("client_secret_basic", {}, ""),
    ],
)
def test_the_settings_are_compared_with_it(method: str, listed: dict[str, Any], variant: str) -> None:
    found = SmartConfiguration(ENDPOINT, **listed)
    credentials = ClientCredentials("", "c", method=method)
    if not variant:
        found.require(credentials)
        return
    with pytest.raises(DeliveryError, match="FM608") as caught:
        found.require(credentials)
    assert variant in str(caught.value)
