"""Connections: whom we trust, what the proxy and the environment may do, and how an unreachable host is reported."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fhirmap.errors import ConfigError, DeliveryError
from fhirmap.records import Envelope
from fhirmap.sinks import SinkSettings, Tls, TransportSettings, open_sink
from fhirmap.sinks.transport import NoAnswer, Transport

OK = b"HTTP/1.1 204 X\r\nConnection: close\r\n\r\n"
DAY = datetime.timedelta(days=1)


def certificate(name: str, issuer: tuple[Any, Any] | None, key: Any, *, days: int = 1, host: str = "127.0.0.1") -> Any:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    authority = issuer is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 9 * DAY)
        .not_valid_after(now + days * DAY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if not authority:
        address = x509.IPAddress(ipaddress.ip_address(host))
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return builder.sign(key if issuer is None else issuer[1], hashes.SHA256())


def write(folder: Path, name: str, made: Any, key: Any) -> tuple[Path, Path]:
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


class Authority:
    """A hospital's own authority, and what it signs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.own = certificate("hospital CA", None, self.key)
        self.file = write(folder, "ca", self.own, self.key)[0]

    def sign(self, name: str, **how: Any) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        return write(self.folder, name, certificate(name, (self.own, self.key), key, **how), key)

    def context(self, **how: Any) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.sign("server", **how))
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def send(url: str, **tls: Any) -> Any:
    sink = open_sink(SinkSettings("fhir-operation", url, "$op", transport=TransportSettings(5, tls=Tls(**tls))))
    try:
        return sink.send(Envelope("1", b"{}", "d", request_key="k"))
    finally:
        sink.close()


def test_an_authority_of_the_hospitals_own_is_trusted_where_it_is_named(raw_server: Any, authority: Authority) -> None:
    server = raw_server(OK, context=authority.context())
    assert send(server.url, ca=authority.file).status == 204


@pytest.mark.parametrize(
    ("named", "how", "reason"),
    [
        (False, {}, "unknown authority"),
        (True, {"days": -2}, "expired"),
        (True, {"host": "10.0.0.1"}, "mismatch"),
    ],
)
def test_a_certificate_that_is_not_accepted_is_named_and_nothing_is_sent(
    raw_server: Any, authority: Authority, named: bool, how: dict[str, Any], reason: str
) -> None:
    server = raw_server(OK, context=authority.context(**how))
    with pytest.raises(DeliveryError, match="FM610") as caught:
        send(server.url, **({"ca": authority.file} if named else {}))
    assert reason in str(caught.value)
    assert str(server.port) in str(caught.value)
    assert not any(server.requests)


def test_a_client_certificate_is_shown_to_who_asks(raw_server: Any, authority: Authority) -> None:
    context = authority.context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.file)
    cert, key = authority.sign("client")
    assert send(raw_server(OK, context=context).url, ca=authority.file, cert=cert, key=key).status == 204


@pytest.mark.parametrize("which", ["ca", "cert", "key"])
@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_files_that_cannot_be_used_are_named(authority: Authority, which: str, content: bytes | None) -> None:
    cert, key = authority.sign("client")
    files = {"ca": authority.file, "cert": cert, "key": key}
    wrong = authority.folder / "wrong.pem"
    if content is not None:
        wrong.write_bytes(content)
    with pytest.raises(ConfigError, match="FM790") as caught:
        send("https://127.0.0.1:1", **{**files, which: wrong})
    assert ("wrong.pem" in str(caught.value)) or which == "key"


@pytest.mark.parametrize("url", ["", "ftp://x", "http://", "registry.example/fhir", "simulator"])
def test_what_is_no_address_is_reported(url: str) -> None:
    with pytest.raises(ConfigError, match="FM791"):
        Transport(url, TransportSettings())


def test_a_proxy_in_the_environment_does_not_catch_loopback(raw_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert send(raw_server(OK).url).status == 204


def test_a_named_proxy_is_used(raw_server: Any) -> None:
    proxy = raw_server(OK)
    settings = TransportSettings(5, proxy=proxy.url, allow_http=True)
    with Transport("http://registry.invalid/fhir", settings) as transport:
        assert transport.post("http://registry.invalid/fhir", b"{}", {}).status == 204
    assert proxy.requests[0].startswith(b"POST http://registry.invalid/fhir ")


def test_no_answer_ends_with_the_time_limit(raw_server: Any) -> None:
    url = raw_server("no-answer").url
    with Transport(url, TransportSettings(0.2)) as transport, pytest.raises(NoAnswer) as caught:
        transport.post(url, b"{}", {})
    assert (caught.value.kind, caught.value.sent) == ("timeout", True)


def test_an_unknown_host_is_reported_before_anything_is_sent() -> None:
    settings = TransportSettings(2, connect_timeout_s=2, allow_http=True)
    with Transport("http://no-such-host.invalid/", settings) as transport, pytest.raises(NoAnswer) as caught:
        transport.post("http://no-such-host.invalid/", b"{}", {})
    assert caught.value.kind in ("name", "connect", "proxy")
    assert not caught.value.sent


def test_each_header_is_sent_once_and_a_cookie_comes_back(raw_server: Any) -> None:
    server = raw_server(b"HTTP/1.1 204 X\r\nSet-Cookie: node=b2; Path=/\r\nConnection: close\r\n\r\n")
    with Transport(server.url, TransportSettings(5)) as transport:
        for _ in range(2):
            transport.post(server.url, b"{}", {"Accept": "application/fhir+json", "User-Agent": "ours"})
    first, second = (request.lower() for request in server.requests)
    assert first.count(b"\r\naccept:") == first.count(b"\r\nuser-agent:") == first.count(b"\r\nhost:") == 1
    assert b"\r\naccept: application/fhir+json\r\n" in first
    assert b"\r\ncookie: node=b2\r\n" in second


def test_cookies_that_no_request_can_have_are_left_out_and_too_many_forgotten(raw_server: Any) -> None:
    odd = "Set-Cookie: place=Hôpital; Path=/\r\nSet-Cookie: node=b2; Path=/".encode()
    long = f"Set-Cookie: long={'x' * 4096}; Path=/".encode()
    server = raw_server(*(b"HTTP/1.1 204 X\r\n%b\r\nConnection: close\r\n\r\n" % one for one in (odd, long, odd)))
    with Transport(server.url, TransportSettings(5)) as transport:
        for _ in range(3):
            assert transport.post(server.url, b"{}", {}).status == 204
    found = [request.lower().partition(b"\r\ncookie: ")[2].partition(b"\r\n")[0] for request in server.requests]
    assert found == [b"", b"node=b2", b""]


def test_a_user_in_the_address_signs_in(raw_server: Any) -> None:
    server = raw_server(b"HTTP/1.1 204 X\r\nConnection: close\r\n\r\n")
    with Transport(server.url, TransportSettings(5)) as transport:
        transport.post(server.url.replace("//", "//us%40er:s%C3%A9cret@"), b"{}", {})
    assert b"uthorization: Basic dXNAZXI6c8OpY3JldA==\r\n" in server.requests[0]
