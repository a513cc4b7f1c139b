"""The example of the language page runs, and both languages show the same one."""

from __future__ import annotations

from pathlib import Path

import pytest

import fhirmap
from tests.docs.console import ShownFile, steps

DOCS = Path(__file__).resolve().parents[2] / "docs"
PATIENT = {
    "resourceType": "Patient",
    "id": "1",
    "gender": "male",
    "birthDate": "2001-01-01",
    "name": [{"given": ["Ann"]}, {"family": "Example", "given": ["Bo"]}],
    "telecom": [{"use": "home", "value": "0"}, {"use": "work", "value": "1"}],
}


@pytest.mark.parametrize("page", ["reference/language.md", "fr/langage.md"])
def test_the_example_runs(page: str) -> None:
    (example,) = [step for step in steps((DOCS / page).read_text(encoding="utf-8")) if isinstance(step, ShownFile)]
    assert fhirmap.check(example.text, name=example.path) == ()

    result = fhirmap.compile_map(example.text, name=example.path)(PATIENT)

    assert [note.text for note in result.notes] == ["named"]
    assert result.resource is not None
    assert result.resource["entry"] == [
        {
            "resource": {
                "resourceType": "Person",
                "id": "1",
                "gender": "male",
                "birthDate": "2001-01-01",
                "active": True,
                "name": [{"family": "Example", "given": ["BO"]}],
                "telecom": [{"use": "home", "value": "0"}],
            }
        }
    ]
