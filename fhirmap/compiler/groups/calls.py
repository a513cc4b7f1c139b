"""Calls of other groups: those that a rule names, and the default groups of types."""

from __future__ import annotations

from fhirmap.analysis.typed import Default, Expression, TypedCall, TypedRule, Variable
from fhirmap.compiler.groups.creation import CreationLowering
from fhirmap.compiler.groups.lists import attach
from fhirmap.compiler.groups.state import GroupState
from fhirmap.compiler.python import Call, Do, Expr, For, Literal
from fhirmap.compiler.runtime_functions import RUN, call
from fhirmap.compiler.values import choices
from fhirmap.diagnostics import Span


class CallLowering:
    """The calls of one group's rules. A called group catches what its own rules raise."""

    def __init__(self, state: GroupState, creation: CreationLowering) -> None:
        self.state = state
        self.writer = state.writer
        self.creation = creation

    def dependent(self, typed: TypedCall) -> None:
        """A group that a rule names, called for each item of its arguments."""
        span = typed.node.span
        with self.writer.scope():
            pairs = zip(typed.arguments, typed.group.parameters, strict=True)
            arguments = [self._argument(argument, parameter, span) for argument, parameter in pairs]
            entered = self.state.traced("enter", "dependent", typed.node.name, span)
            function = self.state.module.groups[typed.group]
            with self.state.deciding():
                self.writer.add(Do(span, Call(function, (*arguments, RUN), raises=False)))
            self.state.left(entered)

    def _argument(self, argument: Expression, parameter: Variable, span: Span) -> Expr:
        held = self.state.held.get(argument.variable) if argument.variable is not None else None
        if parameter.mode == "target" and argument.variable is not None:
            self.state.skip_unbound(held, span)
            return self.state.nodes[argument.variable].name
        if held is not None and held.static.cardinality != "many":
            self.state.skip_unbound(held, span)
            return held.code
        value = self.state.value(argument)
        if value.certain and not value.is_many and value.static.plain:
            return value.code
        name = self.state.names.take(parameter.name)
        self.writer.open(For(span, (name,), value.as_list(), ()))
        return name

    def default(self, rule: TypedRule, default: Default) -> None:
        """`src.a -> tgt.b;` through a group, known now or chosen by the item's type."""
        entered = self.state.traced("enter", "dependent", "default", rule.span)
        with self.state.deciding():
            self._run_default(rule, default)
        self.state.left(entered)

    def _run_default(self, rule: TypedRule, default: Default) -> None:
        source = self.state.held[rule.sources[0].variable]
        target = rule.targets[0]
        if default.group is not None:
            assert target.variable is not None
            function = self.state.module.groups[default.group]
            node = self.state.nodes[target.variable]
            self.writer.add(Do(rule.span, Call(function, (source.code, node.name, RUN), raises=False)))
            return
        assert default.table is not None
        parent = self.creation.parent(target)
        step = target.steps[-1]
        attach(self.state, parent, step.key, target.span)
        facts = (Literal(step.name), choices(step), Literal(step.repeats))
        self.state.module.needs_pruning = True
        write = self.state.single_write(target)
        groups = self.state.module.choice(default.table)
        every = (*facts, groups, *((write,) if write is not None else ()))
        item = self.state.expressions.item(source)
        self.writer.add(Do(rule.span, call("run_default", RUN, item, parent.name, *every)))
