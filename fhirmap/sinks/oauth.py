"""One bearer token for a whole run: OAuth 2.0 client credentials (RFC 6749 §4.4), over authlib.

authlib writes the token request and signs assertions. Ours where it departs from the standards: client_secret_basic
form-encodes id and secret (RFC 6749 §2.3.1, else ``:``, ``%``, ``+`` and accents break), and private_key_jwt (RFC
7523) lives four minutes at most with a fresh ``jti`` each time, takes RSA and EC keys, and lets ``kid``, ``aud`` and
``typ`` be set. No secret is in any repr, message or log.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, Protocol
from urllib.parse import quote_plus, urlsplit

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_token_request
from authlib.oauth2.rfc7523.assertion import sign_jwt_bearer_assertion
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from fhirmap.errors import ConfigError, DeliveryError
from fhirmap.events import TokenFetched, emit
from fhirmap.sinks.outcome import raise_if_fatal
from fhirmap.sinks.settings import METHODS, ClientCredentials
from fhirmap.sinks.transport import HttpAnswer, NoAnswer, Transport
from fhirmap.texts import Text, text

__all__ = ["TokenSource"]

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_LIFE_S = 240
_MARGIN_S = 60.0
_TRIES = 3


class TokenSource:
    """Gives the token, fetches it when there is none, when it is about to expire, or when the receiver refuses it.
    Thread-safe."""

    def __init__(
        self,
        credentials: ClientCredentials,
        transport: Transport,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Raises: ConfigError FM792 for a method or a key that cannot be used."""
        self._credentials = credentials
        self._transport = transport
        self._clock = clock
        self._sleep = sleep
        self._lock = Lock()
        self._token = ""
        self._expires_at = 0.0
        self._client = ClientAuth(credentials.client_id, credentials.client_secret, _auth_method(credentials, clock))
        self.fetched = 0
        """How many tokens were fetched: one for a whole run, unless it outlives the token."""
        self.granted: str | None = None
        """The scope that the server says it granted; None before it was asked, and where it does not say."""

    def __repr__(self) -> str:
        return f"TokenSource({_host(self._credentials.token_url)}, {self._credentials.method})"

    def bearer(self) -> str:
        """A token with some life left.

        Raises: DeliveryError FM611 (identity server not reached), FM612 (client refused), FM613 (no token in the
        answer).
        """
        with self._lock:
            if not self._token or self._clock() >= self._expires_at:
                self._fetch()
            return self._token

    def renew(self, refused: str) -> str:
        """Another token than the one the receiver has just refused; one fetch, however many threads ask.

        Raises: as `bearer`.
        """
        with self._lock:
            if self._token == refused:
                self._fetch()
            return self._token

    def close(self) -> None:
        """Closes the connections to the identity server."""
        self._transport.close()

    def _fetch(self) -> None:
        answer = self._ask()
        token, life_s = self._read(answer)
        self._token = token
        self.fetched += 1
        emit(TokenFetched(_host(self._credentials.token_url), self.fetched, life_s))
        margin = min(_MARGIN_S, life_s / 10)
        self._expires_at = self._clock() + life_s - margin

    def _ask(self) -> HttpAnswer:
        """The identity server's answer; a connection that fails and a 429 or 5xx are tried again, twice."""
        fields = {"scope": self._credentials.scope} if self._credentials.scope else {}
        for number in range(1, _TRIES + 1):
            # prepared anew each time: an assertion is good for one request
            headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
            body = prepare_token_request("client_credentials", "", **fields)
            url, headers, body = self._client.prepare("POST", self._credentials.token_url, headers, body)
            try:
                answer = self._transport.post(url, body.encode(), headers)
            except NoAnswer as no_answer:
                if no_answer.kind not in ("address", "program"):
                    raise_if_fatal(no_answer, url)
                if number == _TRIES or no_answer.kind in ("name", "address", "program"):
                    raise DeliveryError("FM611", host=_host(url), reason=no_answer.reason) from None
            else:
                if answer.status == 407:
                    raise DeliveryError("FM616", sink=_host(url))
                if answer.status != 429 and answer.status < 500:
                    return answer
                if number == _TRIES:
                    raise DeliveryError(
                        "FM611", host=_host(url), reason=Text("reasons.status", {"status": answer.status})
                    )
            self._sleep(2.0 ** (number - 1))
        raise AssertionError("unreachable")

    def _read(self, answer: HttpAnswer) -> tuple[str, float]:
        host = _host(self._credentials.token_url)
        values = _json_object(answer.body)
        if answer.status != 200:
            # only the error codes of RFC 6749 §5.2: a description might quote what we sent
            named = values.get("error")
            error = named if isinstance(named, str) and named in _OAUTH_ERRORS else text("reasons.no_oauth_error")
            if 300 <= answer.status < 400 or answer.status in (404, 405):
                raise DeliveryError("FM613", host=host, status=answer.status, reason=Text("reasons.not_token_endpoint"))
            raise DeliveryError("FM612", host=host, status=answer.status, error=error)
        token = values.get("access_token")
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            reason = Text("reasons.no_access_token" if values else "reasons.not_json")
            raise DeliveryError("FM613", host=host, status=200, reason=reason)
        if str(values.get("token_type", "Bearer")).casefold() != "bearer":
            raise DeliveryError("FM613", host=host, status=200, reason=Text("reasons.not_bearer"))
        self.granted = _scope(values.get("scope"))
        return token, _life_s(values.get("expires_in"))


