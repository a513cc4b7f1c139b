"""The examples as they are checked in: made by the script beside, with the results that their documents give."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from importlib import util
from pathlib import Path
from types import ModuleType

import pytest
from python_calamine import CalamineWorkbook

from fhirmap.runner.engine import build_engine
from fhirmap.runner.program import check_project
from fhirmap.runner.project_file import load_project
from fhirmap.runner.source import open_project_source
from fhirmap.runner.verdict import classify

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "examples"
NAMES = ("ch-lanvern", "ch-valmorel", "clinique-roc-noir", "clinique-sainte-aubierge", "export-pharmacie")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = util.spec_from_file_location("example_data", Path(__file__).with_name("example_data.py"))
    assert spec is not None and spec.loader is not None
    module = util.module_from_spec(spec)
    import sys

    sys.modules["example_data"] = module
    spec.loader.exec_module(module)
    return module


def verdicts(name: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    engine = build_engine(load_project(EXAMPLES / name))
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    with open_project_source(engine.project, engine.plan) as source:
        for record in source.records():
            classified = classify(record, engine.result(record))
            key = f"{record.key} superseded" if record.superseded else record.key
            found[key] = (classified.verdict, classified.reasons)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_data_is_what_the_script_writes(name: str, script: ModuleType, tmp_path: Path) -> None:
    files = [file for file in script.WRITERS if file.startswith(f"{name}/")]
    assert files
    for file in files:
        made = tmp_path / Path(file).name
        script.WRITERS[file](made)
        assert _content(made) == _content(EXAMPLES / file)


def _content(path: Path) -> object:
    """What a file holds: of a workbook its rows, since its bytes are those of the version that wrote it."""
    if path.suffix == ".sqlite":
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
            return _rows(base)
    if path.suffix == ".xlsx":
        book = CalamineWorkbook.from_path(path)
        return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    return path.read_bytes()


def _rows(base: sqlite3.Connection) -> list[str]:
    """The dump without what a run of the example writes back."""
    return [line for line in base.iterdump() if 'INSERT INTO "RENACOT_RECU"' not in line]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("target", ["renacot", "renacot-2025-03", "procedure-device"])
def test_nothing_to_say_about_the_maps_whatever_the_target(name: str, target: str, tmp_path: Path) -> None:
    project = load_project(swapped(EXAMPLES / name, tmp_path, target))
    assert check_project(project).diagnostics == ()
    engine = build_engine(project)
    assert [column.name for column in engine.columns] == ["procedure", "laterality", "date", "implants", "pe_type"]
    with open_project_source(project, engine.plan) as source:
        verdicts = Counter(str(classify(record, engine.result(record)).verdict) for record in source.records())
    assert verdicts["sendable"] > verdicts["invalid"] > 0


def swapped(folder: Path, tmp_path: Path, target: str) -> Path:
    """A copy of a project whose target is another: one line of its file."""
    copy = tmp_path / folder.name
    copy.mkdir()
    for file in folder.iterdir():
        if file.is_file():
            (copy / file.name).write_bytes(file.read_bytes())
    (copy / "data").symlink_to(folder / "data")
    settings = copy / "fhirmap.toml"
    text = settings.read_text(encoding="utf-8")
    assert text.count('target = "renacot"') == 1
    settings.write_text(text.replace('target = "renacot"', f'target = "{target}"'), encoding="utf-8")
    return copy


def test_valmorel_is_as_described() -> None:
    found = verdicts("ch-valmorel")
    counts = Counter(verdict for verdict, _ in found.values())
    assert len(found) == 34
    # 24 accepted, 1 refused and 2 pending all leave the hospital; those two answers are the registry's.
    assert counts["sendable"] + counts["sendable-with-notes"] == 27
    assert counts["invalid"] == 4
    assert counts["out-of-scope"] == 3
    invalid = Counter(reason for verdict, reasons in found.values() if verdict == "invalid" for reason in reasons)
    assert invalid["required:lot"] == 2
    assert invalid["pg-requires-implants-count"] == 1
    assert invalid["nir-regex"] == 1


def test_sainte_aubierge_is_as_described() -> None:
    found = verdicts("clinique-sainte-aubierge")
    assert {key: verdict for key, (verdict, _) in found.items() if verdict != "sendable"} == {
        "CSA-2026005": "sendable-with-notes",
        "CSA-2026008": "invalid",
        "CSA-2026009": "out-of-scope",
        "CSA-2026010": "invalid",
        "CSA-2026011 superseded": "superseded",
    }


def test_export_is_as_described() -> None:
    found = verdicts("export-pharmacie")
    assert {key[-3:]: verdict for key, (verdict, _) in found.items() if verdict != "sendable"} == {
        "904": "sendable-with-notes",
        "906": "sendable-with-notes",
        "907": "invalid",
        "908": "invalid",
        "909": "invalid",
    }


def test_lanvern_is_as_described() -> None:
    found = verdicts("ch-lanvern")
    assert {key: verdict for key, (verdict, _) in found.items() if verdict != "sendable"} == {
        "LV-003 superseded": "superseded",
        "LV-005": "invalid",
        "LV-006": "sendable-with-notes",
        "LV-007": "out-of-scope",
        "LV-008": "invalid",
    }


def test_roc_noir_is_as_described() -> None:
    found = verdicts("clinique-roc-noir")
    assert {key[-1]: verdict for key, (verdict, _) in found.items() if verdict != "sendable"} == {
        "4": "sendable-with-notes",
        "5": "out-of-scope",
        "6": "sendable-with-notes",
        "7": "invalid",
        "8": "invalid",
    }


def test_no_python_in_an_establishment() -> None:
    assert not [file for file in EXAMPLES.rglob("*.py") if "__pycache__" not in file.parts]
