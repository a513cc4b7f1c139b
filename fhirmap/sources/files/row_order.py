"""The order of rows of files: `order by` as a database has it, of rows in memory and of files larger than it.

A key of bytes has the order of the values: absent first (last where descending, as in SQLite and MariaDB), then numbers
as numbers, days and times as such (ISO and French days share an order), then other texts sign by sign. Rows that are
equal stay as the file has them.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from heapq import merge
from operator import itemgetter
from tempfile import TemporaryFile
from typing import IO, Generic, TypeAlias, TypeVar, cast

from fhirmap.data import RawValue
from fhirmap.runtime.reading import Cell, number_text
from fhirmap.source_plan import Order, SourcePlan
from fhirmap.sources.keys import KeyColumn
from fhirmap.sources.revisions import revision_of

__all__ = ["OrderedRows", "RowOrder"]

_IN_MEMORY = 16 << 20
"""Bytes of rows that are held before they are put into the temporary file."""
_BLOCK = 64 << 10
"""Bytes of rows that are read from it at once, for each part that is merged."""
_INVERTED = bytes(255 - byte for byte in range(256))
_ABSENT, _NUMBER, _TEXT = b"\x00", b"\x01", b"\x04"
_DAYS = {2: b"\x02", 3: b"\x03"}
"""How keys of days and times begin: without an offset, and with one (kinds of `revision_of`)."""
_WRITTEN = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")

_HELD = 160
"""Bytes that Python needs for a row beside its own."""

Row = TypeVar("Row")
_Entry: TypeAlias = tuple[bytes, bytes]
"""The key of a row, and the row pickled."""


class RowOrder:
    """Keys that are in the order of an `order by`.

    ``nulls``: texts that mean absent; ``decimal``, ``thousands``: how numbers are written.
    """

    def __init__(
        self, order: Sequence[Order], nulls: Iterable[str] = (), *, decimal: str = ".", thousands: str = ""
    ) -> None:
        self.names: tuple[str, ...] = tuple(entry.column for entry in order)
        """The columns that it asks for."""
        self._descending = [entry.descending for entry in order]
        self._column = KeyColumn(frozenset(nulls))
        self._marks = Cell("", "", "decimal", "", decimal=decimal, thousands=thousands)

    @classmethod
    def of_plan(cls, plan: SourcePlan, order: Sequence[Order] | None = None) -> RowOrder:
        """The order of a plan's records, or ``order`` of rows that are read with its words and marks."""
        asked = plan.order if order is None else order
        return cls(asked, plan.nulls, decimal=plan.decimal, thousands=plan.thousands)

    def key(self, values: Sequence[RawValue]) -> bytes:
        """What a row is sorted by whose cells in the order of `names` are ``values``."""
        parts = [self._part(value) for value in values]
        return b"".join(
            part.translate(_INVERTED) if descending else part
            for part, descending in zip(parts, self._descending, strict=True)
        )

    def sorted(self, rows: Iterable[Row], values: Callable[[Row], Sequence[RawValue]]) -> list[Row]:
        """Rows in memory in their order; ``values`` gives the cells of `names` of one."""
        return sorted(rows, key=lambda row: self.key(values(row)))

    def _part(self, value: RawValue) -> bytes:
        if isinstance(value, list) and len(value) < 2:
            value = value[0] if value else None
        if value is None:
            return _ABSENT
        if isinstance(value, int | float | Decimal):
            number = Decimal(value) if isinstance(value, int) else Decimal(str(value))
            return _number(number) if number.is_finite() else _text(str(number))
        if isinstance(value, datetime | date | time):
            value = value.isoformat()
        text = value.strip() if isinstance(value, str) else ""
        if not text or text in self._column.nulls:
            return _ABSENT
        written = number_text(text, self._marks)
        if _WRITTEN.fullmatch(written):
            return _number(Decimal(written))
        kind, moment, rest = revision_of(text, self._column)
        return _DAYS[kind] + _number(Decimal(moment)) + _text(rest) if kind in _DAYS else _text(text)


def _number(number: Decimal) -> bytes:
    """A number as bytes that have the order of numbers, whatever its digits and size."""
    if not number:
        return _NUMBER + b"\x01"
    sign, digits, _ = number.as_tuple()
    written = "".join(map(str, digits)).rstrip("0").encode()
    size = min(max(number.adjusted() + (1 << 31), 0), (1 << 32) - 1)
    body = size.to_bytes(4) + written + b"\x00"
    return _NUMBER + (b"\x00" + body.translate(_INVERTED) if sign else b"\x02" + body)


def _text(text: str) -> bytes:
    """A text as bytes, so that none is the beginning of another's."""
    raw = text.encode("utf-8", "surrogatepass")
    return _TEXT + raw.replace(b"\x00", b"\x00\xff") + b"\x00\x00"


class OrderedRows(Generic[Row]):
    """Rows that are put in one by one and come out in the order of their keys, with flat memory.

    More than ``limit`` bytes of them are sorted in parts in a temporary file that has no name: no one else can read it,
    and it is gone when it is closed or the process ends. Rows are pickled, and only by this process read again.
    """

    def __init__(self, limit: int = _IN_MEMORY) -> None:
        self._limit = limit
        self._held: list[_Entry] = []
        self._size = 0
        self._file: IO[bytes] | None = None
        self._runs: list[list[tuple[int, int]]] = []

    def __enter__(self) -> OrderedRows[Row]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget the rows; more than once does no harm."""
        self._held, self._runs = [], []
        if self._file is not None:
            self._file.close()
            self._file = None

    def add(self, key: bytes, row: Row) -> None:
        """Put a row in. Raises: OSError where the temporary file cannot be written."""
        raw = pickle.dumps(row, pickle.HIGHEST_PROTOCOL)
        self._held.append((key, raw))
        self._size += len(raw) + len(key) + _HELD
        if self._size > self._limit:
            self._put_away()

    def __iter__(self) -> Iterator[Row]:
        """The rows in order, those of equal keys as they were put in. Raises: OSError."""
        self._held.sort(key=itemgetter(0))
        runs: list[Iterable[_Entry]] = [self._read(run) for run in self._runs]
        for _, raw in merge(*runs, self._held, key=itemgetter(0)):
            yield cast(Row, pickle.loads(raw))  # noqa: S301 - what this process put there

    def _put_away(self) -> None:
        if self._file is None:
            self._file = TemporaryFile(prefix="fhirmap-")  # noqa: SIM115 - open until `close`
        self._held.sort(key=itemgetter(0))
        blocks: list[tuple[int, int]] = []
        block: list[_Entry] = []
        size = 0
        offset = self._file.seek(0, 2)
        for number, entry in enumerate(self._held, 1):
            block.append(entry)
            size += len(entry[0]) + len(entry[1])
            if size > _BLOCK or number == len(self._held):
                length = self._file.write(pickle.dumps(block, pickle.HIGHEST_PROTOCOL))
                blocks.append((offset, length))
                offset, block, size = offset + length, [], 0
        self._runs.append(blocks)
        self._held, self._size = [], 0

    def _read(self, run: Sequence[tuple[int, int]]) -> Iterator[_Entry]:
        assert self._file is not None
        for offset, length in run:
            self._file.seek(offset)
            yield from pickle.loads(self._file.read(length))  # noqa: S301 - what this process put there
