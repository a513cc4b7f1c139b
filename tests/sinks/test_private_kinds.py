"""What may be of a person by what it looks like: each kind where it is, and nothing beside it."""

from __future__ import annotations

import pytest

from fhirmap.sinks.private_kinds import kinds_in, numbers_in
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


def test_words_that_are_known_are_no_names() -> None:
    assert list(kinds_in(fold("Roy NIR"), ["roy", "nir"])) == []


def test_digits_that_lie_apart_are_not_one_number() -> None:
    assert list(numbers_in(fold("12345 est plus que 1234567"))) == []
