"""Every code's page: its wrong map yields exactly the text that it shows, its repaired one nothing.

`pytest tests/diagnostics --accept` writes what is now yielded into the pages.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from fhirmap.diagnostics.catalog import codes, page
from fhirmap.diagnostics.explain import explain
from fhirmap.diagnostics.render import render_diagnostics
from fhirmap.interchange.packages import add_text, load_definitions
from fhirmap.interchange.structure_map import structure_map_to_text, write_structure_map
from fhirmap.language.parser import parse
from fhirmap.texts import LANGUAGES, language_of
from tests.analysis.harness import REFERENCE, definitions, diagnose

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "fhirmap"
FOLDER = Path(str(files("fhirmap.diagnostics"))) / "codes"
EXAMPLES = ("map wrong", "text rendered", "map repaired")
RUN = [code for code in codes() if set(EXAMPLES) <= set(page(code).examples)]
_LITERAL = re.compile(r"""["'](FM\d{3})["']""")
_RENDERED = re.compile(r"(?<=^```text rendered\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


def yielded(code: str, example: str) -> str:
    """What checking an example of a page shows."""
    found = page(code)
    given = found.fields.get("given", {})
    beside = {name: text.encode() for name, text in given.get("files", {}).items()}
    if given.get("import"):
        return render_diagnostics(structure_map_to_text(json.loads(found.examples[example]), "example.json")[1])
    if "export" in given:
        tree, diagnostics = parse(found.examples[example], "example.map")
        return render_diagnostics([*diagnostics, *write_structure_map(tree, given["export"]).diagnostics])
    known = definitions()
    if "definitions" in given:
        known, _ = load_definitions([REFERENCE])
        assert not [fault for name, text in given["definitions"].items() for fault in add_text(known, text, name)]
    stages = [given["before"], found.examples[example]] if "before" in given else [found.examples[example]]
    names = ("before.map", "example.map") if "before" in given else ("example.map",)
    beside_too = {"tables": given.get("columns"), "maps": given.get("maps"), "files": beside, "known": known}
    is_strict = bool(given.get("strict"))
    return render_diagnostics(diagnose(*stages, names=names, strict=is_strict, **beside_too))


@pytest.mark.parametrize("in_language", LANGUAGES)
@pytest.mark.parametrize("code", RUN)
def test_the_wrong_map_yields_the_shown_text(code: str, in_language: str, request: pytest.FixtureRequest) -> None:
    with language_of(in_language):
        shown = yielded(code, "map wrong")
        expected = page(code).examples["text rendered"]
    reported = set(re.findall(r"^\w+\[(FM\d{3})\]", shown, re.MULTILINE))
    if request.config.getoption("--accept"):
        accept(code, in_language, shown)
    else:
        assert shown == expected
    assert reported == {code}


def accept(code: str, in_language: str, shown: str) -> None:
    """Write what checking the wrong map shows into the page of a language."""
    path = (FOLDER if in_language == LANGUAGES[0] else FOLDER / in_language) / f"{code}.md"
    text = path.read_text(encoding="utf-8")
    if "```text rendered\n" in text:
        text = _RENDERED.sub(lambda _: shown, text, count=1)
    else:
        text += f"\n```text rendered\n{shown}```\n"
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("code", RUN)
def test_the_repaired_map_yields_nothing(code: str) -> None:
    assert yielded(code, "map repaired") == ""


@cache
def used_codes() -> dict[str, str]:
    """Every code that the program names, and one of the files that name it."""
    return {
        code: str(path.relative_to(ROOT))
        for path in sorted(PACKAGE.rglob("*.py"))
        for code in _LITERAL.findall(path.read_text(encoding="utf-8"))
    }


def test_every_code_has_a_page() -> None:
    assert {code: path for code, path in used_codes().items() if code not in codes()} == {}


def test_every_page_is_used() -> None:
    assert [code for code in codes() if code not in used_codes()] == []


def test_every_code_of_a_map_has_a_wrong_and_a_repaired_map() -> None:
    assert [code for code in codes() if code < "FM350" and code not in RUN] == []


@pytest.mark.parametrize("code", codes())
def test_pages_say_enough(code: str) -> None:
    found = page(code)
    assert found.severity in ("error", "warning", "note")
    assert found.title and found.title == found.title.strip()
    variants = found.fields.get("variants", {}).values()
    assert found.fields.get("message") and all(entry.get("message", "x") for entry in variants)
    prose = found.body.split("```", 1)[0].strip()
    assert len(prose) > 20, "a page explains what the code means"
    assert explain(code).startswith(f"{code}: {found.title} ({found.severity})")
