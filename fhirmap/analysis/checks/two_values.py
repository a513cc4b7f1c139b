"""FM247: two values for an element that occurs at most once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fhirmap.analysis.typed import Checked, TypedRule, TypedSource, TypedTarget
from fhirmap.diagnostics import Diagnostic, Related, Span
from fhirmap.language.nodes import RuleSource
from fhirmap.texts import Text

Place = tuple[int, tuple[str, ...]]


def two_values(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each assignment that surely overwrites another one of the same record (FM247).

    Two targets of one rule, two rules of one block that both fire without a condition, or a source that gives several
    items where one value fits. A rule that a group inherits may be overridden.

    Spec: FML, rules, target: assignments to an element; FHIR R4, conformance-rules.html#cardinality.
    """
    for group in checked.groups:
        own = [rule for rule in group.rules if rule.node in group.node.rules]
        yield from _block(own)
        for rule in group.walk():
            yield from _within(rule)
            yield from _block(rule.rules)


def _within(rule: TypedRule) -> Iterator[Diagnostic]:
    seen: dict[Place, Span] = {}
    outer = {id(target.variable) for target in rule.targets if target.variable}
    several = next((source for source in rule.sources if _surely_repeats(source)), None)
    for target in rule.targets:
        place = _place(target)
        if place is None:
            continue
        span, name = target.steps[-1].span, target.steps[-1].name
        first = seen.setdefault(place, span)
        if first is not span:
            yield Diagnostic(
                "FM247", span, {"element": name}, related=(Related(first, Text("labels.first_value_here")),)
            )
        elif several is not None and place[0] not in outer:
            source = several.node.elements[-1] if several.node.elements else several.node.context
            yield Diagnostic("FM247", span, {"element": name, "source": source}, variant="repeats")


def _block(rules: Sequence[TypedRule]) -> Iterator[Diagnostic]:
    seen: dict[Place, tuple[Span, TypedRule]] = {}
    for rule in rules:
        if any(_is_held_back(source.node) or source.node.type for source in rule.sources):
            continue
        for target in rule.targets:
            place = _place(target)
            if place is None or place[0] in {id(other.variable) for other in rule.targets if other.variable}:
                continue
            span, name = target.steps[-1].span, target.steps[-1].name
            first, other = seen.setdefault(place, (span, rule))
            if other is not rule:
                yield Diagnostic(
                    "FM247", span, {"element": name}, related=(Related(first, Text("labels.first_value_here")),)
                )


def _place(target: TypedTarget) -> Place | None:
    """Where a target writes a value that occurs at most once; None where it does not."""
    if target.context is None or target.transform is None or not target.steps:
        return None
    if any(step.repeats is not False for step in target.steps):
        return None
    return id(target.context), tuple(step.name for step in target.steps)


def _surely_repeats(source: TypedSource) -> bool:
    known = all(step.element is not None for step in source.steps)
    return known and source.repeats and not _is_held_back(source.node)


def _is_held_back(source: RuleSource) -> bool:
    return source.where is not None or source.list_mode is not None or source.maximum == 1
