"""Where a model's rows are, as sources need to know it: derived from a map's `model`, free of the map's tree.

A source opens what the plan names and yields one `Record` per business record. ``Record.values`` holds raw cells under
their physical column names and, under ``Child.key``, the list of raw child rows (always a list, also for a child that
comes at most once: the generated reader checks the cardinality). A JSON document is passed as it is: the reader walks
the paths itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

PathSteps: TypeAlias = tuple[str | int, ...]
"""Keys of objects and places in lists, from 0: what a JSON path goes through."""

_INDEXES = re.compile(r"(.*?)((?:\[\d{1,9}\])+)", re.DOTALL)


def path_steps(path: str) -> PathSteps:
    """The steps of a JSON path as maps write it.

    Example:
        >>> path_steps("implants[0].lot"), path_steps("[1]")
        (('implants', 0, 'lot'), (1,))
    """
    steps: list[str | int] = []
    for part in path.split("."):
        indexed = _INDEXES.fullmatch(part)
        name, indexes = indexed.groups() if indexed else (part, "")
        steps += [name] if name or not indexes else []
        steps += [int(index) for index in indexes[1:-1].split("][")] if indexes else []
    return tuple(steps)


class SourceKind(StrEnum):
    """What holds the records."""

    TABLE = "table"
    QUERY = "query"
    CSV = "csv"
    JSON = "json"


class ChildKind(StrEnum):
    """How child rows belong to their parent: joined from a table, or the flat lines of the record themselves."""

    JOIN = "join"
    LINES = "lines"


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """One physical column (or dotted JSON path) that the map reads, and the ``file:line:col`` that names it."""

    name: str
    position: str = ""
    element: str = ""
    """The model's element that reads it; empty where only the plan needs it (key, join, order, latest)."""
    type: str = ""
    """The element's FHIR type; empty where it holds child rows, or none reads it."""
    zone: str = ""
    repeats: bool = False
    """May the element occur several times: as the items of a list?"""
    nested: bool = False
    """Are child rows read of it: of an object, of the objects of a list, or of the items of an array?"""
    below: RowLayout | None = None
    """What is read of the object, or of each object of the list, that is nested there."""
    nulls: tuple[str, ...] = ()
    """Texts that the element takes for absent, beside those of the plan."""
    format: str = ""
    """How its days or times are written; empty for FHIR's own form."""
    split: str = ""
    """What separates the values that one text holds."""


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key of rows."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class AttributeRows:
    """Rows of one attribute each: the columns of its name and of its value, and what is read of the row that they make.

    A `SourceColumn` has the name of an attribute here.
    """

    name: str
    value: str
    columns: tuple[SourceColumn, ...]

    @property
    def read(self) -> tuple[str, ...]:
        """The attributes that are read, each once."""
        return tuple(dict.fromkeys(column.name for column in self.columns))


@dataclass(frozen=True, slots=True)
class Child:
    """Child rows of a row.

    ``on`` holds (child column, parent column). The rows go under ``key`` of the parent's row as a list, in ``order``.
    Nested JSON documents have no `Child`: they come with their parent.
    """

    kind: ChildKind
    key: str
    element: str
    shape: RowLayout
    table: str = ""
    on: tuple[tuple[str, str], ...] = ()
    where: str = ""
    order: tuple[Order, ...] = ()
    at_most_one: bool = False
    position: str = ""
    query: str = ""
    """The text of the query that ``table`` names; empty for a table."""
    attributes: AttributeRows | None = None


@dataclass(frozen=True, slots=True)
class RowLayout:
    """Which parts of one kind of row are read: its columns, in the order of the model, and its children."""

    model: str
    columns: tuple[SourceColumn, ...]
    children: tuple[Child, ...] = ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns to fetch, each once: those that elements read, then those that the plan needs."""
        return tuple(dict.fromkeys(column.name for column in self.columns))

    def walk(self) -> Iterator[RowLayout]:
        """This layout and every layout below it."""
        yield self
        for child in self.children:
            yield from child.shape.walk()


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """Where the records of a map's first model are.

    ``name``: table, query file, or dotted path to the array of a JSON document.
    ``key``: the columns (JSON paths) of the business key; ``where``: SQL; ``latest``: column whose greatest value is
    the current revision of a key, the others being superseded. ``query``: the text of the query file.
    """

    kind: SourceKind
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
    grouped: bool = False
    """Are the rows of a key the lines of one record? A child reads the same table or query again for them."""
    zone: str = ""
    """The one time zone that the model's elements name; empty where they name none, or several."""
    nulls: tuple[str, ...] = ()
    """Texts that mean absent in every column, keys of records and of joined rows included."""
    decimal: str = "."
    """The mark before the decimals of a number."""
    thousands: str = ""
    """What groups the digits of a number."""
