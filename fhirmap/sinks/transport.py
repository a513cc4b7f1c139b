"""One HTTP request out, one `HttpAnswer` or one `NoAnswer` back. The only module that knows httpx2.

Which proxy is used, `proxy` decides. Redirects are not followed: a declaration goes where the project says, or nowhere.
"""

from __future__ import annotations

import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import httpx2

from fhirmap.errors import ConfigError
from fhirmap.sinks.bounded_network import BoundedTransport
from fhirmap.sinks.proxy import ProxyRoute, find_proxy, is_loopback
from fhirmap.sinks.settings import Tls, TransportSettings
from fhirmap.texts import Text, os_reason, text

__all__ = ["HttpAnswer", "NoAnswer", "PeerCertificate", "Transport", "classify_exception"]

_BODY_LIMIT_BYTES = 1_048_576
_MOST_COOKIE_BYTES = 4096
_KEEPALIVE_S = 3.0
"""Shorter than the idle time of common servers, so that a request rarely meets a connection just being closed."""


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """Who made a certificate, in words, and until when it is good. Units: seconds since the epoch."""

    issuer: str
    not_after: float


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer whose status line was read. ``complete`` is false where its body was cut off, too long or not
    decodable."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool
    duration_s: float
    certificate: PeerCertificate | None = None
    """Of who answered, where that was asked for and the connection has TLS."""


class NoAnswer(Exception):
    """No status line was read. ``sent``: the whole request had left, so it may have been carried out.

    ``kind``: address, name, connect, certificate, dates, host, tls, proxy, timeout, lost, garbled, busy or program.
    ``reason``: a few words without any value of the request.
    """

    def __init__(self, kind: str, *, sent: bool, reason: str, duration_s: float = 0.0) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.sent = sent
        self.reason = reason
        self.duration_s = duration_s


_KINDS: Mapping[type[Exception], str] = {
    httpx2.ConnectTimeout: "connect",
    httpx2.PoolTimeout: "busy",
    httpx2.ReadTimeout: "timeout",
    httpx2.WriteTimeout: "timeout",
    httpx2.TimeoutException: "timeout",
    httpx2.ConnectError: "connect",
    httpx2.ReadError: "lost",
    httpx2.WriteError: "lost",
    httpx2.CloseError: "lost",
    httpx2.NetworkError: "lost",
    httpx2.ProxyError: "proxy",
    httpx2.UnsupportedProtocol: "address",
    httpx2.InvalidURL: "address",
    httpx2.TooManyRedirects: "address",
    httpx2.RemoteProtocolError: "garbled",
    httpx2.DecodingError: "garbled",
    httpx2.LocalProtocolError: "program",
    httpx2.ProtocolError: "garbled",
    httpx2.TransportError: "lost",
    httpx2.RequestError: "lost",
    httpx2.SSEError: "garbled",
    httpx2.HTTPStatusError: "program",
    httpx2.HTTPError: "lost",
    httpx2.CookieConflict: "program",
    httpx2.StreamConsumed: "program",
    httpx2.StreamClosed: "program",
    httpx2.ResponseNotRead: "program",
    httpx2.RequestNotRead: "program",
    httpx2.StreamError: "program",
}


def classify_exception(error: Exception) -> tuple[str, str]:
    """Kind and reason of what httpx2 raised; certificate and name faults are kinds of their own.

    Raises: KeyError for a class that `_KINDS` does not have.
    """
    kind = _KINDS[type(error)]
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _KINDS_OF_CERTIFICATE.get(cause.verify_code, "certificate"), _certificate_reason(cause)
        if isinstance(cause, ssl.SSLEOFError):
            return "connect", text("reasons.server_closed")
        if isinstance(cause, ssl.SSLError):
            return "tls", (cause.reason or text("reasons.tls")).replace("_", " ").lower()
        if isinstance(cause, socket.gaierror):
            return "name", text("reasons.host_not_known")
        if isinstance(cause, OSError) and cause.strerror:
            return kind, str(os_reason(cause)).lower()
    if isinstance(error, httpx2.ConnectTimeout):
        return kind, text("reasons.transport_connect_timeout")
    return kind, text(f"reasons.transport_{kind}")


_UNKNOWN_ISSUER = {2, 18, 19, 20, 21}
"""OpenSSL's verify codes for a chain that ends in no authority we trust."""
_KINDS_OF_CERTIFICATE = {9: "dates", 10: "dates", 62: "host", 63: "host", 64: "host"}
"""Those for a certificate out of its time, or made for another host: variants of FM610."""


