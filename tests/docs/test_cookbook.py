"""Each recipe of the cookbook is run: its files written, its commands run, its results compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.console import run_page

COOKBOOK = Path(__file__).resolve().parents[2] / "docs" / "cookbook"
RECIPES = sorted(page for page in COOKBOOK.glob("*.md") if page.name != "index.md")


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.stem)
def test_a_recipe_runs(page: Path, tmp_path: Path) -> None:
    assert run_page(page, tmp_path) >= 3


def test_the_cookbook_names_each_recipe() -> None:
    index = (COOKBOOK / "index.md").read_text(encoding="utf-8")
    assert [page.name for page in RECIPES if f"]({page.name})" not in index] == []
