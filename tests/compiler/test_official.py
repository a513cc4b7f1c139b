"""The official mapping cases with JSON results, and what the reference engine's own test asserts on other maps."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import fhirmap
from fhirmap.records import Result


def run(folder: Path, map_name: str, source: str) -> Result:
    transformer = fhirmap.compile_map(folder / map_name, validate=False)
    text = (folder / source).read_text(encoding="utf-8-sig")
    return transformer(json.loads(text, parse_float=Decimal))


def cases(folder: Path) -> list[dict[str, str]]:
    manifest = (folder / "manifest.xml").read_text(encoding="utf-8")
    found = [dict(re.findall(r'(\w+)="([^"]*)"', entry)) for entry in re.findall(r"<test [^>]*/>", manifest)]
    return [entry for entry in found if entry["output"].endswith(".json")]


def test_official_cases(shared_dir: Path) -> None:
    folder = shared_dir / "fml" / "suite" / "official" / "r5"
    tried = cases(folder)
    assert len(tried) == 6
    for case in tried:
        result = run(folder, case["map"], case["source"])
        expected = json.loads((folder / case["output"]).read_text(encoding="utf-8"), parse_float=Decimal)
        assert (case["name"], result.resource, result.faults) == (case["name"], expected, ())


def resource(shared_dir: Path, map_name: str, source: str) -> dict[str, Any]:
    result = run(shared_dir / "fml" / "suite" / "official" / "r5", map_name, source)
    assert result.resource is not None
    return result.resource


def test_casts(shared_dir: Path) -> None:
    extensions = resource(shared_dir, "cast.map", "qrext.json")["extension"]
    values = [str(value) for entry in extensions for name, value in entry.items() if name.startswith("value")]
    assert values == ["implicit", "explicit", "2147483647", "2147483647"]


def test_dates_of_choices(shared_dir: Path) -> None:
    patient = resource(shared_dir, "qr2patfordates.map", "qrext.json")
    assert (patient["birthDate"], patient["deceasedDateTime"]) == ("2023-10-26", "2023-09-20T13:19:13.502Z")


def test_where_on_each_item(shared_dir: Path) -> None:
    rest = resource(shared_dir, "whereclause.map", "capabilitystatement-example.json")["rest"]
    codes = [entry["code"] for server in rest for part in server["resource"] for entry in part["interaction"]]
    assert "create" in codes


def test_the_guides_examples_compile(shared_dir: Path) -> None:
    folder = shared_dir / "fml" / "suite" / "ig-examples"
    paths = sorted(folder.glob("*.fml"))
    assert paths
    for path in paths:
        fhirmap.compile_map(path)
