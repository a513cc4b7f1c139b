"""Names of elements and models."""

from __future__ import annotations

import pytest

from fhirmap.inspection.names import (
    UniqueNames,
    camel_case,
    is_identifier_name,
    is_quantity_name,
    is_revision_name,
    pascal_case,
)


@pytest.mark.parametrize(
    ("column", "element", "model"),
    [
        ("DATE_DEBUT", "dateDebut", "DateDebut"),
        ("N° séjour", "nSejour", "NSejour"),
        ("œil", "oeil", "Oeil"),
        ("2e côté", "x2ECote", "X2ECote"),
        ("", "x", "X"),
        ("€", "x", "X"),
    ],
)
def test_names_are_letters_and_digits(column: str, element: str, model: str) -> None:
    assert (camel_case(column), pascal_case(column)) == (element, model)


def test_a_name_is_given_once() -> None:
    names = UniqueNames(["b"])
    assert [names.take("a"), names.take("a"), names.take("a"), names.take("b")] == ["a", "a2", "a3", "b2"]


def test_usual_names() -> None:
    assert is_identifier_name("id_patient") and is_identifier_name("numero") and not is_identifier_name("nom")
    assert is_revision_name("updatedAt") and is_revision_name("maj") and not is_revision_name("marque")
    assert is_quantity_name("qte") and not is_quantity_name("quotient")
