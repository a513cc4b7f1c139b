"""Transforms: what their arguments must be."""

from __future__ import annotations

import pytest

from tests.analysis.checks.harness import stored
from tests.analysis.harness import diagnose


def codes(value: str) -> list[tuple[str, str]]:
    found = diagnose(stored("x : string 0..1", f"src.x as v -> tgt.language = {value};"))
    return [(entry.code, entry.variant) for entry in found if entry.is_error]


@pytest.mark.parametrize("length", ["'seven'", "true", "1.5"])
def test_truncate_needs_a_whole_number(length: str) -> None:
    assert codes(f"truncate(v, {length})") == [("FM202", "number")]


@pytest.mark.parametrize("length", ["7", "(3 + 4)", "v"])
def test_a_length_that_is_one_or_may_be_one(length: str) -> None:
    assert codes(f"truncate(v, {length})") == []


def test_both_faults_of_an_unknown_function_with_a_wrong_argument() -> None:
    assert codes("nirKeys(w)") == [("FM109", ""), ("FM104", "")]
