"""Connections on which an exchange ends in time, whatever the other side does.

httpx2's time limits are those of one read and one write: a peer that sends a byte now and then, or one 102 after the
other, is never late. Here all that an exchange does on the network shares one deadline: the look-up of the name, each
address tried, a proxy's answers, the handshake, each read and each write. An exchange runs in one thread from its
beginning to its end, so the deadline is that thread's.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpcore2
import httpx2

__all__ = ["BoundedTransport"]

_TRANSLATED: dict[type[Exception], type[httpx2.TransportError]] = {
    httpcore2.ConnectTimeout: httpx2.ConnectTimeout,
    httpcore2.ReadTimeout: httpx2.ReadTimeout,
    httpcore2.WriteTimeout: httpx2.WriteTimeout,
    httpcore2.PoolTimeout: httpx2.PoolTimeout,
    httpcore2.TimeoutException: httpx2.TimeoutException,
    httpcore2.ConnectError: httpx2.ConnectError,
    httpcore2.ReadError: httpx2.ReadError,
    httpcore2.WriteError: httpx2.WriteError,
    httpcore2.NetworkError: httpx2.NetworkError,
    httpcore2.ProxyError: httpx2.ProxyError,
    httpcore2.UnsupportedProtocol: httpx2.UnsupportedProtocol,
    httpcore2.LocalProtocolError: httpx2.LocalProtocolError,
    httpcore2.RemoteProtocolError: httpx2.RemoteProtocolError,
    httpcore2.ProtocolError: httpx2.ProtocolError,
}

_MOST_HELD = 4096
"""Bytes that are not sent alone."""

_Place = tuple[int, bytes, bytes, int]
"""A thread, and scheme, host and port of an origin."""
_Found = list[tuple[Any, ...]] | OSError
_SocketOption = Any  # httpcore2 names the type, and does not export it


class BoundedTransport(httpx2.BaseTransport):
    """What httpx2.HTTPTransport is, with a deadline over each exchange; safe to share between threads."""

    def __init__(
        self, context: ssl.SSLContext, *, proxy: httpx2.Proxy | None = None, keepalive_s: float | None = None
    ) -> None:
        """``keepalive_s``: how long a connection is kept open between two requests."""
        self._network = _Network()
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context,
            proxy=None if proxy is None else _proxy(proxy),
            keepalive_expiry=keepalive_s,
            network_backend=self._network,
        )
        self._kept: dict[_Place, httpcore2.ConnectionInterface] = {}

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """What this thread does here until the end of the ``with`` is over within ``seconds``."""
        self._network.until = time.monotonic() + seconds
        try:
            yield
        finally:
            self._network.until = None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer, its body not read yet.

        Raises: httpx2.TransportError.
        """
        sent = httpcore2.Request(
            method=request.method,
            url=_url(request.url),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _translated():
            answer = self._connection(sent.url.origin).handle_request(sent)
        return httpx2.Response(
            answer.status, headers=answer.headers, stream=_Body(answer), extensions=dict(answer.extensions)
        )

    def close(self) -> None:
        """Closes every connection."""
        for connection in self._kept.values():
            connection.close()

    def _connection(self, origin: httpcore2.Origin) -> httpcore2.ConnectionInterface:
        """That of this thread to ``origin``, or a new one where it has none that can be used. The pool only makes
        them: it would look at all that it has, and ask the system about those that wait, twice for every request."""
        place = (threading.get_ident(), origin.scheme, origin.host, origin.port)
        found = self._kept.get(place)
        if found is not None and not found.is_closed():
            if found.is_idle() and not found.has_expired() and not _has_left_over(found):
                return found
            found.close()
        found = self._kept[place] = self._pool.create_connection(origin)
        return found


def _has_left_over(connection: httpcore2.ConnectionInterface) -> bool:
    """Has more come than the answers to what was asked? httpcore2 would take it for the next request's answer, and does
    not say that it is there. Where it cannot be seen, it may be.
    """
    inner: Any = connection
    while (further := getattr(inner, "_connection", None)) is not None:
        inner = further
    state = getattr(inner, "_h11_state", None)
    return state is None or bool(state.trailing_data[0])


class _Body(httpx2.SyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _translated():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except tuple(_TRANSLATED) as error:
        raise _TRANSLATED[type(error)](str(error)) from error


def _url(url: httpx2.URL) -> httpcore2.URL:
    return httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _proxy(proxy: httpx2.Proxy) -> httpcore2.Proxy:
    return httpcore2.Proxy(
        url=_url(proxy.url), auth=proxy.raw_auth, headers=proxy.headers.raw, ssl_context=proxy.ssl_context
    )


class _Network(httpcore2.NetworkBackend):
    """Connections that share the deadline of the thread that uses them."""

    def __init__(self) -> None:
        self._inner = httpcore2.SyncBackend()
        self._of_thread = threading.local()

    @property
    def until(self) -> float | None:
        """When the exchange of this thread has to be over, by the monotonic clock; None outside one."""
        found: float | None = getattr(self._of_thread, "until", None)
        return found

    @until.setter
    def until(self, at: float | None) -> None:
        self._of_thread.until = at

    def left(self, limit_s: float | None, late: type[Exception]) -> float | None:
        """Seconds for the next step: its own limit, or what the exchange has left if that is less.

        Raises: ``late`` where nothing is left.
        """
        if self.until is None:
            return limit_s
        left_s = self.until - time.monotonic()
        if left_s <= 0:
            raise late
        return left_s if limit_s is None else min(left_s, limit_s)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[_SocketOption] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection to the first of the host's addresses that takes one."""
        failure: Exception = httpcore2.ConnectError()
        for address in self._addresses(host, port, timeout):
            left_s = self.left(timeout, httpcore2.ConnectTimeout)
            try:
                stream = self._inner.connect_tcp(address, port, left_s, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream, self)
        raise failure

    def _addresses(self, host: str, port: int, timeout: float | None) -> list[str]:
        """The system's look-up has no time limit of its own: it is waited for in another thread."""
        with suppress(ValueError):
            ipaddress.ip_address(host)
            return [host]
        found: queue.SimpleQueue[_Found] = queue.SimpleQueue()
        threading.Thread(target=_look_up, args=(host, port, found), daemon=True, name="fhirmap-name").start()
        try:
            answer = found.get(timeout=self.left(timeout, httpcore2.ConnectTimeout))
        except queue.Empty:
            raise httpcore2.ConnectTimeout from None
        if isinstance(answer, OSError):
            try:
                raise answer  # so that it is the context of what follows, which the pool keeps
            except OSError as error:
                raise httpcore2.ConnectError(str(error)) from error
        return list(dict.fromkeys(str(entry[4][0]) for entry in answer))


def _look_up(host: str, port: int, found: queue.SimpleQueue[_Found]) -> None:
    try:
        found.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    except UnicodeError as error:  # no name of DNS: a label that is empty or too long
        found.put(socket.gaierror(socket.EAI_NONAME, str(error)))
    except OSError as error:
        found.put(error)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, inner: httpcore2.NetworkStream, network: _Network, *, is_nested: bool = False) -> None:
        """``is_nested``: TLS within TLS, for which one call of ``inner`` may be many reads."""
        self._inner = inner
        self._network = network
        self._is_nested = is_nested
        self._held = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._held:
            self._send(b"", timeout)
        left_s = self._network.left(timeout, httpcore2.ReadTimeout)
        with _ended(self._inner if self._is_nested else None, left_s, httpcore2.ReadTimeout):
            return self._inner.read(max_bytes, left_s)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """The head of a request leaves with its body, in one packet: it is held until more is written, or an answer is
        read."""
        if self._held or len(buffer) > _MOST_HELD:
            self._send(buffer, timeout)
        else:
            self._held = bytes(buffer)

    def _send(self, buffer: bytes, timeout: float | None) -> None:
        buffer, self._held = self._held + buffer, b""
        if self._is_nested:
            left_s = self._network.left(timeout, httpcore2.WriteTimeout)
            with _ended(self._inner, left_s, httpcore2.WriteTimeout):
                self._inner.write(buffer, left_s)
            return
        # Bit by bit: ``inner`` would start its time anew for each.
        sock = self._inner.get_extra_info("socket")
        view = memoryview(buffer)
        while view:
            left_s = self._network.left(timeout, httpcore2.WriteTimeout)
            try:
                sock.settimeout(left_s)
                view = view[sock.send(view) :]
            except TimeoutError as error:
                raise httpcore2.WriteTimeout(str(error)) from error
            except OSError as error:
                raise httpcore2.WriteError(str(error)) from error

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        is_nested = self._inner.get_extra_info("ssl_object") is not None
        left_s = self._network.left(timeout, httpcore2.ConnectTimeout)
        with _ended(self._inner if is_nested else None, left_s, httpcore2.ConnectTimeout):
            inner = self._inner.start_tls(ssl_context, server_hostname, left_s)
        return _Stream(inner, self._network, is_nested=is_nested)

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - of the interface
        return self._inner.get_extra_info(info)


@contextmanager
def _ended(stream: httpcore2.NetworkStream | None, seconds: float | None, late: type[Exception]) -> Iterator[None]:
    """Ends the connection of ``stream`` after ``seconds``, during a step that has no time limit as a whole."""
    if stream is None or seconds is None:
        yield
        return
    sock = stream.get_extra_info("socket")
    has_ended = threading.Event()

    def end() -> None:
        has_ended.set()
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as error:
        if has_ended.is_set():
            raise late(str(error)) from error
        raise
    finally:
        timer.cancel()
