"""Token requests: what each method sends, and that no two assertions are the same."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from fhirmap.errors import ConfigError
from fhirmap.sinks import ClientCredentials
from fhirmap.sinks.client_authentication import ClientAuthentication
from tests.sinks.keys import P384, RSA, jwk, key_set, private_pem

URL = "https://id.example/token"


def requested(**settings: Any) -> tuple[dict[str, str], dict[str, str]]:
    """Headers and form of a request."""
    made = ClientAuthentication(ClientCredentials(URL, "a:b", **settings), lambda: 1000.0)
    headers, body = made.request(URL)
    return headers, {name: values[0] for name, values in parse_qs(body.decode(), strict_parsing=True).items()}


def parts(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims, _ = assertion.split(".")
    padded = (base64.urlsafe_b64decode(part + "==") for part in (header, claims))
    return tuple(json.loads(part) for part in padded)


def test_a_secret_is_in_the_body_or_the_header_and_never_in_both() -> None:
    headers, form = requested(client_secret="s", method="client_secret_post", scope="x y")
    assert form == {"grant_type": "client_credentials", "scope": "x y", "client_id": "a:b", "client_secret": "s"}
    assert "Authorization" not in headers
    headers, form = requested(client_secret="é+", method="client_secret_basic")
    assert form == {"grant_type": "client_credentials"}
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"a%3Ab:%C3%A9%2B"


def test_a_certificate_needs_the_id_alone() -> None:
    assert requested(method="tls_client_auth") == (
        {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
        {"grant_type": "client_credentials", "client_id": "a:b"},
    )


def test_an_assertion_as_smart_asks_for_it() -> None:
    _, form = requested(method="private_key_jwt", private_key=private_pem(RSA), key_id="k")
    header, claims = parts(form["client_assertion"])
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert header == {"alg": "RS384", "typ": "JWT", "kid": "k"}
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("a:b", "a:b", URL)
    assert 0 < claims["exp"] - 1000 <= 300
    assert len(claims["jti"]) == 36


def test_the_settings_of_an_assertion() -> None:
    settings = {"private_key": key_set(jwk(P384, kid="own")), "audience": "https://id.example", "typ": "client+jwt"}
    header, claims = parts(requested(method="private_key_jwt", **settings)[1]["client_assertion"])
    assert header == {"alg": "ES384", "typ": "client+jwt", "kid": "own"}
    assert claims["aud"] == "https://id.example"


def test_each_request_has_an_assertion_of_its_own() -> None:
    credentials = ClientCredentials(URL, "c", method="private_key_jwt", private_key=private_pem(P384))
    made = ClientAuthentication(credentials, lambda: 1000.0)
    forms = [parse_qs(made.request(URL)[1].decode()) for _ in range(20)]
    assert len({parts(form["client_assertion"][0])[1]["jti"] for form in forms}) == 20


def test_a_method_that_is_none() -> None:
    with pytest.raises(ConfigError, match="FM792"):
        requested(method="client_secret_jwt")
