"""FM235: a date format with letters that are no format code."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checks.format_misfit import formats
from fhirmap.analysis.date_format import runs
from fhirmap.analysis.typed import Checked
from fhirmap.diagnostics import Diagnostic


def unknown_format_code(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each format, naming its first unknown code (FM235)."""
    for text, span, _ in formats(checked):
        wrong = next((run for run in runs(text) if not run.is_known), None)
        if wrong is None:
            continue
        if "%" in text:
            yield Diagnostic("FM235", span, {"code": "%", "format": text}, variant="strftime")
        elif wrong.meant:
            yield Diagnostic("FM235", span, {"code": wrong.text, "format": text}, f"did you mean `{wrong.meant}`?")
        else:
            yield Diagnostic("FM235", span, {"code": wrong.text, "format": text})
