"""FM771, FM236: a function whose value depends on a time zone, which is not said or does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.checks.zone_needed import zone_reason
from fhirmap.analysis.typed import Transform
from fhirmap.diagnostics import Diagnostic, Severity, Span
from fhirmap.diagnostics.zones import is_zone, zone_suggestion

_KINDS = {
    "toDate": "date",
    "toDateTime": "dateTime",
    "toTime": "time",
    "unixToDate": "date",
    "unixToTime": "time",
}
"""Functions and the type that each gives."""
_ZONES = {"toDate": 2, "toDateTime": 2, "toTime": 2, "unixToDate": 1, "unixToDateTime": 1, "unixToTime": 1}
"""Functions and the place of the zone among their arguments."""


def zone_of_function(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each date function whose format alone cannot give a value (FM771), or whose zone is none that
    the time zone database has (FM236).

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
    place = _ZONES.get(name)
    zone = arguments[place].literal if place is not None and len(arguments) > place else None
    if zone is not None and isinstance(zone.value, str) and not _is_offset(zone.value) and not is_zone(zone.value):
        yield Diagnostic("FM236", zone.span, {"zone": zone.value}, **zone_suggestion(zone.value))
    if name in ("unixToDate", "unixToTime") and len(arguments) == 1:
        args: dict[str, object] = {"name": name, "type": _KINDS[name]}
        yield Diagnostic("FM771", transform.span, args, variant="unix", severity_override=Severity.WARNING)
    if name not in ("toDate", "toDateTime", "toTime") or len(arguments) != 2:
        return
    literal = arguments[1].literal
    if literal is not None and isinstance(literal.value, str) and zone_reason(literal.value, _KINDS[name]) is not None:
        args = {"name": name, "format": literal.value, "type": _KINDS[name]}
        yield Diagnostic("FM771", arguments[1].span, args, variant="function")


def _is_offset(zone: str) -> bool:
    """Functions take an offset in the place of a zone."""
    return zone == "Z" or zone.startswith(("+", "-"))
