"""What has changed in a source since it was read last: the columns that show it, and how far they were read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from fhirmap.diagnostics import Diagnostic
from fhirmap.records import Record

__all__ = ["ChangeColumns", "ChangedSource", "Changes", "Marks"]

Marks: TypeAlias = Mapping[str, str]
"""How far each table was read: the greatest value of its column, by the name that the settings have for it."""


@dataclass(frozen=True, slots=True)
class ChangeColumns:
    """Columns whose value grows whenever a row is written.

    ``by_table``: by the names that the map has for tables, the empty one for that of the records. ``overlap``: how much
    is read again before a mark; seconds for times, the column's own unit for numbers.
    """

    by_table: Mapping[str, str]
    overlap: float = 0.0


@dataclass(frozen=True, slots=True)
class Changes:
    """One reading. ``marks``: how far it reads; ``is_partial``: are ``records`` those that have changed, not all?"""

    marks: Marks
    is_partial: bool
    records: Iterator[Record]


@runtime_checkable
class ChangedSource(Protocol):
    """A source that can be asked for what has changed. Of others, everything is read each time."""

    def check_changes(self, columns: ChangeColumns) -> list[Diagnostic]:
        """Why changes are not to be seen by these columns (FM667): none where they are.

        Raises: ConfigError where the place cannot be read.
        """

    def changes(self, columns: ChangeColumns, since: Marks) -> AbstractContextManager[Changes]:
        """A reading of every record that has a row whose column is not below its mark in ``since``, or is empty; of
        all records where a mark is missing, or the column's greatest value is below it: what was read then is no more.

        Raises: ConfigError where the place cannot be read, or not read on.
        """
