"""What the decorator and the annotations declare to a map."""

from __future__ import annotations

import doctest
from decimal import Decimal
from importlib import import_module
from typing import Any, NotRequired, TypedDict

import pytest

from fhirmap.plugins import BUILT_IN
from fhirmap.runtime import functions
from fhirmap.runtime.functions import FhirDate, function, functions_of, signature_of


class Piece(TypedDict, total=False):
    lot: str
    expiry: FhirDate
    problems: list[str]


class Whole(TypedDict):
    number: int
    piece: NotRequired[Piece]


@function
def first_of_many(texts: list[str], default: str | None = None) -> Whole:
    """A whole.

    More.
    """
    return {"number": len(texts)}


@function("amountOf")
def amount(value: Decimal, rounded: bool = False) -> Decimal | None:
    """An amount."""
    return value if rounded else None


def test_examples_of_the_documentation() -> None:
    assert doctest.testmod(functions).failed == 0


def test_signature() -> None:
    found = signature_of(first_of_many)
    assert found.name == "firstOfMany"
    assert found.display == "firstOfMany(texts : string[], [default : string]) : structure"
    assert found.summary == "A whole."
    assert found.result.elements["number"].name == "integer"
    piece = found.result.elements["piece"]
    assert piece.optional
    assert piece.elements["expiry"].name == "date"
    assert (piece.elements["problems"].name, piece.elements["problems"].repeats) == ("string", True)


def test_a_name_of_its_own() -> None:
    found = signature_of(amount)
    assert (found.name, found.python_name, found.result.name, found.result.optional) == (
        "amountOf",
        "amount",
        "decimal",
        True,
    )
    assert [entry.required for entry in found.parameters] == [True, False]


def test_what_maps_have_no_type_for_is_refused() -> None:
    @function
    def odd(value: dict[str, Any]) -> str:
        return str(value)

    with pytest.raises(TypeError, match="no type for"):
        signature_of(odd)


@pytest.mark.parametrize("module", BUILT_IN["fhirmap.functions"].values())
def test_every_built_in_is_documented_with_an_example(module: str) -> None:
    found = functions_of(import_module(module))
    assert found
    for entry in found:
        assert entry.summary.endswith((".", "?")) or "." in entry.summary, entry.name
        assert ">>>" in entry.doc, entry.name
