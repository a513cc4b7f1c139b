"""Resources by canonical URL, in several versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Generic, TypeVar

_Held = TypeVar("_Held")
_PART = re.compile(r"\d+|[A-Za-z]+")


class ByVersion(Generic[_Held]):
    """Resources by URL and version. A version is a text that FHIR compares for being the same.

    Spec: FHIR R4, references.html#canonical.
    """

    def __init__(self) -> None:
        self._held: dict[str, dict[str, _Held]] = {}

    def add(self, url: str, version: str, entry: _Held) -> None:
        """Make ``entry`` known; it replaces another of that URL and version."""
        self._held.setdefault(url, {})[version] = entry

    def remove(self, canonical: str) -> None:
        """Forget what `url|version` means; a URL alone means what has no version."""
        url, _, version = canonical.partition("|")
        self._held.get(url, {}).pop(version, None)
        if not self._held.get(url, True):
            del self._held[url]

    def versions(self, canonical: str) -> tuple[str, ...]:
        """The versions of a URL that are known, the newest last."""
        return tuple(sorted(self._held.get(canonical.partition("|")[0], {}), key=_order))

    def exactly(self, canonical: str) -> _Held | None:
        """What `url|version` means, that version and no other; of a URL alone the newest."""
        url, _, version = canonical.partition("|")
        held = self._held.get(url, {})
        return held.get(version) if version else held.get(next(reversed(self.versions(url)), ""))

    def nearest(self, canonical: str) -> _Held | None:
        """As `exactly`, or else the newest: what is known of a URL serves for a version that is not at hand."""
        found = self.exactly(canonical)
        return self.exactly(canonical.partition("|")[0]) if found is None else found

    def __iter__(self) -> Iterator[str]:
        """Every URL."""
        return iter(self._held)

    def values(self) -> Iterator[_Held]:
        """Every resource in every version."""
        return (entry for held in self._held.values() for entry in held.values())


def _order(version: str) -> tuple[tuple[int, int, str], ...]:
    """Numbers by their value: `1.10` comes after `1.9`, and `2.0` after `2.0-rc1`."""
    parts = [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in _PART.findall(version)]
    return (*parts, (0, 0, "~"))
