"""Records of which something could not be read: which of it is asked for.

A rule that asks for an element gets nothing where it is absent, and where its cell could not be read. So a record of
which no rule wrote anything is out of scope only if none asked for what could not be read: else its scope is not known.
Where a cell was read as absent since its text means no value, it is out of scope, and the warning says by which cell.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any

from fhirmap.data import MapValue
from fhirmap.records import Fault

__all__ = ["UnreadRecord", "asked_faults", "watched"]


class UnreadRecord(dict[str, Any]):
    """A plain record that knows who asks for what it lacks.

    ``unread``: name of each element that could not be read -> places of its faults in the record's list of them;
    ``asked``: the places of those that were asked for.
    """

    __slots__ = ("asked", "unread")

    def __init__(self, values: dict[str, Any], unread: dict[str, list[int]]) -> None:
        super().__init__(values)
        self.unread = unread
        self.asked: set[int] = set()

    def _ask(self, name: object) -> None:
        self.asked.update(self.unread.get(name, ()) if isinstance(name, str) else ())

    def _ask_all(self) -> None:
        for name in self.unread:
            self._ask(name)

    def get(self, name: str, default: Any = None, /) -> Any:  # noqa: ANN401 - as a dict has it
        """The element's value."""
        self._ask(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - as a dict has it
        self._ask(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._ask(name)
        return super().__contains__(name)

    def __iter__(self) -> Iterator[str]:
        self._ask_all()
        return super().__iter__()

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        """All of them: what could not be read is asked for."""
        self._ask_all()
        return super().keys()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        """All of them: what could not be read is asked for."""
        self._ask_all()
        return super().values()

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        """All of them: what could not be read is asked for."""
        self._ask_all()
        return super().items()


def watched(record: dict[str, Any], faults: list[Fault], start: int) -> dict[str, Any]:
    """``record``, watched for what its own faults, from place ``start`` on, say that it lacks.

    A warning is one where the element is absent by it (a word that means no value); of what was read all the same it is
    none. A fault of a row below it has a longer path than the element that it names.
    """
    unread: dict[str, list[int]] = {}
    for place in range(start, len(faults)):
        fault = faults[place]
        name = fault.element.rpartition(".")[2]
        if fault.path == fault.element and (fault.severity == "error" or name not in record):
            unread.setdefault(name, []).append(place)
    return UnreadRecord(record, unread) if unread else record


def asked_faults(source: MapValue, faults: list[Fault]) -> tuple[Fault, ...]:
    """Those of ``faults`` for which rules asked in ``source``, the record as it was read, or in its rows."""
    places: set[int] = set()
    waiting: list[MapValue] = [source]
    while waiting:
        node = waiting.pop()
        if isinstance(node, UnreadRecord):
            places |= node.asked
        if isinstance(node, dict):
            waiting.extend(dict.values(node))
        elif isinstance(node, list):
            waiting.extend(node)
    return tuple(faults[place] for place in sorted(places))