_OAUTH_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    }
)


def _scope(granted: object) -> str | None:
    """The names of a scope (RFC 6749 section 3.3), as far as they are such; None where the answer has none."""
    if not isinstance(granted, str):
        return None
    return " ".join(name for name in granted.split() if name.isascii() and name.isprintable())


def _life_s(expires_in: object) -> float:
    """Seconds a token lives; an hour where the answer does not say, as a refused token is renewed anyway."""
    try:
        return max(1.0, float(str(expires_in)))
    except ValueError:
        return 3600.0


def _json_object(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


_Prepared = tuple[str, dict[str, str], str]


class _Identified(Protocol):
    """What authlib hands to a method of authentication, as far as one reads it."""

    client_id: str
    client_secret: str


_AuthMethod = Callable[[_Identified, str, str, dict[str, str], str], _Prepared]


def _auth_method(credentials: ClientCredentials, clock: Callable[[], float]) -> str | _AuthMethod:
    """authlib's name of a method, or our own function in its form."""
    if credentials.method == "client_secret_basic":
        return _client_secret_basic
    if credentials.method == "private_key_jwt":
        return _PrivateKeyJwt(credentials, clock)
    if credentials.method == "client_secret_post":
        return "client_secret_post"
    raise ConfigError("FM792", what="method", reason=Text("reasons.one_of", {"names": ", ".join(METHODS)}))


def _client_secret_basic(client: _Identified, _method: str, uri: str, headers: dict[str, str], body: str) -> _Prepared:
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers["Authorization"] = f"Basic {base64.b64encode(pair.encode('ascii')).decode('ascii')}"
    return uri, headers, body


class _PrivateKeyJwt:
    def __init__(self, credentials: ClientCredentials, clock: Callable[[], float]) -> None:
        self._credentials = credentials
        self._clock = clock
        self._key, self._algorithm = _signing_key(credentials)

    def __call__(self, client: _Identified, _method: str, uri: str, headers: dict[str, str], body: str) -> _Prepared:
        issued_at = int(self._clock())
        header = {"alg": self._algorithm, "typ": self._credentials.assertion_type}
        if self._credentials.key_id:
            header["kid"] = self._credentials.key_id
        assertion = sign_jwt_bearer_assertion(
            self._key,
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


_EC_ALGORITHMS = {"P-256": "ES256", "P-384": "ES384"}


def _signing_key(credentials: ClientCredentials) -> tuple[RSAKey | ECKey, str]:
    """The key and its algorithm.

    Raises: ConfigError FM792 where the text is no private key, or the algorithm is not one for it.
    """
    key: RSAKey | ECKey
    allowed: tuple[str, ...]
    try:
        key = RSAKey.import_key(credentials.private_key)
        allowed = ("RS256", "RS384")
    except (JoseError, ValueError, TypeError):
        try:
            key = ECKey.import_key(credentials.private_key)
        except (JoseError, ValueError, TypeError):
            raise ConfigError("FM792", what="private_key", reason=Text("reasons.no_private_key")) from None
        allowed = tuple(name for curve, name in _EC_ALGORITHMS.items() if curve == key.curve_name)
    algorithm = credentials.algorithm or (allowed[0] if allowed else "")
    if not key.is_private:
        raise ConfigError("FM792", what="private_key", reason=Text("reasons.public_key"))
    if algorithm not in allowed:
        raise ConfigError("FM792", what="algorithm", reason=Text("reasons.algorithm"))
    return key, algorithm
