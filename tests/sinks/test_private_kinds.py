"""What may be of a person by what it looks like: each kind where it is, and nothing beside it."""

from __future__ import annotations

import pytest

from fhirmap.sinks.private_kinds import is_free_text, kinds_in, numbers_in
from fhirmap.texts.folded_text import fold


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("12345678901", [("number", "12345678901")]),
        ("1234567890", []),
        ("0123456789", [("number", "0123456789")]),
        ("2025-03-12", [("date", "20250312")]),
        ("12:10:09", []),
        ("127.0.0.1 v1.2.3", []),
        ("mars", []),
        ("12 mars", [("date", "12mars")]),
        ("a@b", [("address", "ab")]),
        ("@", []),
        ("bearer x", [("token", "x")]),
        ("Bearer", []),
        ("nom: roy", [("name", "roy")]),
        ("nom absent", []),
        ("Roy", [("name", "roy")]),
        ("dateNaissance StructureDefinition", []),
    ],
)
def test_kinds(words: str, found: list[tuple[str, str]]) -> None:
    folded = fold(words)
    assert [(kind, folded.letters[start:end]) for kind, start, end in kinds_in(folded)] == found


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("Patient McDonald inconnu", ["mcdonald"]),
        ("M. LeBlanc", ["leblanc"]),
        ("Nom: DeLaTour", ["delatour"]),
        ("Mme Petit", ["petit"]),
        ("Patient PETIT Camille", ["petit", "camille"]),
        ("Nom: PETIT", ["petit"]),
        ("Dr. May Grant is unknown", ["may", "grant"]),
        ("connu de Fournier et Petit", ["fournier", "petit"]),
        ("Patient Son Marie", ["marie"]),
        ("Le patient Dupatient01", ["dupatient01"]),
        ("Le patient Inconnu", []),
        ("Patient inconnu", []),
        ("PATIENT NON TROUVE", []),
        ("Patient.birthDate est absent", []),
        ("Aucun patient. Erreur", []),
        ("refus: Utilisateur inconnu", []),
    ],
)
def test_after_a_cue_a_word_with_a_capital_is_a_name(words: str, names: list[str]) -> None:
    assert _names_in(words) == names


@pytest.mark.parametrize("written", ["&Eacute;lodie", "\\u00c9lodie", "%C3%89lodie", "&#201;lodie", "%20%C3%89lodie"])
def test_a_capital_may_be_an_escape(written: str) -> None:
    assert _names_in(f"refus {written} ici") == ["elodie"]
    assert _names_in("&#68;upont %44upont") == ["dupont", "dupont"]


@pytest.mark.parametrize(
    "words",
    [
        "patientName=durand",
        "nomNaissance=durand",
        "nom_usage : durand",
        "nom de naissance: durand",
        "patientname durand",
    ],
)
def test_a_cue_may_be_in_a_key(words: str) -> None:
    assert _names_in(words) == ["durand"]


@pytest.mark.parametrize(
    "words", ["HAPI-0450: refus", "ORA-00001", "fileName=durand", "Lundi, Monday", "le Dimanche suivant"]
)
def test_codes_of_errors_and_days_are_no_names(words: str) -> None:
    assert _names_in(words) == []
    assert _names_in("LEROY-1941 DUPONT-0012") == ["leroy", "dupont"]


def _names_in(words: str) -> list[str]:
    folded = fold(words)
    return [folded.letters[start:end] for kind, start, end in kinds_in(folded) if kind == "name"]


def test_words_that_are_known_are_no_names() -> None:
    assert list(kinds_in(fold("Roy NIR"), ["roy", "nir"])) == []


def test_digits_that_lie_apart_are_not_one_number() -> None:
    assert list(numbers_in(fold("12345 est plus que 1234567"))) == []


@pytest.mark.parametrize(
    "identifier",
    [
        "DUPONT Marie 3",
        "DUPONT_Marie_3",
        "dupont-marie",
        "DUPONT%20MARIE",
        "ne 02/02/1941",
        "Dupont%20Marie",
        "DUPONT\u00a0Marie",
        "1 12 mars 1941",
    ],
)
def test_an_identifier_of_free_text(identifier: str) -> None:
    assert is_free_text(identifier)


@pytest.mark.parametrize(
    "identifier",
    [
        "RENACOT-2025-00012",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "urn:oid:1.2.250",
        "ROSE-12",
        "A/2025/12",
        "R 12",
        "12 34",
        "",
    ],
)
def test_an_ordinary_identifier(identifier: str) -> None:
    assert not is_free_text(identifier)
