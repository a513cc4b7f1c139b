"""Trees of Python's own parser."""

from __future__ import annotations

import re

import pytest

from fhirmap.regular_expressions.parsed import characters, combined, items_of, op_name, single


def test_a_tree_has_operations_and_the_flags_at_its_beginning() -> None:
    items, flags = items_of("(?i)a+[b-d]", re.ASCII)
    assert [op_name(item) for item in items] == ["MAX_REPEAT", "IN"]
    assert flags & re.IGNORECASE
    assert sorted(characters(items)) == [(ord("a"), ord("a")), (ord("b"), ord("d"))]


@pytest.mark.parametrize(("flags", "found"), [(re.ASCII, None), (re.ASCII | re.IGNORECASE, "A")])
def test_one_operation_is_a_pattern_by_itself(flags: int, found: str | None) -> None:
    items, _ = items_of("a", flags)
    match = single(items[0], flags).match("A")
    assert (match and match[0]) == found


def test_a_group_changes_flags() -> None:
    assert combined(re.ASCII, re.IGNORECASE, 0) == re.ASCII | re.IGNORECASE
    assert combined(re.ASCII | re.IGNORECASE, 0, re.IGNORECASE) == re.ASCII