def _certificate_reason(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in _UNKNOWN_ISSUER:
        return text("reasons.unknown_authority")
    return (error.verify_message or text("reasons.not_valid")).rstrip(".")


def _causes(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in chain:
        chain.append(following)
        following = following.__cause__ or following.__context__
    return chain


def ssl_context(tls: Tls) -> ssl.SSLContext:
    """A verifying context: the system's authorities, or the project's CA alone, with the client certificate where
    there is one.

    Raises: ConfigError FM790 for a file that cannot be read or is no certificate or key.
    """
    for path in (tls.ca, tls.cert, tls.key):
        if path is not None and not path.is_file():
            raise ConfigError("FM790", file=str(path), reason=Text("reasons.no_such_file"))
    try:
        context = ssl.create_default_context(cafile=None if tls.ca is None else str(tls.ca))
    except (ssl.SSLError, OSError):
        raise ConfigError("FM790", file=str(tls.ca), reason=Text("reasons.no_certificate")) from None
    if tls.cert is not None:
        try:
            # a password callback that fails: otherwise OpenSSL asks on the terminal, which a nightly run does not have
            context.load_cert_chain(str(tls.cert), None if tls.key is None else str(tls.key), password=_no_password)
        except (ssl.SSLError, OSError, ValueError):
            reason = Text("reasons.certificate_and_key")
            raise ConfigError("FM790", file=str(tls.cert), reason=reason) from None
    return context


def _no_password() -> str:
    raise ValueError("the key has a password")


def _is_bare(url: str, settings: TransportSettings) -> bool:
    """Would a request leave without TLS for another machine, unasked?"""
    return urlsplit(url).scheme == "http" and not settings.allow_http and not is_loopback(url)


class Transport:
    """Connections to one place, kept open between requests; safe to share between threads."""

    def __init__(self, url: str, settings: TransportSettings) -> None:
        """Raises: ConfigError FM790 (certificates), FM791 (address)."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError("FM791", what="address", reason=Text("reasons.http_address"))
        if _is_bare(url, settings):
            raise ConfigError("FM791", what="address", variant="http", host=parts.netloc.rpartition("@")[2])
        self._settings = settings
        self._timeout_s = settings.timeout_s
        self.route = find_proxy(url, settings.proxy)
        self._caught = (*_KINDS, *_socks_faults(self.route))
        try:
            self._network = BoundedTransport(
                ssl_context(settings.tls),
                proxy=_proxy(self.route, settings.tls),
                keepalive_s=_KEEPALIVE_S,
            )
        except (ValueError, httpx2.InvalidURL):
            raise ConfigError("FM791", what="proxy", reason=Text("reasons.not_proxy_url")) from None
        self._limits = httpx2.Timeout(settings.timeout_s, connect=settings.connect_timeout_s).as_dict()
        self._cookies = httpx2.Cookies()
        # Among them the encodings that httpx2 can decode here. Their names are in lower case.
        self._common = dict(httpx2.Client(trust_env=False, transport=self._network).headers)

    def __enter__(self) -> Transport:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes every connection."""
        self._network.close()

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> HttpAnswer:
        """The answer to one POST.

        Raises: NoAnswer.
        """
        return self._exchange("POST", url, content, headers)

    def get(self, url: str, headers: Mapping[str, str]) -> HttpAnswer:
        """The answer to one GET.

        Raises: NoAnswer.
        """
        return self._exchange("GET", url, b"", headers)

    def look(self, url: str, headers: Mapping[str, str]) -> HttpAnswer:
        """The answer to a POST without a body, with the certificate of who gave it.

        Raises: NoAnswer.
        """
        return self._exchange("POST", url, b"", headers, with_certificate=True)

    def _exchange(
        self, method: str, url: str, content: bytes, headers: Mapping[str, str], *, with_certificate: bool = False
    ) -> HttpAnswer:
        if _is_bare(url, self._settings):  # an address that the receiver itself has named
            raise NoAnswer("address", sent=False, reason=text("reasons.plain_http"))
        started = time.monotonic()
        body = _Content(content)
        tunnel = _Tunnel() if self.route.url else None
        try:
            request = self._request(method, url, headers, body, tunnel)
            with self._network.within(self._timeout_s), closing(self._network.handle_request(request)) as response:
                if "set-cookie" in response.headers:
                    response.request = request
                    self._cookies.extract_cookies(response)
                    _drop_unusable(self._cookies)
                certificate = _certificate(response) if with_certificate else None
                read, complete = self._read(response, started + self._timeout_s)
                if 200 <= response.status_code < 300 and not body.sent:
                    reason = text("reasons.answer_too_early")
                    raise NoAnswer("garbled", sent=True, reason=reason, duration_s=time.monotonic() - started)
                return HttpAnswer(
                    response.status_code,
                    response.headers,
                    read,
                    complete,
                    time.monotonic() - started,
                    certificate,
                )
        except self._caught as error:
            kind, reason = self._of_proxy(error, tunnel) or classify_exception(error)
            if self.route.url and not body.sent:
                reason = text("reasons.by_proxy", reason=reason, proxy=self.route.shown)
            raise NoAnswer(kind, sent=body.sent, reason=reason, duration_s=time.monotonic() - started) from None

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: _Content, tunnel: _Tunnel | None
    ) -> httpx2.Request:
        """What goes to the network as it is: httpx2's client would make three requests of it, one after the other, for
        sign-in and redirects that there are none of."""
        at = _url(url)
        extensions = {"timeout": self._limits, **({} if tunnel is None else {"trace": tunnel.note})}
        sent = {"host": at.netloc.decode("ascii"), **self._common}
        sent.update((name.lower(), value) for name, value in headers.items())
        if method == "POST":
            sent["content-length"] = str(len(body.content))
        if at.userinfo:
            sent.setdefault("authorization", f"Basic {b64encode(unquote_to_bytes(at.userinfo)).decode()}")
        cookies = self._cookies or None
        return httpx2.Request(method, at, headers=sent, cookies=cookies, stream=body, extensions=extensions)

    def _of_proxy(self, error: Exception, tunnel: _Tunnel | None) -> tuple[str, str] | None:
        """Kind and reason where the proxy did not open the tunnel; None where it did, or was not asked to.

        A proxy that cannot reach the other side, or is overloaded, may do better later; what it refuses, it refuses
        again.
        """
        if type(error) not in _KINDS:
            return "proxy", text("reasons.transport_proxy")
        status = 0 if tunnel is None else tunnel.status
        if not status or 200 <= status < 300:
            return None
        if status == 407:
            return "proxy", text("reasons.proxy_login_none" if self.route.user is None else "reasons.proxy_login")
        return "connect" if status >= 500 or status == 429 else "proxy", text("reasons.proxy_status", status=status)

    def _read(self, response: httpx2.Response, deadline: float) -> tuple[bytes, bool]:
        """The body, decoded, up to the limit; whether that is all of it. A body that drips past the deadline counts as
        cut off."""
        parts: list[bytes] = []
        size = 0
        try:
            for part in _parts(response):
                parts.append(part)
                size += len(part)
                if size > _BODY_LIMIT_BYTES or time.monotonic() > deadline:
                    return b"".join(parts)[:_BODY_LIMIT_BYTES], False
        except (httpx2.RequestError, RecursionError):  # the latter by hundreds of encodings, one within the other
            return b"".join(parts), False
        return b"".join(parts), True


def _drop_unusable(cookies: httpx2.Cookies) -> None:
    """Takes out the cookies that no request can have, and all where they are more than a server reads: each answer may
    bring another one."""
    kept = list(cookies.jar)
    for cookie in kept:
        if not f"{cookie.name}{cookie.value or ''}".isascii() or not f"{cookie.name}{cookie.value or ''}".isprintable():
            cookies.jar.clear(cookie.domain, cookie.path, cookie.name)
    if sum(len(cookie.name) + len(cookie.value or "") for cookie in kept) > _MOST_COOKIE_BYTES:
        cookies.clear()


def _parts(response: httpx2.Response) -> Iterator[bytes]:
    """What comes of the body, decoded. Most answers are not encoded."""
    if "content-encoding" in response.headers:
        return response.iter_bytes()
    assert isinstance(response.stream, httpx2.SyncByteStream)
    return iter(response.stream)


_url = lru_cache(maxsize=16)(httpx2.URL)


def _certificate(response: httpx2.Response) -> PeerCertificate | None:
    """What the other side has shown: the connection knows it until the answer is read."""
    stream = response.extensions.get("network_stream")
    connection = stream.get_extra_info("ssl_object") if stream is not None else None
    found = connection.getpeercert() if connection is not None else None
    if not found:
        return None
    names = {key: value for entry in found.get("issuer", ()) for key, value in entry}
    issuer = names.get("organizationName") or names.get("commonName") or ""
    return PeerCertificate(issuer, float(ssl.cert_time_to_seconds(found["notAfter"])))


class _Content(httpx2.SyncByteStream):
    """The body of a request. ``sent``: has its last byte been handed to the system? What a proxy is asked first is no
    part of the request."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.sent = False

    def __iter__(self) -> Iterator[bytes]:
        if self.content:
            yield self.content
        # A connection asks for what comes next when it has written what it was given.
        self.sent = True


class _Tunnel:
    """Listens to the events of a connection by way of a proxy. ``status``: by which the proxy answered the wish for a
    tunnel; 0 where it did not."""

    def __init__(self) -> None:
        self.status = 0
        self._is_tunnel = False

    def note(self, event: str, details: Mapping[str, Any]) -> None:
        if event.endswith(".send_request_headers.started"):
            self._is_tunnel = details["request"].method == b"CONNECT"
        elif event.endswith(".receive_response_headers.complete") and self._is_tunnel:
            self.status = details["return_value"][1]


def _proxy(route: ProxyRoute, tls: Tls) -> httpx2.Proxy | None:
    """What httpx2 takes. A proxy over TLS is checked as the receiver is; the client certificate is not shown to it."""
    if not route.url:
        return None
    auth = None if route.user is None else (route.user, route.password)
    checked = ssl_context(Tls(tls.ca)) if route.url.startswith("https:") else None
    return httpx2.Proxy(route.url, ssl_context=checked, auth=auth)


def _socks_faults(route: ProxyRoute) -> tuple[type[Exception], ...]:
    """What the library of SOCKS raises by itself where a proxy does not speak it."""
    if not route.is_socks:
        return ()
    from socksio import SOCKSError

    return (SOCKSError,)
