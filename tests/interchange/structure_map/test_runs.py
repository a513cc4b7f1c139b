"""A map read back from its StructureMap resource runs as its text does: every case of the language, in both shapes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import fhirmap
from fhirmap.compilation.files import read_beside
from fhirmap.compilation.mapset import MapSet, run
from fhirmap.errors import MapError
from fhirmap.interchange.formats import json_text, text_of
from fhirmap.interchange.structure_map import FhirVersion, structure_map_to_text, write_structure_map
from fhirmap.language.parser import parse
from fhirmap.records import Result
from fhirmap.runner.engine import build_engine
from fhirmap.runner.project_file import load_project
from fhirmap.runner.source import open_project_source

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ("ch-lanvern", "ch-valmorel", "clinique-roc-noir", "clinique-sainte-aubierge", "export-pharmacie")
_FENCE = re.compile(r"^```(?P<info>[^\n]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
VERSIONS: tuple[FhirVersion, ...] = ("R4", "R5")


def there_and_back(path: Path, version: FhirVersion) -> str:
    """The text of a map that went through JSON."""
    from fhirmap.analysis.workspace import load

    tree, reported = parse(path.read_text(encoding="utf-8-sig"), str(path))
    assert not [entry.message for entry in reported if entry.is_error]
    program = load([(tree, ())], read=read_beside)
    written = write_structure_map(tree, version, tables=program.stages[0].tables)
    resource = json.loads(json_text(written.resource), parse_float=Decimal)
    text, lost = structure_map_to_text(resource, path.name)
    assert lost == ()
    return text


# --- the cases of the language ----------------------------------------------------------------------------------------


def semantic_cases() -> Iterator[tuple[str, dict[str, str]]]:
    for page in sorted((ROOT / "tests" / "cases").glob("*/semantics.md")):
        for part in re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            files = {match["info"].strip(): match["text"] for match in _FENCE.finditer(part)}
            yield f"{page.parent.name} {part.partition(chr(10))[0].strip()}", files


_OUTCOMES: dict[tuple[str, ...], object] = {}


def outcome(folder: Path, files: dict[str, str]) -> object:
    """What becomes of a case's input, whose files are in ``folder``; worked out once for each text of the map."""
    parts = ((folder / "case.map").read_text(encoding="utf-8"), *files.values())
    if parts not in _OUTCOMES:
        _OUTCOMES[parts] = _outcome(folder, files)
    return _OUTCOMES[parts]


def _outcome(folder: Path, files: dict[str, str]) -> object:
    places = [folder] if any("." in name for name in files) else []
    try:
        known = MapSet(places)
        runnable = known.runnable(folder / "case.map")
    except MapError as error:
        return sorted({entry.code for entry in error.diagnostics if entry.is_error})
    result = run(runnable, json.loads(files["json input"], parse_float=Decimal))
    faults = sorted(fault.code for fault in result.faults if fault.severity == "error")
    return faults or (text_of(result.resource or {}, "json", known.definitions), [note.text for note in result.notes])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("name", "files"), [pytest.param(*case, id=case[0].replace(" ", "-")) for case in semantic_cases()]
)
def test_semantics(name: str, files: dict[str, str], version: FhirVersion, tmp_path: Path) -> None:
    for file, text in files.items():
        if "." in file:
            (tmp_path / file).write_text(text, encoding="utf-8")
    path = tmp_path / "case.map"
    path.write_text(files["map"], encoding="utf-8")
    expected = outcome(tmp_path, files)
    if any(entry.is_error for entry in parse(files["map"])[1]):
        pytest.skip("no map at all")
    path.write_text(there_and_back(path, version), encoding="utf-8")
    assert outcome(tmp_path, files) == expected


# --- the official maps ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_official_maps(shared_dir: Path, version: FhirVersion, tmp_path: Path) -> None:
    suite = shared_dir / "fml" / "suite" / "official"
    manifest = (suite / "r5" / "manifest.xml").read_text(encoding="utf-8")
    tried = 0
    for entry in re.findall(r"<test [^>]*/>", manifest):
        case = dict(re.findall(r'(\w+)="([^"]*)"', entry))
        original = suite / "r5" / case["map"]
        if original.suffix == ".json":
            continue
        path = tmp_path / original.name
        path.write_text(there_and_back(original, version), encoding="utf-8")
        known = MapSet([suite / "cda"])
        source = json.loads((suite / "r5" / case["source"]).read_text(encoding="utf-8-sig"), parse_float=Decimal)
        expected, found = known.transform(original, source), known.transform(path, source)
        assert (case["name"], _shown(found)) == (case["name"], _shown(expected))
        tried += 1
    assert tried >= 8


def _shown(result: Result) -> Any:
    return result.resource, [note.text for note in result.notes], [(fault.code, fault.path) for fault in result.faults]


def test_a_resource_runs_directly(shared_dir: Path) -> None:
    suite = shared_dir / "fml" / "suite" / "official"
    known = MapSet([suite / "cda"])
    source = json.loads((suite / "r5" / "qr.json").read_text(encoding="utf-8-sig"), parse_float=Decimal)
    runnable = known.runnable(suite / "r5" / "qr2cda-eval.json")
    expected = (suite / "r5" / "qr2cda-eval-res.xml").read_text(encoding="utf-8")
    found = text_of(run(runnable, source).resource or {}, "xml", known.definitions, runnable.target)
    assert re.sub(r"\s+", "", found) == re.sub(r"\s+", "", expected)


# --- our own maps -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("example", EXAMPLES)
def test_examples(example: str, version: FhirVersion, tmp_path: Path) -> None:
    folder = ROOT / "examples" / example
    expected = shipped_results(example)
    copy = tmp_path / example
    copy.mkdir()
    for path in folder.rglob("*"):
        if path.is_file():
            place = copy / path.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    (map_file,) = copy.glob("*.map")
    map_file.write_text(there_and_back(map_file, version), encoding="utf-8")
    assert results(copy) == expected
    assert len(expected) > 3


@cache
def shipped_results(example: str) -> list[tuple[str, Any]]:
    return results(ROOT / "examples" / example)


def results(folder: Path) -> list[tuple[str, Any]]:
    engine = build_engine(load_project(folder))
    with open_project_source(engine.project, engine.plan) as source:
        return [(str(record.key), _shown(engine.result(record))) for record in source.records()]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", sorted((ROOT / "maps").rglob("*.map")), ids=lambda path: path.name)
def test_shipped_maps_are_checked_alike(path: Path, version: FhirVersion) -> None:
    def reported(text: str) -> list[str]:
        return sorted(entry.code for entry in fhirmap.check(text, imports=[path.parent], definitions=[path.parent]))

    assert reported(there_and_back(path, version)) == reported(path.read_text(encoding="utf-8"))
