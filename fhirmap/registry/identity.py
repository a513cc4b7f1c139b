"""The identity server of the simulator: OAuth 2.0 client credentials by secret in the body, by Basic, or by a signed
assertion."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from fhirmap.registry.config import Client

__all__ = ["ALGORITHMS", "METHODS", "IdentityServer"]

METHODS = ("client_secret_post", "client_secret_basic", "private_key_jwt")
ALGORITHMS = ("RS384", "ES384", "RS256", "ES256", "RS512", "ES512", "PS256", "PS384", "PS512")
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LONGEST_ASSERTION_S = 300


class IdentityServer:
    """Gives tokens to the clients it knows and remembers them until they end. Units: seconds since the epoch."""

    def __init__(self, clients: tuple[Client, ...], life_s: int, clock: Callable[[], float]) -> None:
        self._clients = {client.id: client for client in clients}
        self._life_s = life_s
        self._clock = clock
        self._tokens: dict[str, tuple[float, str]] = {}
        self._assertions: dict[tuple[str, str], float] = {}
        """Those that were used, by client and ``jti``, until they end."""
        self.issued = 0

    def answer(self, body: bytes, authorization: str, url: str) -> tuple[int, Mapping[str, Any]]:
        """Status and JSON of a token request; RFC 6749 §5."""
        try:
            form = {name: values[0] for name, values in parse_qs(body.decode(), strict_parsing=True).items()}
        except ValueError:
            return 400, {"error": "invalid_request"}
        if form.get("grant_type") != "client_credentials":
            return 400, {"error": "unsupported_grant_type"}
        client = self._authenticated(form, authorization, url)
        if client is None:
            return (401 if authorization else 400), {"error": "invalid_client"}
        if "client_credentials" not in client.grants:
            return 400, {"error": "unauthorized_client"}
        wanted = form.get("scope", client.scope)
        if not set(wanted.split()) <= set(client.scope.split()):
            return 400, {"error": "invalid_scope"}
        token = secrets.token_urlsafe(24)
        self._tokens[token] = (self._clock() + self._life_s, wanted)
        self.issued += 1
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": self._life_s, "scope": wanted}

    def scope_of(self, authorization: str) -> str | None:
        """The scope of a request's bearer token; ``None`` for a token that is unknown or has ended."""
        kind, _, token = authorization.partition(" ")
        until, scope = self._tokens.get(token, (0.0, ""))
        return scope if kind.lower() == "bearer" and until > self._clock() else None

    def revoke(self, authorization: str) -> None:
        """Ends a token before its time."""
        self._tokens.pop(authorization.partition(" ")[2], None)

    def _authenticated(self, form: Mapping[str, str], authorization: str, url: str) -> Client | None:
        if "client_assertion" in form:
            return self._by_assertion(form, url)
        identifier, secret = form.get("client_id", ""), form.get("client_secret", "")
        if authorization:
            identifier, secret = _basic(authorization)
        client = self._clients.get(identifier)
        if client is None or not client.secret or not compare_digest(client.secret.encode(), secret.encode()):
            return None
        return client

    def _by_assertion(self, form: Mapping[str, str], url: str) -> Client | None:
        """The client whose key signed the assertion, if it is fresh, for us, short-lived and used for the first
        time."""
        client = self._clients.get(form.get("client_id", ""))
        if client is None or not client.public_key or form.get("client_assertion_type") != _ASSERTION_TYPE:
            return None
        claims = _claims(form["client_assertion"], client.public_key)
        now = self._clock()
        self._assertions = {used: until for used, until in self._assertions.items() if until > now}
        used = (client.id, str(claims.get("jti", "")))
        fresh = used[1] and used not in self._assertions
        until = float(claims.get("exp", 0))
        timely = now - 5 <= until <= now + _LONGEST_ASSERTION_S
        audience = claims.get("aud")
        ours = url in (audience if isinstance(audience, list) else [audience])
        if not (fresh and timely and ours and claims.get("iss") == claims.get("sub") == client.id):
            return None
        self._assertions[used] = until + 5
        return client


def _claims(assertion: str, public_key: str) -> Mapping[str, Any]:
    """The claims of an assertion that one of the client's keys signed; empty otherwise."""
    keys = _keys(public_key)
    for key in keys:
        try:
            token = jwt.decode(assertion, key, algorithms=list(ALGORITHMS))
        except (JoseError, ValueError):
            continue
        # RFC 7515 section 4.1.4: an assertion that names a key means this one alone
        if len(keys) == 1 or token.header.get("kid") in (None, key.kid):
            return token.claims
    return {}


def _keys(public_key: str) -> list[RSAKey | ECKey]:
    """The keys of a PEM text or a set of JWKs."""
    if public_key.lstrip().startswith("{"):
        entries = json.loads(public_key)["keys"]
        return [RSAKey.import_key(entry) if entry.get("kty") == "RSA" else ECKey.import_key(entry) for entry in entries]
    for kind in (RSAKey, ECKey):
        with suppress(JoseError, ValueError, TypeError):
            return [kind.import_key(public_key)]
    return []


def _basic(authorization: str) -> tuple[str, str]:
    """Id and secret of a Basic header, each form-decoded: RFC 6749 §2.3.1."""
    try:
        pair = base64.b64decode(authorization.partition(" ")[2], validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    identifier, _, secret = pair.partition(":")
    return unquote_plus(identifier), unquote_plus(secret)
