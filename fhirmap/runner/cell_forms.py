"""Cells that are written otherwise than the map says, as the first rows of a source show: for `fhirmap check`.

No cell is in what is said of them: only the form they have, and the clause that reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, time

from fhirmap.data import RawValue
from fhirmap.diagnostics import Diagnostic, listed
from fhirmap.fhir_types import DATES, NUMBERS, TEXTS
from fhirmap.inspection.date_forms import DATE_FORMS, ZONE
from fhirmap.inspection.guess import absences, zero_dates
from fhirmap.runtime.cell_text import MISSING
from fhirmap.runtime.reading import Cell, UnreadDocument
from fhirmap.source_plan import RowLayout, SourceColumn, SourceKind, SourcePlan
from fhirmap.sources import Source
from fhirmap.sources.fit import unread
from fhirmap.sources.samples import Sample, SampledSource, cells_of_sample

__all__ = ["cell_forms"]

_ROWS = 1000


def cell_forms(source: Source, plan: SourcePlan) -> Iterator[Diagnostic]:
    """One warning for each element that many of the first cells of its column cannot be read as (FM773), and one for
    the columns of a sheet that hold no text and are read as such (FM765).
    """
    if not isinstance(source, SampledSource):
        return
    stores = _stores(plan.shape)
    samples = list(source.samples(_ROWS))
    sheets = [sample for sample in samples if stores.get(sample.table, plan).kind is SourceKind.SHEET]
    yield from _no_texts(sheets, plan)
    for sample in samples:
        for column, cells in cells_of_sample(sample):
            cell = _cell(column, stores.get(sample.table, plan))
            wrong = unread(cell, cells)
            if not wrong:
                continue
            variant, form = _form(cell, wrong, is_most=2 * len(wrong) >= len(cells))
            args = {
                "column": f"{sample.table}.{column.name}" if sample.table else column.name,
                "type": column.type,
                "count": len(wrong),
                "total": len(cells),
                "form": form,
                "position": column.position,
            }
            yield Diagnostic("FM773", args=args, variant=variant)


def _stores(layout: RowLayout) -> dict[str, SourcePlan]:
    """The stores that rows are joined from, by what they are called."""
    found: dict[str, SourcePlan] = {}
    for child in layout.children:
        found |= {child.table: child.store} if child.store is not None else {}
        found |= _stores(child.shape)
    for column in layout.columns:
        found |= _stores(column.below) if column.below is not None else {}
    return found


def _no_texts(samples: Sequence[Sample], plan: SourcePlan) -> Iterator[Diagnostic]:
    """What a spreadsheet took for numbers and days, where an element reads a text: a lot, the number of a product.

    Keys are left out: they are counted, and only compared.
    """
    held = [entry for sample in samples for entry in cells_of_sample(sample)]
    texts = [(column, cells) for column, cells in held if column.type in TEXTS and column.name not in plan.key]
    for variant, kinds in (("", (int, float)), ("days", (date, time))):
        found = [
            column
            for column, cells in texts
            if any(isinstance(cell, kinds) and not isinstance(cell, bool) for cell in cells)
        ]
        if found:
            names = listed(list(dict.fromkeys(column.name for column in found)))
            yield Diagnostic("FM765", args={"names": names, "position": found[0].position}, variant=variant)


def _cell(column: SourceColumn, plan: SourcePlan) -> Cell:
    return Cell(
        column.element,
        column.name,
        column.type,
        column.position,
        format=column.format or None,
        zone=column.zone or None,
        nulls=frozenset((*plan.nulls, *column.nulls)),
        decimal=plan.decimal,
        thousands=plan.thousands,
    )


def _form(cell: Cell, wrong: Sequence[RawValue], *, is_most: bool) -> tuple[str, str]:
    """The page's variant for cells that cannot be read, and the form that they have, where it is a known one.

    ``is_most``: are they most cells? Else the form of the others would be given up for theirs.
    """
    texts = [raw for raw in wrong if isinstance(raw, str)]
    shut = [raw.text for raw in wrong if isinstance(raw, UnreadDocument)]
    if len(shut) < sum(isinstance(raw, bytes) for raw in wrong):
        return "bytes", ""
    words = [word for word in absences([*texts, *shut]) if word.upper() in MISSING] or [*zero_dates(texts)]
    if words and not unread(replace(cell, nulls=cell.nulls | {*words}), wrong):
        return "absent", ", ".join(f"'{word}'" for word in words)
    if shut:
        return "document", ""
    if cell.type in DATES and len(texts) == len(wrong):
        return _date_form(cell, texts, is_most=is_most)
    if cell.type in NUMBERS and is_most:
        for mark, group in ((",", ""), (",", " "), (",", "."), (".", ","), (".", " ")):
            if not unread(replace(cell, decimal=mark, thousands=group), wrong):
                return "marks", f"decimal '{mark}'" + (f" thousands '{group}'" if group else "")
    return "", ""


def _date_form(cell: Cell, texts: Sequence[str], *, is_most: bool) -> tuple[str, str]:
    if cell.zone is None and not unread(replace(cell, zone=ZONE), texts):
        return "zone", ZONE
    for form in DATE_FORMS if is_most else ():
        for zone in dict.fromkeys((cell.zone, ZONE)):
            if not unread(replace(cell, format=form.format, zone=zone), texts):
                return "format", f"format '{form.format}'" + (f" zone '{zone}'" if zone and not cell.zone else "")
    return "", ""
