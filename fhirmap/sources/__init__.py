"""Sources: a hospital's tables, CSV and JSON files, opened and read as a stream of `Record`.

`open_source(address, plan)` gives one of `SqlTable`, `CsvFile`, `JsonFile`. Each has ``check()`` (everything the plan
names and the store lacks, as diagnostics, nothing read beyond the layout), ``records(keys)`` (the records in a stable
order) and ``close()``. Invariants: memory does not grow with the store; nothing is ever written to it; one consistent
snapshot a reading; what one record has wrong is a `Fault` on that record, what makes the store unusable is one
`ConfigError` FM70x-72x that names the thing and never a cell's value nor a password. Absent on purpose: any knowledge
of FHIR or of a map's tree.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from types import TracebackType
from typing import Protocol, Self

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.records import Record
from fhirmap.sources.address import Address, parse_address
from fhirmap.stores import StorePlan

__all__ = ["Address", "Source", "SourceFactory", "built_in", "open_source", "parse_address"]


class Source(Protocol):
    """A store opened for one plan."""

    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """What is there: the columns of each table the plan names that exists (one entry for a file)."""

    def check(self) -> list[Diagnostic]:
        """What the plan names and the store lacks; ``position`` among the arguments is the map line that names it."""

    def records(self, keys: Collection[str] | None = None) -> Iterator[Record]:
        """Every record, or those of ``keys``.

        Raises: ConfigError where the store cannot be read (on).
        """

    def count(self) -> int | None:
        """How many records there are about, for progress; None where only reading them all would show it."""

    def close(self) -> None:
        """Give files and connections back."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


SourceFactory = Callable[[Address, StorePlan], Source]


def built_in(kind: str) -> SourceFactory:
    """The class that reads ``kind`` (sql, csv, json). Loaded on call: SQLAlchemy only where SQL is read."""
    if kind == "sql":
        from fhirmap.sources.sql_table import SqlTable

        return SqlTable
    if kind == "csv":
        from fhirmap.sources.csv_file import CsvFile

        return CsvFile
    from fhirmap.sources.json_file import JsonFile

    return JsonFile


def open_source(
    address: Address | str, plan: StorePlan, factories: Mapping[str, SourceFactory] | None = None
) -> Source:
    """The source at ``address`` for ``plan``; ``factories`` adds kinds that plug-ins bring, by address kind.

    Raises: ConfigError FM700 (address), FM716 (the plan's store is of another kind), FM701-FM710 (cannot be opened).
    """
    where = parse_address(address) if isinstance(address, str) else address
    if factories and where.kind in factories:
        return factories[where.kind](where, plan)
    wanted = "sql" if plan.kind in ("table", "query") else plan.kind
    if where.kind != wanted:
        raise ConfigError("FM716", source=where.shown, kind=where.kind, model=plan.shape.model, wanted=wanted)
    return built_in(where.kind)(where, plan)
