"""A place of records: what every kind of source is to those who read it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from types import TracebackType
from typing import Protocol, Self

from fhirmap.diagnostics import Diagnostic
from fhirmap.records import Record
from fhirmap.source_plan import SourcePlan
from fhirmap.sources.address import Address

__all__ = ["Source", "SourceFactory"]


class Source(Protocol):
    """A place of records, opened for one plan. It converts nothing and writes nothing.

    Shape: ``Record.values`` holds raw cells under the column names of the plan's `RowLayout`, and under ``Child.key``
    the list of raw child rows; what is nested already (JSON) is passed as it is. ``Record.key``: the plan's
    ``key`` columns as text, joined by ``|``; the order of records is the same at each reading.
    What is wrong with one record is a `Fault` on that record; what makes the place unusable is a ConfigError. Neither
    ever holds a cell's value or a password.
    """

    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """What is there: the columns of each table the plan names that exists (one entry for a file)."""

    def check(self) -> list[Diagnostic]:
        """What the plan names and the place lacks: FM703 (a table), FM704 (a column), FM774 (an attribute, a warning).

        ``position`` among a diagnostic's arguments is the line of the map that names it. Empty where all is there.
        """

    def records(self, keys: Collection[str] | None = None) -> Iterator[Record]:
        """Every record, or those of ``keys``.

        Raises: ConfigError where the place cannot be read, or not read on.
        """

    def count(self) -> int | None:
        """How many records there are about, for progress; None where only reading them all would show."""

    def close(self) -> None:
        """Give files and connections back; more than once does no harm."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


SourceFactory = Callable[[Address, SourcePlan], Source]
"""What an entry point of `fhirmap.sources` names: it opens the address for the plan. Its entry's name is the kind of
addresses that it reads: a URL's scheme, or sql and file for the built-in ones.

Raises: ConfigError FM701, FM702 where the place cannot be opened.
"""
