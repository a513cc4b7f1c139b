"""FM152: a variable that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.typed import Checked
from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.language.nodes import FPMember, FPVariable, Rule, RuleSource, RuleTarget
from fhirmap.language.visit import walk


def unused_variable(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each `as name` whose name stands nowhere below its rule (FM152)."""
    for unit in checked.program.stages:
        for group in unit.tree.groups:
            for rule in (node for node in walk(group) if isinstance(node, Rule)):
                used = mentioned(rule)
                for name, span in _declared(rule):
                    if name not in used:
                        yield Diagnostic("FM152", span, {"variable": name})


def mentioned(rule: Rule) -> set[str]:
    """Every name that a rule, its targets, calls and inline rules may read a variable by."""
    names: set[str] = set()
    for node in walk(rule):
        if isinstance(node, (RuleSource, RuleTarget)) and node.context:
            names.add(node.context)
        elif isinstance(node, FPVariable) or (isinstance(node, FPMember) and node.focus is None):
            names.add(node.name)
    return names


def _declared(rule: Rule) -> Iterator[tuple[str, Span]]:
    bound: tuple[RuleSource | RuleTarget, ...] = (*rule.sources, *rule.targets)
    for node in bound:
        if node.variable is not None and node.variable_span is not None:
            yield node.variable, node.variable_span
