"""Rows that are joined to those of another place: what a source gives of them, and by which texts they are joined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

from fhirmap.data import RawValue
from fhirmap.records import Fault
from fhirmap.sources.keys import cell_text

__all__ = ["IndexedSource", "JoinableSource", "RowIndex", "StoreRow", "join_text", "join_texts"]


@dataclass(frozen=True, slots=True)
class StoreRow:
    """A row of a store. ``parts``: the texts of the columns that it is joined by, empty where there is none.

    ``faults``: what is wrong with it, and with each record that it belongs to; ``origin``: where it is, as in a
    `Record`. ``is_lost``: it could not be read, so that no value of it counts; ``pieces``: the texts in it, as in a
    `FileRow`.
    """

    parts: tuple[str, ...]
    values: Mapping[str, Any]
    faults: tuple[Fault, ...] = ()
    origin: str = ""
    is_lost: bool = False
    pieces: Sequence[str] = ()


class RowIndex(Protocol):
    """Rows of a source by the texts of the columns that they are joined by, for one reading."""

    def rows(self, parts: tuple[str, ...]) -> Sequence[StoreRow]:
        """The rows with these texts, none of which is empty, in the source's order.

        Raises: ConfigError where the place cannot be read any more.
        """

    def left_out(self) -> Mapping[str, tuple[int, str]]:
        """How many rows no texts lead to and where the first of them is: `""` those without a key, `"lost"` those that
        cannot be read."""

    def lost_at(self, parts: tuple[str, ...]) -> str:
        """Where a row is that cannot be read and has these texts in it; empty where none is."""

    def is_current(self) -> bool:
        """Has nothing changed since the index was made?"""

    def close(self) -> None:
        """Forget the rows; more than once does no harm."""


@runtime_checkable
class JoinableSource(Protocol):
    """A source whose rows can be joined to those of another one. Of any other, the records are."""

    def joined_rows(self, names: Sequence[str]) -> Iterator[StoreRow]:
        """Every row of the plan, in its order, with the texts of the columns (paths) ``names``; no row is left out for
        lack of a key, nor since another has the same.

        Raises: ConfigError where the place cannot be read, or not read on.
        """


@runtime_checkable
class IndexedSource(Protocol):
    """A source that may know a faster way to find its rows than reading them all into an index."""

    def joined_index(self, names: Sequence[str]) -> RowIndex | None:
        """The rows of the plan by the columns ``names``; None where they have to be read one by one.

        Raises: ConfigError where the place cannot be read.
        """


def join_text(value: RawValue) -> str:
    """What a cell is joined by: its trimmed text; empty where it is absent, or nothing that a text can express.

    Example:
        >>> join_text(" 0012 "), join_text(12), join_text(Decimal("12.0")), join_text(None), join_text([1])
        ('0012', '12', '12', '', '')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float | Decimal | date):
        return cell_text(value)
    if value is None or isinstance(value, list | tuple | Mapping):
        return ""
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        # A class of its own says that these bytes should have been a text.
        return bytes(value).hex() if type(value) in (bytes, bytearray, memoryview) else ""
    return str(value).strip()


def join_texts(value: RawValue) -> list[str]:
    """What a cell is joined by, each once: the items of a list."""
    texts = [join_text(item) for item in value] if isinstance(value, list | tuple) else [join_text(value)]
    return list(dict.fromkeys(text for text in texts if text))
