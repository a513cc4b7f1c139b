"""Rows of a statement that have to wait until another one is read, with flat memory."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import Any, TypeAlias

from fhirmap.sources.files.row_spool import keeping

__all__ = ["PageSpool"]

PlainRow: TypeAlias = tuple[Any, ...]

_IN_MEMORY = 1 << 20
_PAGE = 500


class PageSpool:
    """Rows that are put in once and given again in the same order.

    More than a megabyte of them is in a temporary file that has no name: no one else can read it, and it is gone when
    it is closed or the process ends. Rows are pickled, and only by this process read again.
    """

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._pages = 0
        self._file = SpooledTemporaryFile(_IN_MEMORY, prefix="fhirmap-")  # noqa: SIM115 - open until `close`

    def close(self) -> None:
        """Forget the rows; more than once does no harm."""
        self._file.close()

    def put(self, rows: Iterable[PlainRow]) -> None:
        """Put rows in. Raises: ConfigError FM724 (the temporary file cannot be written), and what ``rows`` raises."""
        source = iter(rows)
        while page := list(islice(source, _PAGE)):
            with keeping(self._shown):
                pickle.dump(page, self._file, pickle.HIGHEST_PROTOCOL)
            self._pages += 1

    def rows(self) -> Iterator[PlainRow]:
        """The rows. Raises: ConfigError FM724 (the temporary file cannot be read)."""
        with keeping(self._shown):
            self._file.seek(0)
        for _ in range(self._pages):
            with keeping(self._shown):
                page: list[PlainRow] = pickle.load(self._file)  # noqa: S301 - what this process put there
            yield from page
