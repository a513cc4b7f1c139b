"""Our own values in others' words: a receiver may quote what it was sent, and its words go to screens, reports and
mails."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fhirmap.data import JsonValue

__all__ = ["payload_values", "redact", "redact_numbers"]

_SHORTEST = 4
_STRUCTURAL = frozenset({"resourceType", "system", "code", "display", "name", "url", "version", "status", "fullUrl"})
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_LONG_NUMBER = re.compile(r"\b(?:\d[ .\-]?){5}[\dABab](?:[ .\-]?\d){6,}\b")
_FOLDED = str.maketrans("\u0130\u0131\u017f\u212a", "iisk")
"""The characters beyond ASCII that a pattern without case takes for letters of ASCII."""


def redact(words: str, values: Mapping[str, str]) -> str:
    """``words`` with each of ``values`` replaced by its element's name, and any long number (of a person, a
    device) by a mark. A date is found in the spellings of a screen or a form too."""
    folded = words.translate(_FOLDED).lower()
    spelt = {spelling: name for value, name in values.items() for spelling in (value, *_other_spellings(value))}
    # Of hundreds of values a receiver quotes hardly one: a pattern is made of those alone that may be there.
    there = [pair for pair in spelt.items() if not pair[0].isascii() or pair[0].lower() in folded]
    for value, name in sorted(there, key=lambda pair: -len(pair[0])):
        mark = f"[{name}]".replace("\\", "")  # a backslash would be read as a reference to a group
        words = re.sub(re.escape(value), mark, words, flags=re.IGNORECASE)
    return redact_numbers(words)


def _other_spellings(value: str) -> Iterator[str]:
    found = _DATE.match(value)
    if found is None:
        return
    year, month, day = found.groups()
    for mark in "/.- ":
        yield mark.join((day, month, year))
        yield mark.join((day.lstrip("0"), month.lstrip("0"), year))
        yield mark.join((year, month, day))
    yield year + month + day
    yield day + month + year


def redact_numbers(words: str) -> str:
    """``words`` with any long number (of a person, a device) replaced by a mark."""
    return _LONG_NUMBER.sub("[number]", words)


def payload_values(resource: Mapping[str, Any]) -> Mapping[str, str]:
    """Every text of a payload that could identify someone, with the name of its element."""
    found: dict[str, str] = {}
    _gather(resource, "value", found)
    return found


def _gather(node: JsonValue, name: str, found: dict[str, str]) -> None:
    if isinstance(node, dict):
        inner = str(node.get("name") or name) if isinstance(node.get("name"), str) else name
        for key, value in node.items():
            if key not in _STRUCTURAL or (key == "name" and not isinstance(value, str)):
                _gather(value, inner if key.startswith("value") or key == "part" else key, found)
    elif isinstance(node, list):
        for value in node:
            _gather(value, name, found)
    elif isinstance(node, str) and len(node) >= _SHORTEST:
        found.setdefault(node, name)
