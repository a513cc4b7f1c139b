"""One bearer token for a whole run: OAuth 2.0 client credentials (RFC 6749 section 4.4), over authlib.

The credentials are read again for each token: a secret or a key that was replaced while a run goes on is taken without
a restart. No secret is in any repr, message or log. Tokens are bearer tokens: DPoP (RFC 9449) is absent on purpose.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError, DeliveryError
from fhirmap.events import TokenFetched, Warned, emit
from fhirmap.sinks.client_authentication import ClientAuthentication
from fhirmap.sinks.discovery import configuration_url, read_configuration
from fhirmap.sinks.foreign_json import json_object
from fhirmap.sinks.outcome import raise_if_fatal
from fhirmap.sinks.settings import ClientCredentials, TransportSettings
from fhirmap.sinks.signing_key import SigningKey
from fhirmap.sinks.transport import HttpAnswer, NoAnswer, Transport
from fhirmap.texts import Text, text

__all__ = ["TokenSource"]

_MARGIN_S = 60.0
_TRIES = 3
_LIFE_S = 3600.0
"""Of a token whose answer does not say: one that ends earlier is renewed when the receiver refuses it."""


class TokenSource:
    """Gives the token, fetches it when there is none, when it is about to expire, or when the receiver refuses it.
    Thread-safe."""

    def __init__(
        self,
        credentials: ClientCredentials,
        settings: TransportSettings,
        base: str = "",
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``base``: the receiver, which is asked where its tokens come from if the credentials do not say so.

        Raises: ConfigError FM792 for a method or a key that cannot be used, FM790, FM791 for an address, a proxy or
        certificates that cannot be.
        """
        self._credentials = credentials
        self._secrets = dict.fromkeys([credentials.client_secret])
        self._settings = settings
        self._base = base
        self._clock = clock
        self._sleep = sleep
        self._lock = Lock()
        self._token = ""
        self._expires_at = 0.0
        self._is_ending = False
        self._failure: DeliveryError | None = None
        self._failed_at = 0.0
        self._unread: Diagnostic | None = None
        """Why the credentials could not be read again, the last time that it was tried."""
        self._algorithms: tuple[str, ...] | None = None
        self._client = ClientAuthentication(credentials, clock)
        self._transport = Transport(credentials.token_url or base, settings)
        self.endpoint = credentials.token_url
        """Where tokens are asked for; empty until the receiver has said so."""
        self.fetched = 0
        """How many tokens were fetched: one for a whole run, unless it outlives the token."""
        self.granted: str | None = None
        """The scope that the server says it granted; None before it was asked, and where it does not say."""

    def __repr__(self) -> str:
        return f"TokenSource({_host(self.endpoint or self._base)}, {self._credentials.method})"

    @property
    def key(self) -> SigningKey | None:
        """What signs the client's assertions; None for another method."""
        return self._client.key

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no answer of the receiver may show: the client's secrets of this run."""
        return tuple(self._secrets)

    def bearer(self) -> str:
        """A token with some life left.

        Raises: DeliveryError FM608 (the receiver does not say where tokens come from), FM610, FM616 (certificate,
        proxy), FM611 (identity server not reached), FM612 (client refused), FM613 (no token in the answer), FM736,
        FM738 and FM792 (refused, and the credentials that replace those of before cannot be used).
        """
        began = time.monotonic()
        with self._lock:
            if not self._token or self._clock() >= self._expires_at:
                self._fetch_once(began)
            return self._token

    def renew(self, refused: str) -> str:
        """Another token than the one the receiver has just refused; one fetch, however many threads ask.

        Raises: as `bearer`.
        """
        began = time.monotonic()
        with self._lock:
            if self._token == refused:
                self._fetch_once(began)
            return self._token

    def discover(self) -> str:
        """Where tokens are asked for.

        Raises: DeliveryError FM608, FM610, FM611, FM616 as `bearer`.
        """
        with self._lock:
            self._discover()
            return self.endpoint

    def interrupt(self) -> None:
        """The run ends: nothing is asked any more. What is being asked is waited for."""
        self._is_ending = True

    def close(self) -> None:
        """Closes the connections to the identity server."""
        self._transport.close()

    def _fetch_once(self, began: float) -> None:
        """Whoever has waited since before another thread failed gets its failure, and does not wait as long again."""
        if self._failure is not None and self._failed_at >= began:
            raise self._failure
        try:
            self._fetch()
        except DeliveryError as failure:
            self._failure, self._failed_at = failure, time.monotonic()
            raise

    def _fetch(self) -> None:
        self._discover()
        self._reread()
        answer = self._ask()
        if _error(answer) == "invalid_client":
            if self._reread():
                answer = self._ask()  # the secret was replaced between its reading and the answer
            elif self._unread is not None:
                # those of before are good no more, and the new ones cannot be used: this is what to mend
                unread = self._unread
                raise DeliveryError(
                    unread.code, hint=unread.hint, variant=unread.variant, **dict[str, Any](unread.args)
                )
        token, life_s = self._read(answer)
        self._token = token
        self.fetched += 1
        margin = min(_MARGIN_S, life_s / 10)
        self._expires_at = self._clock() + life_s - margin
        emit(TokenFetched(_host(self.endpoint), self.fetched, life_s))

    def _reread(self) -> bool:
        """Takes the credentials as they are now; are they others than before? What cannot be read at this moment, as a
        file being replaced, changes nothing: those of before may still be good, and the log says so."""
        before = self._credentials
        if before.reread is None:
            return False
        try:
            found = replace(before.reread(), token_url=before.token_url, reread=before.reread)
            client = ClientAuthentication(found, self._clock, self._algorithms)
        except ConfigError as fault:
            found_fault = fault.diagnostic()
            emit(Warned(fault.code, found_fault.message))
            self._unread = found_fault
            return False
        self._unread = None
        self._credentials, self._client = found, client
        self._secrets[found.client_secret] = None
        return found != before

    def _discover(self) -> None:
        if self.endpoint:
            return
        url = configuration_url(self._base)
        answer = self._tried(url, lambda: self._transport.get(url, {"Accept": "application/json"}))
        found = read_configuration(self._base, answer, self._credentials.method)
        found.require(self._credentials)
        try:
            self._client = ClientAuthentication(self._credentials, self._clock, found.algorithms)
        except ConfigError:
            names = ", ".join(found.algorithms or ())
            raise DeliveryError("FM608", variant="algorithm", host=_host(found.token_endpoint), names=names) from None
        self._algorithms = found.algorithms
        try:
            transport = Transport(found.token_endpoint, self._settings)
        except ConfigError as fault:
            raise DeliveryError("FM608", url=url, reason=fault.diagnostic().message) from None
        self._transport.close()
        self._transport, self.endpoint = transport, found.token_endpoint

    def _ask(self) -> HttpAnswer:
        """The identity server's answer to a token request."""

        def send() -> HttpAnswer:
            headers, body = self._client.request(self.endpoint)
            return self._transport.post(self.endpoint, body, headers)

        return self._tried(self.endpoint, send)

    def _tried(self, url: str, send: Callable[[], HttpAnswer]) -> HttpAnswer:
        """An answer; where the connection fails, and after a 429 or 5xx, it is tried again, twice."""
        for number in range(1, _TRIES + 1):
            if self._is_ending:
                raise DeliveryError("FM611", host=_host(url), reason=Text("reasons.run_ends"))
            try:
                answer = send()
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
        host = _host(self.endpoint)
        if answer.status != 200:
            if 300 <= answer.status < 400 or answer.status in (404, 405):
                raise DeliveryError("FM613", host=host, status=answer.status, reason=Text("reasons.not_token_endpoint"))
            error = _error(answer)
            variant = _REFUSALS.get(error, "")
            if variant == "client" and self._client.key is not None:
                variant = "assertion"
            shown = error or text("reasons.no_oauth_error")
            raise DeliveryError("FM612", variant=variant, host=host, status=answer.status, error=shown)
        values = json_object(answer.body)
        token = values.get("access_token")
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            reason = Text("reasons.no_access_token" if values else "reasons.not_json")
            raise DeliveryError("FM613", host=host, status=200, reason=reason)
        if str(values.get("token_type", "Bearer")).casefold() != "bearer":
            raise DeliveryError("FM613", host=host, status=200, reason=Text("reasons.not_bearer"))
        self.granted = _scope(values.get("scope"))
        return token, _life_s(values.get("expires_in"))


