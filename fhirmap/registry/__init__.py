"""A registry to try things on: token endpoint, operation, pairing, rate limit and faults, over real HTTP on loopback.

It knows the registry's guide and nothing of the rest of fhirmap, so that agreement between the two says something. It
is the one place where RENACOT is written in Python. Its log and its list of calls hold digests and request keys, never
a value that was sent. Absent on purpose: storage (it forgets everything when it stops) and TLS.

It needs the extra `simulator`, which a production installation does without: importing the package raises ConfigError
FM797 where that is not installed.
"""

from fhirmap.errors import ConfigError
from fhirmap.registry.config import (
    Client,
    InjectedFault,
    InjectedKind,
    RegistryConfig,
    RegistryOperation,
    ScriptedAnswer,
    read_config,
)

try:
    from fhirmap.registry.server import RegistryServer, serve
except ModuleNotFoundError as error:
    raise ConfigError("FM797", library=error.name, extra="simulator") from None

__all__ = [
    "Client",
    "InjectedFault",
    "InjectedKind",
    "RegistryConfig",
    "RegistryOperation",
    "RegistryServer",
    "ScriptedAnswer",
    "read_config",
    "serve",
]
