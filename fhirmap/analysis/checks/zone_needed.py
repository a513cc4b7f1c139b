"""FM771: a format, or a function, whose value depends on a time zone that is not said."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.checks.format_misfit import TEMPORAL
from fhirmap.analysis.date_format import parts, runs
from fhirmap.analysis.typed import Transform
from fhirmap.diagnostics import Diagnostic, Severity, Span
from fhirmap.fhir_types import UNIX_FORMATS

_KINDS = {
    "toDate": "date",
    "toDateTime": "dateTime",
    "toTime": "time",
    "unixToDate": "date",
    "unixToTime": "time",
}
"""Functions and the type that each gives."""


def zone_needed(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each element that its format alone cannot give a value (FM771).

    Spec: FHIR R4, datatypes.html, dateTime: a time of day has a zone.
    """
    for use in checked.declared_models():
        for element in use.node.elements:
            if element.format is None or element.zone is not None or element.type not in TEMPORAL:
                continue
            variant = _reason(element.format, element.type)
            if variant is not None:
                args = {"format": element.format, "type": element.type}
                yield Diagnostic("FM771", element.format_span or element.span, args, variant=variant)


def zone_of_function(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each date function whose format alone cannot give a value (FM771).

    A day or a time of day that is counted in UTC, as the language has it where no zone is given, is a warning.
    """
    seen: set[Span] = set()
    for _, rule in checked.rules():
        for transform in (target.transform for target in rule.targets if target.transform is not None):
            if transform.span not in seen:
                seen.add(transform.span)
                yield from _of_function(transform)


def _of_function(transform: Transform) -> Iterator[Diagnostic]:
    name, arguments = transform.name, transform.arguments
    if name in ("unixToDate", "unixToTime") and len(arguments) == 1:
        args: dict[str, object] = {"name": name, "type": _KINDS[name]}
        yield Diagnostic("FM771", transform.span, args, variant="unix", severity_override=Severity.WARNING)
    if name not in ("toDate", "toDateTime", "toTime") or len(arguments) != 2:
        return
    literal = arguments[1].literal
    if literal is not None and isinstance(literal.value, str) and _reason(literal.value, _KINDS[name]) is not None:
        args = {"name": name, "format": literal.value, "type": _KINDS[name]}
        yield Diagnostic("FM771", arguments[1].span, args, variant="function")


def _reason(text: str, type_name: str) -> str | None:
    """The page's variant that says why a zone is needed; None where it is not."""
    if text in UNIX_FORMATS:
        return "instant" if type_name != "instant" else None
    pieces = runs(text)
    has_offset = any(not piece.is_literal and piece.text in ("Z", "z") for piece in pieces)
    has_clock = "hour" in parts(pieces)
    if type_name in ("dateTime", "instant"):
        return "" if has_clock and not has_offset else None
    return "instant" if has_clock and has_offset else None
