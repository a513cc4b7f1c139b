"""FM242: a group that calls itself on the same item, without a condition that could end it."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.typed import TypedCall, TypedGroup, TypedRule
from fhirmap.diagnostics import Diagnostic
from fhirmap.language.nodes import RuleSource


def endless_recursion(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each call that always leads back to its own group (FM242).

    Only calls that nothing can hold back count: sources without element, filter or condition.

    Spec: FML, groups, dependent rules: a group may call itself.
    """
    for group in checked.groups:
        for call in _certain(group.rules):
            if _leads_to(call.group, group, set()):
                yield Diagnostic("FM242", call.node.span, {"group": group.name})


def _certain(rules: tuple[TypedRule, ...]) -> Iterator[TypedCall]:
    """Calls of rules that fire whenever their group runs."""
    for rule in rules:
        if all(_always(source.node) for source in rule.sources):
            yield from rule.calls
            yield from _certain(rule.rules)


def _always(source: RuleSource) -> bool:
    return not (source.elements or source.type or source.where or source.check or source.search or source.list_mode)


def _leads_to(group: TypedGroup, goal: TypedGroup, passed: set[TypedGroup]) -> bool:
    if group is goal:
        return True
    if group in passed:
        return False
    passed.add(group)
    return any(_leads_to(call.group, goal, passed) for call in _certain(group.rules))
