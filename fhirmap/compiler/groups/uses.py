"""What a rule does with a node beside writing to it, and small facts of sources and targets."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.single_writes import SHARING
from fhirmap.analysis.typed import Expression, NameScope, TypedRule, TypedSource, TypedTarget, Variable
from fhirmap.diagnostics import Span
from fhirmap.language import nodes
from fhirmap.language.visit import walk


def is_used(rule: TypedRule, target: TypedTarget, folded: tuple[TypedTarget, ...]) -> bool:
    """Is the created node named again, beyond what was folded into its display?"""
    variable = target.variable
    rest = [entry for entry in rule.targets if entry is not target and entry not in folded]
    if any(entry.context is variable for entry in rest) or escapes(rule, variable):
        return True
    return any(
        escapes(part, variable) or any(entry.context is variable for entry in part.targets)
        for inner in rule.rules
        for part in inner.walk()
    )


def is_written(rule: TypedRule, variable: Variable) -> bool:
    """Do rules write to what the variable of one of the targets means, or hand it to a group that may?"""
    parts = list(rule.walk())
    return any(target.context is variable for part in parts for target in part.targets) or any(
        argument.variable is variable and parameter.mode == "target"
        for part in parts
        for call in part.calls
        for argument, parameter in zip(call.arguments, call.group.parameters, strict=True)
    )


def escapes(rule: TypedRule, variable: Variable | None) -> bool:
    """Is the node handed to a group, aliased, or read by a source or an expression of this rule?"""
    if variable is None:
        return False
    if any(source.context is variable for source in rule.sources):
        return True
    if any(argument.variable is variable for call in rule.calls for argument in call.arguments):
        return True
    if any(target.context is variable and not target.steps for target in rule.targets):
        return True
    return any(_reads(expression, variable) for expression in _expressions(rule))


def _expressions(rule: TypedRule) -> Iterator[Expression]:
    for source in rule.sources:
        for expression in (source.where, source.check, source.log, source.default, source.search):
            if expression is not None:
                yield expression
    for target in rule.targets:
        if target.transform is not None:
            yield from target.transform.arguments
    for call in rule.calls:
        yield from call.arguments


def _reads(expression: Expression, variable: Variable) -> bool:
    if expression.variable is not None:
        return expression.variable is variable
    environment: NameScope = expression.environment
    for node in walk(expression.node.expression):
        if isinstance(node, nodes.FPVariable | nodes.FPMember) and environment.lookup(node.name) is variable:
            return True
    return False


def list_counts(rules: tuple[TypedRule, ...], variable: Variable) -> dict[str, int]:
    """How many targets of ``rules`` write to each list of a node."""
    counts: dict[str, int] = {}
    for rule in rules:
        for target in rule.targets:
            if target.context is variable and target.steps and target.steps[0].repeats and target.steps[0].key:
                key = target.steps[0].key
                counts[key] = counts.get(key, 0) + 1
    return counts


def end_of(target: TypedTarget) -> str:
    """`first` or `last`, where the target asks for an end of the list; else empty."""
    return next((mode for mode in target.node.list_modes if mode in ("first", "last")), "")


def share_of(target: TypedTarget) -> str | None:
    """The name under which a target's item is shared, empty for the item that is there; None where it is not."""
    if target.node.share is not None:
        return target.node.share
    return "" if SHARING & set(target.node.list_modes) else None


def needs_list(source: TypedSource) -> bool:
    """Are the items of a source counted, chosen or replaced, so that all must be there first?"""
    node = source.node
    repeats_default = source.default is not None and (
        not source.steps or source.steps[-1].repeats or not source.item.plain
    )
    return bool(node.list_mode) or node.minimum is not None or node.maximum is not None or repeats_default


def conditions_of(source: TypedSource) -> list[Expression]:
    """`where` and `check`, those that there are."""
    return [entry for entry in (source.where, source.check) if entry is not None]


def uses_index(expression: Expression) -> bool:
    """Does an expression ask for `$index`?"""
    return any(
        isinstance(node, nodes.FPVariable) and node.name == "$index" for node in walk(expression.node.expression)
    )


def filters_first(source: TypedSource) -> bool:
    """Does a condition read the target, so that all items must be tried before the first one is written?"""
    return any(_reads_target(entry) for entry in conditions_of(source))


def _reads_target(expression: Expression) -> bool:
    names = [
        node.name
        for node in walk(expression.node.expression)
        if isinstance(node, nodes.FPVariable) or (isinstance(node, nodes.FPMember) and node.focus is None)
    ]
    held = (expression.environment.lookup(name) for name in names)
    return any(entry is not None and entry.mode == "target" for entry in held)


def written(node: nodes.RuleSource | nodes.RuleTarget) -> str:
    """What a source or target names: `src.name`, `tgt.name`, the variable of one without a context."""
    return ".".join([node.context, *node.elements]) if node.context else node.variable or ""


def source_span(node: nodes.RuleSource) -> Span:
    """`src.name`: what fires, without its conditions."""
    return node.context_span.to(node.element_spans[-1]) if node.element_spans else node.context_span
