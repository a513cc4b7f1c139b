"""Payloads on standard output, one a line: for a look, or for another program to read."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import BinaryIO

from fhirmap.errors import DeliveryError
from fhirmap.records import Envelope, Receipt, ReceiptState
from fhirmap.sinks.ndjson_file import one_line
from fhirmap.sinks.sink import Sink, SinkSettings
from fhirmap.texts import os_reason, text

__all__ = ["StandardOutput", "open_sink"]


class StandardOutput:
    """Writes each payload as a line and flushes."""

    batch_size = 100
    is_remote = False

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.name = text("reasons.standard_output")

    def prepare(self) -> None:
        """Nothing: it is open."""

    def send(self, envelope: Envelope) -> Receipt:
        """Accepted, once it is written."""
        return self.send_all([envelope])[0]

    def send_all(self, envelopes: Sequence[Envelope]) -> list[Receipt]:
        """Accepted, each of them, once they are written.

        Raises: DeliveryError FM619 where the reader has gone.
        """
        try:
            for envelope in envelopes:
                self._stream.write(one_line(envelope.payload))
            self._stream.flush()
        except OSError as error:
            raise DeliveryError("FM619", file=self.name, reason=os_reason(error, "not_writable")) from None
        return [Receipt(ReceiptState.ACCEPTED, "")] * len(envelopes)

    def close(self) -> None:
        """Nothing: the stream is not ours."""


def open_sink(_settings: SinkSettings) -> Sink:
    """The sink of ``kind = "stdout"``."""
    return StandardOutput(sys.stdout.buffer)
