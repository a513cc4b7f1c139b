"""Proxies of every kind, on real connections: who is asked, with which login, which hosts are excepted, and what is
said where a proxy refuses."""

from __future__ import annotations

import base64
import gc
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from fhirmap.errors import ConfigError, DeliveryError
from fhirmap.records import Envelope, Receipt
from fhirmap.sinks import ClientCredentials, SinkSettings, Tls, TransportSettings, open_sink
from fhirmap.sinks.proxy import find_proxy, is_loopback
from tests.cli.certificates import Authority
from tests.sinks.proxies import SocksProxy, TunnelProxy

OK = b"HTTP/1.1 204 X\r\nConnection: close\r\n\r\n"
HOST = "registry.invalid"
with_socks = pytest.mark.skipif(find_spec("socksio") is None, reason="the extra `socks` is not installed")


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def proxy() -> Iterator[Callable[..., Any]]:
    """``proxy(kind, port, …)``: one that leads everywhere to the port, stopped after the test."""
    started: list[TunnelProxy] = []

    def start(kind: type[TunnelProxy], port: int, **how: Any) -> TunnelProxy:
        started.append(kind(port, **how))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def send(url: str, proxy: str | None = None, ca: Path | None = None) -> Receipt:
    sink = open_sink(SinkSettings("fhir-operation", url, "$op", transport=TransportSettings(5, 5, proxy, Tls(ca))))
    try:
        return sink.send(Envelope("1", b"{}", "d", request_key="k"))
    finally:
        sink.close()


LOGINS = [("user", "plain"), ("dom\\user", "p@ss:w/rd#%25"), ("é", " ü+&")]


@pytest.mark.parametrize(("user", "password"), LOGINS)
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("by_environment", [False, True])
def test_a_tunnel_is_opened_with_the_login_of_the_proxys_address(
    raw_server: Any,
    proxy: Any,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
    by_environment: bool,
    user: str,
    password: str,
) -> None:
    server = raw_server(OK, context=authority.server(host=HOST))
    asked = proxy(TunnelProxy, server.port, context=authority.server() if scheme == "https" else None)
    address = f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{asked.address}"
    if by_environment:
        monkeypatch.setenv("HTTPS_PROXY", address)
    assert send(f"https://{HOST}/fhir", None if by_environment else address, authority.ca).status == 204
    head = asked.requests[0]
    assert head.startswith(f"CONNECT {HOST}:443 ".encode())
    login = base64.b64encode(f"{user}:{password}".encode())
    assert b"proxy-authorization: basic " + login.lower() in head.lower()
    assert login not in server.requests[0]


@with_socks
@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_a_socks_proxy_with_a_login(raw_server: Any, proxy: Any, authority: Authority, scheme: str) -> None:
    server = raw_server(OK, context=authority.server(host=HOST))
    asked = proxy(SocksProxy, server.port)
    assert send(f"https://{HOST}/fhir", f"{scheme}://user:p%40ss@{asked.address}", authority.ca).status == 204
    assert asked.requests[0] == b"\x01\x04user\x04p@ss"
    assert HOST.encode() in asked.requests[1]


@with_socks
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # httpcore2 leaves the socket open then
def test_what_a_socks_proxy_refuses_stops_the_run(proxy: Any) -> None:
    for answer in ("login", "protocol"):
        asked = proxy(SocksProxy, 1, answer=answer).address
        with pytest.raises(DeliveryError, match="FM616") as caught:
            send(f"https://{HOST}/fhir", f"socks5://user:canary@{asked}")
        assert asked in str(caught.value)
        assert "canary" not in str(caught.value)
    del caught
    gc.collect()


