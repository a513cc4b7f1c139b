"""Names that differ by case, blanks or accents."""

from __future__ import annotations

import pytest

from fhirmap.sources.names import fold, like, match, may_be_shown
from fhirmap.texts import language_of


@pytest.mark.parametrize(
    ("name", "there", "found"),
    [
        ("Lot", ["lot", "LOT"], None),
        ("Lot", ["lot"], "lot"),
        ("Lot", ["LOT", "Lot"], "Lot"),
        ("N° séjour", ["N°\u00a0se\u0301jour"], "N°\u00a0se\u0301jour"),
        ("lot", ["lots"], None),
        ("lot", [], None),
    ],
)
def test_the_one_that_is_meant(name: str, there: list[str], found: str | None) -> None:
    assert match(name, there) == found


def test_what_people_do_not_distinguish() -> None:
    assert fold("  Né(e)   LE ") == fold("ne\u0301(e) le")


def test_the_nearest_and_what_is_there() -> None:
    found = like("lto", ["lot", "serie"])
    assert (found["meant"], found["known"]) == ("lot", ("lot", "serie"))
    with language_of("en"):
        assert "`lot`" in str(found["hint"])
        assert "`serie`" in str(found["hint"])
    assert like("x", [])["known"] == ()


def test_the_only_name_is_said_once() -> None:
    with language_of("en"):
        assert str(like("o.lots", ["o.lot"])["hint"]) == "did you mean `o.lot`?"
        assert str(like("x", ["o.lot"])["hint"]) == "there is `o.lot`"


@pytest.mark.parametrize(("name", "meant"), [("POSE.lot", "lot"), ("main.POSE.LOT", "lot"), ("POSE.rang", None)])
def test_a_column_with_the_name_of_its_table(name: str, meant: str | None) -> None:
    assert like(name, ["lot", "udi"])["meant"] == meant


def test_values_in_the_place_of_names_are_never_proposed() -> None:
    found = like(
        "149113897061758", ["lot", "149113897061759", "stays.149113897061759.lot", "1 49 11 2A 970 617", "3/11/1949"]
    )
    assert (found["meant"], found["known"]) == (None, ("lot",))
    with language_of("en"):
        assert str(found["hint"]) == "there is `lot`"
        assert str(like("x", ["149113897061759"])["hint"]).endswith("not shown")
        assert str(like("x", [])["hint"]) == "there is none"


@pytest.mark.parametrize(
    ("name", "is_shown"),
    [
        ("entry.resource.procedures.focalDevice.manipulated.reference", True),
        ("date_et_heure_de_debut_de_l_intervention_chirurgicale", True),
        ("Mme MARTIN, prévenue de la reprise par le chirurgien", False),
        ("stays[0].1 49 11 38 970 617.lot", False),
        ("12,50", False),
        ("LPP 2025", True),
    ],
)
def test_what_may_be_shown(name: str, is_shown: bool) -> None:
    assert may_be_shown(name) == is_shown
