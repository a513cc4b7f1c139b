"""The simulator as a real HTTP server on loopback: in a thread for tests and demos, or in the foreground for ``fhirmap
registry``."""

from __future__ import annotations

import socket
import time
from asyncio import BaseTransport
from collections.abc import Callable
from threading import Thread
from types import TracebackType

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from fhirmap.errors import ConfigError
from fhirmap.registry.app import BASE, Simulator
from fhirmap.registry.config import RegistryConfig
from fhirmap.texts import os_reason

__all__ = ["RegistryServer", "serve"]

_HOST = "127.0.0.1"


class _Protocol(H11Protocol):
    """Lets the application reach its connection, so that it can drop it."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self.app_state = {**self.app_state, "transport": transport}


class RegistryServer:
    """A simulator listening on loopback, from `start` (or ``with``) to `stop`. Port 0 takes any free one.

    Connections are taken from the moment it is made; they wait until it is started.
    """

    def __init__(
        self, config: RegistryConfig | None = None, port: int = 0, *, clock: Callable[[], float] = time.time
    ) -> None:
        """Raises: ConfigError FM795 where the port is taken."""
        self.simulator = Simulator(config or RegistryConfig(), clock=clock)
        # Of a socket that is known to be TCP's, answers are sent at once: else each would wait for an acknowledgement.
        self._socket = socket.socket(proto=socket.IPPROTO_TCP)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((_HOST, port))
        except OSError as error:
            self._socket.close()
            raise ConfigError("FM795", port=port, reason=os_reason(error)) from None
        self._socket.listen(128)
        self.port = int(self._socket.getsockname()[1])
        settings = uvicorn.Config(
            self.simulator.app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=30,
        )
        self._server = uvicorn.Server(settings)
        self._thread = Thread(target=self._run, name="fhirmap-registry", daemon=True)

    @property
    def url(self) -> str:
        """The FHIR base."""
        return f"http://{_HOST}:{self.port}{BASE}"

    @property
    def token_url(self) -> str:
        """The token endpoint."""
        return f"http://{_HOST}:{self.port}/connect/token"

    def start(self) -> RegistryServer:
        """Serves in a thread of its own."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Finishes what is under way, for a second at most, and closes."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        self._socket.close()

    def __enter__(self) -> RegistryServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def run_here(self) -> None:
        """Serves in this thread until interrupted."""
        try:
            self._run()
        finally:
            self._socket.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])


def serve(
    port: int, config: RegistryConfig | None = None, on_ready: Callable[[RegistryServer], None] | None = None
) -> None:
    """Serves on loopback until interrupted; ``on_ready`` is called once connections are taken.

    Raises: ConfigError FM795 where the port is taken; KeyboardInterrupt at Ctrl-C.
    """
    server = RegistryServer(config, port)
    if on_ready is not None:
        on_ready(server)
    server.run_here()
