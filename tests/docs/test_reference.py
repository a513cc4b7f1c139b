"""The generated reference describes everything there is, in both languages, and what it shows of FHIRPath is so."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fhirmap.analysis.expression_functions import FUNCTIONS
from fhirmap.analysis.transforms import TRANSFORMS
from fhirmap.cli import COMMANDS
from fhirmap.compiler.fhirpath import compile_expression
from fhirmap.diagnostics.catalog import codes
from fhirmap.diagnostics.catalog import page as page_of
from fhirmap.model.definition import Definitions
from tests.cases.test_fhirpath import as_list, evaluated

ROOT = Path(__file__).resolve().parents[2]
DESCRIBED: dict[str, dict[str, Any]] = tomllib.loads(
    (ROOT / "docs" / "reference" / "fhirpath.toml").read_text(encoding="utf-8")
)
DIFFERENCES: dict[str, Any] = tomllib.loads(
    (ROOT / "docs" / "reference" / "fhirpath-differences.toml").read_text(encoding="utf-8")
)
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "managingOrganization": {"reference": "#o"},
    "contained": [{"resourceType": "Organization", "id": "o", "name": "N"}],
}


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "tools" / "reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(reference: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    reference.write_reference(folder)
    return folder


@pytest.mark.parametrize("language", ["en", "fr"])
def test_commands_and_codes_are_described_in_each_language(pages: Path, language: str) -> None:
    commands = (pages / language / "commands.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"\n## `fhirmap {name}`\n" not in commands] == []
    index = (pages / language / "codes" / "index.md").read_text(encoding="utf-8")
    assert [code for code in codes() if f"| [{code}]({code}.md) |" not in index] == []
    assert [code for code in codes() if not (pages / language / "codes" / f"{code}.md").exists()] == []


def test_functions_and_transforms_are_described(pages: Path) -> None:
    assert list(DESCRIBED) == list(FUNCTIONS)
    transforms = tomllib.loads((ROOT / "docs" / "reference" / "transforms.toml").read_text(encoding="utf-8"))
    assert list(transforms) == list(TRANSFORMS)
    for language in ("en", "fr"):
        assert "parseUdi(" in (pages / language / "functions.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name, entry in DESCRIBED.items() if "shows" in entry])
def test_what_is_shown_of_fhirpath_is_so(name: str) -> None:
    expression, wanted = DESCRIBED[name]["shows"]
    (found,) = compile_expression(expression, "Patient", Definitions())(PATIENT)
    assert repr(found) == wanted


@pytest.mark.parametrize(("language", "folder"), [("en", "reference"), ("fr", "fr")])
def test_the_page_on_fhirpath_is_up_to_date(reference: ModuleType, language: str, folder: str, tmp_path: Path) -> None:
    # `python tools/reference.py docs/reference/generated` writes it.
    reference.write_fhirpath(tmp_path / "fhirpath.md", language)
    page = (ROOT / "docs" / folder / "fhirpath.md").read_text(encoding="utf-8")
    assert (tmp_path / "fhirpath.md").read_text(encoding="utf-8") == page
    assert [name for name in FUNCTIONS if f"| `{name}(" not in page] == []


@pytest.mark.parametrize(
    ("expression", "here"), [(shown[0], shown[1]) for entry in DIFFERENCES["difference"] for shown in entry["shown"]]
)
def test_what_differs_from_another_engine_is_so(expression: str, here: str) -> None:
    found = evaluated(expression, "items")
    given = ["true" if item is True else "false" if item is False else str(item) for item in as_list(found)]
    assert given == ([] if here == "{}" else [here])


def test_it_is_the_same_each_time(reference: ModuleType, pages: Path, tmp_path: Path) -> None:
    reference.write_reference(tmp_path)
    for page in pages.rglob("*.md"):
        assert (tmp_path / page.relative_to(pages)).read_bytes() == page.read_bytes(), page.name


@pytest.mark.parametrize("code", ["en", "fr"])
def test_what_ends_a_run_is_listed_with_what_it_asks_for(reference: ModuleType, tmp_path: Path, code: str) -> None:
    reference.write_reference(tmp_path)
    text = (tmp_path / code / "stops.md").read_text(encoding="utf-8")
    ending = {name for name in codes() if name[2] in "6789" and page_of(name).severity == "error"}
    rows = {line.partition("]")[0][3:]: line for line in text.splitlines() if line.startswith("| [FM")}
    assert set(rows) == ending
    assert page_of("FM803", code).fields["hint"] in rows["FM803"]
