"""Text of others made safe where it enters: what a receiver says is stored, archived, shown on terminals and pages.

A JSON string may hold what no UTF-8 has (half of a surrogate pair) and no database column takes (NUL), and what steers
a terminal (control characters). In words such characters are replaced by U+FFFD and what is too long is cut, visibly.
An identifier is never altered: one that cannot be kept as it was received is not kept, and the record says so (FM692).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from fhirmap.records import Issue, Receipt, ReceiptState
from fhirmap.texts.visible_text import is_storable, storable

__all__ = ["IDENTIFIER_LENGTH", "clipped", "is_usable", "made_safe", "some_issues"]

IDENTIFIER_LENGTH = 300
"""Characters of an identifier's value, and of its system: what the columns of an archive have that fhirmap makes."""

_WORDS_LENGTH = 2_000
_PLACE_LENGTH = 500
_MOST_ISSUES = 100
_MOST_PLACES = 20


def is_usable(identifier: object) -> bool:
    """Can this be stored and archived as it is? Of an identifier's value, or its system."""
    return isinstance(identifier, str) and len(identifier) <= IDENTIFIER_LENGTH and is_storable(identifier)


def clipped(words: object, length: int = 4 * _WORDS_LENGTH) -> str:
    """The beginning of a text that may be of any length; empty for what is no text. Longer than what is shown, so that
    a value that is taken out of it is there as a whole."""
    return words[:length] if isinstance(words, str) else ""


def some_issues(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """The issues, those that say what is wrong first where there are too many to keep; the last says how many more."""
    found = list(issues)
    if len(found) <= _MOST_ISSUES:
        return tuple(found)
    found.sort(key=lambda issue: not issue.is_failure)
    return (*found[:_MOST_ISSUES], Issue("information", "", f"… +{len(found) - _MOST_ISSUES}"))


def made_safe(receipt: Receipt) -> Receipt:
    """The receipt of any sink as it may be stored and shown."""
    if not (receipt.issues or receipt.reason or receipt.identifier_value or receipt.identifier_system):
        return receipt
    given = receipt.identifier_value, receipt.identifier_system
    safe = receipt
    if receipt.issues or receipt.reason:
        issues = tuple(_safe_issue(issue) for issue in some_issues(receipt.issues))
        safe = replace(receipt, issues=issues, reason=_safe(receipt.reason, _WORDS_LENGTH))
    if not any(given) or all(is_usable(text) for text in given):
        return safe
    code = "FM692" if receipt.state is ReceiptState.ACCEPTED else receipt.code
    return replace(safe, code=code, identifier_system="", identifier_value="")


def _safe_issue(issue: Issue) -> Issue:
    return replace(
        issue,
        severity=_safe(issue.severity, _PLACE_LENGTH),
        code=_safe(issue.code, _PLACE_LENGTH),
        diagnostics=_safe(issue.diagnostics, _WORDS_LENGTH),
        expression=_places(issue.expression),
        element=_safe(issue.element, _PLACE_LENGTH),
    )


def _places(places: Sequence[str]) -> tuple[str, ...]:
    return tuple(_safe(place, _PLACE_LENGTH) for place in places[:_MOST_PLACES])


def _safe(words: str, length: int) -> str:
    plain = storable(words)
    return plain if len(plain) <= length else f"{plain[:length]}…"
