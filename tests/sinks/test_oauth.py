"""Tokens, from a real identity server: each way to say who we are, what goes wrong, and no secret ever shown."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from fhirmap.errors import DeliveryError
from fhirmap.registry import Client, RegistryConfig
from fhirmap.runner.secret import Secret
from fhirmap.sinks import ClientCredentials, Tls, TransportSettings
from fhirmap.sinks.oauth import TokenSource
from tests.cli.certificates import Authority
from tests.sinks.keys import OTHER_RSA, P256, P384, P521, PASSWORD, RSA, jwk, key_set, private_pem, public_pem

SECRETS = ["plain", "a:b", "100%25", "a+b c", "é€", "%", "&=?#/", "üñ:%+é", " lead and trail "]


@pytest.fixture
def source() -> Iterator[Callable[..., TokenSource]]:
    """``source(url, …)``: a token source on a real connection, closed after the test. ``base``: the receiver."""
    with ExitStack() as stack:

        def make(url: str, clock: Any = None, *, base: str = "", tls: Tls | None = None, **more: Any) -> TokenSource:
            settings = TransportSettings(timeout_s=30, tls=tls or Tls())
            timed = {"clock": clock} if clock else {}
            made = TokenSource(ClientCredentials(url, **more), settings, base, sleep=lambda _: None, **timed)
            return stack.enter_context(closing(made))

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
        (RSA, ""),
        (RSA, "RS256"),
        (RSA, "RS512"),
        (RSA, "PS256"),
        (RSA, "PS384"),
        (P256, ""),
        (P384, ""),
        (P521, ""),
    ],
    ids=["RS384", "RS256", "RS512", "PS256", "PS384", "ES256", "ES384", "ES512"],
)
@pytest.mark.parametrize("registered", ["pem", "set"])
def test_a_signed_assertion_of_each_kind(source: Any, registry: Any, key: Any, algorithm: str, registered: str) -> None:
    other = jwk(OTHER_RSA, private=False, kid="other")
    public = public_pem(key) if registered == "pem" else key_set(other, jwk(key, private=False, kid="k1"))
    server = registry(RegistryConfig(clients=(Client("c", public_key=public),)))
    settings = {"private_key": private_pem(key), "method": "private_key_jwt", "algorithm": algorithm, "key_id": "k1"}
    tokens = source(server.token_url, client_id="c", **settings)
    first = tokens.bearer()
    assert tokens.renew(first) != first, "the second assertion has a jti of its own, or it would be refused"


def test_what_an_identity_server_refuses_of_an_assertion(source: Any, registry: Any) -> None:
    public = key_set(jwk(RSA, private=False, kid="k1"), jwk(P384, private=False, kid="k2"))
    server = registry(RegistryConfig(clients=(Client("c", public_key=public),)))
    for wrong in (
        {"private_key": private_pem(OTHER_RSA)},
        {"private_key": private_pem(RSA), "key_id": "k2"},
        {"private_key": private_pem(RSA), "audience": "https://id.example/token"},
        {"private_key": private_pem(RSA), "clock": lambda: 1000.0},
    ):
        with pytest.raises(DeliveryError, match="FM612") as caught:
            source(server.token_url, client_id="c", method="private_key_jwt", **wrong).bearer()
        assert "invalid_client" in str(caught.value)
        assert "public key" in caught.value.diagnostic().hint_text
    assert server.simulator.identity.issued == 0


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
        (said(200, b'{"access_token": "t", "token_type": "DPoP"}'), "FM613"),
        (said(200, b"[" * 100_000), "FM613"),
        (said(400, b"[" * 100_000), "FM612"),
        (said(400, b'{"error": ["invalid_client"]}'), "FM612"),
        (said(407, b"canary-secret"), "FM616"),
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


def test_all_that_wait_for_a_token_get_one_failure(source: Any, raw_server: Any) -> None:
    server = raw_server(said(400, b'{"error": "invalid_scope"}'))
    tokens = source(server.url, client_id="c", client_secret="s")
    ready = threading.Barrier(8)

    def asked(_: int) -> str:
        ready.wait(10)
        with pytest.raises(DeliveryError) as caught:
            tokens.bearer()
        return caught.value.code

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(asked, range(8)))) == 1
    assert len(server.requests) < 8
    before = len(server.requests)
    with pytest.raises(DeliveryError):
        tokens.bearer()
    assert len(server.requests) == before + 1


def test_a_passing_fault_of_the_identity_server_is_tried_again(source: Any, raw_server: Any) -> None:
    token = json.dumps({"access_token": "t", "expires_in": "3600"}).encode()
    server = raw_server(said(503, b""), None, said(200, token))
    assert source(server.url, client_id="c", client_secret="s").bearer() == "t"


def test_secrets_are_in_no_repr() -> None:
    shown = repr(ClientCredentials("u", "c", "canary", private_key="canary")) + repr(TransportSettings(proxy="canary"))
    assert "canary" not in shown


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("invalid_client", "client_secret"),
        ("invalid_scope", "the scope is not given to this client"),
        ("unauthorized_client", "allow this client the grant"),
        ("unsupported_grant_type", "allow this client the grant"),
        ("invalid_request", "may use the grant"),
        ("use_dpop_nonce", "bearer tokens"),
        ("invalid_target", "operator"),
    ],
)
def test_what_to_do_about_each_refusal(source: Any, raw_server: Any, error: str, words: str) -> None:
    server = raw_server(said(400, json.dumps({"error": error}).encode()))
    with pytest.raises(DeliveryError, match="FM612") as caught:
        source(server.url, client_id="c", client_secret="s").bearer()
    assert error in str(caught.value)
    assert words in caught.value.diagnostic().hint_text


@pytest.mark.parametrize(
    ("expires_in", "life_s"),
    [(600, 600), ("600", 600), (-5, 1), (0, 1), (None, 3600), ("soon", 3600), (1e999, 3600), (True, 3600), ([], 3600)],
)
def test_how_long_a_token_lives(source: Any, raw_server: Any, clock: Any, expires_in: Any, life_s: float) -> None:
    server = raw_server(said(200, json.dumps({"access_token": "t", "expires_in": expires_in}).encode()))
    tokens = source(server.url, clock.now, client_id="c", client_secret="s")
    tokens.bearer()
    clock.time += life_s - min(60, life_s / 10) - 0.01
    tokens.bearer()
    assert len(server.requests) == 1
    clock.time += 0.02
    tokens.bearer()
    assert len(server.requests) == 2


# ---- where tokens come from


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_receiver_says_where_tokens_come_from(source: Any, registry: Any, slash: str) -> None:
    server = registry(RegistryConfig(clients=(Client("c", public_key=public_pem(P384)),)))
    settings = {"client_id": "c", "private_key": private_pem(P384), "method": "private_key_jwt"}
    tokens = source("", base=server.url + slash, **settings)
    assert "127.0.0.1" in repr(tokens)
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: tokens.bearer(), range(16)))) == 1
    assert tokens.endpoint == tokens.discover() == server.token_url


def smart(**members: Any) -> bytes:
    return said(200, json.dumps({"token_endpoint": "http://127.0.0.1:1/token", **members}).encode())


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (said(404, b""), "FM608", "status 404"),
        (said(200, b"<html>"), "FM608", "not JSON"),
        (smart(token_endpoint_auth_methods_supported=["private_key_jwt"]), "FM608", "lists private_key_jwt"),
        (smart(grant_types_supported=["authorization_code"]), "FM608", "lists authorization_code"),
        (said(503, b""), "FM611", "status 503"),
        (None, "FM611", ""),
        (said(407, b""), "FM616", "proxy"),
    ],
)
def test_a_receiver_that_does_not_say_it(source: Any, raw_server: Any, answer: Any, code: str, words: str) -> None:
    server = raw_server(answer)
    tokens = source("", base=f"{server.url}/fhir", client_id="c", client_secret="canary-secret")
    with pytest.raises(DeliveryError, match=code) as caught:
        tokens.bearer()
    assert words in str(caught.value)
    assert all(request.startswith(b"GET /fhir/.well-known/smart-configuration ") for request in server.requests)
    assert b"canary-secret" not in b"".join(server.requests)


def test_the_algorithm_is_one_that_the_server_lists(source: Any, raw_server: Any, registry: Any) -> None:
    identity = registry(RegistryConfig(clients=(Client("c", public_key=public_pem(RSA)),)))
    member = "token_endpoint_auth_signing_alg_values_supported"
    for listed, key, chosen in ((["ES384", "RS256"], RSA, "RS256"), (["ES384"], RSA, ""), (["RS384"], P384, "")):
        base = raw_server(smart(token_endpoint=identity.token_url, **{member: listed})).url
        tokens = source("", base=base, client_id="c", method="private_key_jwt", private_key=private_pem(key))
        if chosen:
            tokens.bearer()
            assert tokens.key.algorithms == (chosen,)
            continue
        with pytest.raises(DeliveryError, match="FM608") as caught:
            tokens.bearer()
        assert listed[0] in str(caught.value)


# ---- what changes during a run


def test_a_secret_that_is_replaced_during_a_run_is_taken(
    source: Any, registry: Any, clock: Any, tmp_path: Path
) -> None:
    server = registry(RegistryConfig(clients=(Client("c", "new"),), token_life_s=600), clock=clock.now)
    secret = tmp_path / "secret"
    secret.write_text("new")

    def reread() -> ClientCredentials:
        return ClientCredentials(server.token_url, "c", Secret("sink.auth.client_secret", file=secret).reveal())

    old = source(server.token_url, clock.now, client_id="c", client_secret="old", reread=reread)
    assert old.bearer(), "read again before the first token is asked for"
    secret.unlink()
    clock.time += 700
    assert old.bearer(), "a file that is not there for a moment changes nothing"
    secret.write_text("wrong")
    clock.time += 700
    with pytest.raises(DeliveryError, match="FM612"):
        old.bearer()
    secret.write_text("new")
    assert old.bearer()


def test_a_key_that_is_replaced_while_the_server_answers_is_tried_once_more(source: Any, registry: Any) -> None:
    server = registry(RegistryConfig(clients=(Client("c", public_key=public_pem(P384)),)))
    given = [P256, P384, P256, P256]

    def reread() -> ClientCredentials:
        key = private_pem(given.pop(0))
        return ClientCredentials(server.token_url, "c", method="private_key_jwt", private_key=key)

    tokens = source(
        server.token_url, client_id="c", method="private_key_jwt", private_key=private_pem(P256), reread=reread
    )
    first = tokens.bearer()
    with pytest.raises(DeliveryError, match="FM612"):
        tokens.renew(first)
    assert given == [], "read again once, and not tried again with what was refused"


def test_a_replaced_key_that_cannot_be_used_is_what_is_said(source: Any, raw_server: Any, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    given = [said(200, b'{"access_token": "%d"}' % number) for number in (1, 2)]
    server = raw_server(*given, said(401, b'{"error": "invalid_client"}'))
    text = [private_pem(P384)]

    def reread() -> ClientCredentials:
        return ClientCredentials(server.url, "c", method="private_key_jwt", private_key=text[0])

    settings = {"client_id": "c", "method": "private_key_jwt", "private_key": text[0]}
    tokens = source(server.url, **settings, reread=reread)
    first = tokens.bearer()
    text[0] = private_pem(P256, encryption=PASSWORD)
    second = tokens.renew(first)
    assert second != first, "the key of before is still good"
    assert "FM792" in caplog.text
    with pytest.raises(DeliveryError, match="FM792") as caught:
        tokens.renew(second)
    assert "has a password" in str(caught.value)
    assert "BEGIN" not in f"{caught.value!r} {caught.value.diagnostic()} {caplog.text}"


def test_a_token_that_ends_during_the_run_is_renewed_by_its_time(source: Any, registry: Any) -> None:
    server = registry(RegistryConfig(token_life_s=1))
    tokens = source(server.token_url, client_id="demo", client_secret="demo")
    seen = {tokens.bearer()}
    limit = time.monotonic() + 10
    while len(seen) < 2 and time.monotonic() < limit:
        seen.add(tokens.bearer())
    assert len(seen) == 2


# ---- TLS


def test_a_client_certificate_is_the_authentication(source: Any, raw_server: Any, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.client("hospital")
    server = raw_server(said(200, b'{"access_token": "t"}'), context=authority.server(asks=True))
    tls = Tls(authority.ca, cert, key)
    assert source(server.url, client_id="hospital", method="tls_client_auth", tls=tls).bearer() == "t"
    body = server.requests[0].partition(b"\r\n\r\n")[2]
    assert body == b"grant_type=client_credentials&client_id=hospital"


def test_the_address_for_certificates_is_taken(source: Any, raw_server: Any, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.client("hospital")
    token = raw_server(said(200, b'{"access_token": "t"}'), context=authority.server(asks=True))
    aliases = {"token_endpoint": f"{token.url}/mtls"}
    listed = ["self_signed_tls_client_auth"]
    body = smart(mtls_endpoint_aliases=aliases, token_endpoint_auth_methods_supported=listed)
    base = raw_server(body, context=authority.server()).url
    tls = Tls(authority.ca, cert, key)
    assert source("", base=base, client_id="h", method="tls_client_auth", tls=tls).bearer() == "t"
    assert token.requests[0].startswith(b"POST /mtls ")


@pytest.mark.parametrize("knows_authority", [False, True])
def test_the_authority_of_the_identity_server(
    source: Any, raw_server: Any, tmp_path: Path, knows_authority: bool
) -> None:
    authority = Authority(tmp_path)
    server = raw_server(said(200, b'{"access_token": "t"}'), context=authority.server())
    tokens = source(server.url, client_id="c", client_secret="s", tls=Tls(authority.ca if knows_authority else None))
    if knows_authority:
        assert tokens.bearer() == "t"
        return
    with pytest.raises(DeliveryError, match="FM610"):
        tokens.bearer()
    assert not any(server.requests)
