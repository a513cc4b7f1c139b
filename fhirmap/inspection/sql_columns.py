"""What a model should read a database's column as: from the column's own type, and from what most of its cells are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from fhirmap.inspection.guess import TEXT, Guess, absences, are_nearly_all, codes_of, guess_most, others, zero_dates
from fhirmap.sources.sql_types import ColumnKind, SqlType, declared_kind, without_domain
from fhirmap.texts import Text

__all__ = ["UNREAD", "ColumnReading", "column_reading"]

_LARGER = Text("inspection.larger_than_integer")
_LARGEST_INTEGER = 2**31
_MOST_LISTS = 10

_DECLARED = {
    ColumnKind.BOOLEAN: Guess("boolean"),
    ColumnKind.INTEGER: Guess("integer"),
    ColumnKind.NUMBER: Guess("decimal"),
    ColumnKind.FLOAT: Guess("decimal"),
    ColumnKind.DATE: Guess("date"),
    # With a zone or without: the database shows either in no zone, or in that of its session.
    ColumnKind.LOCAL: Guess("dateTime", is_local=True),
    ColumnKind.INSTANT: Guess("dateTime", is_local=True),
    ColumnKind.TIME: Guess("time"),
    ColumnKind.ZONED_TIME: Guess("time", is_local=True),
}
"""What a column's own type says; its cells say more about all other kinds."""


@dataclass(frozen=True, slots=True)
class ColumnReading:
    """How a column is best read. ``remark``: what the analyst should know. ``codes``: what it holds, if a few codes."""

    guess: Guess
    remark: Text | None = None
    is_read: bool = True
    repeats: bool = False
    split: str | None = None
    lists: int = 0
    """How many lists a cell holds, each of which is an element; 0 where it holds none."""
    codes: tuple[str, ...] = ()


UNREAD = ColumnReading(TEXT, Text("inspection.binary"), is_read=False)
"""Of a column of bytes."""


def column_reading(
    kind: SqlType, cells: Iterable[Any], dialect: str, zone: str, *, is_key: bool = False
) -> ColumnReading:
    """The reading of a column of the reflected type ``kind``, of which ``cells`` are a sample."""
    held = [cell for cell in cells if cell is not None]
    found = _reading(without_domain(kind), held, dialect)
    if is_key and found.is_read:
        found = ColumnReading(TEXT)  # identifiers, also where they are numbers
    codes = found.codes or codes_of(str(cell) for cell in held if isinstance(cell, str | int))
    remark = found.remark or (others(found.guess, _flat(_flat(held)), zone) if found.is_read else None)
    return replace(found, codes=codes, remark=remark)


def _reading(kind: SqlType, held: Sequence[Any], dialect: str) -> ColumnReading:
    found = None if dialect == "sqlite" else _declared(kind, held, dialect)
    return found or _by_cells(kind, held)


def _array(kind: SqlType, held: Sequence[Any], dialect: str) -> ColumnReading:
    """Items as values of the element; lists of lists, which FHIR does not have, as an element each."""
    held = [cell for cell in held if isinstance(cell, list)]
    items = _flat(held)
    is_nested = any(isinstance(item, list) for item in items)
    lists = max((len(cell) for cell in held), default=0) if is_nested else 0
    if lists > _MOST_LISTS or any(isinstance(item, list) for item in _flat(items)):
        return ColumnReading(TEXT, Text("inspection.lists"), is_read=False)
    found = _reading(without_domain(kind.item_type), _flat(items) if lists else items, dialect)
    return replace(found, repeats=True, lists=lists)


def _flat(cells: Iterable[Any]) -> list[Any]:
    """The items of cells that are lists, and the other cells."""
    return [item for cell in cells for item in (cell if isinstance(cell, list) else [cell]) if item is not None]


def _declared(kind: SqlType, held: Sequence[Any], dialect: str) -> ColumnReading | None:
    """What the type says, if it says more than its cells do."""
    match kind:
        case sa.ARRAY():
            return _array(kind, held, dialect)
        case mysql.SET():
            return ColumnReading(Guess("code"), repeats=True, split=",", codes=tuple(kind.values))
        case sa.Enum():  # MariaDB's and PostgreSQL's as well
            return ColumnReading(Guess("code"), codes=tuple(kind.enums))
        case postgresql.BIT():
            return ColumnReading(Guess("boolean") if kind.length == 1 and not kind.varying else TEXT)
        case sa.Integer() | sa.Numeric() if getattr(kind, "zerofill", False):
            return ColumnReading(TEXT)  # MariaDB shows the zeros, and who declares them wants them
        case mysql.YEAR():
            return ColumnReading(Guess("date"))
        case mysql.BIT() if kind.length in (None, 1):
            return ColumnReading(Guess("boolean"))
        case mysql.TINYINT() if kind.display_width == 1 and set(held) <= {0, 1}:
            return ColumnReading(Guess("boolean"))  # what MariaDB makes of `BOOLEAN`
        case sa.Numeric() if kind.scale == 0:
            return _integer(held)
    declared = declared_kind(kind)
    if declared == ColumnKind.BINARY:
        return UNREAD
    if declared == ColumnKind.INTEGER:
        return _integer(held)
    if declared not in _DECLARED:
        return None
    return ColumnReading(replace(_DECLARED[declared], nulls=zero_dates(cell for cell in held if isinstance(cell, str))))


def _integer(held: Sequence[Any], nulls: tuple[str, ...] = ()) -> ColumnReading:
    numbers: list[int | Decimal] = [cell for cell in held if isinstance(cell, int | Decimal)]
    is_larger = not all(-_LARGEST_INTEGER <= number < _LARGEST_INTEGER for number in numbers)
    return ColumnReading(TEXT, _LARGER) if is_larger else ColumnReading(Guess("integer", nulls=nulls))


def _by_cells(kind: SqlType, held: Sequence[Any]) -> ColumnReading:
    """What nearly all cells are."""
    declared = declared_kind(kind)
    if not held:
        return UNREAD if declared == ColumnKind.BINARY else ColumnReading(_DECLARED.get(declared, TEXT))
    texts = [cell for cell in held if isinstance(cell, str)]
    numbers = [cell for cell in held if isinstance(cell, int | float)]
    if are_nearly_all(len(held) - len(texts) - len(numbers), held):
        return UNREAD
    if are_nearly_all(len(texts), held):
        return ColumnReading(guess_most(texts))
    words = absences(texts)
    if not are_nearly_all(len(numbers) + sum(text in words for text in texts), held):
        return ColumnReading(TEXT)  # numbers are read as texts too
    is_fraction = declared in (ColumnKind.NUMBER, ColumnKind.FLOAT) and getattr(kind, "scale", None) != 0
    if is_fraction or any(isinstance(number, float) for number in numbers):
        return ColumnReading(Guess("decimal", nulls=words))
    if declared == ColumnKind.BOOLEAN and set(numbers) <= {0, 1}:
        return ColumnReading(Guess("boolean", nulls=words))
    return _integer(numbers, words)
