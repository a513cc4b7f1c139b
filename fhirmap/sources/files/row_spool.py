"""The rows of a reading, kept for the records that are made of them: files are parsed once."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Mapping, Sized
from contextlib import contextmanager
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import Any, Protocol, TypeAlias

from fhirmap.errors import ConfigError
from fhirmap.records import Fault
from fhirmap.sources.files.source_files import SourceFile
from fhirmap.sources.revisions import Revision
from fhirmap.texts import os_reason

__all__ = ["NO_SPACE", "KeyedRow", "RowBlock", "RowSpool", "keeping"]

KeyedRow: TypeAlias = tuple[str, Revision | None, Mapping[str, Any], str, tuple[Fault, ...], bool]
"""A row: its key, empty where it has none; its revision, None where these do not count; its cells, its origin, what is
wrong with it, and whether it is lost (`FileRow.is_lost`). A plain tuple: it is written and read at the cost of its
parts."""

NO_SPACE = "space"
"""The variant of FM724: the fault is not of the file that is read."""
_IN_MEMORY = 1 << 20
_BLOCK = 1 << 16
"""About how many bytes are written, and read again, at once."""
_FIRST_ROWS, _MOST_ROWS = 8, 200
"""Of a block: before it is known how long rows are, and at most."""


class RowBlock(Sized, Protocol):
    """Rows that are pickled as one."""

    def __iter__(self) -> Iterator[KeyedRow]: ...


class RowSpool:
    """Rows that are put in file by file and given again in the same order, with flat memory.

    More than a megabyte of them is in a temporary file that has no name: no one else can read it, and it is gone
    when it is closed or the process ends. Rows are pickled, and only by this process read again.
    """

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._file = SpooledTemporaryFile(_IN_MEMORY, prefix="fhirmap-")  # noqa: SIM115 - open until `close`
        self._blocks: dict[SourceFile, list[tuple[int, int]]] = {}
        self._end = 0
        self._readings = 0
        self._is_over = False

    def close(self) -> None:
        """Forget the rows, at the end of the last `reading` that goes on; more than once does no harm."""
        self._is_over = True
        if not self._readings:
            self._file.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """The rows stay until this is over, whoever closes them meanwhile."""
        self._readings += 1
        try:
            yield
        finally:
            self._readings -= 1
            if self._is_over:
                self.close()

    def put(self, file: SourceFile, rows: Iterable[KeyedRow]) -> int:
        """Put all rows of a file in, none where they end with an error; how many there are.

        Raises: ConfigError FM724 (the temporary file cannot be written), and what reading ``rows`` raises.
        """
        return self.put_blocks(file, self._blocks_of(iter(rows)))

    def put_blocks(self, file: SourceFile, blocks: Iterable[RowBlock]) -> int:
        """The same, of rows that come in blocks."""
        places: list[tuple[int, int]] = []
        count = 0
        for block in blocks:
            raw = pickle.dumps(block, pickle.HIGHEST_PROTOCOL)
            with keeping(self._shown):
                self._file.seek(self._end)
                self._file.write(raw)
            places.append((self._end, len(raw)))
            self._end += len(raw)
            count += len(block)
        self._blocks[file] = places
        return count

    def _blocks_of(self, rows: Iterator[KeyedRow]) -> Iterator[RowBlock]:
        """Rows in blocks of about `_BLOCK` bytes."""
        most, end = _FIRST_ROWS, self._end
        while held := list(islice(rows, most)):
            yield held
            most = max(1, min(_MOST_ROWS, _BLOCK * len(held) // (self._end - end)))
            end = self._end

    def rows(self, file: SourceFile) -> Iterator[KeyedRow]:
        """The rows of a file. Raises: ConfigError FM724 (the temporary file cannot be read)."""
        for offset, length in self._blocks.get(file, ()):
            with keeping(self._shown):
                self._file.seek(offset)
                raw = self._file.read(length)
            yield from pickle.loads(raw)  # noqa: S301 - what this process put there


@contextmanager
def keeping(shown: str) -> Iterator[None]:
    """Raises: ConfigError FM724 where rows of the source ``shown`` cannot be kept in a temporary file."""
    try:
        yield
    except OSError as error:
        raise ConfigError("FM724", variant=NO_SPACE, source=shown, reason=os_reason(error)) from None