@pytest.mark.parametrize(
    ("answer", "login", "words"),
    [
        ("407 Proxy Authentication Required canary", "", "asks for a user and a password"),
        ("407 X", "user:canary@", "does not accept the user and password"),
        ("403 Forbidden", "", "answers 403"),
    ],
)
def test_what_a_proxy_refuses_stops_the_run_and_names_the_proxy(
    proxy: Any, answer: str, login: str, words: str
) -> None:
    asked = proxy(TunnelProxy, 1, answer=answer)
    with pytest.raises(DeliveryError, match="FM616") as caught:
        send(f"https://{HOST}/fhir", f"http://{login}{asked.address}")
    shown = f"{caught.value} {caught.value!r} {caught.value.diagnostic()}"
    assert words in shown
    assert asked.address in shown
    assert "canary" not in shown


@pytest.mark.parametrize("answer", ["502 Bad Gateway", "503 Service Unavailable", "504 X", "429 X"])
def test_a_proxy_that_may_do_better_later_defers_the_record(proxy: Any, answer: str) -> None:
    asked = proxy(TunnelProxy, 1, answer=answer)
    receipt = send(f"https://{HOST}/fhir", f"http://{asked.address}")
    assert (receipt.state, receipt.code) == ("deferred", "FM600")
    assert asked.address in receipt.reason


def test_a_tunnel_that_breaks_before_the_request_has_left_is_nothing_sent(proxy: Any, raw_server: Any) -> None:
    """What asks the proxy for the tunnel is a request too, and not ours."""
    receipt = send(f"https://{HOST}/fhir", f"http://{proxy(TunnelProxy, raw_server(OK).port, drops=True).address}")
    assert (receipt.state, receipt.code) == ("deferred", "FM600")


def test_the_identity_servers_proxy_is_named_too(proxy: Any) -> None:
    asked = proxy(TunnelProxy, 1, answer="407 X")
    sink = open_sink(
        SinkSettings(
            "fhir-operation",
            f"https://{HOST}",
            "$op",
            ClientCredentials("https://id.invalid/token", "c", "s"),
            TransportSettings(5, 5, f"http://u:canary@{asked.address}"),
        )
    )
    with pytest.raises(DeliveryError, match="FM616") as caught:
        sink.prepare()
    sink.close()
    assert "id.invalid" in str(caught.value)
    assert "canary" not in str(caught.value)
    assert len(asked.requests) == 1


@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
def test_no_proxy_holds_for_the_projects_proxy_of_every_kind(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setattr("fhirmap.sinks.proxy.find_spec", lambda _: True)
    monkeypatch.setenv("NO_PROXY", HOST)
    assert find_proxy(f"https://{HOST}", f"{scheme}://p:1").excepted
    monkeypatch.setenv("NO_PROXY", "other.invalid")
    assert find_proxy(f"https://{HOST}", f"{scheme}://p:1").url == f"{scheme}://p:1"


@pytest.mark.parametrize(
    ("names", "url", "excepted"),
    [
        ("registry.example", "https://registry.example", True),
        ("Registry.EXAMPLE", "https://registry.example/", True),
        ("registry.example", "https://registry.example.", True),
        ("example", "https://registry.example", True),
        (".example", "https://registry.example", True),
        ("*.example", "https://registry.example", True),
        (".registry.example", "https://registry.example", True),
        ("istry.example", "https://registry.example", False),
        ("registry", "https://registry.example", False),
        ("a, registry.example ,b", "https://registry.example", True),
        ("a registry.example", "https://registry.example", True),
        ("*", "https://registry.example", True),
        ("a,*", "https://registry.example", True),
        ("registry.example:443", "https://registry.example", True),
        ("registry.example:443", "http://registry.example", False),
        ("registry.example:8443", "https://registry.example:8443", True),
        ("registry.example:8443", "https://registry.example", False),
        ("10.1.2.3", "https://10.1.2.3", True),
        ("10.1.2.3:8443", "https://10.1.2.3:8443", True),
        ("10.1.2.3:8443", "https://10.1.2.3", False),
        ("10.0.0.0/8", "https://10.1.2.3", True),
        ("10.1.0.0/8", "https://10.1.2.3", True),
        ("10.0.0.0/8", "https://11.1.2.3", False),
        ("10.0.0.0/99", "https://10.1.2.3", False),
        ("2.3", "https://10.1.2.3", False),
        ("2001:db8::1", "https://[2001:db8::1]", True),
        ("2001:DB8:0::1", "https://[2001:db8::1]", True),
        ("[2001:db8::1]", "https://[2001:db8::1]", True),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443", True),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]", False),
        ("2001:db8::/32", "https://[2001:db8::1]", True),
        ("2001:db9::/32", "https://[2001:db8::1]", False),
        ("hôpital.example", "https://xn--hpital-ixa.example", True),
        ("", "https://registry.example", False),
        (",,", "https://registry.example", False),
    ],
)
def test_each_form_of_no_proxy(monkeypatch: pytest.MonkeyPatch, names: str, url: str, excepted: bool) -> None:
    monkeypatch.setenv("no_proxy", names)
    assert find_proxy(url, "http://proxy.example:3128").excepted is excepted
    monkeypatch.setenv("ALL_PROXY", "http://proxy.example:3128")
    assert find_proxy(url, None).excepted is excepted


