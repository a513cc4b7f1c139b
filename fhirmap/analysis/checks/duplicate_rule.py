"""FM249: the same rule twice in one block."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic, Related
from fhirmap.language.nodes import Rule
from fhirmap.texts import Text


def duplicate_rule(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each rule that repeats one before it word for word (FM249).

    Spec: FML, rules.
    """
    for unit in checked.program.units:
        for group in unit.tree.groups:
            yield from _repeated(group.rules)


def _repeated(rules: tuple[Rule, ...]) -> Iterator[Diagnostic]:
    known: dict[Rule, Rule] = {}
    for rule in rules:
        first = known.setdefault(rule, rule)
        if first is not rule:
            yield Diagnostic("FM249", rule.span, related=(Related(first.span, Text("labels.first_here")),))
        elif rule.dependent is not None:
            yield from _repeated(rule.dependent.rules or ())
