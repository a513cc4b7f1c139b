"""A group becomes a function: one paragraph a rule, in text order."""

from __future__ import annotations

from fhirmap.analysis.dataflow import source_conditions
from fhirmap.analysis.typed import TypedGroup, TypedRule
from fhirmap.compiler.expressions import HeldVariable
from fhirmap.compiler.groups.calls import CallLowering
from fhirmap.compiler.groups.counted_steps import with_counted_steps
from fhirmap.compiler.groups.lists import close_lists, open_lists
from fhirmap.compiler.groups.sources import SourceLowering
from fhirmap.compiler.groups.state import Ending, GroupState, TargetNode
from fhirmap.compiler.groups.targets import TargetLowering
from fhirmap.compiler.module import ModuleBuilder
from fhirmap.compiler.plan import PythonFunction
from fhirmap.compiler.python import Blank, CommentLine, If, Name, is_not_none
from fhirmap.compiler.runtime_functions import RUN


class GroupLowering:
    """Lowers one typed group."""

    def __init__(self, module: ModuleBuilder, group: TypedGroup) -> None:
        self.group = group
        self.state = GroupState(module, group)
        self.writer = self.state.writer
        self.sources = SourceLowering(self.state)
        self.targets = TargetLowering(self.state)
        self.calls = CallLowering(self.state, self.targets.creation)

    def function(self) -> PythonFunction:
        """The group's function."""
        node = self.group.node
        parameters = self._parameters()
        made = [variable for variable in self.group.parameters if variable.mode == "target"]
        entered = self.state.traced("enter", "group", self.group.name, node.name_span)
        for variable in made:
            open_lists(self.state, variable, self.group.rules, node.span)
        with self.state.sharing(self.group.rules, None):
            for rule in self.group.rules:
                if self.writer.mark():
                    self.writer.add(Blank(None))
                self._rule(rule)
        for variable in made:
            close_lists(self.state, variable, node.span)
        self.state.left(entered)
        name = self.state.module.groups[self.group]
        body = with_counted_steps(self.group, self.writer.statements)
        return PythonFunction(name, (*parameters, RUN), self._doc(), body, self.group.unit.text, node.name_span)

    def _parameters(self) -> list[Name]:
        names = []
        for variable in self.group.parameters:
            name = self.state.names.take(variable.name)
            names.append(name)
            self.state.held[variable] = HeldVariable(name, variable.static)
            if variable.mode == "target":
                self.state.nodes[variable] = TargetNode(name)
        return names

    def _doc(self) -> str:
        node = self.group.node
        shown = ", ".join(
            f"{entry.mode} {entry.name}{f' : {entry.static.show()}' if entry.static.is_known else ''}"
            for entry in self.group.parameters
        )
        return f"group {node.name}({shown})  {node.span.name}:{node.span.line}"

    # --- rules --------------------------------------------------------------------------------------------------------

    def _rule(self, rule: TypedRule) -> None:
        state = self.state
        self.writer.add(CommentLine(rule.span, f"{rule.name}  ({rule.span.name}:{rule.span.line})"))
        # A rule of a group that this one extends comes from another map, perhaps.
        outer, state.unit = (state.scope, state.rule, state.decided), rule.unit
        state.rule = rule.name
        if state.module.tracing is not None:
            state.decided = (*state.decided, *source_conditions(rule.sources, state.module.checked))
        entered = state.traced("enter", "rule", rule.name, rule.span)
        names = state.names.mark()
        state.scope = (*rule.environment.sources.values(), *rule.environment.targets.values())
        with self.writer.rule(*self.sources.lists_of(rule)):
            self._fire(rule)
        state.scope, state.rule, state.decided = outer
        state.names.release(names)
        state.left(entered)

    def _fire(self, rule: TypedRule) -> None:
        if not self.sources.may_be_bare(rule):
            for source in rule.sources:
                self.sources.source(source)
            self._run(rule)
            return
        (source,) = rule.sources
        context = self.sources.open_path(source)
        names = self.state.names.mark()
        in_step = self.targets.in_step(rule)
        with self.writer.block(self.sources.bare(source, context, in_step)):
            self.sources.each_bare(source)
            self._run(rule)
        self.state.names.release(names)
        with self.state.closer_look(source.node.span):
            self.sources.by_items(source, context)
            self._run(rule)

    def _run(self, rule: TypedRule) -> None:
        """What a rule does for one item of each of its sources."""
        endings = self.targets.targets(rule)
        for call in rule.calls:
            self.calls.dependent(call)
        if rule.default is not None and (rule.default.group is not None or rule.default.table is not None):
            self.calls.default(rule, rule.default)
        with self.state.sharing(rule.rules, self.state.share_scope):
            for entry in rule.rules:
                self._rule(entry)
        for ending in reversed(endings):
            self._end(ending)

    def _end(self, ending: Ending) -> None:
        """Attach the lists of a created node, and take it away where nothing was written to it."""
        held = self.state.held.get(ending.variable)
        with self.writer.scope():
            if held is not None and held.is_optional:
                test = is_not_none(held.code)
                self.writer.open(If(ending.span, test, ()), is_dropped_when_empty=True)
            close_lists(self.state, ending.variable, ending.span)
            if ending.removal is not None:
                self.writer.add(ending.removal)
