"""Models of which every row is a dict of plain values: a copy of one is `dict(row)`.

What `copied` does beyond that, it does for what a source of FHIR JSON or a rule may have made: lists, objects in
objects, members without a value. A reader makes none of these for a model whose elements hold one value each.
"""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.typed import ModelUse, TypedGroup, TypedTarget
from fhirmap.model.definition import TypeRef


def plain_rows(checked: Checked) -> frozenset[str]:
    """The structures of these models: of the first stage's source or below it, and written to by no rule."""
    first = checked.stages[0] if checked.stages else None
    use = checked.model(first.source) if first is not None else None
    if first is None or use is None or len([entry for entry in first.entry.parameters if entry.mode == "source"]) > 1:
        return frozenset()
    found: set[str] = set()
    _gather(checked, use, set(), found)
    groups = (*checked.groups, *checked.later)
    return frozenset(found.difference(ref.structure for group in groups for ref in _written_types(group)))


def _gather(checked: Checked, use: ModelUse, seen: set[str], found: set[str]) -> None:
    """Add those of ``use`` and the models below it whose elements hold one plain value each."""
    if use.ref.structure in seen:
        return
    seen.add(use.ref.structure)
    is_plain = True
    for element in checked.definitions.children(use.ref).values():
        below = [checked.models[ref.structure] for ref in element.types if ref.structure in checked.models]
        is_plain = is_plain and not below and element.maximum == 1
        for entry in below:
            _gather(checked, entry, seen, found)
    if is_plain:
        found.add(use.ref.structure)


def _written_types(group: TypedGroup) -> Iterator[TypeRef]:
    """Types of the nodes that a group's rules write into."""
    for parameter in group.parameters:
        if parameter.mode == "target":
            yield from parameter.static.types
    for rule in group.walk():
        for target in rule.targets:
            yield from _nodes_written(target)


def _nodes_written(target: TypedTarget) -> Iterator[TypeRef]:
    if target.context is not None:
        yield from target.context.static.types
    for step in target.steps[:-1]:
        yield from step.static.types
