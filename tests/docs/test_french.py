"""The French pages: typography, and the same data and maps as in the English ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fhirmap.runner.project_file import read_project

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted((DOCS / "fr").rglob("*.md"))
RECIPES = sorted(page.name for page in (DOCS / "cookbook").glob("*.md") if page.name != "index.md")
_BLOCK = re.compile(r"```.*?^ *```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`]*`")
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


def test_the_example_of_the_settings_is_read(tmp_path: Path) -> None:
    text = (DOCS / "fr" / "projet.md").read_text(encoding="utf-8")
    block = re.search(r"```toml\n(\[source\].*?)```", text, re.DOTALL)
    assert block is not None
    (tmp_path / "fhirmap.toml").write_text(block[1], encoding="utf-8")
    _, diagnostics = read_project(tmp_path, environ={"DB_PASSWORD": "x"})
    assert [entry.message for entry in diagnostics if entry.code in ("FM732", "FM733", "FM735")] == []
