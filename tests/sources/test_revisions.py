"""Which row of a key is the current one."""

from __future__ import annotations

import doctest

import pytest

from fhirmap.sources import revisions as module
from fhirmap.sources.keys import KeyColumn
from fhirmap.sources.revisions import Revisions, cannot_be_compared, revision_of


def test_the_greatest_revision_is_current_whatever_the_order() -> None:
    revisions = Revisions()
    for number in (2, 3, 1):
        revisions.add("a", (1, number, ""))
    assert [revisions.state("a", (1, number, "")) for number in (1, 2, 3)] == ["superseded", "superseded", "current"]
    assert (revisions.count("a"), revisions.count("b"), len(revisions)) == (3, 0, 1)


def test_two_rows_of_the_greatest_revision_are_double() -> None:
    revisions = Revisions()
    for number in (3, 1, 3):
        revisions.add("a", (1, number, ""))
    assert revisions.state("a", (1, 3, "")) == "double"
    assert revisions.state("a", (1, 1, "")) == "superseded"


def test_without_revisions_a_key_that_occurs_twice_is_double() -> None:
    revisions = Revisions()
    revisions.add("a")
    assert revisions.state("a") == "current"
    assert revisions.are_single
    revisions.add("a")
    assert revisions.state("a") == "double"
    assert not revisions.are_single


TEXTS = KeyColumn(frozenset(("SANS",)))


@pytest.mark.parametrize(
    ("one", "other", "is_odd"),
    [
        ("2025-01-01", "infinity", True),
        ("5", "v5", True),
        ("", "5", False),
        ("SANS", "2025-01-01", False),
        ("0000-00-00", "2025-01-01", True),
        ("2025-01-01", "NULL", True),
        ("-", "5", True),
        ("1,20E+05", "1,20E+05", True),
        ("v09", "v10", False),
        ("v9", "v10", True),
        ("1.9", "1.10", True),
        ("31/12/24", "02/01/25", True),
        ("15-MAR-25", "02-APR-25", True),
        ("1er mars 2025", "2 avril 2025", True),
        ("3 mars 2025", "2 avril 2025", True),
        ("12/31/2024", "01/02/2025", True),
        ("31/12/2024", "2025-01-02", False),
        ("2025-01-02 10:00", "2025-01-02T10:00Z", True),
    ],
)
def test_what_cannot_be_compared_is_odd_where_there_are_several(one: str, other: str, is_odd: bool) -> None:
    revisions = Revisions()
    for key, text in (("a", one), ("a", other), ("b", one), ("c", other), ("d", other), ("d", one)):
        revisions.add(key, revision_of(text, TEXTS))
    assert [key for key in "abcd" if revisions.are_odd(key)] == (["a", "d"] if is_odd else [])


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("", "1"),
        ("9", "10"),
        ("31/12/2024", "02/01/2025"),
        ("02/01/2025 9:05", "02/01/2025 10:00"),
        ("2/1/2025", "2025-01-03"),
        ("2025-01-02", "02/01/2025 08:00"),
        ("2025-01-01T10:00:00+02:00", "2025-01-01T09:00:00Z"),
        ("2025-01-01T10:00:00+0200", "2025-01-01T08:00:00,5Z"),
        ("2025-12-31 23:30 -01", "2026-01-01 02:00 +01"),
    ],
)
def test_revisions_are_in_the_order_of_what_they_say(earlier: str, later: str) -> None:
    revisions = Revisions()
    for text in (later, earlier):
        revisions.add("a", revision_of(text, TEXTS))
    assert revisions.state("a", revision_of(later, TEXTS)) == "current"
    assert revisions.state("a", revision_of(earlier, TEXTS)) == "superseded"
    assert not revisions.are_odd("a")


@pytest.mark.parametrize(
    ("least", "greatest", "is_odd"),
    [
        ("2025-01-01", "NULL", True),
        ("", "2025-01-01", False),
        ("v10", "v9", True),
        ("v09", "v10", False),
        ("02-APR-25", "15-MAR-25", True),
        ("2025-01-01", "2025-01-01 10:00", False),
    ],
)
def test_the_ends_of_a_database_s_order(least: str, greatest: str, is_odd: bool) -> None:
    assert cannot_be_compared(least, greatest, TEXTS) == is_odd


def test_examples_of_the_documentation() -> None:
    assert doctest.testmod(module).failed == 0
