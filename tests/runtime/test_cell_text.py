"""Texts of cells that are none: read as absent or mended, and always a warning."""

from __future__ import annotations

import doctest
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fhirmap.records import Fault
from fhirmap.runtime import cell_text
from fhirmap.runtime.cell_text import is_no_value, is_odd, is_odd_day, mended
from fhirmap.runtime.reading import Cell

CELL = Cell("Pose.lot", "POSE.LOT", "string", "m.map:1:1", "LOT")
WORDS = ["NULL", "null", "(null)", "<NULL>", "\\N", "None", "nil", "NaN", "nan", "N/A", "n/a", "N.A.", "NA", "<NA>"]
WORDS += ["#N/A", "#NA", "#REF!", "#VALUE!", "#VALEUR!", "#DIV/0!", "#NAME?", "#NOM ?", "#NUM!", "#NULL!", "#NUL!"]
WORDS += ["-", "--", "---", "\u2013", "\u2014", "?", "??", "########", "undefined", "(vide)"]
WORDS += ['="NULL"', '="#N/A"', '="1,20E+05"', "'1,20E+05"]
WORDS += ['="', "'", "=A12", "=RECHERCHEV(A1;B:C;2)", '="123']


def test_examples_of_the_documentation() -> None:
    assert doctest.testmod(cell_text).failed == 0


@pytest.mark.parametrize("text", WORDS)
def test_a_word_of_absence_is_no_value(text: str) -> None:
    faults: list[Fault] = []
    assert is_odd(text)
    assert mended(text, CELL, faults) == ""
    (fault,) = faults
    variant = (
        "exponent"
        if "E+" in text
        else "word"
        if text.startswith(('="N', '="#'))
        else "torn"
        if text[0] in "='"
        else "word"
    )
    assert (fault.code, fault.variant, fault.severity, fault.columns) == ("FM459", variant, "warning", ("POSE.LOT",))


@pytest.mark.parametrize(
    "text", ["1,20E+05", "1.23457E+11", "2e+12", "1,5E-07", "1,20E5", "1.2E5", "+1,20E+05", "-1.5E-3"]
)
def test_a_number_without_its_digits_is_no_value(text: str) -> None:
    faults: list[Fault] = []
    assert is_odd(text)
    assert mended(text, CELL, faults) == ""
    assert [(fault.code, fault.variant) for fault in faults] == [("FM459", "exponent")]


@pytest.mark.parametrize(
    ("text", "plain", "variant"),
    [
        ("1.49113897061759E14", "149113897061759", "exponent"),
        ("1,0999000010e+10", "10999000010", "exponent"),
        ('="00123"', "00123", "formula"),
        ('="A12 B"', "A12 B", "formula"),
        ("=00123", "00123", "formula"),
        ("'00123", "00123", "apostrophe"),
        ("'2840510A", "2840510A", "apostrophe"),
        ("12345.0", "12345", "number"),
        ("00123,00", "00123", "number"),
        ("1\u202f234", "1234", "number"),
        ("12\u00a0345,00", "12345", "number"),
        ("A12\u200b", "A12", "invisible"),
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
        *["A213B456", "NULLE", "NARBONNE", "Na", "12345", "1.5", "A-12", "-12", "12E345X", "#12A", "s'1", "1223"],
        *["'s Hertogenbosch", "2 84 05 10 123 456 78", "=/A9999XYZ100T0944", "(01)04012345678901", "Nilsson", "0", "X"],
        *[
            "Tige fémorale\u00a0: taille 5",
            "Dr Sans",
            "2025-03",
            "20250314",
            "45/03/2025",
            "12-03-25",
            "1/2025/3",
            "Vis 4.0",
            "A213E45",
            "ABC-12",
            "112",
        ],
    ],
)
def test_other_texts_are_left_alone(text: str) -> None:
    faults: list[Fault] = []
    assert mended(text, CELL, faults) == text
    assert not faults


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        *((text, "word") for text in ("néant", "NEANT", "Inconnu", "SANS", "S/O", "n.r.", "non renseigné", "XXX")),
        *((text, "word") for text in ("VRAI", "FAUX", "TRUE", "false", "????", "...", "sans objet", "0000")),
        *((text, "exponent") for text in ("12E3", "12345E-2", "1e12", "5E-12")),
        *((text, "number") for text in ("0.0", "1.0", "12,00", "1 234", "12 345 678,0")),
        *((text, "date") for text in ("Mar-12", "mars-12", "12-Mar", "3-déc", "févr.-12", "sept-25", "août-03")),
        *(
            (text, "day")
            for text in ("2025-03-14", "14/03/2025", "3/14/2025", "14/03/25", "14.03.2025", "14-mars-2025")
        ),
        *((text, "day") for text in ("12-Mar-25", "2025-03-12 00:00:00", "12/03/2025 0:00", "2025/03/12")),
        *((text, "digit") for text in ("9999", "1111111111111")),
        ("A12\u00a0B45", "blank"),
    ],
)
def test_what_may_be_no_value_is_kept_with_a_warning(text: str, variant: str) -> None:
    faults: list[Fault] = []
    assert is_odd(text)
    assert mended(text, CELL, faults) == text
    assert [(fault.code, fault.variant, fault.severity) for fault in faults] == [("FM465", variant, "warning")]


