"""The tutorial does what it says, step by step, with real files, a real database and the simulator."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.console import run_page

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize(("page", "language"), [("tutorial.md", "en"), ("fr/tutoriel.md", "fr")])
def test_the_tutorial_runs(page: str, language: str, tmp_path: Path) -> None:
    assert run_page(DOCS / page, tmp_path, language=language) >= 10


def test_the_tutorial_has_ten_steps() -> None:
    assert len(re.findall(r"(?m)^## \d+\. ", (DOCS / "tutorial.md").read_text(encoding="utf-8"))) == 10
