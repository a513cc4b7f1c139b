"""FM154: a group that is never called."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.typed import Checked, TypedGroup, Unit
from fhirmap.diagnostics import Diagnostic
from fhirmap.language.nodes import Rule


def unused_group(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each group that the entry group never reaches (FM154). `<<types>>` groups call themselves."""
    reached = {(group.unit.name, group.name) for stage in checked.stages for group in reach(stage.entry)}
    for unit in filter(is_closed, checked.program.stages):
        entry, *others = unit.tree.groups
        named = {group.extends for group in unit.tree.groups} | _called(entry.rules)
        for group in others:
            if (unit.name, group.name) not in reached and group.name not in named and group.type_mode is None:
                yield Diagnostic("FM154", group.name_span, {"group": group.name, "entry": entry.name})


def reach(entry: TypedGroup) -> tuple[TypedGroup, ...]:
    """``entry`` and every group it calls, directly or not."""
    found = [entry]
    for group in found:
        for rule in group.walk():
            called = [call.group for call in rule.calls]
            if rule.default is not None and rule.default.group is not None:
                called.append(rule.default.group)
            found += [other for other in called if all(other is not known for known in found)]
    return tuple(found)


def is_closed(unit: Unit) -> bool:
    """Is the map complete in itself, rather than a library whose groups wait for others to call them?

    A map that reads a store is run, not imported; otherwise its first group must call others of the same map.
    """
    tree = unit.tree
    if not tree.groups:
        return False
    if any(model.store is not None for model in tree.models) or len(tree.groups) == 1:
        return True
    own = {group.name for group in tree.groups[1:]}
    return bool(own & _called(tree.groups[0].rules))


def _called(rules: tuple[Rule, ...]) -> set[str]:
    names: set[str] = set()
    for rule in rules:
        if rule.dependent is not None:
            names |= {call.name for call in rule.dependent.calls} | _called(rule.dependent.rules or ())
    return names
