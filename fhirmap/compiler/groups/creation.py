"""Creating nodes: constants folded into their displays, children that are there already, and what stays empty."""

from __future__ import annotations

from fhirmap.analysis import conversions
from fhirmap.analysis.single_writes import SHARING
from fhirmap.analysis.static import StaticType
from fhirmap.analysis.typed import TargetStep, TypedRule, TypedTarget, Variable
from fhirmap.compiler.expressions import HeldVariable
from fhirmap.compiler.groups.lists import attach, list_of, open_lists, place_node, removal_of
from fhirmap.compiler.groups.state import Ending, GroupState, TargetNode
from fhirmap.compiler.groups.uses import end_of, is_used, share_of
from fhirmap.compiler.python import (
    Attribute,
    Comparison,
    DictOf,
    Do,
    Expr,
    If,
    Literal,
    Name,
    Not,
    SetItem,
    all_of,
    compared,
    method,
)
from fhirmap.compiler.runtime_functions import RUN, call
from fhirmap.compiler.values import choices


class CreationLowering:
    """The nodes that one group's rules create."""

    def __init__(self, state: GroupState) -> None:
        self.state = state
        self.writer = state.writer

    def foldable(self, targets: tuple[TypedTarget, ...], created: TypedTarget) -> int:
        """How many of the next targets only write sure, simple values into the node just created."""
        is_reused = created.node.share is not None or set(created.node.list_modes) & SHARING
        if created.steps[-1].repeats is not True or is_reused:
            return 0
        keys: set[str] = set()
        for target in targets:
            if not self._is_foldable(target, created, keys):
                break
            keys.add(target.steps[0].key)
        return len(keys)

    def _is_foldable(self, target: TypedTarget, created: TypedTarget, keys: set[str]) -> bool:
        if target.context is not created.variable or len(target.steps) != 1 or target.variable is not None:
            return False
        if target.transform is None or target.node.list_modes:
            return False
        step = target.steps[0]
        if step.repeats is not False or not step.key or step.key in keys:
            return False
        return self.state.values.is_sure(target.transform, step)

    def create(self, rule: TypedRule, target: TypedTarget, folded: tuple[TypedTarget, ...]) -> list[Ending]:
        """Create a node; what is left to do for it when the rule has run."""
        parent = self.parent(target)
        step = target.steps[-1]
        display = DictOf((*self._fresh(target), *map(self._entry, folded)))
        variable = target.variable or Variable("", "target", target.value, target.span)
        made = target.value.type_name or step.static.type_name
        if made in conversions.PRIMITIVES:
            self._create_slot(parent, target, variable)
            return []
        if step.repeats is None or not step.key:
            return [self._create_untyped(parent, target, variable, display)]
        if step.repeats:
            is_named = target.variable is not None and is_used(rule, target, folded)
            if not is_named and display.entries and not target.node.list_modes:
                self.writer.append(target.span, list_of(parent, step.key), display)
                return []
            return [self._create_item(rule, parent, target, variable, display)]
        return [self._create_single(rule, parent, target, variable, display)]

    def _fresh(self, target: TypedTarget) -> list[tuple[Expr, Expr]]:
        """What a created node holds from the start: a resource says what it is."""
        made = target.transform.type if target.transform is not None else None
        structure = self.state.module.checked.definitions.structure(made.structure or made.name) if made else None
        if made is None or structure is None or "." in made.name:
            return []
        declared = {ref.name for ref in target.steps[-1].element.types} if target.steps[-1].element else set()
        if structure.kind == "resource" or (structure.kind == "logical" and declared - {made.name}):
            # What was made has to be said where the element takes more than that.
            return [(Literal("resourceType"), Literal(structure.type))]
        return []

    def _entry(self, target: TypedTarget) -> tuple[Expr, Expr]:
        """What a target writes, as an entry of its node's display."""
        step = target.steps[0]
        value = self.state.transformed(target)
        return Literal(step.key), self.state.converted(value, step, target.span).code

    def _bound(self, target: TypedTarget, variable: Variable) -> Name:
        name = self.state.names.take(variable.name or target.steps[-1].name)
        self.state.nodes[variable] = TargetNode(name)
        self.state.held[variable] = HeldVariable(name, target.value.as_one())
        return name

    def _create_item(
        self, rule: TypedRule, parent: TargetNode, target: TypedTarget, variable: Variable, display: DictOf
    ) -> Ending:
        """An item of a list, taken out again where nothing was written to it."""
        step = target.steps[-1]
        name = self._bound(target, variable)
        if target.node.list_modes:
            place_node(self.state, target, parent, name, display)
        else:
            self.state.assign(name, display, target.span)
            self.writer.append(target.span, list_of(parent, step.key), name)
        open_lists(self.state, variable, (rule,), target.span)
        if display.entries:
            return Ending(variable, target.span)
        removal = Do(target.span, removal_of(parent, step, name))
        return Ending(variable, target.span, If(target.span, Not(name), (removal,)))

    def _create_single(
        self, rule: TypedRule, parent: TargetNode, target: TypedTarget, variable: Variable, display: DictOf
    ) -> Ending:
        """A single element: the child that is there already, or a new one."""
        step, span = target.steps[-1], target.span
        name = self._bound(target, variable)
        removal: If | None = None
        write = self.state.single_write(target)
        if write is not None:
            self.state.assign(name, self.state.put_once(parent.name, step, display, write), span)
            if not display.entries:
                taken = Do(span, call("take_away", parent.name, Literal(step.key), name))
                removal = If(span, Not(name), (taken,))
        elif display.entries:
            self.state.assign(name, display, span)
            self.writer.add(SetItem(span, parent.name, step.key, name))
        else:
            if not self._surely_filled(rule, variable):
                made = self.state.names.take(f"made_{name}")
                self.state.assign(made, compared(Literal(step.key), Comparison.NOT_IN, parent.name), span)
                taken = Do(span, call("take_away", parent.name, Literal(step.key), name))
                removal = If(span, all_of(made, Not(name)), (taken,))
            self.state.assign(name, _child(parent, step), span)
        open_lists(self.state, variable, (rule,), span)
        return Ending(variable, span, removal)

    def _surely_filled(self, rule: TypedRule, variable: Variable) -> bool:
        """Does the rule itself always write something into the node?"""
        return any(
            target.context is variable and len(target.steps) == 1 and target.transform is not None
            and self.state.values.is_sure(target.transform, target.steps[0])
            for target in rule.targets
        )  # fmt: skip

    def _create_slot(self, parent: TargetNode, target: TypedTarget, variable: Variable) -> None:
        """A primitive that rules fill piece by piece."""
        step = target.steps[-1]
        attach(self.state, parent, step.key, target.span)
        name = self._bound(target, variable)
        self.state.held[variable] = HeldVariable(name, StaticType(frozenset(), "one"))
        made = target.transform.type if target.transform is not None else None
        kinds = Literal(((made.name,), step.element.is_choice)) if made and step.element else choices(step)
        share = share_of(target)
        shared = () if share is None else (self.state.shares(target), Literal(share))
        slot = call("slot", parent.name, Literal(step.name), kinds, Literal(step.repeats), *shared)
        self.state.assign(name, slot, target.span)
        self._placed(parent, target, name)
        self.state.module.needs_pruning = True

    def _create_untyped(self, parent: TargetNode, target: TypedTarget, variable: Variable, display: DictOf) -> Ending:
        step = target.steps[-1]
        name = self._bound(target, variable)
        self.state.assign(
            name, _run_time_child(parent, step, display, self.state.shares(target), share_of(target)), target.span
        )
        self._placed(parent, target, name)
        self.state.module.needs_pruning = True
        return Ending(variable, target.span)

    def _placed(self, parent: TargetNode, target: TypedTarget, name: Name) -> None:
        """What was made last goes to the end of its list that the target asks for."""
        end, step = end_of(target), target.steps[-1]
        if end and step.repeats is not False:
            self.state.module.has_endings = True
            facts = (Literal(step.key or step.name), name, Literal(end), Literal(target.span.position))
            self.writer.add(Do(target.span, call("placed", RUN, parent.name, *facts)))

    def parent(self, target: TypedTarget) -> TargetNode:
        """The node that a path's last name is written to; those between are made."""
        assert target.context is not None
        node = self.state.nodes[target.context]
        for step in target.steps[:-1]:
            name = self.state.names.take(step.name)
            if step.repeats is None or not step.key:
                self.state.assign(
                    name, _run_time_child(node, step, DictOf(), Attribute(RUN, "shares"), None), target.span
                )
            elif step.repeats:
                self.state.assign(name, DictOf(), target.span)
                self.writer.append(target.span, list_of(node, step.key), name)
            else:
                self.state.assign(name, _child(node, step), target.span)
            self.state.module.needs_pruning = True
            node = TargetNode(name)
        return node


def _child(parent: TargetNode, step: TargetStep) -> Expr:
    """The child that is there, or a new one."""
    return method(parent.name, "setdefault", Literal(step.key), DictOf(), raises=False)


def _run_time_child(parent: TargetNode, step: TargetStep, display: DictOf, shares: Expr, share: str | None) -> Expr:
    """A child of an element whose types, or repetition, are known at run time only."""
    step_facts = (choices(step), Literal(step.repeats))
    return call("child_node", parent.name, Literal(step.name), *step_facts, display, shares, Literal(share))
