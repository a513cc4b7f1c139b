"""Which row of a key is the current one."""

from __future__ import annotations

from fhirmap.sources.revisions import Revisions


def test_the_greatest_revision_is_current_whatever_the_order() -> None:
    revisions = Revisions()
    for number in (2, 3, 1):
        revisions.add("a", (1, number, ""))
    assert [revisions.state("a", (1, number, "")) for number in (1, 2, 3)] == ["superseded", "superseded", "current"]
    assert (revisions.count("a"), revisions.count("b"), len(revisions), revisions.total) == (3, 0, 1, 3)


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
    revisions.add("a")
    assert revisions.state("a") == "double"


def test_what_cannot_be_compared_is_odd_where_there_are_several() -> None:
    revisions = Revisions()
    for key, revision in [
        ("a", (2, 0, "2025-01-01")),
        ("a", (2, 0, "infinity")),
        ("b", (2, 0, "infinity")),
        ("c", (1, 5, "")),
        ("c", (2, 0, "v5")),
        ("d", (0, 0, "")),
        ("d", (1, 5, "")),
        ("e", (2, 0, "0000-00-00")),
        ("e", (2, 0, "2025-01-01")),
    ]:
        revisions.add(key, revision)
    assert [key for key in "abcde" if revisions.are_odd(key)] == ["a", "c", "e"]
