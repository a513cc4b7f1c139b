"""What of a receiver's answer is shown: FHIR's codes, texts that the target declares, words without values.

Spec: FHIR R4 OperationOutcome, value sets issue-severity and issue-type.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from fhirmap.data import JsonValue
from fhirmap.records import Issue, Receipt
from fhirmap.sinks.element import element_of
from fhirmap.sinks.foreign_json import json_object
from fhirmap.sinks.private_kinds import is_free_text
from fhirmap.sinks.redaction import Redactor, may_quote, payload_values, quotes_a_value
from fhirmap.sinks.settings import AnswerWords
from fhirmap.texts.folded_text import folded_words
from fhirmap.texts.shown_keys import looks_personal

__all__ = ["QUOTING_IDENTIFIER", "AnswerFilter", "without_secrets"]

QUOTING_IDENTIFIER = "FM691"
"""Accepted, with an identifier that repeats a value of the record, is free text, or looks like a person's number."""

_SHORTEST_SECRET = 8
"""Of a header's value: shorter ones are words of a protocol."""
_SEVERITIES = frozenset(("fatal", "error", "warning", "information"))
_ISSUE_TYPES = frozenset(
    [
        "business-rule",
        "code-invalid",
        "conflict",
        "deleted",
        "duplicate",
        "exception",
        "expired",
        "extension",
        "forbidden",
        "incomplete",
        "informational",
        "invalid",
        "invariant",
        "lock-error",
        "login",
        "multiple-matches",
        "no-store",
        "not-found",
        "not-supported",
        "processing",
        "required",
        "security",
        "structure",
        "suppressed",
        "throttled",
        "timeout",
        "too-costly",
        "too-long",
        "transient",
        "unknown",
        "value",
    ]
)
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


class AnswerFilter:
    """What is kept of the answers to one payload. Built for each answer; the payload is read, and its values folded,
    when first needed."""

    def __init__(self, payload: bytes, words: AnswerWords | None = None) -> None:
        self._payload = payload
        self._words = words or AnswerWords()
        self._redactor: Redactor | None = None

    def issues(self, issues: Iterable[Issue]) -> tuple[Issue, ...]:
        """The issues as they are shown, each tied to the element of the payload that it names."""
        return tuple(self._shown(issue) for issue in issues)

    def identified(self, receipt: Receipt) -> Receipt:
        """The receipt, with a code where its identifier is not to be shown. The identifier itself stays as it is."""
        value = receipt.identifier_value
        if value and (is_free_text(value) or looks_personal(value) or self._is_quoted_by(value)):
            return replace(receipt, code=QUOTING_IDENTIFIER)
        return receipt

    def _is_quoted_by(self, identifier: str) -> bool:
        return may_quote(identifier, self._payload) and quotes_a_value(identifier, payload_values(self._resource))

    @cached_property
    def _resource(self) -> Mapping[str, Any]:
        return json_object(self._payload)

    def _shown(self, issue: Issue) -> Issue:
        places = (element_of(place, self._resource) for place in issue.expression)
        return replace(
            issue,
            severity=issue.severity if issue.severity in _SEVERITIES else "error",
            code=issue.code if issue.code in _ISSUE_TYPES else "",
            diagnostics=self._declared(issue.diagnostics) or self._values.redacted(issue.diagnostics),
            expression=tuple(self._values.redacted(place) for place in issue.expression),
            element=next(filter(None, places), ""),
        )

    @property
    def _values(self) -> Redactor:
        if self._redactor is None:
            known = {word for name in _names(self._resource) for word in folded_words(name)}
            known |= {word for name in self._words.words for word in folded_words(name)}
            self._redactor = Redactor(payload_values(self._resource), known)
        return self._redactor

    def _declared(self, words: str) -> str:
        """The declared text that ``words`` are, empty where they are none."""
        said = _plain(words)
        return next((text for text in self._words.texts if said and _is_made_by(said, text)), "")


def without_secrets(receipt: Receipt, secrets: Iterable[str]) -> Receipt:
    """The receipt with marks for what its words quote of the request's own secrets: its token, its headers."""
    values = {secret: "token" for secret in secrets if len(secret) >= _SHORTEST_SECRET}
    if not values:
        return receipt
    redactor = Redactor(values)
    issues = tuple(
        replace(
            issue,
            diagnostics=redactor.without_values(issue.diagnostics),
            expression=tuple(map(redactor.without_values, issue.expression)),
        )
        for issue in receipt.issues
    )
    is_quoted = quotes_a_value(receipt.identifier_value, values)
    return replace(receipt, issues=issues, code=QUOTING_IDENTIFIER if is_quoted else receipt.code)


def _plain(words: str) -> str:
    return " ".join(words.casefold().split())


def _is_made_by(words: str, text: str) -> bool:
    """Are ``words`` what ``text`` gives with something in its placeholders?"""
    first, *others = (_plain_part(part) for part in _PLACEHOLDER.split(text))
    if not others:
        return words == first.strip()
    first, last = first.lstrip(), others.pop().rstrip()
    if len(words) < len(first) + len(last) or not (words.startswith(first) and words.endswith(last)):
        return False
    at, end = len(first), len(words) - len(last)
    for part in others:
        found = words.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _plain_part(part: str) -> str:
    """A part of a text, its blanks at the ends kept as one."""
    return re.sub(r"\s+", " ", part.casefold())


def _names(node: JsonValue) -> Iterator[str]:
    """Names of elements and of parameters: of the payload's structure, not of anyone."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield name
            if name in ("resourceType", "name") and isinstance(value, str):
                yield value
            yield from _names(value)
    elif isinstance(node, list):
        for value in node:
            yield from _names(value)