MONTHS = ["jan", "janv", "janv.", "fév", "fevr", "févr.", "feb", "mar", "mars", "apr", "avr", "avr.", "mai", "may"]
MONTHS += ["jun", "june", "juin", "jul", "juil", "juil.", "aug", "aout", "août", "sep", "sept", "sept.", "oct", "oct."]
MONTHS += ["nov", "nov.", "dec", "déc", "déc."]


@pytest.mark.parametrize("month", MONTHS)
def test_every_month_with_a_number_is_odd(month: str) -> None:
    for named in (month, month.title(), month.upper()):
        for text in (f"{named}-3", f"{named}-12", f"3-{named}", f"12-{named}", f"12-{named}-2025"):
            faults: list[Fault] = []
            assert is_odd(text)
            assert mended(text, CELL, faults) == text
            assert [fault.code for fault in faults] == ["FM465"]


@pytest.mark.parametrize(
    "text", ["TIG-1", "CUP-52", "LOT-12", "12-ABC", "A213B456", "Tige f\u00e9morale", "NO\u00cbL", "INSERT"]
)
def test_a_reference_is_not_looked_at_closely(text: str) -> None:
    assert not is_odd(text)


@pytest.mark.parametrize(
    ("text", "options", "doubted"),
    [
        ("14/03/2025", {"is_date": True}, False),
        ("mars-12", {"is_date": True}, False),
        ("INCONNU", {"is_date": True}, True),
        ("VRAI", {"is_flag": True}, False),
        ("false", {"is_flag": True}, False),
        ("SANS", {"is_flag": True}, True),
        ("14/03/2025", {"is_flag": True}, True),
    ],
)
def test_what_rules_make_of_a_text_is_no_doubt(text: str, options: dict[str, Any], doubted: bool) -> None:
    faults: list[Fault] = []
    assert mended(text, replace(CELL, **options), faults) == text
    assert [fault.code for fault in faults] == (["FM465"] if doubted else [])


SIGNS = "0123456789.,eE+-='\"#?_*/\\()[]<> XxNnAaUuLl!é\u00a0\u202f\u2014\u200b\ufeff"
DATES = replace(CELL, is_date=True)
PATTERNS = [cell_text._ODD, *cell_text._DOUBT.values()]
SHAPED = st.one_of(
    st.one_of([st.from_regex(pattern, fullmatch=True) for pattern in PATTERNS]),
    st.sampled_from(sorted(cell_text._DOUBTFUL)),
    st.sampled_from(sorted(cell_text._DOUBTFUL)).map(str.title),
    st.text(SIGNS, min_size=1, max_size=30),
    st.text(min_size=1, max_size=12),
)


@settings(max_examples=300, deadline=None)
@given(text=SHAPED)
@example(text="0" * 40)
@example(text="0" * 25 + ".0")
@example(text="#" * 30)
@example(text="12E3")
@example(text="1.5E-07")
@example(text="12-e")
def test_nothing_that_mended_looks_at_is_missed(text: str) -> None:
    trimmed = text.strip()
    if not trimmed:
        return
    for written in (trimmed, trimmed.upper().strip(), trimmed.lower().strip()):
        faults: list[Fault] = []
        found = mended(written, CELL, faults)
        assert is_odd(written) or (found == written and not faults)
        of_dates: list[Fault] = []
        assert is_odd_day(written) or (mended(written, DATES, of_dates) == written and not of_dates)
        assert found == written or faults


def test_a_key_is_no_word_of_absence() -> None:
    assert all(map(is_no_value, ("NULL", "#REF!", "-", "1,20E+05", '="')))
    assert not is_no_value("1.49113897061759E14")
    assert is_no_value("1.4911389706175E14")
    assert all(map(is_no_value, ('="NULL"', '="-"', "'1,20E+05", "\u200bNULL", "\u200b")))
    assert not any(map(is_no_value, ("1042", '="1042"', "'00123", "A|1", "SANS", "12E3", "12345.0", "")))
