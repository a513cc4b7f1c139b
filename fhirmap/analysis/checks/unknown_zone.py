"""FM236: a time zone that does not exist."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from fhirmap.analysis.typed import Checked
from fhirmap.diagnostics import Diagnostic, suggestion


def unknown_zone(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each zone that the time zone database does not have (FM236)."""
    for use in checked.models.values():
        for element in use.node.elements:
            if element.zone is not None and not _exists(element.zone):
                found = suggestion(element.zone, sorted(available_timezones()))
                yield Diagnostic("FM236", element.zone_span or element.span, {"zone": element.zone}, **found)


def _exists(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
