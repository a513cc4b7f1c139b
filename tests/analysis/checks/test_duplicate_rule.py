"""`duplicate_rule`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.duplicate_rule import duplicate_rule
from fhirmap.language.nodes import Rule
from tests.analysis.checks.harness import reported, stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (stored(rules="src.id as v -> tgt.id = v;"), ["FM249: src.id as v -> tgt.id = v;"]),
        (
            stored(rules="src then { src.id as w -> tgt.language = w; src.id as w -> tgt.language = w; };"),
            ["FM249: src.id as w -> tgt.language = w;"],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(duplicate_rule, text) == found


@pytest.mark.parametrize(
    "text",
    [
        stored(),
        stored(rules="src.id as w -> tgt.id = w;"),
        stored(rules="src then { src.id as v -> tgt.id = v; };"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(duplicate_rule, text) == []


def test_rules_are_compared_with_their_equals_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[Rule] = []
    same = Rule.__eq__

    def counted(rule: Rule, other: object) -> bool:
        compared.append(rule)
        return same(rule, other)

    monkeypatch.setattr(Rule, "__eq__", counted)
    text = stored(rules=" ".join(f"src.id as v{number} -> tgt.language = v{number};" for number in range(50)))
    assert reported(duplicate_rule, text) == []
    assert len(compared) < 10