@pytest.mark.parametrize(
    ("variables", "url", "found"),
    [
        ({"HTTPS_PROXY": "http://a:1"}, "https://r.example", ("http://a:1", "HTTPS_PROXY")),
        ({"https_proxy": "http://a:1"}, "https://r.example", ("http://a:1", "https_proxy")),
        ({"HTTPS_PROXY": "a:1"}, "https://r.example", ("http://a:1", "HTTPS_PROXY")),
        ({"HTTPS_PROXY": "http://a:1"}, "http://r.example", ("", "")),
        ({"HTTP_PROXY": "http://a:1"}, "http://r.example", ("http://a:1", "HTTP_PROXY")),
        ({"ALL_PROXY": "http://a:1"}, "https://r.example", ("http://a:1", "ALL_PROXY")),
        ({"ALL_PROXY": "http://a:1", "HTTPS_PROXY": "http://b:1"}, "https://r.example", ("http://b:1", "HTTPS_PROXY")),
        ({"ALL_PROXY": "http://a:1"}, "http://127.0.0.1:80", ("", "")),
        ({"ALL_PROXY": "http://a:1"}, "http://localhost", ("", "")),
        ({"ALL_PROXY": "http://a:1"}, "http://[::1]:80", ("", "")),
    ],
)
def test_which_variable_is_followed(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str, found: tuple[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    route = find_proxy(url, None)
    assert (route.url, route.origin if route.url else "") == found


@pytest.mark.parametrize(
    "text", ["ftp://p:1", "socks4://p:1", "http://", "http://p:port", "http://p/path", "http://u:ca#nary@p:1", "://"]
)
def test_what_is_no_proxy_is_said_with_where_it_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    with pytest.raises(ConfigError, match="FM791") as caught:
        find_proxy(f"https://{HOST}", text)
    assert "nary" not in str(caught.value)
    monkeypatch.setenv("HTTPS_PROXY", text)
    with pytest.raises(ConfigError, match="HTTPS_PROXY"):
        find_proxy(f"https://{HOST}", None)


def test_socks_without_its_extra_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fhirmap.sinks.proxy.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"fhirmap\[socks\]"):
        find_proxy(f"https://{HOST}", "socks5://p:1080")


def test_a_login_that_socks_cannot_have_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fhirmap.sinks.proxy.find_spec", lambda _: True)
    for login in (f"{'u' * 256}:p", f"u:{'é' * 128}"):
        with pytest.raises(ConfigError, match="255 bytes"):
            find_proxy(f"https://{HOST}", f"socks5://{login}@p:1080")
    assert find_proxy(f"https://{HOST}", f"socks5://u:{'p' * 255}@p:1080").password == "p" * 255


def test_a_route_shows_no_login() -> None:
    assert "canary" not in repr(find_proxy(f"https://{HOST}", "http://canary:canary@p:1"))


@pytest.mark.parametrize(
    ("url", "here"), [("http://127.0.0.9/x", True), ("http://localhost:1", True), ("https://r.example", False)]
)
def test_what_is_loopback(url: str, here: bool) -> None:
    assert is_loopback(url) is here
