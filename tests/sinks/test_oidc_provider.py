"""Tokens from an identity server of others: oidc-provider, where node and the package are there.

`npm ci --prefix tests/sinks/oidc` installs it.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fhirmap.errors import DeliveryError
from fhirmap.records import Envelope
from fhirmap.sinks import ClientCredentials, SinkSettings, Tls, TransportSettings, open_sink
from fhirmap.sinks.client_authentication import ClientAuthentication
from fhirmap.sinks.oauth import TokenSource
from fhirmap.sinks.transport import Transport
from tests.cli.certificates import Authority
from tests.sinks.keys import OTHER_RSA, P384, RSA, jwk, key_set, private_pem

FOLDER = Path(__file__).parent / "oidc"
NODE = shutil.which("node")
pytestmark = [
    pytest.mark.skipif(NODE is None, reason="node is not installed"),
    pytest.mark.skipif(
        not (FOLDER / "node_modules" / "oidc-provider").is_dir(),
        reason="oidc-provider is not installed: npm ci --prefix tests/sinks/oidc",
    ),
    pytest.mark.xdist_group("oidc"),
]
SECRET = "a:b %25+&=/?#~"  # RFC 6749 appendix A.2 knows ASCII alone
KEYS = key_set(jwk(RSA, kid="k1"), jwk(P384, kid="k2"))
PUBLIC = {"keys": [jwk(RSA, private=False, kid="k1"), jwk(P384, private=False, kid="k2")]}
CLIENTS = [
    {"client_id": "post", "client_secret": "s", "token_endpoint_auth_method": "client_secret_post"},
    {"client_id": "basic", "client_secret": SECRET, "token_endpoint_auth_method": "client_secret_basic"},
    {"client_id": "one-scope", "client_secret": "s", "token_endpoint_auth_method": "client_secret_post"}
    | {"scope": "implant"},
    {"client_id": "other-grant", "client_secret": "s", "token_endpoint_auth_method": "client_secret_post"}
    | {"grant_types": ["authorization_code"], "response_types": ["code"], "redirect_uris": ["https://x.example/cb"]},
    {"client_id": "keys", "token_endpoint_auth_method": "private_key_jwt", "jwks": PUBLIC},
    {
        "client_id": "hospital",
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_subject_dn": "hospital",
    },
]


@dataclass
class Provider:
    """A server that listens."""

    base: str

    @property
    def token_url(self) -> str:
        return f"{self.base}/token"

    @property
    def receiver(self) -> str:
        return f"{self.base}/fhir"


Starting = Callable[..., Provider]


@pytest.fixture(scope="module")
def start() -> Iterator[Starting]:
    """``start(setting=…)``: a provider with these settings, ended with the module."""
    with ExitStack() as stack:

        def make(**settings: Any) -> Provider:
            assert NODE is not None
            process = subprocess.Popen(
                [NODE, str(FOLDER / "server.mjs")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )
            stack.callback(end, process)
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps({"clients": CLIENTS, **settings}) + "\n")
            process.stdin.flush()
            return Provider(process.stdout.readline().strip())

        yield make


def end(process: subprocess.Popen[str]) -> None:
    """It ends with its input; by force where it does not."""
    with process:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture(scope="module")
def provider(start: Starting) -> Provider:
    return start(algorithms=["RS384", "ES384"])


@pytest.fixture
def source() -> Iterator[Callable[..., TokenSource]]:
    with ExitStack() as stack:

        def make(at: Provider, client_id: str, *, found: bool = False, **more: Any) -> TokenSource:
            tls = more.pop("tls", Tls())
            credentials = ClientCredentials("" if found else at.token_url, client_id, **more)
            settings = TransportSettings(30, tls=tls)
            return stack.enter_context(closing(TokenSource(credentials, settings, at.receiver, sleep=lambda _: None)))

        yield make


def test_a_secret_by_either_way(provider: Provider, source: Any) -> None:
    post = source(provider, "post", client_secret="s", scope="implant")
    assert post.bearer()
    assert post.granted == "implant"
    basic = source(provider, "basic", client_secret=SECRET, method="client_secret_basic", scope="implant other")
    assert basic.bearer() != post.bearer()
    assert basic.granted == "implant other"


@pytest.mark.parametrize(("key_id", "algorithm"), [("k1", "RS384"), ("k2", "ES384")])
def test_assertions_as_smart_asks_for_them(provider: Provider, source: Any, key_id: str, algorithm: str) -> None:
    tokens = source(provider, "keys", found=True, method="private_key_jwt", private_key=KEYS, key_id=key_id)
    first = tokens.bearer()
    assert tokens.endpoint == provider.token_url
    assert tokens.key.algorithms == (algorithm,)
    assert tokens.renew(first) != first


def test_a_server_that_takes_other_algorithms_says_so(start: Starting, source: Any) -> None:
    at = start()  # by default it takes RS256 and ES256, and neither RS384 nor ES384
    by_key = {"found": True, "method": "private_key_jwt"}
    assert source(at, "keys", **by_key, private_key=KEYS).bearer()
    with pytest.raises(DeliveryError, match="FM608") as caught:
        source(at, "keys", **by_key, private_key=private_pem(P384)).bearer()
    assert "RS256" in str(caught.value)


@pytest.mark.parametrize(
    ("client_id", "settings", "error", "words"),
    [
        ("post", {"client_secret": "wrong"}, "invalid_client", "client_secret"),
        ("unknown", {"client_secret": "s"}, "invalid_client", "client_id"),
        ("one-scope", {"client_secret": "s", "scope": "other"}, "invalid_scope", "scope"),
        ("other-grant", {"client_secret": "s"}, "invalid_request", "may use the grant"),
        ("keys", {"private_key": private_pem(OTHER_RSA)}, "invalid_client", "public key"),
        ("keys", {"private_key": KEYS, "audience": "https://other.example"}, "invalid_client", "audience"),
        ("keys", {"private_key": KEYS, "algorithm": "RS256", "key_id": "k1"}, "invalid_client", "algorithm"),
    ],
)
def test_what_is_refused_is_said_with_what_to_do(
    provider: Provider, source: Any, client_id: str, settings: dict[str, str], error: str, words: str
) -> None:
    method = "private_key_jwt" if "private_key" in settings else "client_secret_post"
    with pytest.raises(DeliveryError, match="FM612") as caught:
        source(provider, client_id, method=method, **settings).bearer()
    assert error in str(caught.value)
    assert words in caught.value.diagnostic().hint_text


def test_an_assertion_is_good_for_one_request(provider: Provider) -> None:
    """The server checks, so what takes several tokens above has a `jti` of its own each time."""
    credentials = ClientCredentials(provider.token_url, "keys", method="private_key_jwt", private_key=KEYS)
    headers, body = ClientAuthentication(credentials, time.time).request(provider.token_url)
    with Transport(provider.token_url, TransportSettings(30)) as transport:
        answers = [transport.post(provider.token_url, body, headers) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 401]
    assert json.loads(answers[1].body)["error"] == "invalid_client"


def send(sink: Any, number: int) -> int:
    receipt = sink.send(Envelope(str(number), b"{}", "d", request_key=str(number)))
    assert isinstance(receipt.status, int)
    return receipt.status


def test_a_token_that_ends_within_the_run_is_renewed(start: Starting) -> None:
    at = start(ttl_s=1)
    settings = SinkSettings("fhir-operation", at.receiver, "$op", ClientCredentials(at.token_url, "post", "s"))
    with closing(open_sink(settings)) as sink:
        seen = [send(sink, 0)]
        tokens = sink._tokens  # type: ignore[attr-defined]
        for number in range(1, 2000):
            seen.append(send(sink, number))
            if tokens.fetched >= 2:
                break
    assert set(seen) == {200}
    assert tokens.fetched == 2


def test_a_token_that_the_receiver_no_longer_takes_is_renewed_once(start: Starting) -> None:
    at = start(once=True)
    settings = SinkSettings("fhir-operation", at.receiver, "$op", ClientCredentials("", "post", "s"))
    with closing(open_sink(settings)) as sink:
        assert [send(sink, number) for number in range(3)] == [200, 200, 200]
        assert sink._tokens.fetched == 3  # type: ignore[attr-defined]


def test_a_certificate_alone(start: Starting, source: Any, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.server_files()
    at = start(tls={"cert": cert.read_text(), "key": key.read_text(), "ca": authority.ca.read_text()})
    assert source(
        at, "hospital", method="tls_client_auth", tls=Tls(authority.ca, *authority.client("hospital"))
    ).bearer()
    for tls in (Tls(authority.ca), Tls(authority.ca, *authority.client("another"))):
        with pytest.raises(DeliveryError, match="FM612"):
            source(at, "hospital", method="tls_client_auth", tls=tls).bearer()
