"""An exchange ends in time whatever the other side does: with bytes that drip, answers that never come, names that are
not found.

Each server here would give a good answer in the end, seconds after the time limit: what ends before is the client.
"""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from fhirmap.errors import DeliveryError
from fhirmap.records import Envelope, ReceiptState
from fhirmap.sinks import ClientCredentials, SinkSettings, Tls, TransportSettings, open_sink
from fhirmap.sinks.oauth import TokenSource
from fhirmap.sinks.transport import NoAnswer, Transport
from tests.sinks.test_transport import Authority

LIMIT_S = 0.3
BIT_S = 0.05
BITS = 100
GOOD = b"HTTP/1.1 204 No Content\r\n\r\n"

Peer = Callable[[socket.socket, threading.Event], None]


@dataclass
class Slow:
    """A server of one manner on loopback."""

    port: int
    met: list[int]


@pytest.fixture
def slow() -> Iterator[Callable[..., Slow]]:
    """``slow(peer)``: each connection is handed to ``peer``, with what is set when the test is over."""
    over = threading.Event()
    listening: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(peer: Peer) -> Slow:
        listener = socket.create_server(("127.0.0.1", 0))
        listening.append(listener)
        found = Slow(listener.getsockname()[1], [])

        def serve(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                peer(connection, over)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    found.met.append(1)
                    threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
                    threads[-1].start()

        threading.Thread(target=accept, daemon=True).start()
        return found

    yield start
    over.set()
    for listener in listening:
        listener.close()
    for thread in threads:
        thread.join(10)


def drip(connection: socket.socket, over: threading.Event, *bits: bytes) -> None:
    """One bit now and then."""
    for bit in bits:
        connection.sendall(bit)
        if over.wait(BIT_S):
            return


def request(connection: socket.socket) -> bytes:
    """The head of a request."""
    read = b""
    while b"\r\n\r\n" not in read:
        part = connection.recv(65536)
        if not part:
            return read
        read += part
    return read


def one_by_one(text: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in text]


def status_line(connection: socket.socket, over: threading.Event) -> None:
    request(connection)
    drip(connection, over, *one_by_one(b"HTTP/1.1 204 " + b"X" * BITS + b"\r\n\r\n"))


def header(connection: socket.socket, over: threading.Event) -> None:
    request(connection)
    connection.sendall(b"HTTP/1.1 204 X\r\nX-Long: ")
    drip(connection, over, *one_by_one(b"x" * BITS), b"\r\n\r\n")


def interim(connection: socket.socket, over: threading.Event) -> None:
    request(connection)
    drip(connection, over, *[b"HTTP/1.1 102 Processing\r\n\r\n"] * BITS, GOOD)


def interim_quickly(connection: socket.socket, over: threading.Event) -> None:
    request(connection)
    while not over.is_set():
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * 20)


def no_word(connection: socket.socket, over: threading.Event) -> None:
    over.wait(BIT_S * BITS)


@pytest.mark.parametrize("peer", [status_line, header, interim, interim_quickly, no_word])
def test_an_answer_that_does_not_come_whole_in_time_is_none(slow: Callable[..., Slow], peer: Peer) -> None:
    url = f"http://127.0.0.1:{slow(peer).port}/"
    with Transport(url, TransportSettings(LIMIT_S)) as transport, pytest.raises(NoAnswer) as caught:
        transport.post(url, b"{}", {})
    assert (caught.value.kind, caught.value.sent) == ("timeout", True)


def test_a_connection_that_is_kept_has_the_limit_anew_each_time(slow: Callable[..., Slow]) -> None:
    def once_quick(connection: socket.socket, over: threading.Event) -> None:
        request(connection)
        connection.sendall(GOOD)
        header(connection, over)

    server = slow(once_quick)
    url = f"http://127.0.0.1:{server.port}/"
    with Transport(url, TransportSettings(LIMIT_S)) as transport:
        assert transport.post(url, b"{}", {}).status == 204
        with pytest.raises(NoAnswer, match="timeout"):
            transport.post(url, b"{}", {})
    assert len(server.met) == 1


def test_a_thread_keeps_its_connection_until_the_other_side_ends_it(slow: Callable[..., Slow]) -> None:
    closed = threading.Event()

    def peer(connection: socket.socket, _over: threading.Event) -> None:
        for _ in range(2):
            request(connection)
            connection.sendall(GOOD)
        connection.close()
        closed.set()

    server = slow(peer)
    url = f"http://127.0.0.1:{server.port}/"
    statuses: list[int] = []
    with Transport(url, TransportSettings(timeout_s=10)) as transport:

        def post() -> None:
            statuses.append(transport.post(url, b"{}", {}).status)

        post()
        other = threading.Thread(target=post)
        other.start()
        other.join()
        assert len(server.met) == 2  # one of each thread
        post()
        assert closed.wait(10) and len(server.met) == 2
        post()
    assert statuses == [204] * 4 and len(server.met) == 3


