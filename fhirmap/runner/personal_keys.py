"""Keys that look like a person's number are counted as they are read, and warned about once (FM820).

How such a key is shown: `texts.shown_keys`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.records import Record
from fhirmap.runtime.reading import at
from fhirmap.source_plan import SourcePlan, path_steps
from fhirmap.sources import Source
from fhirmap.sources.samples import SampledSource
from fhirmap.texts.shown_keys import looks_personal

__all__ = ["KeyWatch", "sampled_keys"]

_ROWS = 1000


class KeyWatch:
    """Counts such keys among records that go by."""

    def __init__(self, plan: SourcePlan) -> None:
        self._plan = plan
        self._count = self._total = 0

    def records(self, records: Iterable[Record]) -> Iterator[Record]:
        """The records, as they are."""
        for record in records:
            self.note(record.key)
            yield record

    def note(self, key: str) -> None:
        """One key."""
        self._total += 1
        self._count += looks_personal(key)

    def diagnostics(self) -> list[Diagnostic]:
        """The warning, where there is something to warn about."""
        if not self._count:
            return []
        columns = ", ".join(self._plan.key)
        return [Diagnostic("FM820", args={"columns": columns, "count": self._count, "total": self._total})]


def sampled_keys(source: Source, plan: SourcePlan) -> list[Diagnostic]:
    """The warning about the keys of a source's first records, without reading all of it where it has samples."""
    watch = KeyWatch(plan)
    with suppress(ConfigError):  # what is wrong with the source is said elsewhere
        for key in islice(_keys(source, plan), _ROWS):
            watch.note(key)
    return watch.diagnostics()


def _keys(source: Source, plan: SourcePlan) -> Iterator[str]:
    if not (isinstance(source, SampledSource) and set(plan.key) <= set(plan.shape.column_names)):
        for record in source.records():
            yield record.key
        return
    for sample in source.samples(_ROWS):
        if sample.shape is plan.shape:
            for row in sample.rows:
                cells = [at(row, path_steps(name)) if sample.is_tree else row.get(name) for name in plan.key]
                yield "|".join(str(cell) for cell in cells)
