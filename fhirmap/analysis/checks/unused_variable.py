"""FM152: a variable that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic, Span, Subject, SubjectKind
from fhirmap.language.nodes import FPMember, FPVariable, Group, Let, Map, Rule, RuleSource, RuleTarget
from fhirmap.language.visit import walk
from fhirmap.texts import Text


def unused_variable(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each `as name` whose name is used nowhere below its rule (FM152).

    Spec: FML, rules, variables; `let` constants.
    """
    for unit in checked.program.stages:
        yield from _constants(unit.tree)
        for group in unit.tree.groups:
            for rule in (node for node in walk(group) if isinstance(node, Rule)):
                used = mentioned(rule)
                for name, span in _declared(rule):
                    if name not in used:
                        yield Diagnostic("FM152", span, {"variable": name}, about=Subject(SubjectKind.VARIABLE, name))


def mentioned(tree: Rule | Group | Let) -> set[str]:
    """Every name that a rule, its targets, calls and inline rules (a group, a constant) may read a variable by."""
    names: set[str] = set()
    for node in walk(tree):
        if isinstance(node, (RuleSource, RuleTarget)) and node.context:
            names.add(node.context)
        elif isinstance(node, FPVariable) or (isinstance(node, FPMember) and node.focus is None):
            names.add(node.name)
    return names


def _constants(tree: Map) -> Iterator[Diagnostic]:
    """Each `let` that neither a rule nor another constant reads; other maps do not see it."""
    if not tree.lets:
        return
    readers: tuple[Group | Let, ...] = (*tree.groups, *tree.lets)
    used = {name for node in readers for name in mentioned(node)}
    for entry in tree.lets:
        if entry.name not in used:
            hint = Text("hints.remove_constant", {"name": entry.name})
            about = Subject(SubjectKind.CONSTANT, entry.name)
            yield Diagnostic("FM152", entry.span, {"variable": entry.name}, hint, "constant", about=about)


def _declared(rule: Rule) -> Iterator[tuple[str, Span]]:
    bound: tuple[RuleSource | RuleTarget, ...] = (*rule.sources, *rule.targets)
    for node in bound:
        if node.variable is not None and node.variable_span is not None:
            yield node.variable, node.variable_span
