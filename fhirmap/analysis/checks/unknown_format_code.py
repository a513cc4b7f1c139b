"""FM235: a date format with letters that are no format code."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.checks.format_misfit import formats
from fhirmap.analysis.date_format import runs
from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.language.nodes import FPLiteral, TransformCall
from fhirmap.language.visit import walk

_FUNCTIONS = ("toDate", "toDateTime", "toTime")


def unknown_format_code(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each format, naming its first unknown code (FM235).

    Spec: FML, transforms, date formats.
    """
    declared = ((text, span) for text, span, _ in formats(checked))
    for text, span in (*declared, *formats_of_functions(checked)):
        wrong = next((run for run in runs(text) if not run.is_known), None)
        if wrong is None:
            continue
        if "%" in text:
            yield Diagnostic("FM235", span, {"code": "%", "format": text}, variant="strftime")
        elif wrong.meant:
            yield Diagnostic("FM235", span, {"code": wrong.text, "format": text}, meant=wrong.meant)
        else:
            yield Diagnostic("FM235", span, {"code": wrong.text, "format": text})


def formats_of_functions(checked: Checked) -> Iterator[tuple[str, Span]]:
    """Formats that rules give to `toDate`, `toDateTime` and `toTime`."""
    for unit in checked.program.units:
        for group in unit.tree.groups:
            for node in walk(group):
                if isinstance(node, TransformCall) and node.name in _FUNCTIONS and len(node.arguments) >= 2:
                    body = node.arguments[1].expression
                    if isinstance(body, FPLiteral) and isinstance(body.value, str):
                        yield body.value, node.arguments[1].span
