"""Each recipe of the cookbook is run: its files written, its commands run, its results compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.console import run_page

DOCS = Path(__file__).resolve().parents[2] / "docs"
COOKBOOKS = {"en": DOCS / "cookbook", "fr": DOCS / "fr" / "recettes"}
RECIPES = sorted(page.stem for page in COOKBOOKS["en"].glob("*.md") if page.name != "index.md")


@pytest.mark.parametrize("language", COOKBOOKS)
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_runs(recipe: str, language: str, tmp_path: Path) -> None:
    assert run_page(COOKBOOKS[language] / f"{recipe}.md", tmp_path, language=language) >= 3


@pytest.mark.parametrize("language", COOKBOOKS)
def test_the_cookbook_names_each_recipe(language: str) -> None:
    index = (COOKBOOKS[language] / "index.md").read_text(encoding="utf-8")
    assert [name for name in RECIPES if f"]({name}.md)" not in index] == []
