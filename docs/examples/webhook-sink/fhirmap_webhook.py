"""A sink: posts each payload as JSON to one address.

The secret is the password of the address (`https://user:${HOOK_SECRET}@hooks.example/fhir`): it goes out in a header
and is shown nowhere.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from fhirmap.extending import ConfigError, Envelope, Receipt, ReceiptState, SinkSettings


class Webhook:
    """Each envelope by itself: 2xx accepted, 408, 429 and 5xx later, any other answer refused."""

    batch_size = 1
    is_remote = True

    def __init__(self, url: str, timeout_s: float) -> None:
        """Raises: ConfigError FM791 for an address that cannot be posted to."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError("FM791", what="url", reason="not an http address")
        self._secret = parts.password or ""
        self._host, self._port, self._path = parts.hostname, parts.port, parts.path or "/"
        self._connection = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._timeout_s = timeout_s

    @property
    def name(self) -> str:
        """The address without its secret."""
        return f"{self._host}:{self._port or ''}{self._path}"

    def prepare(self) -> None:
        """Nothing: no token has to be fetched."""

    def send(self, envelope: Envelope) -> Receipt:
        """What became of one envelope; a receiver that cannot be reached is a receipt too."""
        started = time.monotonic()
        connection = self._connection(self._host, self._port, timeout=self._timeout_s)
        try:
            connection.connect()
        except OSError:
            return Receipt(ReceiptState.DEFERRED, "FM600", duration_s=time.monotonic() - started)
        try:
            connection.request("POST", self._path, envelope.payload, self._headers(envelope))
            answer = connection.getresponse()
            return _receipt(answer.status, answer.read(65_536), time.monotonic() - started)
        except (OSError, HTTPException):
            # The request had left: it may have been carried out, and the journal must not take it for lost.
            return Receipt(ReceiptState.UNCERTAIN, "FM651", duration_s=time.monotonic() - started)
        finally:
            connection.close()

    def send_all(self, envelopes: Sequence[Envelope]) -> list[Receipt]:
        """What became of each, one after the other."""
        return [self.send(envelope) for envelope in envelopes]

    def close(self) -> None:
        """No connection is kept."""

    def _headers(self, envelope: Envelope) -> Mapping[str, str]:
        headers = {"Content-Type": "application/fhir+json", "X-Request-Id": envelope.request_key}
        return {**headers, "X-Secret": self._secret} if self._secret else headers


def _receipt(status: int, body: bytes, duration_s: float) -> Receipt:
    if 200 <= status < 300:
        return Receipt(ReceiptState.ACCEPTED, "", status, duration_s=duration_s, body=body)
    if status in (408, 429) or status >= 500:
        return Receipt(ReceiptState.DEFERRED, "FM604", status, duration_s=duration_s, body=body)
    return Receipt(ReceiptState.REFUSED, "FM663", status, duration_s=duration_s, body=body)


def open_sink(settings: SinkSettings) -> Webhook:
    """The sink of ``kind = "webhook"``: ``url`` is the address.

    Raises: ConfigError FM791.
    """
    return Webhook(settings.url, settings.transport.timeout_s)
