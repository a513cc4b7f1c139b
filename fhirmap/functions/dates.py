"""Dates that a source writes in more than one way, or not as dates at all."""

from __future__ import annotations

from functools import cache

from fhirmap.runtime.functions import FhirDate, function
from fhirmap.runtime.transforms.dates import Parse, ZoneNeeded, parser


@function
def date_in(text: str, formats: str) -> FhirDate | None:
    """The date that a text writes in the first of the formats that it fits; nothing where it fits none.

    For a column that is no mandatory one, or that people fill by hand: a model's own `format` makes what does not fit a
    fault of the record. Formats as in a model, separated by commas; a month alone is a date too. An instant,
    whose day depends on a zone, fits none. A year of two digits
    is at most 20 years ahead of today, else of the last century.

    Example:
        >>> date_in("16/08/25", "dd/MM/yyyy, dd/MM/yy"), date_in("04/2028", "dd/MM/yyyy, MM/yyyy")
        ('2025-08-16', '2028-04')
        >>> date_in("31/02/2025", "dd/MM/yyyy, dd/MM/yy") is None
        True
    """
    trimmed = text.strip()
    for parse in _parsers(formats):
        try:
            found = parse(trimmed)
        except ZoneNeeded:
            continue
        if found:
            return found
    return None


@cache
def _parsers(formats: str) -> tuple[Parse, ...]:
    return tuple(parser(entry.strip(), "date", None) for entry in formats.split(","))
