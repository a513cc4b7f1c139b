"""What flat files that people write need: where their rows end, and which value a blank cell takes from above."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from fhirmap.data import RawValue
from fhirmap.sources import names as naming

__all__ = ["FillDown", "begins_with", "is_blank"]


def is_blank(cell: RawValue) -> bool:
    """Is nothing in a cell that could be read? Blanks of all kinds are nothing."""
    return cell is None or (isinstance(cell, str) and not cell.strip().strip("\ufeff"))


def begins_with(cells: Iterable[RawValue], until: str) -> bool:
    """Does the first filled cell begin with ``until``, whatever the case and the blanks?

    Example:
        >>> begins_with([None, " Total  général", 12], "TOTAL"), begins_with(["601", "Total"], "TOTAL")
        (True, False)
    """
    first = next((cell for cell in cells if not is_blank(cell)), None)
    return first is not None and naming.fold(str(first)).startswith(naming.fold(until))


class FillDown:
    """Blank cells of some columns of a file, taken from the row above: row after row, in the file's order.

    The columns go from the outermost to the innermost. A row with another value in one of them begins a new group, so
    that a blank cell of the columns after it is blank, and never the value of the group before: not the day of the last
    operation, nor the number of the last patient.

    Example:
        >>> fill = FillDown([0, 1])
        >>> [fill.filled(row) for row in (["601", "DUVAL", "A"], ["", "", "B"], ["602", "", "C"])]
        [['601', 'DUVAL', 'A'], ['601', 'DUVAL', 'B'], ['602', '', 'C']]
    """

    def __init__(self, places: Sequence[int]) -> None:
        self._places = tuple(places)
        self._above: dict[int, Any] = {}

    def filled(self, cells: Sequence[Any], unread: Collection[int] = ()) -> list[Any]:
        """The row with its blank cells filled. ``unread``: places of cells whose content cannot be read:
        they stay, and rows below have nothing to take from them.
        """
        found = list(cells)
        for index, place in enumerate(self._places):
            if place in unread:
                self._begin(index)
            elif place >= len(found) or is_blank(found[place]):
                if place in self._above:
                    found += [None] * (place + 1 - len(found))
                    found[place] = self._above[place]
            else:
                if place in self._above and _text(found[place]) != _text(self._above[place]):
                    self._begin(index)
                self._above[place] = found[place]
        return found

    def forget(self) -> None:
        """A row could not be read: what those below it take from it is not known."""
        self._above.clear()

    def _begin(self, index: int) -> None:
        for place in self._places[index:]:
            self._above.pop(place, None)


def _text(cell: RawValue) -> str:
    return str(cell).strip()
