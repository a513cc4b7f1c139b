"""What every sink is, what it may be set up with, and the one function that opens one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

from fhirmap.errors import ConfigError
from fhirmap.plugins import find_plugins, load
from fhirmap.records import Envelope, Receipt
from fhirmap.sinks.settings import AnswerWords, ClientCredentials, IdentifiersOf, TransportSettings

__all__ = ["AuthenticatedSink", "InterruptibleSink", "Sink", "SinkFactory", "SinkSettings", "open_sink"]


class Sink(Protocol):
    """Where payloads go. Sending never raises for what is one record's matter: that is its receipt.

    Raises: DeliveryError from `send` where nothing at all can be sent; the record in hand has then not been taken.
    """

    @property
    def name(self) -> str:
        """Whom people see it is: a URL without secrets, or a path."""

    @property
    def batch_size(self) -> int:
        """How many envelopes `send_all` takes at best; 1 for a sink that answers each by itself."""

    @property
    def is_remote(self) -> bool:
        """Does the rate limit apply, and are failures worth waiting for?"""

    def prepare(self) -> None:
        """What has to be done once before the first envelope: a token, so that the first calls are not held up
        together.

        Raises: DeliveryError where nothing can be sent.
        """

    def send(self, envelope: Envelope) -> Receipt:
        """What became of one envelope."""

    def send_all(self, envelopes: Sequence[Envelope]) -> list[Receipt]:
        """What became of each."""

    def close(self) -> None:
        """Gives back connections and files."""


@runtime_checkable
class AuthenticatedSink(Protocol):
    """A sink that asks an identity server for tokens."""

    @property
    def tokens_fetched(self) -> int:
        """How many it got."""


@runtime_checkable
class InterruptibleSink(Protocol):
    """A sink that may do more for an envelope than one request."""

    def interrupt(self) -> None:
        """The run ends: what has not begun is not begun. Called from a signal's handler, so it may set a flag, no
        more."""


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """``[sink]`` of a project. ``url``: base address of a receiver, or path of a file; it may hold a password.
    ``endpoint``: of the target, below the base. ``identifiers_of``: ``[receipt]`` of the target, compiled;
    ``answer_words``: its ``[answers]``."""

    kind: str
    url: str = field(default="", repr=False)
    endpoint: str = ""
    credentials: ClientCredentials | None = None
    transport: TransportSettings = field(default_factory=TransportSettings)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    path: Path | None = None
    identifiers_of: IdentifiersOf | None = None
    answer_words: AnswerWords | None = None


SinkFactory = Callable[[SinkSettings], Sink]
"""What an entry point of `fhirmap.sinks` names: it opens the sink whose ``kind`` is the entry's name.

Raises: ConfigError FM790-FM792 for settings that cannot work, with `what` they lack; nothing is sent yet.
"""


def open_sink(settings: SinkSettings) -> Sink:
    """The sink that ``settings`` names, built in or a plug-in's.

    Raises: ConfigError FM793 for a kind that does not exist, FM790-FM792 for settings that cannot work.
    """
    found = find_plugins("fhirmap.sinks")
    if settings.kind not in found:
        raise ConfigError("FM793", kind=settings.kind, kinds=", ".join(sorted(found)))
    return cast(SinkFactory, load(found[settings.kind]))(settings)
