"""FM154: a group that is never called."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.typed import Unit
from fhirmap.diagnostics import Diagnostic, Subject, SubjectKind
from fhirmap.language.nodes import Rule


def unused_group(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each group that the entry group never reaches (FM154). `<<types>>` groups call themselves.

    Spec: FML, groups: the first group is the entry; `<<types>>`.
    """
    for unit in filter(is_closed, checked.program.stages):
        reached = _reached(unit)
        for group in unit.tree.groups:
            if reached is not None and group.name not in reached and group.type_mode is None:
                yield Diagnostic(
                    "FM154",
                    group.name_span,
                    {"group": group.name, "entry": unit.tree.groups[0].name},
                    about=Subject(SubjectKind.GROUP, group.name),
                )


def _reached(unit: Unit) -> set[str] | None:
    """Names of the groups that the first one leads to; None where a call is misspelt and might lead to any.

    By name, not by type: a call with a wrong argument still says what is meant.
    """
    groups = {group.name: group for group in unit.tree.groups}
    elsewhere = {group.name for other in unit.imports for group in other.tree.groups}
    waiting = [group for order, group in enumerate(unit.tree.groups) if order == 0 or group.type_mode]
    found = {group.name for group in waiting}
    while waiting:
        group = waiting.pop()
        for name in _called(group.rules) | ({group.extends} if group.extends else set()):
            if name not in groups and name not in elsewhere:
                return None
            if name in groups and name not in found:
                waiting.append(groups[name])
            found.add(name)
    return found


def is_closed(unit: Unit) -> bool:
    """Is the map complete in itself, rather than a library whose parts wait for others to use them?

    A map that reads a store is run, not imported. Otherwise its first group must be one to start with, and call
    others of the same map where there are any.
    """
    tree = unit.tree
    if any(model.store is not None for model in tree.models):
        return True
    if not tree.groups or {entry.mode for entry in tree.groups[0].parameters} != {"source", "target"}:
        return False
    own = {group.name for group in tree.groups[1:]}
    return not own or bool(own & _called(tree.groups[0].rules))


def _called(rules: tuple[Rule, ...]) -> set[str]:
    names: set[str] = set()
    for rule in rules:
        if rule.dependent is not None:
            names |= {call.name for call in rule.dependent.calls} | _called(rule.dependent.rules or ())
    return names
