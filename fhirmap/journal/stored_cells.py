"""Types of the journal's columns, which read whatever a damaged row holds.

SQLite keeps what is no value of a column's type, and no database knows our words: a disk, a restored copy or
somebody's hand may have left anything there. What is read of such a cell is a value of the type all the same, one that
says of itself that it could not be read (`is_unreadable`): a row costs its own record, never the rows beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import BigInteger, Dialect, Float, Integer, LargeBinary, String, Text, TypeDecorator

__all__ = [
    "LATEST_S",
    "MOST",
    "Bytes",
    "Count",
    "KeptText",
    "Seconds",
    "Words",
    "counted",
    "is_unreadable",
    "plain",
    "text_of",
]

LATEST_S = 250_000_000_000.0
"""No time, and no duration, is later or longer: a moment in the year 9892 can be shown in every zone."""

MOST = 2**62
"""No count and no number of a row is this high."""

_DIGITS = len(str(MOST))

_Cell: TypeAlias = Any
"""What a cell may hold: anything."""

Value = TypeVar("Value")
_Reader: TypeAlias = Callable[[_Cell], _Cell]


class _UnreadableText(str):
    __slots__ = ()


class _UnreadableSeconds(float):
    __slots__ = ()


class _UnreadableCount(int):
    __slots__ = ()


_UNREADABLE = (_UnreadableText, _UnreadableSeconds, _UnreadableCount)


def plain(cell: Value) -> Value:
    """A cell for whom it does not matter whether it could be read.

    Example:
        >>> type(plain(text_of(b"caf\\xe9"))).__name__
        'str'
    """
    for kind in (str, float, int):
        if isinstance(cell, kind) and type(cell) in _UNREADABLE:
            return kind(cell)  # type: ignore[return-value]
    return cell


def is_unreadable(cells: Iterable[_Cell]) -> bool:
    """Is one of these in the place of what could not be read? A word of an enumeration is where it is `UNREADABLE`.

    Example:
        >>> is_unreadable(["a", text_of(b"caf\\xe9"), 1])
        True
    """
    return any(type(cell) in _UNREADABLE or (isinstance(cell, StrEnum) and cell == "unreadable") for cell in cells)


def text_of(stored: bytes) -> str:
    """The text of bytes that should be UTF-8."""
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return _UnreadableText(stored.decode(errors="replace"))


def counted(stored: str | None) -> int | None:
    """The count that a row of settings holds as text; None where it holds none.

    Example:
        >>> counted("12"), counted("twelve"), counted(None)
        (12, None, None)
    """
    is_count = stored is not None and stored.isascii() and stored.isdecimal() and len(stored) < _DIGITS
    return int(stored) if stored is not None and is_count else None


class Words(TypeDecorator[StrEnum]):
    """The values of an enumeration; any other text is ``unreadable``."""

    impl = String
    cache_ok = True

    def __init__(self, states: type[StrEnum], unreadable: StrEnum, length: int) -> None:
        super().__init__(length)
        self.states = states
        self.unreadable = unreadable
        self.length = length

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        """As plain text."""
        return None if value is None else str(value)

    def result_processor(self, _dialect: Dialect, _kind: object) -> _Reader:
        """From text to word."""
        known = {str(word): word for word in self.states}
        unreadable = self.unreadable

        def read(cell: _Cell) -> StrEnum | None:
            return None if cell is None else known.get(cell, unreadable)

        return read


class KeptText(TypeDecorator[str]):
    """Text, up to ``length`` letters where one is given. ``is_key``: where nothing is, what is read is a text, too,
    which says that it could not be read."""

    impl = Text
    cache_ok = True

    def __init__(self, length: int | None = None, *, is_key: bool = False) -> None:
        super().__init__()
        self.length = length
        self.is_key = is_key

    def load_dialect_impl(self, _dialect: Dialect) -> Any:  # noqa: ANN401 - as SQLAlchemy declares it
        """VARCHAR with a length, TEXT without."""
        return Text() if self.length is None else String(self.length)

    def result_processor(self, _dialect: Dialect, _kind: object) -> _Reader:
        """What is no text is shown as one."""
        nothing = _UnreadableText("") if self.is_key else None

        def read(cell: _Cell) -> str | None:
            if cell.__class__ is str or isinstance(cell, _UnreadableText):
                return cell
            if cell is None:
                return nothing
            shown = cell.decode(errors="replace") if isinstance(cell, bytes) else str(cell)
            return _UnreadableText(shown)

        return read


class Seconds(TypeDecorator[float]):
    """A time since the epoch, or a duration; what is none reads as 0."""

    impl = Float
    cache_ok = True

    def result_processor(self, _dialect: Dialect, _kind: object) -> _Reader:
        """Neither text, nor a number that is none, nor a moment that no calendar has."""
        return _seconds


class Count(TypeDecorator[int]):
    """A number of things, or of a row (``wide``); what is none reads as 0."""

    impl = Integer
    cache_ok = True

    def __init__(self, *, wide: bool = False) -> None:
        super().__init__()
        self.wide = wide

    def load_dialect_impl(self, dialect: Dialect) -> Any:  # noqa: ANN401 - as SQLAlchemy declares it
        """BIGINT where the numbers of rows are."""
        return BigInteger() if self.wide and dialect.name != "sqlite" else Integer()

    def result_processor(self, _dialect: Dialect, _kind: object) -> _Reader:
        """Neither text nor a fraction."""
        return _count


class Bytes(TypeDecorator[bytes]):
    """Bytes; what is something else reads as none."""

    impl = LargeBinary
    cache_ok = True

    def result_processor(self, _dialect: Dialect, _kind: object) -> _Reader:
        """A driver may give a view of them."""
        return _bytes


def _seconds(cell: _Cell) -> float | None:
    if cell is None or (cell.__class__ is float and 0.0 <= cell < LATEST_S):
        return cell
    return float(cell) if cell.__class__ is int and 0 <= cell < LATEST_S else _UnreadableSeconds(0.0)


def _count(cell: _Cell) -> int | None:
    return cell if cell is None or (cell.__class__ is int and -MOST < cell < MOST) else _UnreadableCount(0)


def _bytes(cell: _Cell) -> bytes | None:
    if cell is None or cell.__class__ is bytes:
        return cell
    return bytes(cell) if isinstance(cell, bytes | memoryview) else b""
