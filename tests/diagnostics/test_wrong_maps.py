"""Wrong maps beside those of the pages: variants, several faults at once. Golden texts in `wrong_maps/*.md`.

A case has a wrong map (```map wrong```) and what it yields (```text rendered```); where there is a repaired map too
(```map repaired```), that yields nothing. `pytest tests/diagnostics --accept` writes what is now yielded.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fhirmap.diagnostics.render import diagnostic_to_json, diagnostic_to_line, render_diagnostics
from tests.analysis.harness import diagnose

FOLDER = Path(__file__).parent / "wrong_maps"
CASES = sorted(path.stem for path in FOLDER.glob("*.md"))
_FENCED = re.compile(r"^```(\w+ \w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_RENDERED = re.compile(r"(?<=^```text rendered\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


def blocks(case: str) -> dict[str, str]:
    return dict(_FENCED.findall((FOLDER / f"{case}.md").read_text(encoding="utf-8")))


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_reported(case: str, request: pytest.FixtureRequest) -> None:
    given = blocks(case)
    shown = render_diagnostics(diagnose(given["map wrong"]))
    if request.config.getoption("--accept"):
        path = FOLDER / f"{case}.md"
        path.write_text(_RENDERED.sub(lambda _: shown, path.read_text(encoding="utf-8"), count=1), encoding="utf-8")
    else:
        assert shown == given["text rendered"]
    assert "error[" in shown or "warning[" in shown


@pytest.mark.parametrize("case", [case for case in CASES if "map repaired" in blocks(case)])
def test_once_repaired_nothing_is_reported(case: str) -> None:
    assert render_diagnostics(diagnose(blocks(case)["map repaired"])) == ""


def test_eight_faults_of_one_map_are_reported_in_one_go() -> None:
    found = diagnose(blocks("eight-faults")["map wrong"])
    assert len(found) == 8
    assert len({entry.code for entry in found}) == 8
    assert [entry.span.line for entry in found if entry.span] == sorted(
        entry.span.line for entry in found if entry.span
    )
    for entry in found:
        assert entry.span is not None and entry.hint_text, "each has its place and says what to do"
        assert diagnostic_to_line(entry).startswith(f"example.map:{entry.span.line}:{entry.span.column}: ")
        assert diagnostic_to_json(entry)["line"] == entry.span.line
