"""Columns of text for a terminal: as wide as they need, folded where they do not fit. Loads no library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from textwrap import wrap

__all__ = ["table_lines", "table_width"]

_GAP = 2
_NARROWEST = 8


def table_lines(rows: Iterable[Sequence[str]], width: int) -> Iterator[str]:
    """The lines of a table of at most ``width`` characters; a cell that is too long for its column goes on below.

    Example:
        >>> list(table_lines([("key", "reason"), ("1", "abcdefghijkl")], 14))
        ['key  reason', '1    abcdefghi', '     jkl']
    """
    held = [[" ".join(cell.split()) for cell in row] for row in rows]
    widths = _widths([max(map(len, column)) for column in zip_longest(*held, fillvalue="")], width)
    for row in held:
        pieces = [_folded(cell, size) for cell, size in zip(row, widths, strict=True)]
        for line in zip_longest(*pieces, fillvalue=""):
            yield (" " * _GAP).join(f"{cell:<{size}}" for cell, size in zip(line, widths, strict=True)).rstrip()


def table_width(rows: Iterable[Sequence[str]]) -> int:
    """The columns that a table needs so that no cell is folded."""
    lengths = [[len(" ".join(cell.split())) for cell in row] for row in rows]
    widest: list[int] = [max(column) for column in zip(*lengths, strict=True)]
    return sum(widest) + _GAP * (len(widest) - 1)


def _widths(wanted: list[int], width: int) -> list[int]:
    """What each column gets: the widest give way first."""
    free = width - _GAP * (len(wanted) - 1)
    widths = list(wanted)
    while sum(widths) > free and max(widths) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return widths


def _folded(cell: str, size: int) -> list[str]:
    return wrap(cell, max(size, 1), break_on_hyphens=False) or [""]
