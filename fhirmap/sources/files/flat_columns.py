"""The columns of flat files: which ones a plan reads, and which of a file's each of them is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import TypeVar

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.source_plan import SourcePlan
from fhirmap.sources import names as naming
from fhirmap.sources.documents import DocumentColumn, column_and_path

__all__ = ["check_columns", "column_named", "column_places", "columns_needed", "picker", "trimmed"]


Cell = TypeVar("Cell")


def columns_needed(plan: SourcePlan) -> dict[str, str]:
    """Each column that is read, with the place in the map that names it."""
    own = [*plan.key, *(entry.column for entry in plan.order), *((plan.latest.column,) if plan.latest else ())]
    found = dict.fromkeys((*own, *plan.fill), plan.position)
    for shape in plan.shape.walk():
        found |= {column.name: column.position or plan.position for column in shape.columns}
    return found


def column_named(name: str, there: Sequence[str], plan: SourcePlan) -> DocumentColumn | None:
    """The column that the map calls ``name``; for an element's, one that it leads into, too."""
    found = column_and_path(name, dict.fromkeys(there))
    return None if found is None or (found.steps and name in _without_paths(plan)) else found


def _without_paths(plan: SourcePlan) -> tuple[str, ...]:
    latest = (plan.latest.column,) if plan.latest else ()
    return (*plan.key, *(entry.column for entry in plan.order), *latest)


def check_columns(shown: str, needed: Mapping[str, str], there: Sequence[str], plan: SourcePlan) -> list[Diagnostic]:
    """FM704 for each of ``needed`` that the file has not, or twice.

    Where it has none of them, nor any like them, the line of the names may be a row: it is not shown then.
    """
    names = [entry for entry in there if entry]
    if needed and not any(_is_near(name, names, plan) for name in needed):
        args: dict[str, object] = {"table": shown, "source": shown, "position": plan.position}
        return [Diagnostic("FM704", args=args, variant="none")]
    found: list[Diagnostic] = []
    for name, place in needed.items():
        args = {"table": shown, "column": name, "source": shown, "position": place}
        column = column_named(name, there, plan)
        if column is None:
            found.append(Diagnostic("FM704", args=args, **naming.like(name, names)))
        elif (count := there.count(column.column)) > 1:
            variant = "declared_double" if plan.names else "double"
            found.append(Diagnostic("FM704", args={**args, "count": count}, variant=variant))
    return found


def column_places(shown: str, needed: Collection[str], there: Sequence[str], plan: SourcePlan) -> dict[str, int]:
    """The place, from 0, of each of ``needed`` among the columns of the file.

    Raises: ConfigError FM704 where it has not one of them, or has it twice.
    """
    known = columns_needed(plan)
    lacking = check_columns(shown, {name: known.get(name, plan.position) for name in needed}, there, plan)
    if lacking:
        raise ConfigError.of(lacking[0])
    found = {name: column_named(name, there, plan) for name in needed}
    return {name: there.index(column.column) for name, column in found.items() if column is not None}


def _is_near(name: str, names: Sequence[str], plan: SourcePlan) -> bool:
    return column_named(name, names, plan) is not None or naming.like(name, names)["meant"] is not None


def trimmed(cell: str | None) -> str:
    """A cell without blanks around it, and without a byte-order mark of a file that was joined to another."""
    return "" if cell is None else cell.strip().strip("\ufeff").strip()


def picker(places: Sequence[int]) -> Callable[[Sequence[Cell]], Sequence[Cell]]:
    """What takes the cells at these places from a list that has them all.

    Example:
        >>> picker([2, 0])(["a", "b", "c"]), picker([1, 2])(["a", "b", "c"]), picker([])(["a"])
        (('c', 'a'), ['b', 'c'], [])
    """
    start = places[0] if places else 0
    if list(places) == [*range(start, start + len(places))]:
        return itemgetter(slice(start, start + len(places)))
    return itemgetter(*places)
