"""Pages are written in plain words."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.vocabulary import odd_words

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ROOT / "docs" / "reference" / "generated"
FIRST = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")]
PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if GENERATED not in page.parents]


@pytest.mark.parametrize("page", [*FIRST, *PAGES], ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_has_plain_words(page: Path) -> None:
    assert odd_words(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", ["fhirpath", "transforms", "json"])
def test_descriptions_have_plain_words(name: str) -> None:
    described = tomllib.loads((ROOT / "docs" / "reference" / f"{name}.toml").read_text(encoding="utf-8"))
    assert [text for text in texts_of(described) if odd_words(text)] == []


def texts_of(value: object) -> list[str]:
    """Every text in a table of tables; its keys are names."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_of(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts_of(item)]
    return [value] if isinstance(value, str) else []
