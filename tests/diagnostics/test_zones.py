"""Which time zone was meant."""

from __future__ import annotations

import pytest

from fhirmap.diagnostics.zones import is_zone, zone_suggestion


@pytest.mark.parametrize(
    ("name", "meant"),
    [("Paris", "Europe/Paris"), ("REUNION", "Indian/Reunion"), ("Europe/Pariss", "Europe/Paris"), ("zzzzz", None)],
)
def test_the_place_alone_means_its_zone(name: str, meant: str | None) -> None:
    assert not is_zone(name)
    assert zone_suggestion(name) == {"meant": meant, "known": ()}


def test_a_zone() -> None:
    assert is_zone("Europe/Paris")
