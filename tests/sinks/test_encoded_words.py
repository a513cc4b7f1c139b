"""Words that are text in Base64 or hexadecimal numbers; words of languages and identifiers are not."""

from __future__ import annotations

import pytest

from fhirmap.sinks.encoded_words import encoded_words


@pytest.mark.parametrize(
    "word",
    [
        "RFVQT05U",
        "RFVQT05UIE1hcmll",
        "MjAyNDA1MTAxMjM0NTY3OA==",
        "w4lsb2RpZSBEdXBvbnQ",
        "UGV0aXQ=",
        "Tmc=",
        "4455504f4e54",
    ],
)
def test_encoded(word: str) -> None:
    assert list(encoded_words(f"x: {word}.")) == [(3, 3 + len(word))]


@pytest.mark.parametrize(
    "word",
    [
        "identifier",
        "Procedure",
        "12345678",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "OperationOutcome",
        "STRUCTURE",
        "nom= ",
        "type==x",
        "value= ",
        "token= ",
        "NEKA020Z",
    ],
)
def test_not_encoded(word: str) -> None:
    assert list(encoded_words(word)) == []
