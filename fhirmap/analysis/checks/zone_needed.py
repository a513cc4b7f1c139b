"""FM771: a format whose value depends on a time zone that is not said."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.checks.format_misfit import TEMPORAL
from fhirmap.analysis.date_format import parts, runs
from fhirmap.diagnostics import Diagnostic
from fhirmap.fhir_types import UNIX_FORMATS


def zone_needed(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each element that its format alone cannot give a value (FM771).

    Spec: FHIR R4, datatypes.html, dateTime: a time of day has a zone.
    """
    for use in checked.declared_models():
        for element in use.node.elements:
            if element.format is None or element.zone is not None or element.type not in TEMPORAL:
                continue
            variant = zone_reason(element.format, element.type)
            if variant is not None:
                args = {"format": element.format, "type": element.type}
                yield Diagnostic("FM771", element.format_span or element.span, args, variant=variant)


def zone_reason(text: str, type_name: str) -> str | None:
    """The page's variant that says why a zone is needed; None where it is not."""
    if text in UNIX_FORMATS:
        return "instant" if type_name != "instant" else None
    pieces = runs(text)
    has_offset = any(not piece.is_literal and piece.text in ("Z", "z") for piece in pieces)
    has_clock = "hour" in parts(pieces)
    if type_name in ("dateTime", "instant"):
        return "" if has_clock and not has_offset else None
    return "instant" if has_clock and has_offset else None
