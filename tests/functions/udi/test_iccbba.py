"""ICCBBA labels."""

from __future__ import annotations

import pytest

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


def test_structures_in_any_order_and_with_blanks() -> None:
    label = parse_udi("&,1000000000000XYZ123 =}013032 =>014032 =,000025 =/A9999XYZ100T0944")
    assert (label["deviceIdentifier"], label["serial"], label["expiry"]) == ("A9999XYZ100T0944", "000025", "2014-02-01")


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("=>977032", "1977-02-01"),
        ("=>077032", "2077-02-01"),
        ("&>0290601230", "2029-03-01"),
        ("=>029060", "2029-03-01"),
    ],
)
def test_the_century_and_the_time_of_an_expiry(written: str, day: str) -> None:
    assert parse_udi("=/A9999XYZ100T0944" + written)["expiry"] == day


@pytest.mark.parametrize("written", ["=>029366", "=>529001", "&>0290602460", "&>0290602530"])
def test_no_day(written: str) -> None:
    label = parse_udi("=/A9999XYZ100T0944" + written)
    assert "expiry" not in label
    assert label["problems"] == ["date"]


def test_two_expiries_that_differ() -> None:
    assert parse_udi("=/A9999XYZ100T0944=>029060&>0290611230")["problems"] == ["two-values"]
