"""The example of the language page runs, and both languages show the same one."""

from __future__ import annotations

import re
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


PAGES = ("reference/language.md", "fr/langage.md")


def models_of(page: str) -> list[str]:
    """The models that the section on models shows."""
    text = (DOCS / page).read_text(encoding="utf-8").split("\n## `model`", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^```(?:text)?\n(model .*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("model", models_of(PAGES[0])[1:])
def test_the_example_of_a_kind_of_source_is_right(model: str) -> None:
    assert [entry.message for entry in fhirmap.check(model) if entry.is_error] == []


def test_both_languages_show_the_same_models() -> None:
    english, french = map(models_of, PAGES)
    assert english == french
    assert len(english) == 9


@pytest.mark.parametrize("page", PAGES)
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
