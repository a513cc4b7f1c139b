"""A receiver that takes whatever is posted, as fast as it can: `python -m benchmarks.receiver`, a process of its own.

It prints its port, answers each request with an identifier of its own until its standard input is closed, and then
prints how many it has answered, and how much of the processor that took.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)
_BODY = (
    '{"resourceType":"Parameters","parameter":[{"name":"idRegistre","valueIdentifier":'
    '{"system":"https://registre.example/id","value":"%012d"}}]}'
)


class _Connection(asyncio.Protocol):
    answered = 0

    def __init__(self) -> None:
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (head := self._data.find(b"\r\n\r\n")) >= 0:
            found = _LENGTH.search(self._data, 0, head)
            end = head + 4 + (int(found[1]) if found else 0)
            if len(self._data) < end:
                return
            self._data = self._data[end:]
            _Connection.answered += 1
            body = (_BODY % _Connection.answered).encode()
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n%b"
                % (len(body), body)
            )


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()
    print(json.dumps({"answered": _Connection.answered, "cpu_s": time.process_time()}), flush=True)


@dataclass(slots=True)
class Receiving:
    """A receiver that is at work. ``answered`` and ``cpu_s`` are known at its end."""

    url: str
    answered: int = 0
    cpu_s: float = 0.0


@contextmanager
def receiver() -> Iterator[Receiving]:
    """A receiver as a process of its own, from ``with`` to its end."""
    command = [sys.executable, "-m", "benchmarks.receiver"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = Receiving(f"http://127.0.0.1:{int(process.stdout.readline())}")
        try:
            yield found
        finally:
            said, _ = process.communicate()
            found.answered, found.cpu_s = json.loads(said).values()


if __name__ == "__main__":
    asyncio.run(_serve())
