"""Sources: a hospital's tables, CSV and JSON files, opened and read as a stream of `Record`.

`open_source(address, plan)` gives a `SqlTable` or a `FileSource` (`files/`). Each has ``check()`` (everything the plan
names and the store lacks, as diagnostics, nothing read beyond the layout), ``records(keys)`` (the records in a stable
order) and ``close()``. Invariants: memory does not grow with the store; nothing is ever written to it; one consistent
snapshot a reading; what one record has wrong is a `Fault` on that record, what makes the store unusable is one
`ConfigError` FM70x-72x that names the thing and never a cell's value nor a password. Absent on purpose: any knowledge
of FHIR or of a map's tree.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from types import TracebackType
from typing import Protocol, Self, cast

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.plugins import find_plugins, load
from fhirmap.records import Record
from fhirmap.source_plan import SourcePlan
from fhirmap.sources.address import Address, parse_address

__all__ = ["Address", "Source", "SourceFactory", "open_source", "parse_address"]


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

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


SourceFactory = Callable[[Address, SourcePlan], Source]
"""What an entry point of `fhirmap.sources` names: it opens the address for the plan. Its entry's name is the kind of
addresses that it reads: a URL's scheme, or sql and file for the built-in ones.

Raises: ConfigError FM701, FM702 where the place cannot be opened.
"""

GROUP = "fhirmap.sources"


def open_source(address: Address | str, plan: SourcePlan) -> Source:
    """The source at ``address`` for ``plan``: what the entry point of the address's kind opens, loaded now.

    Raises: ConfigError FM700 (address), FM716 (the plan is for another kind), FM701-FM710 (cannot be opened), FM749 (a
    plug-in cannot be loaded).
    """
    where = parse_address(address) if isinstance(address, str) else address
    wanted = "sql" if plan.kind.is_sql else "file"
    there = where.kind if where.kind == "sql" else where.format
    is_other = where.kind != wanted if "sql" in (wanted, where.kind) else where.format not in (None, plan.kind)
    if where.kind in ("sql", "file") and is_other:
        raise ConfigError(
            "FM716", source=where.shown, kind=there or "file", model=plan.shape.model, wanted=plan.kind.value
        )
    plugin = find_plugins(GROUP).get(where.kind)
    if plugin is None:
        raise ConfigError("FM700", source=where.shown, variant="scheme", scheme=where.kind)
    return cast(SourceFactory, load(plugin))(where, plan)
