"""Helpers for generated code that holds plain values: None in, None out; no collections, no wrapping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import chain, zip_longest
from typing import Any, TypeVar

from fhirmap.data import MapValue
from fhirmap.errors import TransformFailed
from fhirmap.runtime.fhirpath.temporal import Limit

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


def filled(entries: Iterable[MapValue]) -> list[MapValue]:
    """Values, or items, without empty texts: no element can have one."""
    return [entry for entry in entries if not isinstance(entry, str) or entry]


def apply(function: Callable[..., T], needed: int, *arguments: MapValue) -> T | None:
    """A function called with plain values, not called where one of the first ``needed`` is absent."""
    for argument in arguments[:needed]:
        if argument is None:
            return None
    return function(*arguments)


def before(left: str | None, right: str | None) -> bool | None:
    """Is one date earlier than another? None where one is absent, or where their precisions do not decide it.

    Example:
        >>> before("2025-03-20", "2025-03-21"), before("2025-03", "2025-03-21")
        (True, None)
    """
    if left is None or right is None:
        return None
    if len(left) == 10 and len(right) == 10:
        return left < right
    from fhirmap.runtime.fhirpath.item import nodes
    from fhirmap.runtime.fhirpath.operators import less

    found = less(nodes(left, "date"), nodes(right, "date"))
    return found[0] if found else None


def within_limit(held: MapValue, name: str, limit: Limit) -> list[bool]:
    """Is a date or dateTime of FHIR JSON, the element ``name`` of ``held``, within a limit? Empty where that takes a
    closer look: absent, not as precise, with extensions, of another shape.
    """
    if not isinstance(held, dict) or f"_{name}" in held:
        return []
    text = held.get(name)
    found = limit.holds(text) if isinstance(text, str) else None
    return [] if found is None else [found]


def alike_texts(left: str | None, right: str | None) -> bool:
    """`~` of two texts that may be absent: case and blanks count little, two absent ones are alike.

    Example:
        >>> alike_texts("Left  knee", "left knee"), alike_texts(None, None), alike_texts("a", None)
        (True, True, False)
    """
    return left == right or likeness(left) == likeness(right)


def likeness(text: str | None) -> tuple[str, ...]:
    """What two texts have in common that `~` finds alike."""
    return () if text is None else (" ".join(text.casefold().split()),)


def different_texts(*lists: Iterable[str]) -> list[str]:
    """Each text once, in the order of its first occurrence."""
    return list(dict.fromkeys(chain.from_iterable(lists)))


def first_text(held: Mapping[str, Any], name: str) -> str | None:
    """The first entry of a text of FHIR JSON that repeats; None where there is none, or extensions in its place."""
    texts, parts = held.get(name) or (), held.get(f"_{name}")
    if parts is None:
        return next((text for text in texts if text is not None), None)
    return next((text for text, part_ in zip_longest(texts, parts) if text is not None or part_ is not None), None)


def all_different(values: list[Any]) -> bool:
    """`isDistinct` of texts or of whole numbers."""
    return len(set(values)) == len(values)


def number_text(number: int | None) -> str | None:
    """`toString` of a whole number that may be absent."""
    return None if number is None else str(number)


def first_of(*values: T | None) -> T | None:
    """The first of several values that is there."""
    for value in values:
        if value is not None:
            return value
    return None


def first_where(items: Iterable[Mapping[str, Any]], key: str, text: str, child: str) -> MapValue:
    """The first ``child`` among the items whose ``key`` is ``text``: `part.where(name = 'lot').value.first()`."""
    for item in items:
        if item.get(key) == text:
            value = item.get(child)
            if value is not None:
                return value
    return None


def only(found: Iterable[T], what: str) -> T | None:
    """The one value of several; None for none.

    Raises: ``TransformFailed`` FM430 for more than one.
    """
    held = list(found)
    if len(held) > 1:
        raise TransformFailed("FM430", what=what, count=len(held))
    return held[0] if held else None


def choice(held: Mapping[str, Any], keys: tuple[str, ...]) -> MapValue:
    """The value of a choice element that may be under any of ``keys``."""
    for key in keys:
        if key in held:
            return held[key]
    return None


def as_list(value: list[T] | T | None) -> list[T]:
    """A function's result (None, one, several) as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
