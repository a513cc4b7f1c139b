"""Rows of statements as nested rows: each child under the row whose key its own is, to the letter.

A database compares keys by rules of its own: a collation takes `A`, `a` and `à` for one, or `A` and `A ` (MariaDB,
SQLite's `NOCASE` and `RTRIM`, PostgreSQL's `citext` and collations that are not deterministic); MariaDB and SQLite
compare a text with a number as numbers, so that `'01'` is 1. Rows found that way may be another record's. They are left
out, and a fault of each record for which the database found them (FM755); so are rows whose key is a word that means
that there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from enum import Enum, auto
from typing import Any

import sqlalchemy as sa

from fhirmap.records import CalendarText, Fault
from fhirmap.source_plan import Child, RowLayout
from fhirmap.sources.documents import ReadPath
from fhirmap.sources.keys import KeyColumn, cell_text, is_lines_of, join_fault
from fhirmap.sources.sql_cells import BrokenText
from fhirmap.sources.sql_layout import SqlTableLayout

Row = Sequence[Any]
RowValues = dict[str, Any]


@dataclass(slots=True)
class SqlNode:
    """One kind of row in the tree of a record. ``joined``: it is read in its parent's statement."""

    number: int
    shape: RowLayout
    table: SqlTableLayout
    names: tuple[str, ...]
    child: Child | None = None
    parent: SqlNode | None = None
    joined: bool = False
    nodes: list[SqlNode] = field(default_factory=list)

    def walk(self) -> Iterator[SqlNode]:
        """This node and every node below."""
        yield self
        for node in self.nodes:
            yield from node.walk()


class Misfit(Enum):
    """Why a row that the database joins to another is not joined: their keys differ in letters, or are a word that
    means that there is none."""

    LETTERS = auto()
    WORD = auto()


@dataclass(slots=True)
class RecordRows:
    """The rows of one record while they are gathered. ``by_node``: those that others hang from, by number of node.

    ``left_out``: the nodes of rows that may be another record's, and why they are not this one's.
    """

    by_node: Mapping[int, list[RowValues]]
    left_out: dict[tuple[int, Misfit], SqlNode] = field(default_factory=dict)

    def leave_out(self, node: SqlNode, why: Misfit) -> None:
        """Note that a row of ``node`` is not taken for this record's."""
        self.left_out[node.number, why] = node

    def faults(self, root: str) -> Iterator[Fault]:
        """FM755 for each kind of such rows. ``root``: the name of the records' table.

        The lines of a record whose own key is a word are none: that the key is one is said already.
        """
        for (_, why), node in self.left_out.items():
            child, parent = node.child, node.parent
            assert child is not None and parent is not None
            above = parent.child.table if parent.child else root
            if why is Misfit.LETTERS:
                yield join_fault(child, above, "lines" if is_lines_of(child, above) else "")
            elif not is_lines_of(child, above):
                yield join_fault(child, above, "word")


@dataclass(frozen=True, slots=True)
class RowReader:
    """How a slice of a row becomes the values of its node, joined children included (`sql_nesting` makes it so).

    ``on``: where its join columns are, and what the parent's are called; the first of them shows whether the node's row
    is there. ``keys``: what is a key there. ``is_parent``: other statements hang rows from it.
    """

    node: SqlNode
    names: tuple[str, ...]
    start: int
    end: int
    on: tuple[tuple[int, str], ...]
    keys: tuple[KeyColumn, ...]
    is_parent: bool
    joined: tuple[tuple[str, RowReader], ...]
    documents: tuple[ReadPath, ...]

    def misfit(self, row: Row, above: Sequence[object]) -> Misfit | None:
        """Why the key columns of a row are not those of its parent's, ``above``; None where they are, not just taken
        for equal."""
        for (own, _), other, column in zip(self.on, above, self.keys, strict=True):
            if not is_same_key(row[own], other):
                return Misfit.LETTERS
            if column.nulls or isinstance(other, str):
                text = key_text(other)
                if text and column.is_word(text):
                    return Misfit.WORD
        return None


@dataclass(frozen=True, slots=True)
class SqlStatement:
    """A SELECT whose rows are: identity of the record, then (records) revision marks or (children) join values, then
    values.
    """

    node: SqlNode
    select: sa.Select[Any]
    identity: slice
    extra: slice
    reader: RowReader


def is_same_key(one: object, other: object) -> bool:
    """Are two values that the database takes for equal the same key: the same text, the same number?

    A number and a text are, if the text is how the number is written. Dates and times are left to the database: a day
    and its midnight are shown differently.

    Example:
        >>> is_same_key("A", "a"), is_same_key("01", 1), is_same_key("1", 1), is_same_key(1, Decimal("1.0"))
        (False, False, True, True)
    """
    if type(one) is type(other):
        return one is other or one == other or isinstance(one, CalendarText)  # NaN equals nothing, itself included
    if isinstance(one, _MOMENTS) or isinstance(other, _MOMENTS):
        return True
    if isinstance(one, _NUMBERS) and isinstance(other, _NUMBERS):
        return _exact_number(one) == _exact_number(other)
    if isinstance(one, str) and isinstance(other, bytes):
        return one.encode() == other
    if isinstance(one, bytes) and isinstance(other, str):
        return one == other.encode()
    return one == other or key_text(one) == key_text(other)


_MOMENTS = (CalendarText, date, time)
_NUMBERS = (int, float, Decimal)


def _exact_number(value: float | Decimal) -> Decimal:
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def key_text(value: object) -> str | None:
    """A key column's value as text: empty where it is absent, None where it is no value that text can express.

    What a file may hold, too, is written as `cell_text` does. A database says more: that there is no value, which is no
    cell that cannot be read; truth, bytes, and types of its own are keys in it, while in a file they are a mistake.

    Example:
        >>> key_text(12), key_text(" 0012 "), key_text(None), key_text(float("nan"))
        ('12', '0012', '', None)
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return cell_text(value)
    if isinstance(value, int | float | Decimal | date):
        return cell_text(value) or None
    if isinstance(value, BrokenText | list | tuple | dict):
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    return str(value).strip()
