"""Tokens, from a real identity server: each way to say who we are, what goes wrong, and no secret ever shown."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from fhirmap.errors import ConfigError, DeliveryError
from fhirmap.registry import Client, RegistryConfig
from fhirmap.sinks import ClientCredentials, TransportSettings
from fhirmap.sinks.oauth import TokenSource
from fhirmap.sinks.transport import Transport

SECRETS = ["plain", "a:b", "100%25", "a+b c", "é€", "%", "&=?#/", "üñ:%+é", " lead and trail "]


def pem(key: Any) -> tuple[str, str]:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


@pytest.fixture
def source() -> Iterator[Callable[..., TokenSource]]:
    """``source(url, …)``: a token source on a real connection, closed after the test."""
    with ExitStack() as stack:

        def make(url: str, clock: Any = None, **more: Any) -> TokenSource:
            transport = stack.enter_context(Transport(url, TransportSettings(timeout_s=30)))
            timed = {"clock": clock} if clock else {}
            return TokenSource(ClientCredentials(url, **more), transport, sleep=lambda _: None, **timed)

        yield make


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
def test_any_secret_arrives_as_it_is(source: Any, registry: Any, method: str, secret: str) -> None:
    server = registry(RegistryConfig(clients=(Client("id:%+é", secret),)))
    tokens = source(server.token_url, client_id="id:%+é", client_secret=secret, method=method, scope="implant")
    assert tokens.bearer() == tokens.bearer()
    assert server.simulator.identity.issued == 1


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (rsa.generate_private_key(65537, 2048), ""),
        (rsa.generate_private_key(65537, 2048), "RS384"),
        (ec.generate_private_key(ec.SECP256R1()), ""),
        (ec.generate_private_key(ec.SECP384R1()), "ES384"),
    ],
    ids=["RS256", "RS384", "ES256", "ES384"],
)
def test_a_signed_assertion_of_each_kind(source: Any, registry: Any, key: Any, algorithm: str) -> None:
    private, public = pem(key)
    server = registry(RegistryConfig(clients=(Client("c", public_key=public),)))
    tokens = source(
        server.token_url, client_id="c", private_key=private, method="private_key_jwt", algorithm=algorithm, key_id="k1"
    )
    first = tokens.bearer()
    assert tokens.renew(first) != first, "the second assertion has a jti of its own, or it would be refused"


def test_a_key_that_is_none_is_reported_without_being_shown(source: Any) -> None:
    for text, more in (("canary", {}), (pem(ec.generate_private_key(ec.SECP256R1()))[0], {"algorithm": "RS256"})):
        with pytest.raises(ConfigError, match="FM792") as caught:
            source("http://127.0.0.1:1/t", client_id="c", private_key=text, method="private_key_jwt", **more)
        assert "canary" not in str(caught.value)
        assert "BEGIN" not in str(caught.value)


def test_many_threads_get_one_token_and_one_renewal(source: Any, registry: Any) -> None:
    server = registry(RegistryConfig())
    tokens = source(server.token_url, client_id="demo", client_secret="demo")
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: tokens.bearer(), range(32)))) == 1
        old = tokens.bearer()
        assert len(set(pool.map(lambda _: tokens.renew(old), range(32)))) == 1
    assert server.simulator.identity.issued == tokens.fetched == 2


def test_a_token_is_renewed_before_it_ends(source: Any, registry: Any, clock: Any) -> None:
    server = registry(RegistryConfig(token_life_s=600), clock=clock.now)
    tokens = source(server.token_url, clock.now, client_id="demo", client_secret="demo")
    first = tokens.bearer()
    clock.time += 530
    assert tokens.bearer() == first
    clock.time += 15
    assert tokens.bearer() != first


def said(status: int, body: bytes) -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (said(400, b'{"error":"invalid_client","error_description":"canary-secret"}'), "FM612"),
        (said(401, b'{"error":"canary-secret"}'), "FM612"),
        (said(403, b"<html>canary-secret"), "FM612"),
        (said(404, b""), "FM613"),
        (said(302, b""), "FM613"),
        (said(200, b"<html>canary-secret</html>"), "FM613"),
        (said(200, b""), "FM613"),
        (said(200, b"{}"), "FM613"),
        (said(200, b'{"access_token": 5}'), "FM613"),
        (said(200, b'{"access_token": "a\\r\\nX: canary-secret"}'), "FM613"),
        (said(200, b'{"access_token": "t", "token_type": "mac"}'), "FM613"),
        (said(503, b"<html>"), "FM611"),
        (said(429, b""), "FM611"),
        (None, "FM611"),
        ("reset", "FM611"),
        (b"no http at all", "FM611"),
    ],
)
def test_no_token_is_a_clear_stop_without_the_secret(
    source: Any, raw_server: Any, caplog: pytest.LogCaptureFixture, answer: Any, code: str
) -> None:
    caplog.set_level(logging.DEBUG)
    server = raw_server(answer)
    tokens = source(f"{server.url}/connect/token", client_id="c", client_secret="canary-secret")
    with pytest.raises(DeliveryError, match=code) as caught:
        tokens.bearer()
    shown = f"{caught.value} {caught.value!r} {tokens!r} {caught.value.diagnostic()} {caplog.text}"
    assert "canary" not in shown
    assert caught.value.__cause__ is None
    assert len(server.requests) == (3 if code == "FM611" else 1)


def test_a_passing_fault_of_the_identity_server_is_tried_again(source: Any, raw_server: Any) -> None:
    token = json.dumps({"access_token": "t", "expires_in": "3600"}).encode()
    server = raw_server(said(503, b""), None, said(200, token))
    assert source(server.url, client_id="c", client_secret="s").bearer() == "t"


def test_secrets_are_in_no_repr() -> None:
    shown = repr(ClientCredentials("u", "c", "canary", private_key="canary")) + repr(TransportSettings(proxy="canary"))
    assert "canary" not in shown
