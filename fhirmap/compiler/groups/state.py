"""What the parts of one group's lowering share: names, statements, and how variables are held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from fhirmap.analysis import conversions
from fhirmap.analysis.dataflow import Read, Reads, reads_of, transform_reads
from fhirmap.analysis.single_writes import PLACING
from fhirmap.analysis.typed import Expression, TargetStep, Transform, TypedGroup, TypedRule, TypedTarget, Variable
from fhirmap.compiler.explanation import CodeCause, CodeReason, ExplainedPlace
from fhirmap.compiler.expressions import Expressions, HeldVariable, PythonValue
from fhirmap.compiler.fhirpath.clean import CleanPath, only_object
from fhirmap.compiler.module import ModuleBuilder
from fhirmap.compiler.python import (
    Assign,
    Attribute,
    CommentLine,
    Connective,
    DictOf,
    Do,
    Expr,
    Get,
    If,
    Literal,
    Logic,
    Name,
    TupleOf,
    builtin,
    is_not_none,
)
from fhirmap.compiler.runtime_functions import RUN, call, fp_call, run_call
from fhirmap.compiler.tracing import trace_call
from fhirmap.compiler.values import TransformCode
from fhirmap.compiler.writer import Writer
from fhirmap.diagnostics import Span

_NO_BARE_VALUE = CodeCause(CodeReason.NO_BARE_VALUE)


@dataclass(eq=False, slots=True)
class TargetNode:
    """A target variable in generated code. ``lists``: local names of its lists, attached to it when its scope ends."""

    name: Name
    lists: dict[str, Name] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ending:
    """What becomes of a created node when its rule has run. ``removal``: takes it away where nothing was written."""

    variable: Variable
    span: Span
    removal: If | None = None


@dataclass(frozen=True, slots=True)
class TracePoint:
    """A place that a trace entered, and the variables in scope there."""

    number: int
    held: dict[Variable, Expr]


class GroupState:
    """One group in the making."""

    def __init__(self, module: ModuleBuilder, group: TypedGroup) -> None:
        self.module = module
        self.names = module.local_names()
        self.writer = Writer()
        self.held: dict[Variable, HeldVariable] = {}
        self.nodes: dict[Variable, TargetNode] = {}
        self.expressions = Expressions(module, self.held, self.names)
        self.values = TransformCode(module, self.expressions)
        self.unit = group.unit
        """The map of the current rule: one of a group that this one extends may come from another."""
        self.share_scope: Expr = Attribute(RUN, "shares")
        """What rules share in the current scope: a call of the group, a firing of the rule around them."""
        self.scope: tuple[Variable, ...] = group.parameters
        """Variables that a trace reports, where there is one."""
        self.explains = True
        """Do comments say why code goes through items?"""
        self.rule = ""
        """Name of the current rule."""
        self.decided: tuple[Read, ...] = ()
        """What decides whether the current rule, and those around it, fire: for a trace."""

    # --- variables ----------------------------------------------------------------------------------------------------

    def bind(self, variable: Variable, wanted: str, held: PythonValue) -> Name:
        """A name for a variable of the target side, and how it is held there."""
        name = self.names.take(wanted)
        self.held[variable] = HeldVariable(name, held.static, is_optional=not held.certain)
        self.nodes[variable] = TargetNode(name)
        return name

    def skip_unbound(self, held: HeldVariable | None, span: Span) -> None:
        """Open a block that runs only where an optional variable is bound."""
        if held is not None and held.is_optional:
            self.writer.open(If(span, is_not_none(held.code), ()))

    # --- expressions --------------------------------------------------------------------------------------------------

    def assign(self, name: Name, value: Expr, span: Span) -> None:
        """`name = value`."""
        self.writer.add(Assign(span, (name,), value))

    def value(self, expression: Expression) -> PythonValue:
        """The value of an expression, after the statements that it needs."""
        value = self._ready(self.expressions.value(expression), expression.span)
        if self.module.tracing is None or expression.variable is not None or expression.literal is not None:
            return value
        return self._traceable(value, reads_of(expression, self.module.checked), expression.span)

    def bare(self, path: CleanPath, name: Name, span: Span) -> tuple[Expr, ...]:
        """Read a value of the record's FHIR JSON under a name; what holds where it is bare, or a list of bare ones."""
        if path.repeats:
            self.assign(name, fp_call("only_texts", path.owner, Literal(path.key)), span)
            return (is_not_none(name),)
        owner = path.owner
        if path.only is not None:
            items, owner = self.names.take(path.only.key), self.names.take("held")
            self.assign(items, path.only, span)
            self.assign(owner, only_object(items), span)
        elif not isinstance(owner, Name):
            owner = self.names.take("held")
            self.assign(owner, Logic(Connective.OR, (path.owner, DictOf())), span)
        self.assign(name, Get(owner, path.key), span)
        return path.tests(owner, name)

    def condition(self, expression: Expression, index: Expr | None = None) -> Expr:
        """Truthy code for a condition, after the statements that it needs. ``index``: its `$index`."""
        test = self.expressions.condition(expression, index)
        self.explain(test.by_items, expression.span)
        self._statements(test.statements, expression.span)
        return test.code

    def explain(self, why: CodeCause | None, span: Span) -> None:
        """Say, in a comment too, why what follows goes through items."""
        if why is not None and self.explains:
            self.writer.add(CommentLine(span, why.comment))
            self.module.by_items.append(ExplainedPlace(span, why, self.rule))

    @contextmanager
    def closer_look(self, span: Span) -> Iterator[None]:
        """What is done where no bare value was found: one comment says why it goes through items."""
        with self.writer.otherwise():
            self.explain(_NO_BARE_VALUE, span)
            self.explains = False
            yield
            self.explains = True

    def transformed(self, target: TypedTarget) -> PythonValue:
        """The value of a target's transform, after the statements that it needs."""
        assert target.transform is not None
        transform, step = target.transform, target.steps[-1] if target.steps else None
        value = self._ready(self.values.transformed(transform, step), transform.span)
        if self.module.tracing is None or transform.name == "create":
            return value
        rule = (self.rule, target.span.position) if target.context is not None else None
        if transform.name == "copy" and _is_of_result(transform.arguments[0]):
            return replace(value, code=call("handed", value.code, self._deciding((), rule), Literal(rule)))
        reads = transform_reads(transform, self.module.checked)
        made_of = self._contributing(transform, target.span) if transform.function is not None else None
        return self._traceable(value, reads, target.span, rule, made_of)

    def converted(self, value: PythonValue, step: TargetStep, span: Span) -> PythonValue:
        """``value`` as the type its element has, after the statements that it needs."""
        found = self._ready(self.values.converted(value, step), span)
        if self.module.tracing is None or found.code == value.code:
            return found
        made_of = TupleOf((TupleOf((value.code, Literal(()))),))
        return replace(found, code=call("derived", found.code, made_of))

    def _ready(self, value: PythonValue, span: Span) -> PythonValue:
        self.explain(value.by_items, span)
        self._statements(value.statements, span)
        return replace(value, statements=()) if value.statements else value

    def _statements(self, statements: Iterable[Assign], span: Span) -> None:
        for statement in statements:
            self.writer.add(replace(statement, span=span))

    def _traceable(
        self,
        value: PythonValue,
        reads: Reads,
        span: Span,
        rule: tuple[str, str] | None = None,
        made_of: Expr | None = None,
    ) -> PythonValue:
        """A computed value that knows what it is made of, for a trace: in a name, since what follows may repeat it."""
        decided = self._deciding(reads.conditions, rule)
        made = call("derived", value.code, made_of or self._reads(reads.values), decided, Literal(rule))
        name = self.names.take("known")
        self.assign(name, made, span)
        return replace(value, code=name, bare=None)

    def _contributing(self, transform: Transform, span: Span) -> Expr | None:
        """What those arguments of a plug-in's function read that its result is made of; None where all are."""
        if len(transform.arguments) < 2:
            return None
        given, statements = self.values.given(transform)
        self._statements(statements, span)
        each = (self._reads(reads_of(argument, self.module.checked).values) for argument in transform.arguments)
        function = self.values.function_of(transform)
        return call("contributing", function, TupleOf(tuple(given)), TupleOf(tuple(each)))

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """A call of a group in it: for a trace, what decides about the call decides about all that is written there."""
        if self.module.tracing is None or not self.decided:
            yield
            return
        before = self.names.take("decided")
        self.writer.add(Assign(None, (before,), run_call("deciding", self._reads(self.decided))))
        yield
        self.writer.add(Do(None, run_call("decided_as_before", before)))

    def _deciding(self, conditions: Iterable[Read], rule: tuple[str, str] | None) -> Expr:
        """What decides about a value, and about the rule that writes it, in this group and in those that call it."""
        if rule is None:
            return self._reads(conditions)
        outer = TupleOf((Attribute(RUN, "decided"), Literal(())))
        return TupleOf((*self._each((*conditions, *self.decided)), outer))

    def _reads(self, reads: Iterable[Read]) -> Expr:
        """Variables with the names that are gone down from them."""
        return TupleOf(self._each(reads))

    def _each(self, reads: Iterable[Read]) -> tuple[Expr, ...]:
        held = ((self.held.get(entry.variable), entry.steps) for entry in reads)
        return tuple(TupleOf((found.code, Literal(steps))) for found, steps in held if found is not None)

    # --- shared items -------------------------------------------------------------------------------------------------

    @contextmanager
    def sharing(self, rules: Sequence[TypedRule], outer: Expr | None) -> Iterator[None]:
        """A scope of its own for what ``rules`` share, with what the ``outer`` one holds when it begins."""
        targets = (target for rule in rules for part in rule.walk() for target in part.targets)
        if not any(target.node.share is not None for target in targets):
            yield
            return
        before, name = self.share_scope, self.names.take("shares")
        self.assign(name, DictOf() if outer is None else builtin("dict", outer), rules[0].span)
        self.share_scope = name
        yield
        self.share_scope = before

    def shares(self, target: TypedTarget) -> Expr:
        """Where the item that a target shares is looked for: the record as a whole where it shares no name."""
        return self.share_scope if target.node.share is not None else Attribute(RUN, "shares")

    # --- single elements ----------------------------------------------------------------------------------------------

    def put_once(self, node: Expr, step: TargetStep, value: Expr, write: Name) -> Expr:
        """A write of a single element that another may meet; what is there then."""
        element = step.element
        stem = (Literal(element.name),) if element is not None and element.is_choice else ()
        return call("put_once", RUN, node, Literal(step.key), value, write, *stem)

    def single_write(self, target: TypedTarget) -> Name | None:
        """What the runtime has to know of a write that may meet another; None where none can."""
        guard = self.module.guards.get(target)
        if guard is None:
            return None
        facts: list[Expr] = [Literal(guard.rule.name), Literal(target.span.position)]
        mode = next((entry for entry in target.node.list_modes if entry in PLACING), "")
        replaced = tuple(entry.span.position for entry in guard.replaces)
        if mode or replaced:
            facts += [Literal(mode), *((Literal(replaced),) if replaced else ())]
        alone = {"is_alone": Literal(True)} if self.is_alone(target) else {}
        return self.module.constants.add("write", call("SingleWrite", *facts, **alone))

    def is_alone(self, target: TypedTarget) -> bool:
        """Does a write of a primitive meet nothing but its own repetition?"""
        guard, step = self.module.guards.get(target), target.steps[-1] if target.steps else None
        if guard is None or step is None or step.element is None or not step.key:
            return False
        is_primitive = step.static.type_name in conversions.PRIMITIVES
        return guard.is_alone and is_primitive and not guard.replaces and not target.node.list_modes

    # --- tracing ------------------------------------------------------------------------------------------------------

    def point(self, kind: str, name: str, span: Span) -> TracePoint | None:
        """A place for a trace, where the module is compiled for one."""
        if self.module.tracing is None:
            return None
        held = {entry: self.held[entry].code for entry in self.scope if entry.name and entry in self.held}
        return TracePoint(self.module.tracing.point(self.unit, kind, name, span, held), held)

    def traced(self, verb: str, kind: str, name: str, span: Span, *more: Expr) -> TracePoint | None:
        """Report a place to a trace, where there is one."""
        point = self.point(kind, name, span)
        if point is not None:
            self.writer.add(Do(None, trace_call(verb, point.number, point.held, *more)))
        return point

    def left(self, entered: TracePoint | None) -> None:
        """Report to a trace that what was entered is done."""
        if entered is not None:
            self.writer.add(Do(None, trace_call("exit", entered.number, entered.held)))


def _is_of_result(argument: Expression) -> bool:
    return argument.variable is not None and argument.variable.mode == "target"
