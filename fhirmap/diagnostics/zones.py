"""Names of time zones: is there such a zone, and which one was meant."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from fhirmap.diagnostics.nearest import Suggestion, nearest


def is_zone(name: str) -> bool:
    """Does the time zone database have it?"""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def zone_suggestion(name: str) -> Suggestion:
    """The zone of the place that ``name`` is, else the nearest one. All of them are too many to be listed.

    Example:
        >>> zone_suggestion("paris")["meant"]
        'Europe/Paris'
    """
    zones = sorted(available_timezones())
    places = [zone for zone in zones if zone.rpartition("/")[2].casefold() == name.casefold()]
    return Suggestion(meant=places[0] if places else nearest(name, zones), known=())
