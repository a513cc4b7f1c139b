"""The server on loopback."""

from __future__ import annotations

import socket
from asyncio import BaseTransport
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest

from fhirmap.errors import ConfigError


def test_a_port_that_is_taken_is_reported(registry: Any) -> None:
    from fhirmap.registry import RegistryServer

    with pytest.raises(ConfigError, match="FM795"):
        RegistryServer(port=registry().port)


def test_an_answer_is_sent_without_waiting_for_an_acknowledgement(monkeypatch: pytest.MonkeyPatch) -> None:
    from fhirmap.registry import RegistryServer
    from fhirmap.registry.server import _Protocol

    found: list[int] = []

    class Watched(_Protocol):
        def connection_made(self, transport: BaseTransport) -> None:
            super().connection_made(transport)
            connection = transport.get_extra_info("socket")
            found.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr("fhirmap.registry.server._Protocol", Watched)
    with RegistryServer() as server, closing(HTTPConnection("127.0.0.1", server.port)) as connection:
        connection.request("GET", "/")
        connection.getresponse().read()
    assert found
    assert all(found)
