"""What a stage's entry group can make: the tree of all elements that some rule assigns, conditions left aside.

A check that asks `can anything produce this?` reads this tree; what it cannot follow (a value copied whole, a group
that calls itself ever deeper) is *opaque*: everything may be below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from fhirmap.analysis.typed import Expression, Stage, TargetStep, TypedGroup, TypedRule, TypedTarget
from fhirmap.diagnostics import Span
from fhirmap.language.nodes import FPLiteral
from fhirmap.model.definition import Element, Slice, TypeRef

_DEEPEST = 2
"""How often a group may occur on its own path before what it makes is taken as opaque."""
_MOST_CALLS = 100_000
"""How many calls are followed before what the others make is taken as opaque: groups that call one another in circles
may lead to more than anyone can wait for."""


@dataclass(eq=False, slots=True)
class Produced:
    """One node that rules may make. ``span``: the element's name in the target that makes it.

    ``children``: by the element's name (the stem of a choice). ``literal``: the one literal it is given, if it is one.
    """

    type: TypeRef | None
    element: Element | None
    span: Span
    target: TypedTarget | None = None
    literal: FPLiteral | None = None
    is_opaque: bool = False
    children: dict[str, list[Produced]] = field(default_factory=dict)

    def child(self, name: str) -> Produced | None:
        """The first child of that name."""
        return next(iter(self.children.get(name, ())), None)

    def slice(self) -> Slice | None:
        """The slice of its sliced element that its literals say it belongs to."""
        for entry in self.element.slices if self.element else ():
            if entry.values and all(self._holds(path, value) for path, value in entry.values):
                return entry
        return None

    def may_be(self, wanted: Slice) -> bool:
        """Could it belong to ``wanted``, for all that is known?"""
        if self.element is not None and not self.element.slices:
            return self.element.path == wanted.element.path
        at = [(self.at(path), value) for path, value in wanted.values]
        return self.is_opaque or all(
            node is not None and (node.literal is None or node.literal.value == value) for node, value in at
        )

    def walk(self) -> Iterator[Produced]:
        """This node and all below it."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += [child for nodes in node.children.values() for child in nodes][::-1]

    def pairs(self) -> Iterator[tuple[Produced, Produced]]:
        """Every node below this one with its parent, parent first."""
        for node in self.walk():
            for nodes in node.children.values():
                for child in nodes:
                    yield node, child

    def at(self, path: str) -> Produced | None:
        """The node at a dotted path below this one."""
        node: Produced | None = self
        for name in path.split("."):
            node = node.child(name) if node else None
        return node

    def _holds(self, path: str, value: object) -> bool:
        node = self.at(path)
        return node is not None and node.literal is not None and node.literal.value == value


Bound = dict[int, Produced | FPLiteral]
"""What variables (by identity) mean: the node of a target variable, the literal handed to a source parameter."""


def production(stage: Stage) -> Produced:
    """What the rules in reach of the stage's entry group may make of its target.

    Raises nothing: what cannot be followed is opaque.
    """
    root = Produced(stage.target, None, stage.entry.node.name_span)
    bound: Bound = {id(entry): root for entry in stage.entry.parameters if entry.mode == "target"}
    _ProductionWalk().follow(stage.entry, bound, ())
    return root


@dataclass(slots=True)
class _ProductionWalk:
    """Follows the rules that an entry group reaches. ``calls``: how many calls it followed."""

    calls: int = 0

    def follow(self, group: TypedGroup, bound: Bound, way: tuple[TypedGroup, ...]) -> None:
        """Follow the rules of ``group``, whose target variables are ``bound``."""
        self.calls += 1
        if self.calls > _MOST_CALLS or sum(other.node is group.node for other in way) >= _DEEPEST:
            for node in bound.values():
                if isinstance(node, Produced):
                    node.is_opaque = True
            return
        for rule in group.rules:
            self._rule(rule, dict(bound), (*way, group))

    def _rule(self, rule: TypedRule, bound: Bound, way: tuple[TypedGroup, ...]) -> None:
        """Follow one rule: targets, called groups, inline rules."""
        for target in rule.targets:
            made = _target(target, bound)
            if made is not None and target.variable is not None:
                bound[id(target.variable)] = made
            if made is not None and rule.default is not None:
                self._default(rule, made, way)
        for call in rule.calls:
            pairs = zip(call.group.parameters, call.arguments, strict=False)
            handed = {id(entry): held for entry, argument in pairs if (held := _held(argument, bound)) is not None}
            self.follow(call.group, handed, way)
        for inner in rule.rules:
            self._rule(inner, dict(bound), way)

    def _default(self, rule: TypedRule, made: Produced, way: tuple[TypedGroup, ...]) -> None:
        """`src.a -> tgt.b;`: the group that maps it, or a copy."""
        group = rule.default.group if rule.default else None
        if group is None or len(group.parameters) < 2:
            made.is_opaque = True
        else:
            self.follow(group, {id(group.parameters[1]): made}, way)


def _target(target: TypedTarget, bound: Bound) -> Produced | None:
    """The node that a target makes or names; None where its context is not followed."""
    if target.context is None:
        made = Produced(target.value.type, None, target.span, target)
        return _filled(made, target, bound)
    context = bound.get(id(target.context))
    if not isinstance(context, Produced):
        return None
    if not target.steps:
        return context if target.transform is None else _filled(context, target, bound)
    for step in target.steps[:-1]:
        context = context.child(_name(step)) or _made(context, step, target)
    step = target.steps[-1]
    if target.transform is None and step.repeats is False:
        return context.child(_name(step)) or _made(context, step, target)
    copied = _copied(target, bound)
    if isinstance(copied, Produced):
        copied.element = step.element
        context.children.setdefault(_name(step), []).append(copied)
        return copied
    return _filled(_made(context, step, target), target, bound)


def _made(context: Produced, step: TargetStep, target: TypedTarget) -> Produced:
    known = target.variable.static.type if target.variable and step is target.steps[-1] else None
    made = Produced(known or step.static.type, step.element, step.span, target)
    context.children.setdefault(_name(step), []).append(made)
    return made


def _filled(made: Produced, target: TypedTarget, bound: Bound) -> Produced:
    """``made`` with what its transform says of its value."""
    if target.transform is None or target.transform.name == "create":
        return made
    copied = _copied(target, bound)
    if isinstance(copied, Produced):
        return copied
    made.is_opaque = True
    made.literal = copied
    return made


def _copied(target: TypedTarget, bound: Bound) -> Produced | FPLiteral | None:
    """The node or the literal that a target copies, where it is known."""
    transform = target.transform
    if transform is None or transform.name != "copy" or len(transform.arguments) != 1:
        return None
    return _held(transform.arguments[0], bound)


def _held(argument: Expression, bound: Bound) -> Produced | FPLiteral | None:
    """What an argument is: a node that is being made, a literal, or a constant's literal."""
    variable = argument.variable
    if variable is None:
        return argument.literal
    held = bound.get(id(variable))
    if held is None and variable.expression is not None:
        return variable.expression.literal
    return held


def _name(step: TargetStep) -> str:
    return step.element.name if step.element else step.name
