"""How often each key occurs in a file, and which of its revisions is the current one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, TypeAlias

State = Literal["current", "superseded", "double"]

Revision: TypeAlias = tuple[int, int | Decimal, str]
"""What distinguishes the rows of a key, comparable: the first part keeps numbers and texts apart."""


class Revisions:
    """Gathered in a first reading, asked in the second. Holds one small entry a key."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[int, Any, int]] = {}
        self.total = 0
        """Number of rows with a key."""

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: str, revision: Revision | None = None) -> None:
        """One row of ``key``; ``revision`` is comparable, or None where revisions do not count."""
        self.total += 1
        known = self._keys.get(key)
        if known is None:
            self._keys[key] = (1, revision, 1)
            return
        count, best, same = known
        if revision is None or revision == best:
            self._keys[key] = (count + 1, best, same + 1)
        elif revision > best:
            self._keys[key] = (count + 1, revision, 1)
        else:
            self._keys[key] = (count + 1, best, same)

    def count(self, key: str) -> int:
        """How often ``key`` occurs."""
        return self._keys.get(key, (0, None, 0))[0]

    def state(self, key: str, revision: Revision | None = None) -> State:
        """What a row of ``key`` and ``revision`` is; ``double``: another row claims to be the current one too."""
        _, best, same = self._keys.get(key, (0, revision, 1))
        if revision != best:
            return "superseded"
        return "double" if same > 1 else "current"
