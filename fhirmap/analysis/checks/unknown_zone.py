"""FM236: a time zone that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic
from fhirmap.diagnostics.zones import is_zone, zone_suggestion


def unknown_zone(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each zone that the time zone database does not have (FM236)."""
    for use in checked.declared_models():
        for element in use.node.elements:
            if element.zone is not None and not is_zone(element.zone):
                args = {"zone": element.zone}
                yield Diagnostic("FM236", element.zone_span or element.span, args, **zone_suggestion(element.zone))
