"""How the client says at the token endpoint who it is: by a secret, a signed assertion, or its TLS certificate.

Ours where authlib departs from the standards: client_secret_basic form-encodes id and secret (RFC 6749 section 2.3.1,
else ``:``, ``%``, ``+`` and accents break), and private_key_jwt (RFC 7523) lives four minutes at most with a fresh
``jti`` each time.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Collection
from typing import Protocol
from urllib.parse import quote_plus

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_token_request
from authlib.oauth2.rfc7523.assertion import sign_jwt_bearer_assertion

from fhirmap.errors import ConfigError
from fhirmap.sinks.settings import METHODS, ClientCredentials
from fhirmap.sinks.signing_key import SigningKey, signing_key
from fhirmap.texts import Text

__all__ = ["ClientAuthentication"]

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_LIFE_S = 240


class _Identified(Protocol):
    """What authlib hands to a method of authentication, as far as one reads it."""

    client_id: str
    client_secret: str


_Prepared = tuple[str, dict[str, str], str]
_AuthMethod = Callable[[_Identified, str, str, dict[str, str], str], _Prepared]


class ClientAuthentication:
    """Token requests of one client. ``key``: what signs, by the first of its algorithms; None without an assertion."""

    def __init__(
        self, credentials: ClientCredentials, clock: Callable[[], float], algorithms: Collection[str] | None = None
    ) -> None:
        """``algorithms``: those that the server takes, where it says so.

        Raises: ConfigError FM792 for a method or a key that cannot be used.
        """
        self.key: SigningKey | None = None
        self._scope = credentials.scope
        method: str | _AuthMethod
        if credentials.method == "client_secret_post":
            method = "client_secret_post"
        elif credentials.method == "client_secret_basic":
            method = _client_secret_basic
        elif credentials.method == "tls_client_auth":
            method = "none"
        elif credentials.method == "private_key_jwt":
            self.key = signing_key(credentials, algorithms)
            method = _PrivateKeyJwt(credentials, self.key, clock)
        else:
            raise ConfigError("FM792", what="method", reason=Text("reasons.one_of", {"names": ", ".join(METHODS)}))
        self._client = ClientAuth(credentials.client_id, credentials.client_secret, method)

    def request(self, url: str) -> tuple[dict[str, str], bytes]:
        """Headers and body of one token request to ``url``. An assertion is good for one request: each has its own."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        fields = {"scope": self._scope} if self._scope else {}
        body = prepare_token_request("client_credentials", "", **fields)
        _url, headers, body = self._client.prepare("POST", url, headers, body)
        return headers, body.encode()


def _client_secret_basic(client: _Identified, _method: str, uri: str, headers: dict[str, str], body: str) -> _Prepared:
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers["Authorization"] = f"Basic {base64.b64encode(pair.encode('ascii')).decode('ascii')}"
    return uri, headers, body


class _PrivateKeyJwt:
    def __init__(self, credentials: ClientCredentials, key: SigningKey, clock: Callable[[], float]) -> None:
        self._credentials = credentials
        self._key = key
        self._clock = clock

    def __call__(self, client: _Identified, _method: str, uri: str, headers: dict[str, str], body: str) -> _Prepared:
        issued_at = int(self._clock())
        header = {"alg": self._key.algorithms[0], "typ": self._credentials.typ}
        if self._key.key_id:
            header["kid"] = self._key.key_id
        assertion = sign_jwt_bearer_assertion(
            self._key.key,
            issuer=client.client_id,
            subject=client.client_id,
            audience=self._credentials.audience or uri,
            issued_at=issued_at,
            expires_at=issued_at + _ASSERTION_LIFE_S,
            claims={"jti": str(uuid.uuid4())},
            header=header,
        )
        fields = f"client_id={quote_plus(client.client_id)}&client_assertion_type={quote_plus(_ASSERTION_TYPE)}"
        return uri, headers, f"{body}&{fields}&client_assertion={quote_plus(assertion)}"
