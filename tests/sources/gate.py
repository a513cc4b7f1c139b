"""A way to a database server that ends, or on which nothing comes any more, when a test wants it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa

_DEFAULT = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306}


class Gate:
    """Passes bytes on between clients and one server. ``most``: of the server's bytes, after which it is ``cut`` or,
    where ``is_silent``, nothing more comes."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        self.most: int | None = None
        self.is_silent = False
        self.passed = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                self._sockets += [client, server]
                threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                if counts and self.most is not None and self.passed >= self.most:
                    if self.is_silent:
                        return
                    self.cut()
                    return
                target.sendall(data)
                self.passed += len(data) if counts else 0
        if not self.is_silent:
            for end in (source, target):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """End every connection."""
        for end in self._sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()
        self.cut()
        for end in self._sockets:
            end.close()


@contextmanager
def gate_to(url: str) -> Iterator[tuple[Gate, sa.URL]]:
    """A gate to the server of ``url``, and the address through it."""
    given = sa.make_url(url)
    gate = Gate((given.host or "127.0.0.1", given.port or _DEFAULT[given.get_backend_name()]))
    through = given.set(host="127.0.0.1", port=gate.port)
    try:
        yield gate, through
    finally:
        gate.close()
