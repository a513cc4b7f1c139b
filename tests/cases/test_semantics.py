"""Cases of the language, one heading each: a map, an input, what becomes of it.

An expectation holds the `result`, or the codes of the record's `faults` or of the map's `diagnostics` (errors alone; a
code may be cut short), and the texts of `notes`. Further fences hold other files by name, for imports and definitions.
Each case runs twice, and as a module of its own, which must give the same bytes, and must leave its input as it was.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhirmap.compilation.contract import target_contract
from fhirmap.compilation.mapset import MapSet, Runnable, run
from fhirmap.compilation.transformers import transformer_of
from fhirmap.errors import MapError
from fhirmap.interchange.formats import json_text, text_of

HERE = Path(__file__).resolve().parent
_FENCE = re.compile(r"^```(?P<info>[^\n]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Case:
    """One heading of a page."""

    feature: str
    name: str
    files: dict[str, str]


def cases() -> list[Case]:
    found = []
    for page in sorted(HERE.glob("*/semantics.md")):
        for part in re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            files = {match["info"].strip(): match["text"] for match in _FENCE.finditer(part)}
            found.append(Case(page.parent.name, part.partition("\n")[0].strip(), files))
    return found


def outcome(case: Case, folder: Path) -> dict[str, Any]:
    map_file = folder / "case.map"
    map_file.write_text(case.files["map"], encoding="utf-8")
    for name, text in case.files.items():
        if "." in name:
            (folder / name).write_text(text, encoding="utf-8")
    places = [folder] if any("." in name for name in case.files) else []
    try:
        known = MapSet(places)
        runnable = known.runnable(map_file)
    except MapError as error:
        return {"diagnostics": [entry.code for entry in error.diagnostics if entry.is_error]}
    content = json.loads(case.files["json input"], parse_float=Decimal)
    before = deepcopy(content)
    result = run(runnable, content)
    assert content == before
    again = run(known.runnable(map_file), content)
    alone = run(compiled_alone(runnable), content)
    for other in (again, alone):
        assert text_of(result.resource or {}, "json", known.definitions) == text_of(
            other.resource or {}, "json", known.definitions
        )
        assert (result.faults, result.notes) == (other.faults, other.notes)
    faults = [fault.code for fault in result.faults if fault.severity == "error"]
    found: dict[str, Any] = {"faults": faults} if faults else {"result": result.resource}
    if result.notes:
        found["notes"] = [note.text for note in result.notes]
    return found


def compiled_alone(runnable: Runnable) -> Runnable:
    """The same map as a module that shares no group with others, as `compile_map` makes it."""
    alone = replace(runnable)
    vars(alone)["transformer"] = transformer_of(runnable.maps, contract=target_contract(runnable.checked))
    return alone


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.feature}-{case.name}".replace(" ", "-"))
def test_semantics(case: Case, tmp_path: Path) -> None:
    expected = json.loads(case.files["json expected"], parse_float=Decimal)
    found = outcome(case, tmp_path)
    if "diagnostics" in expected:
        assert "diagnostics" in found, found
        assert len(found["diagnostics"]) >= len(expected["diagnostics"])
        for got, code in zip(found["diagnostics"], expected["diagnostics"], strict=False):
            assert got.startswith(code)
        return
    if "faults" in expected:
        assert found.get("faults") == expected["faults"], found
        return
    # As text: 1.50 is not 1.5, and true is not 1.
    assert json_text(_sorted(found)) == json_text(_sorted(expected))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(entry) for entry in value] if isinstance(value, list) else value
