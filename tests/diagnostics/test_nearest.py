"""The nearest right name."""

from __future__ import annotations

import pytest

from fhirmap.diagnostics import is_slip, listed, nearest, suggestion
from fhirmap.texts import language_of


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


def test_a_suggestion_holds_what_was_meant_and_what_is_known() -> None:
    assert suggestion("no_lott", ["no_lot", "udi", "no_lot"]) == {"meant": "no_lot", "known": ("no_lot", "udi")}
    assert suggestion("zzz", []) == {"meant": None, "known": ()}


def test_few_names_are_all_listed_many_are_not() -> None:
    assert str(listed(["a", "b"])) == "`a`, `b`"
    assert str(listed([f"n{number}" for number in range(20)])).endswith(", `n15` and 4 more")
    with language_of("fr"):
        assert str(listed([f"n{number}" for number in range(17)])).endswith(", `n15` et 1 autre")


def test_one_letter_is_a_slip_and_a_digit_is_none() -> None:
    assert is_slip("statut", "status") and is_slip("Motif", "motif") and is_slip("moitf", "motif")
    assert not is_slip("lot1", "lot2") and not is_slip("fin", "fil") and not is_slip("dateFin", "dateDebut")
