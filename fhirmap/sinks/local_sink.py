"""What sinks on this machine have in common: a batch is accepted as a whole, once it is written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from fhirmap.errors import DeliveryError
from fhirmap.records import Envelope, Receipt, ReceiptState
from fhirmap.texts import Text, os_reason

__all__ = ["LocalSink", "unwritable"]


class LocalSink(ABC):
    """A sink that writes. ``name``: the path, or what people call the place."""

    batch_size: int
    is_remote = False

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def write(self, envelopes: Sequence[Envelope]) -> None:
        """Write the payloads of a batch: they are kept when this returns.

        Raises: OSError where they cannot all be written. A file or a folder is then as it was before; what has gone to
        a stream is not taken back.
        """

    def prepare(self) -> None:  # noqa: B027 - most have nothing to do
        """Nothing: it is open."""

    def send(self, envelope: Envelope) -> Receipt:
        """Accepted, once it is written."""
        return self.send_all([envelope])[0]

    def send_all(self, envelopes: Sequence[Envelope]) -> list[Receipt]:
        """Accepted, each of them, once they are written.

        Raises: DeliveryError FM619 where they cannot be.
        """
        try:
            self.write(envelopes)
        except OSError as error:
            raise unwritable(self.name, error) from None
        return [Receipt(ReceiptState.ACCEPTED, "")] * len(envelopes)

    def close(self) -> None:  # noqa: B027 - as `prepare`
        """Nothing is held."""


def unwritable(name: str, why: OSError | Text) -> DeliveryError:
    """FM619 of the place ``name``: what the system said, or a text on what is there already."""
    if isinstance(why, OSError):
        return DeliveryError("FM619", file=name, reason=os_reason(why, "not_writable"))
    return DeliveryError("FM619", variant="content", file=name, reason=why)