@pytest.mark.parametrize(
    ("stray", "late"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Le", b"ngth: 5\r\n\r\nstray"),
        (b"\r\n", b""),
        (b"x", b""),
    ],
    ids=["an answer more", "half an answer more", "a line break more", "a byte more"],
)
def test_what_comes_after_an_answer_is_the_answer_to_nothing(
    slow: Callable[..., Slow], stray: bytes, late: bytes
) -> None:
    def peer(connection: socket.socket, _over: threading.Event) -> None:
        read = request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + read[-4:] + stray)
        if request(connection):
            connection.sendall(late)

    server = slow(peer)
    url = f"http://127.0.0.1:{server.port}/"
    with Transport(url, TransportSettings(timeout_s=10)) as transport:
        answers = [transport.post(url, body, {}).body for body in (b"one.", b"two.", b"six.")]
    assert answers == [b"one.", b"two.", b"six."]


def test_an_answer_before_the_whole_request_has_left_accepts_nothing(slow: Callable[..., Slow]) -> None:
    def peer(connection: socket.socket, _over: threading.Event) -> None:
        request(connection)
        connection.sendall(GOOD)

    url = f"http://127.0.0.1:{slow(peer).port}/"
    with Transport(url, TransportSettings(timeout_s=10)) as transport, pytest.raises(NoAnswer) as caught:
        transport.post(url, b"x" * 50_000_000, {})
    assert caught.value.sent


def test_the_head_of_a_request_leaves_with_its_body(slow: Callable[..., Slow]) -> None:
    came: list[bytes] = []

    def peer(connection: socket.socket, _over: threading.Event) -> None:
        while first := connection.recv(1 << 20):
            came.append(first)
            connection.sendall(GOOD)

    server = slow(peer)
    url = f"http://127.0.0.1:{server.port}/"
    with Transport(url, TransportSettings(timeout_s=10)) as transport:
        transport.post(url, b'{"a": 1}', {})
        transport.get(url, {})
    assert [part.partition(b" ")[0] for part in came] == [b"POST", b"GET"]
    assert came[0].endswith(b'\r\n\r\n{"a": 1}') and came[1].endswith(b"\r\n\r\n")


def test_a_body_that_drips_is_cut_off(slow: Callable[..., Slow]) -> None:
    def body(connection: socket.socket, over: threading.Event) -> None:
        request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BITS)
        drip(connection, over, *one_by_one(b"x" * BITS))

    url = f"http://127.0.0.1:{slow(body).port}/"
    with Transport(url, TransportSettings(LIMIT_S)) as transport:
        answer = transport.post(url, b"{}", {})
    assert (answer.status, answer.complete) == (200, False)
    assert 0 < len(answer.body) < BITS


def test_a_request_that_is_taken_slowly_has_not_been_sent(slow: Callable[..., Slow]) -> None:
    def sipping(connection: socket.socket, over: threading.Event) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        while connection.recv(4096) and not over.wait(BIT_S / 5):
            pass

    url = f"http://127.0.0.1:{slow(sipping).port}/"
    with Transport(url, TransportSettings(LIMIT_S)) as transport, pytest.raises(NoAnswer) as caught:
        transport.post(url, b"x" * 20_000_000, {})
    assert (caught.value.kind, caught.value.sent) == ("timeout", False)


@pytest.mark.parametrize("peer", [status_line, header, interim, no_word])
def test_a_proxy_that_opens_no_tunnel_in_time(slow: Callable[..., Slow], peer: Peer) -> None:
    settings = TransportSettings(LIMIT_S, proxy=f"http://127.0.0.1:{slow(peer).port}")
    url = "https://registry.invalid/fhir"
    with Transport(url, settings) as transport, pytest.raises(NoAnswer) as caught:
        transport.post(url, b"{}", {})
    assert (caught.value.kind, caught.value.sent) == ("timeout", False)


def record_by_record(connection: socket.socket, over: threading.Event) -> None:
    """A handshake that begins, and goes on with a warning now and then."""
    connection.recv(65536)
    drip(connection, over, *[b"\x15\x03\x03\x00\x02\x01\x5a"] * BITS)


@pytest.mark.parametrize("peer", [no_word, record_by_record])
def test_a_handshake_that_does_not_end(slow: Callable[..., Slow], peer: Peer) -> None:
    url = f"https://127.0.0.1:{slow(peer).port}/"
    with Transport(url, TransportSettings(LIMIT_S)) as transport, pytest.raises(NoAnswer) as caught:
        transport.post(url, b"{}", {})
    assert not caught.value.sent
    assert caught.value.kind in ("connect", "timeout", "tls")


def test_an_answer_within_tls_drips(slow: Callable[..., Slow], authority: Authority) -> None:
    context = authority.context()

    def over_tls(connection: socket.socket, over: threading.Event) -> None:
        with context.wrap_socket(connection, server_side=True) as inner:
            header(inner, over)

    url = f"https://127.0.0.1:{slow(over_tls).port}/"
    settings = TransportSettings(LIMIT_S, tls=Tls(ca=authority.file))
    with Transport(url, settings) as transport, pytest.raises(NoAnswer) as caught:
        transport.post(url, b"{}", {})
    assert (caught.value.kind, caught.value.sent) == ("timeout", True)


