"""Codes that no concept map entry took, counted over a run: what an analyst completes the tables with.

A local code is no patient's value, but a column mapped by mistake may hold one: texts that are more than a short code
came here empty (`Run.unmapped`), and are only counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from fhirmap.records import Unmapped
from fhirmap.texts import text

__all__ = ["UnmappedCode", "UnmappedCodes", "UnmappedTable", "unmapped_lines"]

_CODES_KEPT = 1000
"""Distinct codes remembered in a run: where there are more, the column is no column of codes."""
_CODES_SHOWN = 12


@dataclass(frozen=True, slots=True)
class UnmappedCode:
    """A code and how often it was met."""

    code: str
    count: int


@dataclass(frozen=True, slots=True)
class UnmappedTable:
    """A concept map and the codes that it lacks, the most frequent first. ``hidden``: met and not shown."""

    concept_map: str
    count: int
    codes: tuple[UnmappedCode, ...]
    hidden: int = 0


@dataclass(slots=True)
class UnmappedCodes:
    """The count of a run in the making; what it holds does not grow with the records."""

    _counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, found: Iterable[Unmapped], *, times: int = 1) -> None:
        """Those of one record, or of so many alike."""
        for entry in found:
            key = entry.concept_map, entry.code
            if key not in self._counts and len(self._counts) >= _CODES_KEPT:
                key = entry.concept_map, ""
            self._counts[key] += times

    def tables(self) -> tuple[UnmappedTable, ...]:
        """By concept map, the one with most codes missed first."""
        by_map: dict[str, list[tuple[str, int]]] = {}
        for (concept_map, code), count in self._counts.items():
            by_map.setdefault(concept_map, []).append((code, count))
        found = [
            UnmappedTable(
                concept_map,
                sum(count for _, count in codes),
                tuple(
                    UnmappedCode(code, count)
                    for code, count in sorted(codes, key=lambda held: (-held[1], held[0]))
                    if code
                ),
                sum(count for code, count in codes if not code),
            )
            for concept_map, codes in by_map.items()
        ]
        return tuple(sorted(found, key=lambda table: (-table.count, table.concept_map)))


def unmapped_lines(tables: Iterable[UnmappedTable]) -> list[str]:
    """A line a concept map: `not in familles: CIM x3, VIS x2, 1 not shown`."""
    lines = []
    for table in tables:
        codes = [f"{entry.code} x{entry.count}" for entry in table.codes[:_CODES_SHOWN]]
        more = len(table.codes) - _CODES_SHOWN
        codes += [text("run.unmapped.further", count=more)] if more > 0 else []
        codes += [text("run.unmapped.hidden", count=table.hidden)] if table.hidden else []
        lines.append(text("run.unmapped.line", concept_map=table.concept_map, codes=", ".join(codes)))
    return lines
