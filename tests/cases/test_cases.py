"""Golden cases: each folder has a map, its records, what becomes of them, and the Python that was generated.

`pytest tests/cases --accept` writes what is now yielded in place of what was expected.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import fhirmap
from fhirmap.records import Result

HERE = Path(__file__).resolve().parent
CASES = sorted(path.parent.name for path in HERE.glob("*/case.map"))


def as_data(result: Result) -> dict[str, Any]:
    """A result as JSON shows it."""
    shown: dict[str, Any] = {"resource": result.resource}
    if result.notes:
        shown["notes"] = [f"{note.position} {note.text}" for note in result.notes]
    if result.faults:
        shown["faults"] = [
            " ".join(part for part in (fault.position, fault.code, fault.path, ",".join(fault.columns)) if part)
            for fault in result.faults
        ]
    return shown


def number(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else str(value)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = HERE / name
    monkeypatch.chdir(folder)
    transformer = fhirmap.compile_map("case.map", imports=["."], validate=False)
    records = json.loads((folder / "records.json").read_text(encoding="utf-8"), parse_float=Decimal)
    found = [as_data(transformer(record)) for record in records]
    expected, generated = folder / "expected.json", folder / "generated.py"
    if request.config.getoption("--accept"):
        text = json.dumps(found, indent=1, ensure_ascii=False, default=number) + "\n"
        expected.write_text(text, encoding="utf-8")
        generated.write_text(transformer.source, encoding="utf-8")
    assert json.loads(json.dumps(found, default=number)) == json.loads(expected.read_text(encoding="utf-8"))
    assert transformer.source == generated.read_text(encoding="utf-8")
