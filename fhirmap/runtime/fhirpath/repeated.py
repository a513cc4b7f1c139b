"""`repeat(item)` over objects of FHIR JSON, or of a model, of one type: what is below, and below that, each once.

Objects that have another text under their ``mark``, an element that each of them has, are not equal: only those that
have the same are compared as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fhirmap.runtime.fhirpath.membership import Seen
from fhirmap.runtime.fhirpath.raw import RawElement, objects_at

_NONE: tuple[()] = ()


def repeated(level: list[dict[str, Any]], name: str, mark: str) -> list[dict[str, Any]]:
    """The objects of a level, and those that they have under a name, level after level."""
    return _repeated(level, lambda held: held.get(name, _NONE), mark)


def repeated_at(level: list[dict[str, Any]], element: RawElement, mark: str) -> list[dict[str, Any]]:
    """As `repeated`, of objects as a record has them: what is under the element is looked at.

    Raises: ``TransformFailed`` FM438 where it is of another shape than its type says.
    """
    return _repeated(level, lambda held: objects_at(held, element), mark)


def _repeated(level: list[dict[str, Any]], step: Callable[[Mapping[str, Any]], Any], mark: str) -> list[dict[str, Any]]:
    by_text: dict[str | None, dict[str, Any] | Seen] = {}
    found: list[dict[str, Any]] = []
    while level:
        new: list[dict[str, Any]] = []
        for held in level:
            text = held.get(mark)
            if type(text) is not str:
                text = None
            if text not in by_text:
                by_text[text] = held
            elif not _is_new(held, text, by_text):
                continue
            new.append(held)
        found += new
        level = [entry for held in new for entry in step(held)]
    return found


def _is_new(held: dict[str, Any], text: str | None, by_text: dict[str | None, dict[str, Any] | Seen]) -> bool:
    """Is an object unlike all others that have the same text?"""
    seen = by_text[text]
    if not isinstance(seen, Seen):
        first, seen = seen, Seen()
        seen.is_new(first)
        by_text[text] = seen
    return seen.is_new(held)
