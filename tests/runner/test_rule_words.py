"""Rules of the shipped targets speak French: every rule and every cause that a contract words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from fhirmap.functions import udi
from fhirmap.language.nodes import Rule
from fhirmap.language.parser import parse
from fhirmap.language.visit import walk
from fhirmap.records import Fault
from fhirmap.runner.rule_words import read_words, worded

MAPS = Path(__file__).resolve().parents[2] / "maps"
TARGETS = sorted(path.parent.name for path in MAPS.glob("*/target.toml"))


def constraints(target: str) -> list[dict[str, Any]]:
    found = []
    for path in (MAPS / target).rglob("StructureDefinition-*.json"):
        structure = json.loads(path.read_text(encoding="utf-8"))
        views = [structure.get(view, {}) for view in ("differential", "snapshot")]
        found += [
            entry for view in views for element in view.get("element", ()) for entry in element.get("constraint", ())
        ]
    return [entry for entry in found if "expression" in entry]


@pytest.mark.parametrize("target", TARGETS)
def test_each_rule_and_cause_has_french_words(target: str) -> None:
    words = read_words(MAPS / target, "fr")
    causes = {
        (rule["key"], part["valueCode"] if "valueCode" in part else part["valueString"])
        for rule in constraints(target)
        for extension in rule.get("extension", ())
        for part in extension.get("extension", ())
        if part.get("url") == "name"
    }
    wanted = {(rule["key"], "text") for rule in constraints(target)} | causes
    assert wanted == {(key, cause) for key, of_rule in words.items() for cause in of_rule}


def library_rules() -> list[Rule]:
    tree, _ = parse((MAPS / "lib" / "intervention.map").read_text(encoding="utf-8"))
    return [node for node in walk(tree) if isinstance(node, Rule)]


def test_each_note_of_the_library_has_french_words() -> None:
    notes = {rule.name for rule in library_rules() if any(source.log for source in rule.sources)}
    words = read_words(MAPS / "lib", "fr")
    assert words.keys() == notes
    assert all(entry.keys() == {"note"} for entry in words.values())


def test_each_problem_of_a_label_has_a_note_of_its_own() -> None:
    problems = set(re.findall(r"^- `([a-z-]+)`", udi.__doc__ or "", re.MULTILINE)) - {"check-digit"}
    conditions = [source.where.text for rule in library_rules() for source in rule.sources if source.where]
    assert len(problems) > 10
    assert {problem for problem in problems if f"$this = '{problem}'" in conditions} == problems


def test_a_rule_is_worded_for_its_cause() -> None:
    words = {"nir-regex": {"text": "le NIR", "blanks": "des espaces"}}
    fault = Fault("FM520", "error", rule="nir-regex", args={"human": "the NIR"}, variant="blanks")
    assert worded(fault, words).args == {"human": "des espaces", "contract": "the NIR"}
    assert worded(Fault("FM520", "error", rule="nir-regex", variant="new"), words).args["human"] == "le NIR"
    assert worded(Fault("FM504", "error", rule="nir-regex"), words).args == {}


def test_what_was_worded_in_one_language_is_worded_again_in_another() -> None:
    words = {"nir-regex": {"text": "le NIR"}}
    fault = worded(Fault("FM520", "error", rule="nir-regex", args={"human": "the NIR"}), words)
    assert worded(fault, {}).args["human"] == "the NIR"
    assert worded(worded(fault, {}), words).args["human"] == "le NIR"


def test_a_target_without_words_keeps_those_of_its_contract(tmp_path: Path) -> None:
    assert read_words(tmp_path, "fr") == {}
