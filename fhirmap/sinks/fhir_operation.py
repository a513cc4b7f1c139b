"""A FHIR operation: POST of Parameters to ``[base]/$code`` or ``[base]/Type/$code``.

Spec: FHIR R4 operations.html#executing; http.html for the media type. ``X-Request-Id`` is the same at each attempt at
a payload: the operation has no idempotency key, so this is what lets a receiver, or its log, recognise a repeat.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from urllib.parse import urlsplit, urlunsplit

from fhirmap.records import Envelope, Receipt, ReceiptState
from fhirmap.sinks.oauth import TokenSource
from fhirmap.sinks.outcome import classify, classify_no_answer, raise_if_fatal
from fhirmap.sinks.shown_answer import without_secrets
from fhirmap.sinks.sink import Sink, SinkSettings
from fhirmap.sinks.transport import HttpAnswer, NoAnswer, Transport
from fhirmap.texts import text

__all__ = ["FhirOperation", "open_sink"]

Classify = Callable[[HttpAnswer, bytes, float], Receipt]


class FhirOperation:
    """Posts each envelope by itself, with a bearer token where there is an identity server.

    A 401 gets one new token and one more try; what it says then is final.
    """

    batch_size = 1
    is_remote = True

    def __init__(  # noqa: PLR0913 - named settings
        self,
        url: str,
        transport: Transport,
        tokens: TokenSource | None = None,
        *,
        clock: Callable[[], float] = time.time,
        classify: Classify = classify,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._url = url
        self._transport = transport
        self._tokens = tokens
        self._clock = clock
        self._classify = classify
        self._headers = dict(headers or {})
        self._is_ending = False

    @property
    def name(self) -> str:
        """The address, without user and password."""
        parts = urlsplit(self._url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    @property
    def tokens_fetched(self) -> int:
        """How many tokens the identity server gave."""
        return self._tokens.fetched if self._tokens else 0

    def prepare(self) -> None:
        """Gets the token.

        Raises: DeliveryError FM608, FM610-FM613, FM616 where none can be had.
        """
        if self._tokens:
            self._tokens.bearer()

    def send(self, envelope: Envelope) -> Receipt:
        """What became of one envelope.

        Raises: DeliveryError as `prepare` where no token can be had (nothing was sent then, or refused with 401),
        FM610, FM616 and FM617 where no request can be made at all.
        """
        was_ending = self._is_ending
        token = renewed = self._tokens.bearer() if self._tokens else ""
        if self._is_ending and not was_ending:  # while it waited for the token: that was the time it had
            return Receipt(ReceiptState.DEFERRED, "FM600", reason=text("reasons.run_ends"))
        try:
            answer = self._post(envelope, token)
            if answer.status == 401 and self._tokens and not self._is_ending:
                renewed = self._tokens.renew(token)
                answer = self._post(envelope, renewed)
        except NoAnswer as no_answer:
            raise_if_fatal(no_answer, self.name)
            return classify_no_answer(no_answer)
        receipt = self._classify(answer, envelope.payload, self._clock())
        secrets = self._tokens.secrets if self._tokens else ()
        return without_secrets(receipt, (token, renewed, *secrets, *self._headers.values()))

    def look(self) -> tuple[HttpAnswer, Receipt]:
        """What is answered to a request without a record, with the certificate of who answers.

        Raises: NoAnswer; DeliveryError as `send`.
        """
        token = self._tokens.bearer() if self._tokens else ""
        try:
            answer = self._transport.look(self._url, self._headers_of(token))
        except NoAnswer as no_answer:
            raise_if_fatal(no_answer, self.name)
            raise
        return answer, self._classify(answer, b"", self._clock())

    def send_all(self, envelopes: Sequence[Envelope]) -> list[Receipt]:
        """What became of each, one after the other."""
        return [self.send(envelope) for envelope in envelopes]

    def interrupt(self) -> None:
        """The run ends: no more tokens, and no request after one that has waited for its token."""
        self._is_ending = True
        if self._tokens:
            self._tokens.interrupt()

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()
        if self._tokens:
            self._tokens.close()

    def _post(self, envelope: Envelope, token: str) -> HttpAnswer:
        headers = {**self._headers_of(token), "X-Request-Id": envelope.request_key}
        return self._transport.post(self._url, envelope.payload, headers)

    def _headers_of(self, token: str) -> Mapping[str, str]:
        kinds = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
        return {**self._headers, **kinds, **({"Authorization": f"Bearer {token}"} if token else {})}


def open_sink(settings: SinkSettings) -> Sink:
    """The sink of ``kind = "fhir-operation"``: ``url`` is the base, ``endpoint`` what comes below it."""
    url = f"{settings.url.rstrip('/')}/{settings.endpoint.lstrip('/')}" if settings.endpoint else settings.url
    return open_http(
        settings, url, partial(classify, identifiers_of=settings.identifiers_of, words=settings.answer_words)
    )


def open_http(settings: SinkSettings, url: str, reading: Classify) -> FhirOperation:
    """A sink that posts to ``url`` and reads answers by ``reading``.

    Raises: ConfigError FM790-FM792.
    """
    transport = Transport(url, settings.transport)
    credentials = settings.credentials
    tokens = None
    if credentials is not None:
        tokens = TokenSource(credentials, settings.transport, settings.url)
    return FhirOperation(url, transport, tokens, classify=reading, headers=settings.headers)
