"""ICCBBA labels."""

from __future__ import annotations

from fhirmap.functions.udi import (
    ICCBBA,
    parse_udi,
)


def test_iccbba() -> None:
    label = parse_udi("=/A9999XYZ100T0944=,000025=A99971312345600=>014032=}013032&,1000000000000XYZ123")
    assert label["issuer"] == ICCBBA
    assert (label["deviceIdentifier"], label["serial"], label["lot"]) == (
        "A9999XYZ100T0944",
        "000025",
        "000000000000XYZ123",
    )
    assert (label["expiry"], label["manufactured"]) == ("2014-02-01", "2013-02-01")
