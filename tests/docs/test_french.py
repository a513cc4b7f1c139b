"""The French pages: typography, and the same data and maps as in the English ones."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from fhirmap.runner.project_file import read_project

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted((DOCS / "fr").rglob("*.md"))
RECIPES = sorted(page.name for page in (DOCS / "cookbook").glob("*.md") if page.name != "index.md")
_BLOCK = re.compile(r"```.*?^ *```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`]*`")
_CODES = re.compile(r"FM[0-9]{3}")
_BARE_SIGN = re.compile(r"[^\s|:-] [:;?!»](?=\s|$)|« |\w[;?!](?:\s|$)", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_signs_have_a_space_that_does_not_break(page: Path) -> None:
    prose = _CODE.sub("x", _BLOCK.sub("", page.read_text(encoding="utf-8")))
    assert _BARE_SIGN.findall(prose) == []


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_has_the_data_and_the_map_of_the_english_page(name: str) -> None:
    english = _BLOCK.findall((DOCS / "cookbook" / name).read_text(encoding="utf-8"))
    french = _BLOCK.findall((DOCS / "fr" / "recettes" / name).read_text(encoding="utf-8"))
    assert [block.replace("aucune erreur …", "no errors …") for block in french] == english


@pytest.mark.parametrize("word", ["la map", "une map", "les maps", "des maps"])
def test_a_map_is_a_mapping(word: str) -> None:
    found = [page.name for page in PAGES if re.search(rf"\b{word}\b", page.read_text(encoding="utf-8"), re.IGNORECASE)]
    assert found == []


def test_the_settings_are_those_of_the_english_page() -> None:
    settings = re.compile(r"^\| [^|]*\| (`[^|]+`) \|", re.MULTILINE)
    english = settings.findall((DOCS / "reference" / "project-file.md").read_text(encoding="utf-8"))
    assert settings.findall((DOCS / "fr" / "projet.md").read_text(encoding="utf-8")) == english


@pytest.mark.parametrize(
    ("english", "french"),
    [("reference/fhirpath.md", "fr/fhirpath.md"), ("reference/reference-engine.md", "fr/moteur-de-reference.md")],
)
def test_a_page_of_the_reference_has_the_sections_and_rows_of_the_english_one(english: str, french: str) -> None:
    pages = [(DOCS / name).read_text(encoding="utf-8") for name in (english, french)]
    for sign in ("#", "|", "- "):
        counts = [sum(line.startswith(sign) for line in page.splitlines()) for page in pages]
        assert counts[0] == counts[1], sign
    for own, its in zip(*(re.findall(r"^(?:\| |- )(.*)$", page, re.MULTILINE) for page in pages), strict=True):
        assert _CODES.findall(own) == _CODES.findall(its), its


def test_the_french_of_fhirpath_has_a_word_on_all_that_the_english_has() -> None:
    described = tomllib.loads((DOCS / "reference" / "fhirpath.toml").read_text(encoding="utf-8"))
    differences = tomllib.loads((DOCS / "reference" / "fhirpath-differences.toml").read_text(encoding="utf-8"))
    french = tomllib.loads((DOCS / "fr" / "fhirpath.toml").read_text(encoding="utf-8"))
    parts = {name: 1 + ("differs" in entry) for name, entry in described.items()}
    assert {name: len(entry) for name, entry in french["functions"].items()} == parts
    assert list(french["reasons"]) == [entry["shown"][0][0] for entry in differences["difference"]]


def test_the_example_of_the_settings_is_read(tmp_path: Path) -> None:
    text = (DOCS / "fr" / "projet.md").read_text(encoding="utf-8")
    block = re.search(r"```toml\n(\[source\].*?)```", text, re.DOTALL)
    assert block is not None
    (tmp_path / "fhirmap.toml").write_text(block[1], encoding="utf-8")
    _, diagnostics = read_project(tmp_path, environ={"DB_PASSWORD": "x"})
    assert [entry.message for entry in diagnostics if entry.code in ("FM732", "FM733", "FM735")] == []