_REFUSALS = {
    "invalid_request": "request",
    "invalid_client": "client",
    "invalid_grant": "",
    "unauthorized_client": "grant",
    "unsupported_grant_type": "grant",
    "invalid_scope": "scope",
    "invalid_target": "",
    "invalid_dpop_proof": "dpop",
    "use_dpop_nonce": "dpop",
}
"""The error codes that are shown, of RFC 6749 section 5.2, RFC 8707 and RFC 9449, and the variant of FM612 for each. A
description is not shown: it might quote what was sent."""


def _error(answer: HttpAnswer) -> str:
    """The error code of a refusal; empty where there is none that is known."""
    found = json_object(answer.body).get("error") if answer.status >= 400 else None
    return found if isinstance(found, str) and found in _REFUSALS else ""


def _scope(granted: object) -> str | None:
    """The names of a scope (RFC 6749 section 3.3), as far as they are such; None where the answer has none."""
    if not isinstance(granted, str):
        return None
    return " ".join(name for name in granted.split() if name.isascii() and name.isprintable())


def _life_s(expires_in: object) -> float:
    """Seconds a token lives."""
    try:
        found = float(str(expires_in))
    except ValueError:
        return _LIFE_S
    return max(1.0, found) if math.isfinite(found) else _LIFE_S


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]
