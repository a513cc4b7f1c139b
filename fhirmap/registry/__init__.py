"""A registry to try things on: token endpoint, operation, pairing, rate limit and faults, over real HTTP on loopback.

It knows the registry's guide and nothing of the rest of fhirmap, so that agreement between the two says something. It
is the one place where RENACOT is written in Python. Its log and its list of calls hold digests and request keys, never
a value that was sent. Absent on purpose: storage (it forgets everything when it stops) and TLS.
"""

from fhirmap.registry.config import FAULTS, Client, Fault, Operation, RegistryConfig, Scripted, read_config
from fhirmap.registry.server import RegistryServer, serve

__all__ = [
    "FAULTS",
    "Client",
    "Fault",
    "Operation",
    "RegistryConfig",
    "RegistryServer",
    "Scripted",
    "read_config",
    "serve",
]
