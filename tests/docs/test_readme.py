"""What README.md and docs/ promise is run."""

from __future__ import annotations

import contextlib
import io
import re
import tomllib
from pathlib import Path

import pytest

from fhirmap.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
# Generated pages are there once the site was built, which checks their links itself.
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if "generated" not in page.parts),
]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_snippet_prints_what_the_page_shows(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("FHIRMAP_LANG", "en")
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    snippets = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", text, re.DOTALL)
    snippet, shown = snippets[number]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(snippet, {"__name__": "__main__"})
    assert printed.getvalue() == shown


def test_the_readme_has_two_commands_and_five_links() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo\nmake test\n" in text
    assert len(re.findall(r"^- .*\]\(", text, re.MULTILINE)) == 5
    assert len(text.splitlines()) <= 50


def test_the_error_of_the_first_page_is_what_check_shows(tmp_path: Path) -> None:
    from fhirmap.diagnostics.render import render_diagnostic
    from fhirmap.runner.program import check_project
    from fhirmap.runner.project_file import load_project
    from fhirmap.runner.scaffold import copy_example

    shown = next(b for b in blocks(ROOT / "docs" / "index.md", "text") if b.startswith("error["))
    folder = copy_example("ch-valmorel", tmp_path / "hospital")
    map_file = folder / "valmorel.map"
    map_file.write_text(map_file.read_text(encoding="utf-8").replace("tgt.side = ", "tgt.sidee = "), encoding="utf-8")
    checked = check_project(load_project(folder))
    (error,) = [entry for entry in checked.diagnostics if entry.is_error]
    assert render_diagnostic(error).replace(f"{tmp_path}/", "") + "\n" == shown


def test_every_command_is_in_the_documentation() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    missing = [name for name in COMMANDS if f"fhirmap {name}" not in text]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
        if "generated/" in link:
            continue  # written when the site is built, and checked by `make docs`
        assert (page.parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_toml_in_pages_is_toml(page: Path) -> None:
    for block in blocks(page, "toml"):
        tomllib.loads(block)


def test_the_settings_of_the_documentation_are_those_of_the_program(tmp_path: Path) -> None:
    """Every key that docs/reference/project-file.md shows is accepted by the reader, which refuses unknown ones."""
    from fhirmap.runner.project_file import read_project

    block = next(b for b in blocks(ROOT / "docs" / "reference" / "project-file.md", "toml") if b.startswith("[source]"))
    (tmp_path / "fhirmap.toml").write_text(block, encoding="utf-8")
    _, diagnostics = read_project(tmp_path, environ={"RENACOT_SECRET": "x", "DB_PASSWORD": "x"})
    unknown = [entry.message for entry in diagnostics if entry.code in ("FM732", "FM733", "FM735")]
    assert not unknown
