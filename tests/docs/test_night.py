"""The night page has every exit code there is, and the list that it names every code that ends a run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fhirmap.cli import faults
from fhirmap.diagnostics.catalog import codes, page

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXIT_CODES = {value for name, value in vars(faults).items() if name.startswith("EXIT_")}


@pytest.mark.parametrize("place", ["operations/night.md", "fr/nuit.md"])
def test_each_exit_code_has_its_row_and_its_section(place: str) -> None:
    text = (DOCS / place).read_text(encoding="utf-8")
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == EXIT_CODES
    assert {int(code) for code in re.findall(r"^## (\d+)", text, re.MULTILINE)} == EXIT_CODES
    assert {faults.exit_code(code) for code in codes()} <= EXIT_CODES


@pytest.mark.parametrize("place", ["operations/night.md", "fr/nuit.md"])
def test_a_code_that_is_named_has_the_exit_code_of_its_section(place: str) -> None:
    sections = re.split(r"^## ", (DOCS / place).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    named = 0
    for section in sections:
        for code in re.findall(r"FM\d{3}", section):
            named += 1
            assert section.startswith(str(faults.exit_code(code))), code
            assert page(code).severity == "error"
    assert named > 8


def test_both_languages_have_the_same_sections_and_points() -> None:
    english, french = ((DOCS / place).read_text(encoding="utf-8") for place in ("operations/night.md", "fr/nuit.md"))
    for sign in ("## ", "- **", "| "):
        assert english.count(f"\n{sign}") == french.count(f"\n{sign}"), sign
    assert re.findall(r"FM\d{3}", english) == re.findall(r"FM\d{3}", french)
