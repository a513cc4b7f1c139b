"""How days and times are written in France and by programs, the likely forms first."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CERTAIN_FORMS", "DATE_FORMS", "ZONE", "DateForm"]

ZONE = "Europe/Paris"
"""Where times without an offset are local, unless the caller says otherwise."""


class DateForm(NamedTuple):
    """``format``: as a model says it. ``type``: the FHIR type of what is written so."""

    format: str
    type: str


CERTAIN_FORMS = (
    DateForm("dd/MM/yyyy", "date"),
    DateForm("dd.MM.yyyy", "date"),
    DateForm("dd-MM-yyyy", "date"),
    DateForm("dd/MM/yy", "date"),
    DateForm("yyyyMMdd", "date"),
    DateForm("yyyy/MM/dd", "date"),
    DateForm("MM/yyyy", "date"),
    DateForm("dd/MM/yyyy HH:mm:ss", "dateTime"),
    DateForm("dd/MM/yyyy HH:mm", "dateTime"),
    DateForm("yyyyMMddHHmmss", "dateTime"),
    DateForm("yyyyMMddHHmm", "dateTime"),
    DateForm("dd-MMM-yy", "date"),
    DateForm("dd-MMM-yyyy", "date"),
)
"""Forms that no other values have, as a rule, and of which a text has one at most: a sample of cells shows them."""

DATE_FORMS = (
    *CERTAIN_FORMS,
    DateForm("yyyy-MM-dd", "date"),
    DateForm("yyyy-MM-dd HH:mm:ss", "dateTime"),
    DateForm("yyyy-MM-dd HH:mm", "dateTime"),
    DateForm("d/M/yyyy", "date"),
    DateForm("yyyyMM", "date"),
    DateForm("HH:mm:ss", "time"),
    DateForm("HH:mm", "time"),
    DateForm("HHmmss", "time"),
    DateForm("HHmm", "time"),
    DateForm("MM/dd/yyyy", "date"),
    DateForm("unix", "dateTime"),
    DateForm("unix-ms", "dateTime"),
)
"""Also those that FHIR's own form covers, that numbers and codes have, or of which a text may have several: for a
column that holds days or times for sure."""
