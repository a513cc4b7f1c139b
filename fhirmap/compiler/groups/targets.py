"""Targets: what a rule computes, writes and creates, in text order."""

from __future__ import annotations

from dataclasses import replace

from fhirmap.analysis import conversions
from fhirmap.analysis.static import StaticType
from fhirmap.analysis.typed import TargetStep, TypedRule, TypedTarget, Variable
from fhirmap.compiler.expressions import HeldVariable, PythonValue
from fhirmap.compiler.fhirpath.clean import CleanPath
from fhirmap.compiler.groups.creation import CreationLowering
from fhirmap.compiler.groups.lists import attach, list_of, place
from fhirmap.compiler.groups.state import Ending, GroupState, TargetNode
from fhirmap.compiler.groups.uses import end_of, is_written, written
from fhirmap.compiler.python import (
    Assign,
    Comparison,
    Do,
    Expr,
    For,
    If,
    Literal,
    Name,
    SetItem,
    all_of,
    compared,
    is_not_none,
)
from fhirmap.compiler.runtime_functions import RUN, call
from fhirmap.compiler.values import choices
from fhirmap.diagnostics import Span


class TargetLowering:
    """The targets of one group's rules."""

    def __init__(self, state: GroupState) -> None:
        self.state = state
        self.writer = state.writer
        self.creation = CreationLowering(state)

    def targets(self, rule: TypedRule) -> list[Ending]:
        """Write a rule's targets; what is left to do when the rule has run."""
        endings: list[Ending] = []
        index = 0
        while index < len(rule.targets):
            end = index + 1 + self._folded(rule, index)
            endings += self._guarded(rule, index, end)
            index = end
        return endings

    def _folded(self, rule: TypedRule, index: int) -> int:
        """How many targets after this one are written into the display of the node that it creates."""
        target = rule.targets[index]
        if target.variable is None or not self._creates(rule, target):
            return 0
        return self.creation.foldable(rule.targets[index + 1 :], target)

    def _creates(self, rule: TypedRule, target: TypedTarget) -> bool:
        if target.context is None or not target.steps or (rule.default is not None and rule.default.table is not None):
            return False
        return target.transform is None or target.transform.name == "create"

    def _guarded(self, rule: TypedRule, index: int, end: int) -> list[Ending]:
        """One target, and those folded into it: left out where its context is bound to nothing."""
        target = rule.targets[index]
        context = self.state.held.get(target.context) if target.context is not None else None
        mark = self.writer.mark()
        with self.writer.scope():
            self.state.skip_unbound(context, target.span)
            endings = self._target(rule, target, rule.targets[index + 1 : end])
        if context is not None and context.is_optional and target.variable is not None:
            self._may_be_absent(target.variable, mark, target.span)
        return endings

    def _target(self, rule: TypedRule, target: TypedTarget, folded: tuple[TypedTarget, ...]) -> list[Ending]:
        endings: list[Ending] = []
        if target.context is None:
            self._computed(rule, target)
        elif not target.steps:
            self._whole(target)
        elif rule.default is not None and rule.default.table is not None:
            return []  # a group that is chosen at run time writes it
        elif self._creates(rule, target):
            endings += self.creation.create(rule, target, folded)
        else:
            with self.writer.scope():
                self._assign(rule, target)
        self._traced((target, *folded))
        return endings

    def _traced(self, targets: tuple[TypedTarget, ...]) -> None:
        """Report to a trace what was written."""
        if self.state.module.tracing is None:
            return
        for target in targets:
            held = self.state.held.get(target.variable) if target.variable is not None else None
            is_written = (is_not_none(held.code),) if held is not None and held.is_optional else ()
            self.state.traced("step", "target", written(target.node), target.span, *is_written)

    def _may_be_absent(self, variable: Variable, mark: int, span: Span) -> None:
        """Bind a variable that was made under a condition to nothing beforehand, for what follows."""
        held = self.state.held.get(variable)
        if held is None:
            return  # nothing asks for it
        assert isinstance(held.code, Name)
        self.state.held[variable] = replace(held, is_optional=True)
        self.writer.insert(mark, Assign(span, (held.code,), Literal(None)))

    def _computed(self, rule: TypedRule, target: TypedTarget) -> None:
        assert target.transform is not None
        value = self.state.transformed(target)
        if target.variable is not None and target.transform.name != "create" and is_written(rule, target.variable):
            # Rules write on through it: to a copy, since it may be a part of the source.
            own = call("own", value.as_items(), Literal(target.variable.name))
            value = PythonValue(own, StaticType(frozenset(), "optional"))
        if target.variable is None:
            self.writer.add(Do(target.span, value.code))
            return
        name = self.state.bind(target.variable, target.variable.name, value)
        self.state.assign(name, value.code, target.span)

    def _whole(self, target: TypedTarget) -> None:
        """A target that names the node itself: another name for it, or its value."""
        assert target.context is not None
        node = self.state.nodes[target.context]
        if target.transform is not None:
            value = self.state.values.filled(self.state.transformed(target))
            nothing, write = Literal(((), False)), self.state.single_write(target)
            if write is None:
                assignment = call("assign", node.name, Literal("value"), value.as_items(), nothing, Literal(False))
            else:
                facts = (Literal("value"), value.as_items(), nothing, write)
                assignment = call("assign_once", RUN, node.name, *facts)
            self.writer.add(Do(target.span, assignment))
        if target.variable is not None:
            self.state.nodes[target.variable] = node
            self.state.held[target.variable] = self.state.held[target.context]

    # --- assigning ----------------------------------------------------------------------------------------------------

    def _assign(self, rule: TypedRule, target: TypedTarget) -> None:
        found = self._clean_path(target)
        parent = self.creation.parent(target)
        if found is None:
            self._assign_value(rule, target, parent, self.state.transformed(target))
            return
        name = self.state.names.take(target.steps[-1].name)
        tests = self.state.bare(found, name, target.span)
        with self.writer.block(If(target.span, all_of(*tests, *self._in_step(target)), ())):
            self._assign_value(rule, target, parent, PythonValue(name, found.static, certain=True))
        with self.state.closer_look(target.span):
            self._assign_value(rule, target, parent, self.state.transformed(target))

    def in_step(self, rule: TypedRule) -> list[Expr]:
        """Tests of whether bare values may be added to the lists that a rule writes to."""
        return [test for target in rule.targets for test in self._in_step(target)]

    def _in_step(self, target: TypedTarget) -> list[Expr]:
        """A list of primitives of which some have extensions stays in step with the list of those (`assign`)."""
        node = self.state.nodes.get(target.context) if target.context is not None else None
        if node is None or not target.steps or not target.steps[-1].key or target.steps[-1].repeats is not True:
            return []
        step = target.steps[-1]
        if step.static.type_name not in conversions.PRIMITIVES or len(target.steps) > 1:
            return []
        return [compared(Literal(f"_{step.key}"), Comparison.NOT_IN, node.name)]

    def _clean_path(self, target: TypedTarget) -> CleanPath | None:
        """The bare value that a target's expression mostly has, where it is a path of the record's FHIR JSON."""
        transform = target.transform
        if transform is None or transform.name not in ("evaluate", "copy") or target.variable is not None:
            return None
        if self.state.module.tracing is not None:
            return None
        return self.state.expressions.clean_path(transform.arguments[-1])

    def _assign_value(self, rule: TypedRule, target: TypedTarget, parent: TargetNode, computed: PythonValue) -> None:
        is_node = target.variable is not None and is_written(rule, target.variable)
        step = target.steps[-1]
        value = self.state.values.filled(computed)
        if not value.static.plain or step.repeats is None or not step.key or step.by_name:
            self._assign_dynamic(parent, target, step, self._only(target, value) if is_node else value)
            self._mean_node(parent, target, step, is_node)
            return
        value = self._only(target, value) if is_node else value
        value = self.state.converted(self._one_by_one(target, step, value), step, target.span)
        if not value.certain or target.variable is not None:
            value = self._named(target, step, value)
        if not step.repeats:
            self._set(parent, target, step, value)
        elif target.node.list_modes:
            place(self.state, target, parent, value.code)
        else:
            self.writer.append(target.span, list_of(parent, step.key), value.code)
        if step.static.type_name in conversions.PRIMITIVES:
            self._mean_node(parent, target, step, is_node)

    def _only(self, target: TypedTarget, value: PythonValue) -> PythonValue:
        """The one value of a target whose variable rules write to: it cannot mean several."""
        if not value.is_many:
            return value
        assert target.variable is not None
        one = call("sole", value.code, Literal(target.variable.name))
        if not value.static.plain:
            return PythonValue(one, value.static)
        return PythonValue(call("single", one), value.static.with_cardinality("optional"))

    def _mean_node(self, parent: TargetNode, target: TypedTarget, step: TargetStep, is_node: bool) -> None:
        """Have the variable of a primitive mean its place, where rules write its parts."""
        if not is_node or target.variable is None:
            return
        attach(self.state, parent, step.key, target.span)
        name = self.state.names.take(f"{target.variable.name}_node")
        held = self.state.held[target.variable].code
        facts = (Literal(step.name), held, choices(step))
        self.state.assign(name, call("node_of", parent.name, *facts), target.span)
        self.state.nodes[target.variable] = TargetNode(name)

    def _set(self, parent: TargetNode, target: TypedTarget, step: TargetStep, value: PythonValue) -> None:
        """Set a single element."""
        write = self.state.single_write(target)
        if write is None:
            self.writer.add(SetItem(target.span, parent.name, step.key, value.code))
            return
        put = self.state.put_once(parent.name, step, value.code, write)
        held = self.state.held.get(target.variable) if target.variable is not None else None
        if held is None and self.state.is_alone(target) and isinstance(value.code, Name):
            # What is there already is looked at, no more.
            is_first = compared(Literal(step.key), Comparison.NOT_IN, parent.name)
            with self.writer.block(If(target.span, is_first, ())):
                self.writer.add(SetItem(target.span, parent.name, step.key, value.code))
            with self.writer.otherwise():
                self.writer.add(Do(target.span, put))
        elif held is None:
            self.writer.add(Do(target.span, put))
        else:
            assert isinstance(held.code, Name)
            self.state.assign(held.code, put, target.span)

    def _one_by_one(self, target: TypedTarget, step: TargetStep, value: PythonValue) -> PythonValue:
        """One of several values, inside a loop over them; their only one where the element takes one."""
        if not value.is_many:
            return value
        if not step.repeats:
            return PythonValue(call("single", value.code), value.static.with_cardinality("optional"))
        name = self.state.names.take(step.name)
        self.writer.open(For(target.span, (name,), value.code, ()))
        return PythonValue(name, value.static.as_one(), certain=True)

    def _named(self, target: TypedTarget, step: TargetStep, value: PythonValue) -> PythonValue:
        """A value in a name of its own, inside a block that runs where there is one."""
        if target.variable is not None:
            one = PythonValue(value.code, value.static.as_one(), value.certain)
            name = self.state.bind(target.variable, target.variable.name, one)
        else:
            name = self.state.names.take(step.name)
        self.state.assign(name, value.code, target.span)
        if not value.certain:
            self.writer.open(If(target.span, is_not_none(name), ()))
        return PythonValue(name, value.static, certain=True)

    def _assign_dynamic(self, parent: TargetNode, target: TypedTarget, step: TargetStep, value: PythonValue) -> None:
        """The types, or the element, are known at run time only."""
        attach(self.state, parent, step.key, target.span)
        end, write = end_of(target), self.state.single_write(target)
        held = call("by_name", value.as_items(), Literal(step.by_name)) if step.by_name else value.as_items()
        node, items = (parent.name, Literal(step.name)), (held, choices(step))
        if end and step.repeats is not False:
            self.state.module.has_endings = True
            assignment: Expr = call("assign_placed", RUN, *node, *items, Literal(end), Literal(target.span.position))
        elif write is not None:
            assignment = call("assign_once", RUN, *node, *items, write)
        else:
            assignment = call("assign", *node, *items, Literal(step.repeats))
        if target.variable is None:
            self.writer.add(Do(target.span, assignment))
            return
        name = self.state.names.take(target.variable.name)
        self.state.assign(name, assignment, target.span)
        self.state.held[target.variable] = HeldVariable(name, target.variable.static, is_optional=True)
        self.state.nodes[target.variable] = TargetNode(name)
