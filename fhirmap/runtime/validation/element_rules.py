"""What a contract says of an element beyond its base type: counts, types, patterns, bindings, slices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from fhirmap.runtime.validation.primitives import is_string, is_uri
from fhirmap.runtime.validation.reporting import Invariants, Visit

Codes = frozenset[tuple[str, str]]
"""(system, code) pairs."""


class Checks(Protocol):
    """What finds everything that is wrong with an object: a shape."""

    def check(self, node: object, visit: Visit) -> None:
        """Report everything that is wrong with ``node``."""


@dataclass(frozen=True, slots=True)
class ElementRules:
    """What a contract says of one element beyond its base type; what is None is the base type's.

    ``types``: the types it leaves of a choice; ``shapes``: the shape to take instead of the base type's; ``codes``:
    (system, code) pairs of a required binding; ``rules``: the element's own invariants; ``targets``: types that its
    references may point to.
    """

    minimum: int | None = None
    maximum: int | None = None
    types: tuple[str, ...] | None = None
    shapes: Mapping[str, Checks] = field(default_factory=dict)
    fixed: Any = None
    pattern: Any = None
    codes: Codes | None = None
    rules: Invariants | None = None
    targets: tuple[str, ...] | None = None
    slices: tuple[SliceRules, ...] = ()
    is_closed: bool = False

    def check(self, value: object, visit: Visit) -> None:
        """Report where a value is not the fixed one, lacks what the pattern holds, or is outside the binding."""
        if self.fixed is not None and not (value == self.fixed or _is_same(value, self.fixed)):
            visit.report("FM510", "fixed")
        if self.pattern is not None and not matches_pattern(value, self.pattern):
            visit.report("FM510", "pattern")
        if self.codes is not None and not is_bound(value, self.codes):
            visit.report("FM511", "binding")


@dataclass(frozen=True, slots=True)
class SliceRules:
    """A slice of a repeating element or of a choice. ``when``: (path, value) pairs by which an item belongs to it."""

    name: str
    when: tuple[tuple[str, Any], ...]
    rules: ElementRules


NO_RULES = ElementRules()


class SliceFinder:
    """Finds the slice that an item belongs to: the first whose values it holds.

    Where one child's text identifies every slice, as `name` does in Parameters, they are found by it at once.
    """

    __slots__ = ("_by_text", "_key", "slices")

    def __init__(self, slices: Sequence[SliceRules]) -> None:
        self.slices = tuple(slices)
        self._key = _only_key(self.slices)
        self._by_text: dict[object, SliceRules] = {}
        for entry in self.slices if self._key else ():
            self._by_text.setdefault(entry.when[0][1], entry)

    def slice_of(self, item: object, kind: str) -> SliceRules | None:
        """The slice of an item of type ``kind``."""
        if self._key and type(item) is dict:
            text = item.get(self._key)
            if type(text) is str:
                return self._by_text.get(text)
        for entry in self.slices:
            if entry.when and all(_holds_at(item, path, value, kind) for path, value in entry.when):
                return entry
        return None


def _only_key(slices: Sequence[SliceRules]) -> str:
    """The child whose text identifies every slice; empty where it takes more than that."""
    paths = {path for entry in slices for path, _ in entry.when}
    only = next(iter(paths)) if len(paths) == 1 else ""
    is_plain = all(len(entry.when) == 1 and isinstance(entry.when[0][1], str) for entry in slices)
    return "" if "." in only or only.startswith("$") or not is_plain else only


def matches_pattern(value: object, pattern: object) -> bool:
    """Does ``value`` hold at least what ``pattern`` holds (each item of a list somewhere in the list)?

    Example:
        >>> matches_pattern({"use": "home", "value": "1"}, {"use": "home"}), matches_pattern(1, True)
        (True, False)
    """
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            key in value and matches_pattern(value[key], held) for key, held in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(matches_pattern(item, held) for item in value) for held in pattern)
    return _is_same(value, pattern)


def _is_same(value: object, expected: object) -> bool:
    """Are two primitives the same: numbers by their value, whatever Python holds them in, and `True` is no number?"""
    if isinstance(value, float):
        value = Decimal(repr(value))
    return isinstance(value, bool) is isinstance(expected, bool) and value == expected


def is_bound(value: object, codes: Codes) -> bool:
    """Is a code, Coding or CodeableConcept one of ``codes``, by system and code?"""
    if isinstance(value, str):
        return any(code == value for _, code in codes)
    if not isinstance(value, dict):
        return False
    if "coding" in value or "code" not in value:
        codings = value.get("coding")
        return isinstance(codings, list) and any(is_bound(coding, codes) for coding in codings if type(coding) is dict)
    system, code = value.get("system"), value.get("code")
    return isinstance(system, str) and isinstance(code, str) and (system, code) in codes


def is_coded(concept: object, codes: Codes) -> bool:
    """Is it plainly a CodeableConcept with one coding, of a system and a code among ``codes``, perhaps with its
    display?
    """
    if type(concept) is not dict or len(concept) != 1:
        return False
    codings = concept.get("coding")
    if type(codings) is not list or len(codings) != 1:
        return False
    coding = codings[0]
    if type(coding) is not dict:
        return False
    system, code = coding.get("system"), coding.get("code")
    if type(system) is not str or type(code) is not str or (system, code) not in codes:
        return False
    return len(coding) == 2 or (len(coding) == 3 and is_string(coding.get("display")))


def names_profiles(meta: object) -> bool:
    """Is it plainly a Meta that names profiles and says no more?"""
    if type(meta) is not dict or len(meta) != 1:
        return False
    profiles = meta.get("profile")
    return type(profiles) is list and len(profiles) > 0 and all(map(is_uri, profiles))


def _holds_at(item: object, path: str, value: object, kind: str) -> bool:
    if path == "$type":
        return kind == value or (isinstance(item, dict) and item.get("resourceType") == value)
    if path == "$this":
        return matches_pattern(item, value)
    return any(matches_pattern(held, value) for held in _at(item, path.split(".")))


def _at(item: object, steps: Sequence[str]) -> Iterator[object]:
    if isinstance(item, list):
        for held in item:
            yield from _at(held, steps)
    elif not steps:
        yield item
    elif isinstance(item, dict):
        for name, held in item.items():
            step = steps[0]
            if name == step or (name.startswith(step) and name[len(step) : len(step) + 1].isupper()):
                yield from _at(held, steps[1:])
