"""Where the receiver says that its tokens come from: ``[base]/.well-known/smart-configuration``.

Spec: SMART App Launch 2.2, conformance (the document) and backend-services (its members); RFC 8705 section 5 (the
addresses for TLS certificates). The answer is the word of whoever answers at the base: it may neither lead from TLS to
plain HTTP, nor from elsewhere to this machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fhirmap.errors import DeliveryError
from fhirmap.sinks.foreign_json import json_object
from fhirmap.sinks.proxy import is_loopback
from fhirmap.sinks.settings import ClientCredentials
from fhirmap.sinks.transport import HttpAnswer
from fhirmap.texts import Text

__all__ = ["SmartConfiguration", "configuration_url", "read_configuration"]

_METHODS = "token_endpoint_auth_methods_supported"
_ALGORITHMS = "token_endpoint_auth_signing_alg_values_supported"
_GRANTS = "grant_types_supported"
_TLS_METHODS = frozenset({"tls_client_auth", "self_signed_tls_client_auth"})
"""The same request; how the server checks the certificate is its own affair (RFC 8705 section 2)."""


@dataclass(frozen=True, slots=True)
class SmartConfiguration:
    """What the document says of the token endpoint; None for a list that it does not have."""

    token_endpoint: str
    methods: tuple[str, ...] | None = None
    algorithms: tuple[str, ...] | None = None
    grants: tuple[str, ...] | None = None

    def require(self, credentials: ClientCredentials) -> None:
        """Raises: DeliveryError FM608 where the server says that it does not take what the settings ask for."""
        host = urlsplit(self.token_endpoint).netloc
        method = credentials.method
        if self.grants is not None and "client_credentials" not in self.grants:
            raise DeliveryError("FM608", variant="grant", host=host, names=", ".join(self.grants))
        if self.methods is not None and method not in self.methods and not _is_by_certificate(method, self.methods):
            raise DeliveryError("FM608", variant="method", host=host, method=method, names=", ".join(self.methods))


def configuration_url(base: str) -> str:
    """The document's address for a FHIR base address."""
    return f"{base.rstrip('/')}/.well-known/smart-configuration"


def read_configuration(base: str, answer: HttpAnswer, method: str) -> SmartConfiguration:
    """What the answer says. ``method``: that of authentication; a client with a certificate may have an address of its
    own.

    Raises: DeliveryError FM608 where it names no token endpoint that can be used.
    """
    values = json_object(answer.body) if answer.complete else {}
    if answer.status != 200:
        raise _unusable(base, Text("reasons.status", {"status": answer.status}))
    if not values:
        raise _unusable(base, Text("reasons.not_json"))
    endpoint = values.get("token_endpoint")
    aliases = values.get("mtls_endpoint_aliases")
    if method in _TLS_METHODS and isinstance(aliases, dict) and "token_endpoint" in aliases:
        endpoint = aliases["token_endpoint"]
    if not isinstance(endpoint, str) or not endpoint:
        raise _unusable(base, Text("reasons.no_token_endpoint"))
    _require_safe(base, endpoint)
    return SmartConfiguration(
        endpoint,
        _names(base, values, _METHODS),
        _names(base, values, _ALGORITHMS),
        _names(base, values, _GRANTS),
    )


def _require_safe(base: str, endpoint: str) -> None:
    try:
        parts = urlsplit(endpoint)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint or "@" in parts.netloc:
        raise _unusable(base, Text("reasons.endpoint_no_address"))
    if parts.fragment or parts.scheme not in ("http", "https"):
        raise _unusable(base, Text("reasons.endpoint_no_address"))
    if parts.scheme == "http" and urlsplit(base).scheme == "https":
        raise _unusable(base, Text("reasons.endpoint_plain"))
    if is_loopback(endpoint) and not is_loopback(base):
        raise _unusable(base, Text("reasons.endpoint_here"))
    if parts.scheme == "http" and is_loopback(base) and not is_loopback(endpoint):
        raise _unusable(base, Text("reasons.endpoint_plain"))


def _names(base: str, values: Mapping[str, Any], member: str) -> tuple[str, ...] | None:
    """A list of names; they are shown, so what is no name is not one."""
    found = values.get(member)
    if found is None:
        return None
    if not isinstance(found, list) or not all(_is_name(name) for name in found):
        raise _unusable(base, Text("reasons.no_list_of_names", {"member": member}))
    return tuple(found)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 100 and value.isascii() and value.isprintable()


def _is_by_certificate(method: str, methods: tuple[str, ...]) -> bool:
    return method in _TLS_METHODS and not _TLS_METHODS.isdisjoint(methods)


def _unusable(base: str, reason: Text) -> DeliveryError:
    parts = urlsplit(base)
    shown = configuration_url(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")
    return DeliveryError("FM608", url=shown, reason=reason)
