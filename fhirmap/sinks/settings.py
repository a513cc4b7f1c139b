"""What a sink may be set up with: certificates, time limits, credentials. Plain values, so that reading a project
loads no HTTP library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["METHODS", "AnswerWords", "ClientCredentials", "IdentifiersOf", "Tls", "TransportSettings"]

IdentifiersOf = Callable[[Mapping[str, Any]], Iterable[Any]]
"""The places of an answer (FHIR JSON) where the receiver's identifier may be, the best one first: Identifiers,
References, strings. Never raises."""


@dataclass(frozen=True, slots=True)
class AnswerWords:
    """``[answers]`` of a target: what of a receiver's words holds no value of anyone.

    ``texts``: whole texts, shown as they are declared; ``{name}`` in one is any words, which are not shown. ``words``:
    words with a capital that are no names.
    """

    texts: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


METHODS = ("client_secret_post", "client_secret_basic", "private_key_jwt", "tls_client_auth")


@dataclass(frozen=True, slots=True)
class Tls:
    """Whom to trust and who we are: a private CA, a client certificate and its key, all PEM files."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """How to reach the other side. Units: seconds. ``proxy`` may hold a password, so it is never shown."""

    timeout_s: float = 30.0
    connect_timeout_s: float = 10.0
    proxy: str | None = field(default=None, repr=False)
    tls: Tls = field(default_factory=Tls)
    allow_http: bool = False
    """May a request leave without TLS for another machine?"""


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """Who we are at the identity server. ``token_url``: empty where the receiver is to say it (SMART App Launch).

    ``private_key``: for private_key_jwt, an RSA or EC key in PEM, a JWK, or a set of JWKs. ``key_id``: its ``kid``, and
    which one of a set; by default a JWK's own. ``algorithm``: of JWA; by default RS384 for RSA, what an EC key's curve
    asks for, or the first that the server lists. ``audience``: the assertion's ``aud``, by default the token URL;
    ``typ``: of its header. ``reread``: the same as it is by now, where a secret may be replaced during a run.
    """

    token_url: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    method: str = "client_secret_post"
    scope: str = ""
    private_key: str = field(default="", repr=False)
    key_id: str = ""
    algorithm: str = ""
    audience: str = ""
    typ: str = "JWT"
    reread: Callable[[], ClientCredentials] | None = field(default=None, repr=False, compare=False)