@pytest.mark.parametrize("part", ["handshake", "answer"])
def test_tls_within_tls_drips(slow: Callable[..., Slow], authority: Authority, part: str) -> None:
    """A proxy over TLS hands on what comes through its tunnel byte by byte."""
    context = authority.context()

    def proxy(connection: socket.socket, over: threading.Event) -> None:
        with context.wrap_socket(connection, server_side=True) as outer:
            request(outer)
            outer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            inner = context.wrap_bio(incoming, outgoing, server_side=True)

            def handshake() -> bool:
                inner.do_handshake()
                return True

            def step(do: Callable[[], Any], slowly: bool) -> Any:
                while True:
                    try:
                        found = do()
                    except ssl.SSLWantReadError:
                        found = None
                    text = outgoing.read()
                    drip(outer, over, *(one_by_one(text) if slowly else [text]))
                    if found is not None:
                        return found
                    read = outer.recv(65536)
                    if not read:
                        raise OSError("closed")
                    incoming.write(read)

            step(handshake, part == "handshake")
            step(lambda: inner.read(65536), False)
            step(lambda: inner.write(GOOD), True)

    proxy_url = f"https://127.0.0.1:{slow(proxy).port}"
    settings = TransportSettings(1.0, proxy=proxy_url, tls=Tls(ca=authority.file))
    url = "https://127.0.0.1:9/"
    with Transport(url, settings) as transport, pytest.raises(NoAnswer) as caught:
        transport.post(url, b"{}", {})
    assert caught.value.sent == (part == "answer")
    assert caught.value.kind in ("connect", "timeout")


def test_a_name_that_is_not_found_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def hanging(*_: Any, **__: Any) -> list[Any]:
        over.wait(BIT_S * BITS)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 9))]

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    url = "http://registry.invalid/"
    with Transport(url, TransportSettings(LIMIT_S, allow_http=True)) as transport, pytest.raises(NoAnswer) as caught:
        transport.post(url, b"{}", {})
    over.set()
    assert (caught.value.kind, caught.value.sent) == ("connect", False)
    assert "in time" in caught.value.reason


@pytest.mark.parametrize("host", ["a..b", "x" * 70 + ".invalid"])
def test_a_host_that_can_be_no_name(host: str) -> None:
    url = f"http://{host}/"
    with Transport(url, TransportSettings(LIMIT_S, allow_http=True)) as transport, pytest.raises(NoAnswer) as caught:
        transport.post(url, b"{}", {})
    assert not caught.value.sent
    assert caught.value.kind in ("name", "address")


def test_each_of_a_host_s_addresses_is_tried(monkeypatch: pytest.MonkeyPatch, raw_server: Any) -> None:
    def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        hosts = ("127.0.0.2", "127.0.0.1") if host == "registry.invalid" else (host,)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in hosts]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    port = raw_server(GOOD).port
    url = f"http://registry.invalid:{port}/"
    with Transport(url, TransportSettings(5, allow_http=True)) as transport:
        assert transport.post(url, b"{}", {}).status == 204


@pytest.mark.parametrize("peer", [status_line, header, interim, no_word])
def test_a_token_is_waited_for_no_longer(slow: Callable[..., Slow], peer: Peer) -> None:
    server = slow(peer)
    credentials = ClientCredentials(f"http://127.0.0.1:{server.port}/token", "id", "secret")
    source = TokenSource(credentials, TransportSettings(LIMIT_S), sleep=lambda _: None)
    with closing(source), pytest.raises(DeliveryError, match="FM611"):
        source.bearer()
    assert len(server.met) == 3


def test_what_was_sent_and_not_answered_in_time_is_uncertain(slow: Callable[..., Slow]) -> None:
    url = f"http://127.0.0.1:{slow(interim).port}"
    sink = open_sink(SinkSettings("fhir-operation", url, "$op", transport=TransportSettings(LIMIT_S)))
    receipt = sink.send(Envelope("1", b"{}", "d", request_key="k"))
    sink.close()
    assert (receipt.state, receipt.code) == (ReceiptState.UNCERTAIN, "FM650")


@pytest.fixture
def authority(tmp_path: Any) -> Authority:
    return Authority(tmp_path)


@pytest.mark.parametrize("encoding", ["gzip", ", ".join(["gzip"] * 3000)], ids=["one", "thousands"])
def test_a_body_that_unpacks_without_end_is_cut_off(raw_server: Any, encoding: str) -> None:
    packed = gzip.compress(b"0" * 200_000_000, 1)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(packed)}\r\n\r\n"
    url = raw_server(head.encode() + packed).url
    with Transport(url, TransportSettings(20)) as transport:
        answer = transport.post(url, b"{}", {})
    assert (answer.status, answer.complete) == (200, False)
    assert len(answer.body) <= 1_048_576
