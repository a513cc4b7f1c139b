"""Sources that rules still write to: what is made may be handed to a group as its source, and read while it grows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from fhirmap.analysis.typed import Expression, TypedGroup, TypedRule, Variable
from fhirmap.language import nodes as n
from fhirmap.language.visit import walk


def unsettled(groups: Iterable[TypedGroup]) -> frozenset[Variable]:
    """Variables that hold what is made, or a part of it: all targets, and the sources that come from them."""
    comes_from: defaultdict[Variable, set[Variable]] = defaultdict(set)
    waiting: list[Variable] = []
    for group in groups:
        waiting += [entry for entry in group.parameters if entry.mode == "target"]
        for rule in group.walk():
            waiting += [target.variable for target in rule.targets if target.variable is not None]
            for origin, variable in _handed_on(rule):
                comes_from[origin].add(variable)
    found: set[Variable] = set()
    while waiting:
        variable = waiting.pop()
        if variable not in found:
            found.add(variable)
            waiting += comes_from[variable]
    return frozenset(found)


def _handed_on(rule: TypedRule) -> Iterator[tuple[Variable, Variable]]:
    """Each variable that a rule reads, and what then holds it or a part of it."""
    for source in rule.sources:
        yield source.context, source.variable
        for expression in (source.default, source.search):
            if expression is not None:
                yield from ((read, source.variable) for read in _read(expression))
    for call in rule.calls:
        for argument, parameter in zip(call.arguments, call.group.parameters, strict=True):
            yield from ((read, parameter) for read in _read(argument))
    default = rule.default
    if default is not None:
        called = [default.group, *(default.table.groups.values() if default.table is not None else ())]
        for group in called:
            for parameter in group.parameters if group is not None else ():
                yield rule.sources[0].variable, parameter


def _read(expression: Expression) -> Iterator[Variable]:
    """The variables that an expression names, and its focus."""
    if expression.variable is not None:
        yield expression.variable
    if expression.focus is not None:
        yield expression.focus
    for node in walk(expression.node.expression):
        found = expression.environment.lookup(node.name) if isinstance(node, n.FPVariable | n.FPMember) else None
        if found is not None:
            yield found
