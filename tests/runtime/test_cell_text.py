"""Texts of cells that are none: read as absent or mended, and always a warning."""

from __future__ import annotations

import doctest

import pytest

from fhirmap.records import Fault
from fhirmap.runtime import cell_text
from fhirmap.runtime.cell_text import is_odd, mended
from fhirmap.runtime.reading import Cell

CELL = Cell("Pose.lot", "POSE.LOT", "string", "m.map:1:1", "LOT")
WORDS = ["NULL", "null", "(null)", "<NULL>", "\\N", "None", "nil", "NaN", "nan", "N/A", "n/a", "N.A.", "NA", "<NA>"]
WORDS += ["#N/A", "#NA", "#REF!", "#VALUE!", "#VALEUR!", "#DIV/0!", "#NAME?", "#NOM ?", "#NUM!", "#NULL!", "#NUL!"]
WORDS += ["-", "--", "---", "\u2013", "\u2014", "?", "??", "########", "undefined", "(vide)"]


def test_examples_of_the_documentation() -> None:
    assert doctest.testmod(cell_text).failed == 0


@pytest.mark.parametrize("text", WORDS)
def test_a_word_of_absence_is_no_value(text: str) -> None:
    faults: list[Fault] = []
    assert is_odd(text)
    assert mended(text, CELL, faults) == ""
    (fault,) = faults
    assert (fault.code, fault.variant, fault.severity, fault.columns) == ("FM459", "word", "warning", ("POSE.LOT",))


@pytest.mark.parametrize("text", ["1,20E+05", "1.23457E+11", "2e+12", "2,99911E+12", "1,5E-07"])
def test_a_number_without_its_digits_is_no_value(text: str) -> None:
    faults: list[Fault] = []
    assert is_odd(text)
    assert mended(text, CELL, faults) == ""
    assert [(fault.code, fault.variant) for fault in faults] == [("FM459", "exponent")]


@pytest.mark.parametrize(
    ("text", "plain", "variant"),
    [
        ('="00123"', "00123", "formula"),
        ('="A12 B"', "A12 B", "formula"),
        ("=00123", "00123", "formula"),
        ("'00123", "00123", "apostrophe"),
        ("'2840510A", "2840510A", "apostrophe"),
        ("12345.0", "12345", "number"),
        ("00123,00", "00123", "number"),
    ],
)
def test_what_a_text_was_is_read(text: str, plain: str, variant: str) -> None:
    faults: list[Fault] = []
    assert is_odd(text)
    assert mended(text, CELL, faults) == plain
    assert [(fault.code, fault.variant, fault.severity) for fault in faults] == [("FM460", variant, "warning")]
    assert plain not in repr(faults)


@pytest.mark.parametrize(
    "text",
    [
        *["A213B456", "NULLE", "NARBONNE", "Na", "12345", "4.0", "1.5", "A-12", "-12", "1E12", "5E-12", "#12A", "s'1"],
        *["'s Hertogenbosch", "2 84 05 10 123 456 78", "=/A9999XYZ100T0944", "(01)04012345678901", "Nilsson", "0"],
    ],
)
def test_other_texts_are_left_alone(text: str) -> None:
    faults: list[Fault] = []
    assert mended(text, CELL, faults) == text
    assert not faults
