"""Where payloads go: `send(Envelope) -> Receipt`. One file a sink, one for tokens, one for HTTP, one for what an
answer means.

Invariants: a receipt's state is decided in `outcome` alone; `transport` alone knows httpx2 and `client_authentication`
alone authlib; `shown_answer` decides what of an answer is shown, and a value of the payload never leaves in a receipt's
words; a secret is in no repr, message or log. Absent on purpose: retries, limits and waiting (`runner.deliver`), memory
(`journal`).
"""

from fhirmap.sinks.settings import AnswerWords, ClientCredentials, Tls, TransportSettings
from fhirmap.sinks.sink import AuthenticatedSink, InterruptibleSink, Sink, SinkSettings, open_sink

__all__ = [
    "AnswerWords",
    "AuthenticatedSink",
    "ClientCredentials",
    "InterruptibleSink",
    "Sink",
    "SinkSettings",
    "Tls",
    "TransportSettings",
    "open_sink",
]
