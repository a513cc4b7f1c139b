"""Helpers for generated code that holds plain values: None in, None out; no collections, no wrapping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from fhirmap.errors import TransformFailed

T = TypeVar("T")


def matches(test: Callable[[str], object], text: str | None) -> bool:
    """Is there a text, and does a compiled pattern's ``test`` (`search`, `match`, `fullmatch`) find something in it?"""
    return text is not None and test(text) is not None


def matches_not(test: Callable[[str], object], text: str | None) -> bool:
    """Is there a text, and does the test find nothing in it?"""
    return text is not None and test(text) is None


def part(text: str | None, start: int, length: int | None = None) -> str | None:
    """`substring` of a text that may be absent."""
    if text is None or not 0 <= start < len(text):
        return None
    return text[start:] if length is None else text[start : start + max(0, length)]


def apply(function: Callable[..., T], *arguments: Any) -> T | None:
    """A function called with plain values, not called where one of them is absent."""
    for argument in arguments:
        if argument is None:
            return None
    return function(*arguments)


def joined(*texts: str | None) -> str:
    """`&` of texts: nothing for an absent one."""
    return "".join(text for text in texts if text is not None)


def only(found: Iterable[T], what: str) -> T | None:
    """The one value of several; None for none.

    Raises: ``TransformFailed`` FM430 for more than one.
    """
    held = list(found)
    if len(held) > 1:
        raise TransformFailed("FM430", what=what, count=len(held))
    return held[0] if held else None


def choice(held: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    """The value of a choice element that may stand under any of ``keys``."""
    for key in keys:
        if key in held:
            return held[key]
    return None


def as_list(value: list[T] | T | None) -> list[T]:
    """A function's result (None, one, several) as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
