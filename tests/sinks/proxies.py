"""Proxies on loopback: each leads every host to one server of the test, and keeps what it was asked for."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from contextlib import suppress


class TunnelProxy:
    """An HTTP proxy for CONNECT. ``answer``: its status line where it opens no tunnel; ``context``: it is one over TLS.

    ``drops``: it opens the tunnel, and closes it at once.
    """

    def __init__(
        self, port: int, *, answer: str = "", context: ssl.SSLContext | None = None, drops: bool = False
    ) -> None:
        self.requests: list[bytes] = []
        self._target = port
        self._answer = answer
        self._context = context
        self._drops = drops
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        with suppress(OSError), connection:
            side = self._context.wrap_socket(connection, server_side=True) if self._context else connection
            if not self._opens(side):
                return
            with side, socket.create_connection(("127.0.0.1", self._target), 10) as target:
                if not self._drops:
                    _relay(side, target)

    def _opens(self, side: socket.socket) -> bool:
        head = b""
        while b"\r\n\r\n" not in head:
            part = side.recv(65536)
            if not part:
                return False
            head += part
        self.requests.append(head)
        status = self._answer or "200 Connection established"
        side.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode() if self._answer else _opened(status))
        return not self._answer


class SocksProxy(TunnelProxy):
    """A SOCKS5 proxy (RFC 1928) that asks for a user and a password (RFC 1929). ``answer``: "login" refuses them,
    "protocol" does not speak SOCKS."""

    def _opens(self, side: socket.socket) -> bool:
        greeting = side.recv(262)
        if self._answer == "protocol":
            side.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            return False
        if 2 not in greeting[2:]:
            side.sendall(b"\x05\xff")
            return False
        side.sendall(b"\x05\x02")
        self.requests.append(side.recv(513))
        side.sendall(b"\x01\x01" if self._answer else b"\x01\x00")
        if self._answer:
            return False
        self.requests.append(side.recv(262))
        side.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x01")
        return True


def _opened(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\n\r\n".encode()


def _relay(one: socket.socket, other: socket.socket) -> None:
    """What comes from either goes to the other, until both have ended. In one thread: two may not use a TLS connection
    at the same time."""
    ways = {one: other, other: one}
    while ways:
        ready = [side for side in ways if isinstance(side, ssl.SSLSocket) and side.pending()]
        for side in ready or select.select(list(ways), [], [], 10)[0]:
            part = side.recv(65536)
            if part:
                ways[side].sendall(part)
            else:
                with suppress(OSError):
                    ways.pop(side).shutdown(socket.SHUT_WR)
