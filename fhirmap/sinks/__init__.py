"""Where payloads go: `send(Envelope) -> Receipt`. One file a sink, one for tokens, one for HTTP, one for what an
answer means.

Invariants: a receipt's state is decided in `outcome` alone; `transport` alone knows httpx2 and `oauth` alone authlib;
a value of the payload never leaves in a receipt's words (they are redacted against the payload); a secret is in no
repr, message or log. Absent on purpose: retries, limits and waiting (`runner.deliver`), memory (`journal`).
"""

from fhirmap.sinks.settings import ClientCredentials, Tls, TransportSettings
from fhirmap.sinks.sink import Sink, SinkSettings, open_sink

__all__ = ["ClientCredentials", "Sink", "SinkSettings", "Tls", "TransportSettings", "open_sink"]
