"""Where a model's rows live, as sources need to know it: derived from a map's `model`, free of the map's tree.

A source opens the store and yields one `Record` per business record. ``Record.values`` holds raw cells under their
physical column names and, under ``Child.key``, the list of raw child rows (always a list, also for a child that stands
at most once: the generated reader judges the cardinality). A JSON document is handed over as it is: the reader walks
the paths itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """One physical column (or dotted JSON path) that the map reads, and the ``file:line:col`` that names it."""

    name: str
    position: str = ""
    element: str = ""
    """The model's element that reads it; empty where only the plan needs it (key, join, order, latest, repeat)."""


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key of rows."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Child:
    """Child rows of a row: joined from a table (``kind`` join), or the flat lines of the record themselves (lines).

    ``on`` holds (child column, parent column). The rows go under ``key`` of the parent's row as a list, in ``order``.
    Nested JSON documents have no `Child`: they come with their parent.
    """

    kind: str
    key: str
    element: str
    shape: RowLayout
    table: str = ""
    on: tuple[tuple[str, str], ...] = ()
    where: str = ""
    order: tuple[Order, ...] = ()
    at_most_one: bool = False
    position: str = ""


@dataclass(frozen=True, slots=True)
class RowLayout:
    """What is read of one kind of row: its columns, in the order of the model, and its children."""

    model: str
    columns: tuple[SourceColumn, ...]
    children: tuple[Child, ...] = ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns to fetch, each once: those that elements read, then those that the plan needs."""
        return tuple(dict.fromkeys(column.name for column in self.columns))

    def walk(self) -> Iterator[RowLayout]:
        """This shape and every shape below it."""
        yield self
        for child in self.children:
            yield from child.shape.walk()


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """Where the records of a map's first model live.

    ``kind``: table, query, csv, json. ``name``: table, query file, or dotted path to the array of a JSON document.
    ``key``: the columns (JSON paths) of the business key; ``where``: SQL; ``latest``: column whose greatest value is
    the current revision of a key, the others being superseded. ``query``: the text of the query file.
    """

    kind: str
    name: str
    key: tuple[str, ...]
    shape: RowLayout
    where: str = ""
    order: tuple[Order, ...] = ()
    latest: Order | None = None
    encoding: str = ""
    delimiter: str = ""
    query: str = ""
    position: str = ""
