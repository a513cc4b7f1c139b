"""Rows by the text of their key: gathered in one pass, asked many times, with flat memory.

A row costs eight bytes of memory, and its place in a temporary file that has no name: no one else can read it, and it
is gone when the index is closed or the process ends. A small table stays in memory.
"""

from __future__ import annotations

import io
import pickle
from array import array
from bisect import bisect_left
from collections.abc import Hashable, Iterable, Sequence
from tempfile import TemporaryFile
from typing import IO, Generic, TypeVar, cast

__all__ = ["KeyIndex", "KeyPlaces"]

_IN_MEMORY = 4 << 20
"""Bytes of rows that are held before they are put into the temporary file."""
_WRITTEN_AT_ONCE = 256 << 10
_READ_AT_ONCE = 512
_LAST_ASKED = 256
"""Keys whose rows are kept after they were asked for: the same surgeon is asked for again and again."""
_PLACE_BITS = 40
_HASH_MASK = (1 << (64 - _PLACE_BITS)) - 1
_PLACE_MASK = (1 << _PLACE_BITS) - 1
_BUCKETS = 256

Row = TypeVar("Row")


class KeyPlaces:
    """Places (numbers below 2^40) by the hash of a key. Those of another key may be among them, very rarely."""

    def __init__(self) -> None:
        self._buckets = [array("Q") for _ in range(_BUCKETS)]
        self._is_sorted = [False] * _BUCKETS

    def add(self, keys: Iterable[Hashable], places: Iterable[int]) -> None:
        """The place of each key."""
        buckets = self._buckets
        self._is_sorted = [False] * _BUCKETS
        for hashed, place in zip(map(hash, keys), places):  # noqa: B905 - as long as each other
            buckets[hashed & 255].append((hashed >> 8 & _HASH_MASK) << _PLACE_BITS | place)

    def find(self, key: Hashable) -> list[int]:
        """The places of a key, from the least."""
        hashed = hash(key)
        number = hashed & 255
        if not self._is_sorted[number]:
            # One bucket at a time, or sorting would need several times the memory of the index.
            self._buckets[number] = array("Q", sorted(self._buckets[number]))
            self._is_sorted[number] = True
        bucket = self._buckets[number]
        least = (hashed >> 8 & _HASH_MASK) << _PLACE_BITS
        found = []
        for at in range(bisect_left(bucket, least), len(bucket)):
            if bucket[at] > least | _PLACE_MASK:
                break
            found.append(bucket[at] & _PLACE_MASK)
        return found


class KeyIndex(Generic[Row]):
    """Rows by key, to the letter, those of a key in the order in which they were put in.

    Rows are pickled, and read again by this process alone. Those of a key may be the same objects each time.
    """

    def __init__(self, limit: int = _IN_MEMORY) -> None:
        self._limit = limit
        self._file: IO[bytes] = io.BytesIO()
        self._places = KeyPlaces()
        self._keys: list[str] = []
        self._at: list[int] = []
        self._raw: list[bytes] = []
        self._end = 0
        self._written = 0
        self._asked: dict[str, Sequence[Row]] = {}

    def __enter__(self) -> KeyIndex[Row]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget the rows; more than once does no harm."""
        self._file.close()
        self._places = KeyPlaces()
        self._asked.clear()

    def add(self, key: str, row: Row) -> None:
        """Put a row in. Raises: OSError where the temporary file cannot be written."""
        raw = pickle.dumps((key, row), pickle.HIGHEST_PROTOCOL)
        self._keys.append(key)
        self._at.append(self._end)
        self._raw += (len(raw).to_bytes(4), raw)
        self._end += len(raw) + 4
        if self._end - self._written > _WRITTEN_AT_ONCE:
            self._write()

    def _write(self) -> None:
        """Put the rows that are held into the file."""
        if self._end > self._limit and isinstance(self._file, io.BytesIO):
            held = self._file
            # Without a buffer, which would be filled again for each row that is asked for.
            self._file = TemporaryFile(buffering=0, prefix="fhirmap-")  # noqa: SIM115 - open until `close`
            self._raw.insert(0, held.getvalue())
        self._file.seek(0, io.SEEK_END)
        rest = memoryview(b"".join(self._raw))
        while rest:
            rest = rest[self._file.write(rest) :]
        self._places.add(self._keys, self._at)
        self._keys, self._at, self._raw, self._written = [], [], [], self._end
        self._asked.clear()

    def rows(self, key: str) -> Sequence[Row]:
        """The rows of a key. Raises: OSError where the temporary file cannot be read or written."""
        if self._raw:
            self._write()
        found = self._asked.get(key)
        if found is None:
            if len(self._asked) >= _LAST_ASKED:
                self._asked.clear()
            read = [self._read(place) for place in self._places.find(key)]
            found = self._asked[key] = [row for its_key, row in read if its_key == key]
        return found

    def _read(self, place: int) -> tuple[str, Row]:
        self._file.seek(place)
        raw = self._file.read(_READ_AT_ONCE)
        end = int.from_bytes(raw[:4]) + 4
        while len(raw) < end:
            raw += self._file.read(end - len(raw))
        return cast(tuple[str, Row], pickle.loads(raw[4:end]))  # noqa: S301 - what this process put there
