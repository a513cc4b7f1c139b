"""FM461: a date format with a year of two digits, whose century is a rule and not in the data."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.checks.format_misfit import formats
from fhirmap.analysis.checks.unknown_format_code import formats_of_functions
from fhirmap.analysis.date_format import runs
from fhirmap.diagnostics import Diagnostic


def two_digit_year(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each format of a model, or of `toDate` and its like, with `yy` (FM461)."""
    declared = ((text, span) for text, span, _ in formats(checked))
    for text, span in (*declared, *formats_of_functions(checked)):
        if any(run.text == "yy" for run in runs(text)):
            yield Diagnostic("FM461", span, {"format": text})
