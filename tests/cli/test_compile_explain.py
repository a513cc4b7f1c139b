"""`fhirmap compile --explain`: what is one function, what is not, and why; exact lines for the examples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import in_process

ROOT = Path(__file__).resolve().parents[2]
SHARED = "declaration, implant, remarks, remarksOnImplant, remarksOnLabel, remarksOnRepeats"
STAGES = "one pass: {} -> Intervention -> Parameters"
ACT = "act.upper().matches('^(NE|NF|ME)(KA|LA)')"
EXAMPLES = {
    "ch-valmorel": [
        STAGES.format("Operation"),
        f"11 groups in it: intervention, done, operation, pose, article, {SHARED}",
    ],
    "ch-lanvern": [
        STAGES.format("Operation"),
        f"9 groups in it: intervention, operation, piece, {SHARED}",
        f"examples/ch-lanvern/lanvern.map:69:14: rule `other-act` goes by items: types do not decide `{ACT}`",
    ],
    "clinique-sainte-aubierge": [
        STAGES.format("Case"),
        f"10 groups in it: intervention, done, operation, device, {SHARED}",
    ],
    "clinique-roc-noir": [
        STAGES.format("Stay"),
        f"10 groups in it: intervention, stay, insured, piece, {SHARED}",
        "examples/clinique-roc-noir/roc-noir.map:84:22: `Stay.insured` is made as a whole: `i` is also the name of "
        "another variable of this group",
        "examples/clinique-roc-noir/roc-noir.map:88:17: `Intervention` is made as a whole: two rules may write its "
        "`nir`, and the second looks at what is there",
    ],
}


@pytest.fixture(autouse=True)
def wide_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example(example: str) -> None:
    done = in_process("compile", f"examples/{example}", "--explain")
    assert done.code == 0
    assert done.out.splitlines() == EXAMPLES[example]


def test_a_map_over_fhir() -> None:
    lines = in_process("compile", "tests/cases/sources/case.map", "--explain").out.splitlines()
    assert lines == [
        "group by group: Patient -> Basic",
        "tests/cases/sources/case.map:8:7: no model reads the record: it is taken as it is given, and each group is a "
        "function",
        "tests/cases/sources/case.map:14:20: rule `name-6` goes by items: `given` may have extensions",
        "tests/cases/sources/case.map:14:111: rule `name-6` goes by items: `%g` is one",
        "tests/cases/sources/case.map:18:7: rule `gender` goes by items: `gender` may have extensions",
        "tests/cases/sources/case.map:19:29: rule `birthDate` goes by items: types do not decide `today()`",
        "9 more places go by items only where a value has extensions, or another shape or type",
    ]


def test_in_french() -> None:
    done = in_process("compile", "examples/clinique-roc-noir", "--explain", "--lang", "fr")
    assert done.out.splitlines()[0] == "en une passe\u00a0: Stay -> Intervention -> Parameters"
    assert "deux règles peuvent écrire son `nir`" in done.out


def test_as_json() -> None:
    found = json.loads(in_process("compile", "examples/clinique-roc-noir", "--explain", "--json").out)
    assert found["stages"] == ["Stay", "Intervention", "Parameters"]
    assert found["one_pass"][:2] == ["intervention", "stay"]
    assert found["whole"][1] == {
        "position": "examples/clinique-roc-noir/roc-noir.map:88:17",
        "of": "Intervention",
        "reason": "written-again",
        "cause": "nir",
    }
    assert found["by_items"] == []
    found = json.loads(in_process("compile", "examples/ch-lanvern", "--explain", "--json").out)
    (act,) = found["by_items"]
    assert (act["of"], act["reason"], act["cause"]) == ("other-act", "not-decided", ACT)


def test_a_resource_is_explained_too(tmp_path: Path) -> None:
    exported = tmp_path / "case.json"
    assert in_process("export", "tests/cases/groups/case.map", "-o", exported).code == 0
    assert in_process("compile", exported, "--explain").out.splitlines()[0] == "group by group: Patient -> Person"


def test_it_takes_no_output_and_a_right_map(tmp_path: Path) -> None:
    done = in_process("compile", "examples/ch-valmorel", "--explain", "-o", tmp_path / "out.py")
    assert done.code == 2
    assert "leave out `--output`" in done.err
    wrong = tmp_path / "wrong.map"
    wrong.write_text("group a(source x) { }")
    in_process("compile", wrong, "--explain").reported("FM114", 2)
