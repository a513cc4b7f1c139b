"""The nearest right name."""

from __future__ import annotations

import pytest

from fhirmap.diagnostics import did_you_mean, nearest


@pytest.mark.parametrize(
    ("wrong", "candidates", "right"),
    [
        ("no_lott", ["no_lot", "no_serie"], "no_lot"),
        ("perfomed", ["performed", "performer"], "performed"),
        ("dateOP", ["dateOp", "date"], "dateOp"),
        ("latéralité", ["lateralite", "literalite"], "lateralite"),
        ("ni", ["nir", "id"], "nir"),
        ("nri", ["nir", "nom"], "nir"),
        ("N° sejour", ["N° séjour", "jour"], "N° séjour"),
        ("finess", ["finessGeographique", "nir"], "finessGeographique"),
        ("implantType", ["implant", "implantTypes"], "implantTypes"),
        ("zzz", ["nir", "rpps"], None),
        ("a", ["b", "id"], None),
        ("x", [], None),
    ],
)
def test_nearest(wrong: str, candidates: list[str], right: str | None) -> None:
    assert nearest(wrong, candidates) == right


def test_no_name_is_its_own_neighbour() -> None:
    assert nearest("nir", ["nir"]) is None


def test_few_candidates_are_all_named_many_are_not() -> None:
    assert did_you_mean("zzz", ["a", "b"]) == "known here: `a`, `b`"
    assert did_you_mean("zzz", [f"n{number}" for number in range(20)], most=2) == "known here: `n0`, `n1` and 18 more"
    assert did_you_mean("zzz", []) is None
    assert did_you_mean("zzz", ["a", "b"], otherwise="look it up") == "look it up"
