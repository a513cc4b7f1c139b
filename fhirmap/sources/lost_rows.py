"""Rows that cannot be read, by the texts in them: whose they seem to be, where that can be seen.

A quote that is never closed, or a delimiter too many, hides which text of a line is its key. But the key is in it: a
record whose key is there may lack this row.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

__all__ = ["LostRows"]

_MOST_ROWS = 10_000
_MOST_PIECES = 1000
"""Of a row; both bound the memory that a file takes in which hardly anything can be read."""


class LostRows:
    """The first rows that cannot be read, each found by any of the texts in it.

    Example:
        >>> rows = LostRows()
        >>> rows.add(["S3", "C"], "surgeons.csv:4")
        >>> rows.origin_of(["S3"]), rows.origin_of(["S3", "D"]), rows.origin_of(["S4"])
        ('surgeons.csv:4', '', '')
    """

    def __init__(self) -> None:
        self._rows: list[tuple[str, str]] = []
        self._by_piece: dict[str, list[int]] = {}

    def add(self, pieces: Sequence[str], origin: str, key: str = "") -> None:
        """A row with these texts, and where it is. ``key``: the one that it seems to have."""
        texts = dict.fromkeys(text for piece in pieces[:_MOST_PIECES] if (text := piece.strip()))
        if not texts or len(self._rows) == _MOST_ROWS:
            return
        for text in texts:
            self._by_piece.setdefault(text, []).append(len(self._rows))
        self._rows.append((origin, key))

    def origin_of(self, parts: Collection[str], key: str = "") -> str:
        """Where the first row is that has all parts of a key in it; empty where none has. ``key``: whose rows seem to
        have it are known already."""
        if not self._rows or not parts:
            return ""
        held = [self._by_piece.get(part) for part in parts]
        if not all(held):
            return ""
        found = set.intersection(*(set(rows) for rows in held if rows))
        origins = (origin for origin, own in map(self._rows.__getitem__, sorted(found)) if not key or own != key)
        return next(origins, "")
