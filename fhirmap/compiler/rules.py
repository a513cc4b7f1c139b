"""Groups: one function each, one paragraph a rule, in text order.

What is statically known is written as plain Python: an element of a model is a dict access, a target of a known type a
dict display or an append, constants of one node folded into one display. The rest goes through the runtime. A rule that
can fail stands in a `try` of its own, so that one fault never hides another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from fhirmap.analysis import conversions
from fhirmap.analysis.static import Static
from fhirmap.analysis.typed import (
    Default,
    Expression,
    NameScope,
    SourceStep,
    TargetStep,
    Transform,
    TypedCall,
    TypedGroup,
    TypedRule,
    TypedSource,
    TypedTarget,
    Variable,
)
from fhirmap.compiler import plan, tracing
from fhirmap.compiler.expressions import Expressions, Held, Value
from fhirmap.compiler.module import ModuleBuilder
from fhirmap.compiler.names import Code, Name, code, literal
from fhirmap.compiler.values import Values, choices, converted
from fhirmap.diagnostics import Span
from fhirmap.language import nodes
from fhirmap.language.visit import walk

_RUN = Name("run")
_SLICES = {"first": ":1", "not_first": "1:", "last": "-1:", "not_last": ":-1"}


@dataclass(eq=False, slots=True)
class Node:
    """A target variable in generated code. ``lists``: local names of its lists, attached to it when its scope ends."""

    name: Name
    lists: dict[str, Name] = field(default_factory=dict)


class GroupLowering:
    """Lowers one typed group."""

    def __init__(self, module: ModuleBuilder, group: TypedGroup) -> None:
        self.module = module
        self.group = group
        self.names = module.local_names()
        self.steps: list[plan.Step] = []
        self.depth = 1
        self.held: dict[Variable, Held] = {}
        self.nodes: dict[Variable, Node] = {}
        self.expressions = Expressions(module, self.held, self.names)
        self.values = Values(module, self.expressions)
        self.unit = group.unit
        self.scope: tuple[Variable, ...] = group.parameters
        """Variables that a trace tells of, where there is one."""

    def function(self) -> plan.Function:
        """The group's function."""
        parameters = []
        for variable in self.group.parameters:
            name = self.names.take(variable.name)
            parameters.append(name)
            self.held[variable] = Held(name, variable.static)
            if variable.mode == "target":
                self.nodes[variable] = Node(name)
        entered = self._traced("enter", "group", self.group.name, self.group.node.name_span)
        for variable in self.group.parameters:
            if variable.mode == "target":
                self._open_lists(variable, self.group.rules, self.group.node.span)
        for rule in self.group.rules:
            self._rule(rule, top=True)
        for variable in self.group.parameters:
            if variable.mode == "target":
                self._close_lists(variable, self.group.node.span)
        self._left(entered)
        if not self.steps:
            self._add(plan.Pass)
        node = self.group.node
        shown = ", ".join(
            f"{entry.mode} {entry.name}{f' : {entry.static.show()}' if entry.static.is_known else ''}"
            for entry in self.group.parameters
        )
        doc = f"group {node.name}({shown})  {node.span.name}:{node.span.line}"
        return plan.Function(
            self.module.groups[self.group],
            (*parameters, _RUN),
            doc,
            tuple(self.steps),
            self.group.unit.text,
            node.name_span,
        )

    # --- printing -----------------------------------------------------------------------------------------------------

    def _add(self, kind: type[plan.Step], *values: object, span: Span | None = None) -> None:
        self.steps.append(kind(self.depth, span, *values))

    def _statements(self, statements: Iterable[str], span: Span | None) -> None:
        """Python that an expression needs before it, as its compiler wrote it."""
        for statement in statements:
            for line in statement.splitlines():
                blanks = len(line) - len(line.lstrip(" "))
                self.steps.append(plan.Do(self.depth + blanks // 4, span, Code(line.strip())))

    # --- tracing ------------------------------------------------------------------------------------------------------

    def _traced(self, verb: str, kind: str, name: str, span: Span, *more: Code) -> tuple[int, dict[Variable, Code]]:
        """Tell a trace of a place, where the module is compiled for one."""
        if self.module.tracing is None:
            return 0, {}
        held = {entry: self.held[entry].code for entry in self.scope if entry.name and entry in self.held}
        point = self.module.tracing.point(self.unit, kind, name, span, held)
        self._add(plan.Do, tracing.call(verb, point, held, *more))
        return point, held

    def _left(self, entered: tuple[int, dict[Variable, Code]]) -> None:
        """Tell a trace that what was entered is done."""
        if self.module.tracing is not None:
            self._add(plan.Do, tracing.call("exit", *entered))

    # --- rules --------------------------------------------------------------------------------------------------------

    def _rule(self, rule: TypedRule, *, top: bool = False) -> None:
        if top and self.steps:
            self._add(plan.Blank)
        self._add(plan.Comment, f"{rule.name}  ({rule.span.name}:{rule.span.line})", span=rule.span)
        # A rule of a group that this one extends stands in another map, perhaps.
        outer, self.unit = self.scope, rule.unit
        entered = self._traced("enter", "rule", rule.name, rule.span)
        before, start, names = self.depth, len(self.steps), self.names.mark()
        self._add(plan.Try)
        self.depth += 1
        self.scope = (*rule.environment.sources.values(), *rule.environment.targets.values())
        self._fire(rule)
        self.depth, self.scope = before, outer
        self.names.release(names)
        if _is_safe(self.steps[start + 1 :], self.module):
            self.steps[start:] = [replace(step, depth=step.depth - 1) for step in self.steps[start + 1 :]]
        else:
            self._add(plan.Catch, _RUN)
        self._left(entered)

    def _fire(self, rule: TypedRule) -> None:
        for source in rule.sources:
            self._source(source)
            self._traced("step", "source", _written(source.node), source.node.span)
        ending: list[tuple[Variable, TypedTarget, Name | None, Code | None]] = []
        self._targets(rule, ending)
        for call in rule.calls:
            self._call(call)
        if rule.default is not None and (rule.default.group is not None or rule.default.dynamic):
            self._default(rule)
        for entry in rule.rules:
            self._rule(entry)
        for variable, target, made, container in reversed(ending):
            before = self.depth
            held = self.held.get(variable)
            if held is not None and held.is_optional:
                self._add(plan.If, code("{} is not None", held.code), span=target.span)
                self.depth += 1
            empty = len(self.steps)
            self._close_lists(variable, target.span)
            self._prune(variable, target, made, container)
            if len(self.steps) == empty and self.depth > before:
                self.steps.pop()
            self.depth = before
        if isinstance(self.steps[-1], plan.If | plan.For | plan.Try | plan.Comment):
            self._add(plan.Pass)

    # --- sources ------------------------------------------------------------------------------------------------------

    def _source(self, source: TypedSource) -> None:
        """Open the blocks that a source needs, and bind its variable."""
        node = source.node
        context = self._context(source)
        whole = not source.steps and source.default is None and source.search is None
        if whole and node.list_mode is None and node.minimum is None:
            self.held[source.variable] = self._filtered_context(source, context)
            self._conditions(source)
            return
        span = _source_span(node)
        for step in source.steps[:-1]:
            context = self._step(context, step, span)
        last = source.steps[-1] if source.steps else None
        if context.static.plain and last is not None and not last.repeats and not _needs_list(source):
            self._plain_single(source, context, last, span)
        elif not _needs_list(source):
            self._each(source, self._items(source, context, last), span)
        else:
            self._listed(source, self._items(source, context, last), span)

    def _context(self, source: TypedSource) -> Held:
        if source.context.mode == "constant":
            value = self.expressions.constant(source.context)
            return Held(value.code, value.static)
        held = self.held.get(source.context)
        return held if held is not None else Held(Code("None"), Static(frozenset(), "one"))

    def _filtered_context(self, source: TypedSource, context: Held) -> Held:
        span = _source_span(source.node)
        if source.filter_types and not context.static.plain:
            self._add(plan.If, self.values.is_type(context.code, source.filter_types), span=span)
            self.depth += 1
        if context.is_optional:
            self._add(plan.If, code("{} is not None", context.code), span=span)
            self.depth += 1
        return Held(context.code, source.item)

    def _step(self, context: Held, step: SourceStep, span: Span) -> Held:
        """Go one name down a path that goes on."""
        name = self.names.take(step.name)
        static = step.static
        if context.static.plain and not step.repeats:
            self._add(plan.Assign, name, code("{}.get({})", context.code, step.name), span=span)
            self._add(plan.If, code("{} is not None", name), span=span)
        elif context.static.plain:
            self._add(plan.For, name, code("{}.get({}, ())", context.code, step.name), span=span)
        else:
            self._add(plan.For, name, self.values.children(context.code, step.name), span=span)
        self.depth += 1
        return Held(name, static)

    def _bind(self, source: TypedSource) -> Name:
        wanted = source.variable.name or (source.steps[-1].name if source.steps else source.context.name)
        name = self.names.take(wanted)
        self.held[source.variable] = Held(name, source.item)
        return name

    def _plain_single(self, source: TypedSource, context: Held, step: SourceStep, span: Span) -> None:
        name = self._bind(source)
        self._add(plan.Assign, name, code("{}.get({})", context.code, step.name), span=span)
        if source.default is not None:
            self._add(plan.If, code("{} is None", name), span=span)
            self.depth += 1
            value = self._value(source.default)
            self._add(plan.Assign, name, value.as_single(self.module), span=source.default.span)
            self.depth -= 1
        self._add(plan.If, code("{} is not None", name), span=span)
        self.depth += 1
        self._conditions(source)

    def _items(self, source: TypedSource, context: Held, step: SourceStep | None) -> Code:
        """The items of a source as a list (or what a `for` takes)."""
        if source.search is not None:
            return code("run.search({})", self._value(source.search).as_list(self.module))
        if step is None:
            return code("[{}]", context.code)
        if context.static.plain:
            if step.repeats:
                return code("{}.get({}, ())", context.code, step.name)
            held = self.names.take(step.name)
            self._add(plan.Assign, held, code("{}.get({})", context.code, step.name), span=step.span)
            return code("[] if {} is None else [{}]", held, held)
        items = self.values.children(context.code, step.name)
        if source.filter_types:
            items = self.values.of_types(items, source.filter_types)
        return items

    def _each(self, source: TypedSource, items: Code, span: Span) -> None:
        name = self._bind(source)
        self._add(plan.For, name, items, span=span)
        self.depth += 1
        self._conditions(source)

    def _listed(self, source: TypedSource, items: Code, span: Span) -> None:
        """A source with a cardinality, a default or a list mode: filtered into a list before it fires."""
        node = source.node
        if node.minimum is not None or node.maximum is not None:
            most = None if node.maximum in (None, -1) else node.maximum
            items = code("{}(list({}), {}, {})", self.module.use("counted"), items, node.minimum or 0, most)
        if source.default is not None:
            held = self.names.take("found")
            self._add(plan.Assign, held, items, span=span)
            self._add(plan.If, code("not {}", held), span=span)
            self.depth += 1
            value = self._value(source.default)
            self._add(plan.Assign, held, value.as_list(self.module), span=source.default.span)
            self.depth -= 1
            items = held
        if node.list_mode is None:
            self._each(source, items, span)
            return
        kept = self.names.take("kept")
        self._add(plan.Assign, kept, Code("[]"), span=span)
        before = self.depth
        self._each(source, items, span)
        name = self.held[source.variable].code
        self._add(plan.Append, kept, name, span=span)
        self.depth = before
        if node.list_mode == "only_one":
            chosen = code("{}({})", self.module.use("only_one"), kept)
        else:
            chosen = Code(f"{kept}[{_SLICES[node.list_mode]}]")
        self._add(plan.For, name, chosen, span=span)
        self.depth += 1

    def _conditions(self, source: TypedSource) -> None:
        """where, check, log: in this order, for one item."""
        if source.where is not None:
            test = self._condition(source.where)
            if self.module.tracing is not None:
                self._traced("test", "where", source.where.node.text, source.where.span, test)
                test = Code(self.steps.pop().value)  # type: ignore[attr-defined]
            if test != "True":
                self._add(plan.If, test, span=source.where.span)
                self.depth += 1
        if source.check is not None:
            test = self._condition(source.check)
            self._add(plan.If, code("not ({})", test), span=source.check.span)
            self.depth += 1
            failure = code("raise {}({})", self.module.use("check_failed"), source.check.node.text)
            self._add(plan.Do, failure, span=source.check.span)
            self.depth -= 1
        if source.log is not None:
            value = self._value(source.log)
            position = source.log.span.position
            self._add(plan.Do, code("run.note({}, {})", value.as_single(self.module), position), span=source.log.span)

    def _condition(self, expression: Expression) -> Code:
        test, statements = self.expressions.condition(expression)
        self._statements(statements, expression.span)
        return test

    def _value(self, expression: Expression) -> Value:
        value = self.expressions.value(expression)
        self._statements(value.statements, expression.span)
        return value

    # --- targets ------------------------------------------------------------------------------------------------------

    def _targets(self, rule: TypedRule, ending: list[tuple[Variable, TypedTarget, Name | None, Code | None]]) -> None:
        index = 0
        while index < len(rule.targets):
            target = rule.targets[index]
            index += 1
            before, start = self.depth, len(self.steps)
            guard = self._guard(target)
            if guard is not None:
                self._add(plan.If, code("{} is not None", guard), span=target.span)
                self.depth += 1
            if target.context is None:
                self._computed(target)
            elif not target.steps:
                self._whole(target)
            elif rule.default is not None and rule.default.dynamic:
                self.depth = before
                continue
            elif target.transform is None or target.transform.name == "create":
                folded = self._foldable(rule, index, target) if target.variable is not None else 0
                self._create(rule, target, rule.targets[index : index + folded], ending)
                index += folded
            else:
                self._assign(target)
            self._traced_targets(rule.targets, target, index)
            self.depth = before
            if guard is not None and target.variable is not None:
                self._may_be_absent(target.variable, start, target.span)

    def _traced_targets(self, targets: tuple[TypedTarget, ...], first: TypedTarget, end: int) -> None:
        """Tell a trace of a target, and of those that were folded into its node."""
        if self.module.tracing is None:
            return
        for target in targets[targets.index(first) : end]:
            held = self.held.get(target.variable) if target.variable is not None else None
            written = (code("{} is not None", held.code),) if held is not None and held.is_optional else ()
            self._traced("step", "target", _written(target.node), target.span, *written)

    def _guard(self, target: TypedTarget) -> Code | None:
        """The name of a target's context where it may be bound to nothing: what is written to it is then left out."""
        held = self.held.get(target.context) if target.context is not None else None
        return held.code if held is not None and held.is_optional else None

    def _may_be_absent(self, variable: Variable, start: int, span: Span) -> None:
        """Bind a variable that was made under a condition to nothing beforehand, for what follows."""
        held = self.held.get(variable)
        if held is None:
            return  # nothing asks for it
        self.held[variable] = replace(held, is_optional=True)
        self.steps.insert(start, plan.Assign(self.depth, span, Name(held.code), Code("None")))

    def _computed(self, target: TypedTarget) -> None:
        assert target.transform is not None
        value = self._transformed(target.transform, None)
        if target.variable is None:
            self._add(plan.Do, value.code, span=target.span)
            return
        name = self.names.take(target.variable.name)
        self._add(plan.Assign, name, value.as_it_is(), span=target.span)
        self.held[target.variable] = Held(name, value.static, is_optional=not value.certain)
        self.nodes[target.variable] = Node(name)

    def _whole(self, target: TypedTarget) -> None:
        assert target.context is not None
        node = self.nodes[target.context]
        if target.transform is not None:
            value = self._transformed(target.transform, None)
            nothing = literal(((), False))
            call = code(
                "{}({}, 'value', {}, {}, False)",
                self.module.use("assign"),
                node.name,
                value.as_items(),
                nothing,
            )
            self._add(plan.Do, call, span=target.span)
        if target.variable is not None:
            self.nodes[target.variable] = node
            self.held[target.variable] = self.held[target.context]

    def _transformed(self, transform: Transform, step: TargetStep | None) -> Value:
        value = self.values.transformed(transform, step)
        self._statements(value.statements, transform.span)
        return value

    # --- creating nodes -----------------------------------------------------------------------------------------------

    def _foldable(self, rule: TypedRule, start: int, created: TypedTarget) -> int:
        """How many of the next targets only write sure, simple values into the node just created."""
        reused = created.node.share is not None or set(created.node.list_modes) & {"share", "single", "collate"}
        if created.steps[-1].repeats is not True or reused:
            return 0
        count = 0
        keys: set[str] = set()
        for target in rule.targets[start:]:
            simple = (
                target.context is created.variable and len(target.steps) == 1 and target.variable is None
                and target.transform is not None and not target.node.list_modes
            )  # fmt: skip
            if not simple:
                break
            step = target.steps[0]
            assert target.transform is not None
            if (
                step.repeats is not False
                or not step.key
                or step.key in keys
                or not self.values.is_sure(target.transform, step)
            ):
                break
            keys.add(step.key)
            count += 1
        return count

    def _create(
        self,
        rule: TypedRule,
        target: TypedTarget,
        folded: tuple[TypedTarget, ...],
        ending: list[tuple[Variable, TypedTarget, Name | None, Code | None]],
    ) -> None:
        assert target.context is not None
        parent = self._parent(target)
        step = target.steps[-1]
        entries = self._fresh(target)
        for entry in folded:
            assert entry.transform is not None
            value = self._transformed(entry.transform, entry.steps[0])
            entries.append(code("{}: {}", entry.steps[0].key, converted(self.module, value, entry.steps[0]).code))
        display = Code("{" + ", ".join(entries) + "}")
        variable = target.variable or Variable("", "target", target.value, target.span)
        used = target.variable is not None and self._is_used(rule, target, folded)
        made = target.value.type_name or step.static.type_name
        if made in conversions.PRIMITIVES:
            self._create_slot(parent, target, variable)
        elif step.repeats is None or not step.key:
            self._create_untyped(parent, target, variable, display, ending)
        elif step.repeats:
            self._create_item(rule, parent, target, variable, display, ending, used=used, sure=bool(entries))
        else:
            self._create_single(rule, parent, target, variable, display, ending, sure=bool(entries))

    def _fresh(self, target: TypedTarget) -> list[Code]:
        """What a created node holds from the start: a resource says what it is."""
        made = target.transform.type if target.transform is not None else None
        structure = self.module.checked.definitions.structure(made.structure or made.name) if made else None
        if made is None or structure is None or "." in made.name:
            return []
        declared = {ref.name for ref in target.steps[-1].element.types} if target.steps[-1].element else set()
        if structure.kind == "resource" or (structure.kind == "logical" and declared - {made.name}):
            # What was made has to be told where the element takes more than that.
            return [code("'resourceType': {}", structure.type)]
        return []

    def _create_item(
        self,
        rule: TypedRule,
        parent: Node,
        target: TypedTarget,
        variable: Variable,
        display: Code,
        ending: list[tuple[Variable, TypedTarget, Name | None, Code | None]],
        *,
        used: bool,
        sure: bool,
    ) -> None:
        step = target.steps[-1]
        items = self._list(parent, step.key)
        if not used and sure and not target.node.list_modes:
            self._add(plan.Append, items, display, span=target.span)
            return
        name = self.names.take(variable.name or step.name)
        node = Node(name)
        self.nodes[variable] = node
        self.held[variable] = Held(name, target.value.as_one())
        if target.node.list_modes:
            self._placed(target, parent, step, name, display)
        else:
            self._add(plan.Assign, name, display, span=target.span)
            self._add(plan.Append, items, name, span=target.span)
        self._open_lists(variable, rule, target.span)
        if step.key in parent.lists:
            removal = code("{}({}, {})", self.module.use("discard"), items, name)
        else:
            removal = code("{}({}, {}, {})", self.module.use("drop"), parent.name, step.key, name)
        ending.append((variable, target, None, None if sure else removal))

    def _create_single(
        self,
        rule: TypedRule,
        parent: Node,
        target: TypedTarget,
        variable: Variable,
        display: Code,
        ending: list[tuple[Variable, TypedTarget, Name | None, Code | None]],
        *,
        sure: bool,
    ) -> None:
        """A single element: the child that is there already, or a new one."""
        step = target.steps[-1]
        name = self.names.take(variable.name or step.name)
        node = Node(name)
        self.nodes[variable] = node
        self.held[variable] = Held(name, target.value.as_one())
        made: Name | None = None
        if sure:
            self._add(plan.Assign, name, display, span=target.span)
            self._add(plan.Store, parent.name, step.key, name, span=target.span)
        elif self._surely_filled(rule, variable):
            self._add(
                plan.Assign, name, code("{}.setdefault({}, {})", parent.name, step.key, display), span=target.span
            )
        else:
            made = self.names.take(f"made_{name}")
            self._add(plan.Assign, made, code("{} not in {}", step.key, parent.name), span=target.span)
            self._add(
                plan.Assign, name, code("{}.setdefault({}, {})", parent.name, step.key, display), span=target.span
            )
        self._open_lists(variable, rule, target.span)
        ending.append((variable, target, made, parent.name if made is not None else None))

    def _create_slot(self, parent: Node, target: TypedTarget, variable: Variable) -> None:
        """A primitive that rules fill piece by piece."""
        step = target.steps[-1]
        self._attach(parent, step.key, target.span)
        name = self.names.take(variable.name or step.name)
        self.nodes[variable] = Node(name)
        self.held[variable] = Held(name, Static(frozenset(), "one", plain=True))
        made = target.transform.type if target.transform is not None else None
        kinds = code("({}, {})", (made.name,), step.element.is_choice) if made and step.element else choices(step)
        call = code("{}({}, {}, {}, {})", self.module.use("slot"), parent.name, step.name, kinds, step.repeats)
        self._add(plan.Assign, name, call, span=target.span)

    def _create_untyped(
        self,
        parent: Node,
        target: TypedTarget,
        variable: Variable,
        display: Code,
        ending: list[tuple[Variable, TypedTarget, Name | None, Code | None]],
    ) -> None:
        step = target.steps[-1]
        name = self.names.take(variable.name or step.name)
        self.nodes[variable] = Node(name)
        self.held[variable] = Held(name, target.value.as_one())
        share = target.node.share
        if share is None and {"share", "single", "collate"} & set(target.node.list_modes):
            share = ""
        make = self.module.use("child_node")
        call = code(
            "{}({}, {}, {}, {}, {}, run, {})", make, parent.name, step.name, choices(step), step.repeats, display, share
        )
        self._add(plan.Assign, name, call, span=target.span)
        mode = _end_of(target)
        if mode:
            self.module.has_endings = True
            place = self.module.use("placed")
            rule = target.span.position
            call = code("{}(run, {}, {}, {}, {}, {})", place, parent.name, step.name, name, mode, rule)
            self._add(plan.Do, call, span=target.span)
        self.module.needs_pruning = True
        ending.append((variable, target, None, None))

    def _placed(self, target: TypedTarget, parent: Node, step: TargetStep, name: Name, display: Code) -> None:
        """A target list mode: where in the list the item stands, or which item it is."""
        modes = target.node.list_modes
        items = self._list(parent, step.key)
        if "share" in modes or target.node.share is not None:
            call = code("{}(run, {}, {}, {})", self.module.use("shared"), items, target.node.share or "", display)
            self._add(plan.Assign, name, call, span=target.span)
        elif "single" in modes or "collate" in modes:
            call = code("{}(run, {}, '', {})", self.module.use("shared"), items, display)
            self._add(plan.Assign, name, call, span=target.span)
        else:
            self._add(plan.Assign, name, display, span=target.span)
            self._place(target, items, name)

    def _place(self, target: TypedTarget, items: Code, value: Code) -> None:
        for mode in target.node.list_modes:
            if mode in ("first", "last"):
                place = self.module.use(f"place_{mode}")
                self.module.has_endings = True
                call = code("{}(run, {}, {}, {})", place, items, value, target.span.position)
                self._add(plan.Do, call, span=target.span)
                return
        self._add(plan.Append, items, value, span=target.span)

    def _prune(self, variable: Variable, target: TypedTarget, made: Name | None, container: Code | None) -> None:
        if container is None:
            return
        name = self.nodes[variable].name
        step = target.steps[-1]
        if made is None:
            self._add(plan.If, code("not {}", name), span=target.span)
            call = container
        else:
            self._add(plan.If, code("{} and not {}", made, name), span=target.span)
            call = code("del {}[{}]", container, step.key)
        self.depth += 1
        self._add(plan.Do, call, span=target.span)
        self.depth -= 1

    def _parent(self, target: TypedTarget) -> Node:
        """The node that a path's last name is written to; those between are made."""
        assert target.context is not None
        node = self.nodes[target.context]
        for step in target.steps[:-1]:
            name = self.names.take(step.name)
            if step.repeats is None or not step.key:
                make = self.module.use("child_node")
                call = code(
                    "{}({}, {}, {}, {}, {}, run, {})",
                    make,
                    node.name,
                    step.name,
                    choices(step),
                    step.repeats,
                    Code("{}"),
                    None,
                )
                self._add(plan.Assign, name, call, span=target.span)
                self.module.needs_pruning = True
            elif step.repeats:
                self._add(plan.Assign, name, Code("{}"), span=target.span)
                self._add(plan.Append, self._list(node, step.key), name, span=target.span)
                self.module.needs_pruning = True
            else:
                self._add(
                    plan.Assign, name, code("{}.setdefault({}, {})", node.name, step.key, Code("{}")), span=target.span
                )
                self.module.needs_pruning = True
            node = Node(name)
        return node

    # --- assigning ----------------------------------------------------------------------------------------------------

    def _assign(self, target: TypedTarget) -> None:
        assert target.transform is not None
        parent = self._parent(target)
        step = target.steps[-1]
        value = self._transformed(target.transform, step)
        before = self.depth
        if not value.static.plain or step.repeats is None or not step.key:
            self._assign_dynamic(parent, target, step, value)
            return
        if value.is_many and step.repeats:
            name = self.names.take(step.name)
            self._add(plan.For, name, value.code, span=target.span)
            self.depth += 1
            value = Value(name, value.static.as_one(), certain=True)
        elif value.is_many:
            value = Value(
                code("{}({})", self.module.use("single"), value.code), value.static.with_cardinality("optional")
            )
        value = converted(self.module, value, step)
        if not value.certain or target.variable is not None:
            wanted = target.variable.name if target.variable is not None else step.name
            name = self.names.take(wanted)
            self._add(plan.Assign, name, value.code, span=target.span)
            if target.variable is not None:
                self.held[target.variable] = Held(name, value.static.as_one(), is_optional=not value.certain)
                self.nodes[target.variable] = Node(name)
            if not value.certain:
                self._add(plan.If, code("{} is not None", name), span=target.span)
                self.depth += 1
            value = Value(name, value.static, certain=True)
        if step.repeats and target.node.list_modes:
            self._place(target, self._list(parent, step.key), value.code)
        elif step.repeats:
            self._add(plan.Append, self._list(parent, step.key), value.code, span=target.span)
        else:
            self._add(plan.Store, parent.name, step.key, value.code, span=target.span)
        self.depth = before

    def _assign_dynamic(self, parent: Node, target: TypedTarget, step: TargetStep, value: Value) -> None:
        """The types, or the element, are known at run time only."""
        self._attach(parent, step.key, target.span)
        mode = _end_of(target)
        if mode and step.repeats is not False:
            self.module.has_endings = True
            call = code(
                "{}(run, {}, {}, {}, {}, {}, {})",
                self.module.use("assign_placed"), parent.name, step.name, value.as_items(), choices(step), mode,
                target.span.position,
            )  # fmt: skip
        else:
            call = code(
                "{}({}, {}, {}, {}, {})",
                self.module.use("assign"), parent.name, step.name, value.as_items(), choices(step), step.repeats,
            )  # fmt: skip
        if target.variable is None:
            self._add(plan.Do, call, span=target.span)
            return
        name = self.names.take(target.variable.name)
        self._add(plan.Assign, name, call, span=target.span)
        self.held[target.variable] = Held(name, target.variable.static, is_optional=True)
        self.nodes[target.variable] = Node(name)

    # --- lists --------------------------------------------------------------------------------------------------------

    def _list(self, node: Node, key: str) -> Code:
        """The list that an item of ``key`` is appended to."""
        return node.lists.get(key) or code("{}.setdefault({}, [])", node.name, key)

    def _attach(self, node: Node, key: str, span: Span) -> None:
        """Give the node its list now, where the runtime writes to that element too: both then hold the same list."""
        if key in node.lists:
            self._add(plan.Store, node.name, key, node.lists[key], span=span)
            self.module.needs_pruning = True

    def _open_lists(self, variable: Variable, where: TypedRule | tuple[TypedRule, ...], span: Span) -> None:
        """Local names for the lists of a node that only this function writes to, attached when it is done.

        Not where the node is handed to another group, aliased or read in an expression: those must see its lists grow.
        """
        rules = where if isinstance(where, tuple) else (where,)
        every = [entry for rule in rules for entry in rule.walk()]
        if any(_escapes(rule, variable) for rule in every) or self.module.tracing is not None:
            return
        counts: dict[str, int] = {}
        for rule in every:
            for target in rule.targets:
                if target.context is variable and target.steps and target.steps[0].repeats and target.steps[0].key:
                    key = target.steps[0].key
                    counts[key] = counts.get(key, 0) + 1
        node = self.nodes[variable]
        for key, count in counts.items():
            if count > 1 and (variable.is_parameter or isinstance(where, TypedRule)):
                name = self.names.take(f"{node.name}_{key}")
                node.lists[key] = name
                fresh = code("{}.get({}) or []", node.name, key) if variable.is_parameter else Code("[]")
                self._add(plan.Assign, name, fresh, span=span)

    def _close_lists(self, variable: Variable, span: Span) -> None:
        node = self.nodes[variable]
        opened = bool(node.lists) and variable.is_parameter
        for key, name in node.lists.items():
            if opened:
                self._add(plan.Blank)
                opened = False
            self._add(plan.If, name, span=span)
            self.depth += 1
            self._add(plan.Store, node.name, key, name, span=span)
            self.depth -= 1
        node.lists = {}

    # --- what follows -------------------------------------------------------------------------------------------------

    def _is_used(self, rule: TypedRule, target: TypedTarget, folded: tuple[TypedTarget, ...]) -> bool:
        """Is the created node named again, beyond what was folded into its display?"""
        variable = target.variable
        rest = [entry for entry in rule.targets if entry is not target and entry not in folded]
        if any(entry.context is variable for entry in rest) or _escapes(rule, variable):
            return True
        return any(
            entry.context is variable for inner in rule.rules for part in inner.walk() for entry in part.targets
        ) or any(_escapes(part, variable) for inner in rule.rules for part in inner.walk())

    def _surely_filled(self, rule: TypedRule, variable: Variable) -> bool:
        """Does the rule itself always write something into the node?"""
        return any(
            target.context is variable and len(target.steps) == 1 and target.transform is not None
            and self.values.is_sure(target.transform, target.steps[0])
            for target in rule.targets
        )  # fmt: skip

    def _call(self, call: TypedCall) -> None:
        before = self.depth
        arguments: list[Code] = []
        for argument, parameter in zip(call.arguments, call.group.parameters, strict=True):
            if parameter.mode == "target" and argument.variable is not None:
                arguments.append(self.nodes[argument.variable].name)
                self._skip_unbound(argument, call.node.span)
                continue
            arguments.append(self._argument(argument, parameter, call.node.span))
        function = self.module.groups[call.group]
        entered = self._traced("enter", "dependent", call.node.name, call.node.span)
        self._add(plan.Do, code("{}({}, run)", function, Code(", ".join(arguments))), span=call.node.span)
        self._left(entered)
        self.depth = before

    def _skip_unbound(self, argument: Expression, span: Span) -> None:
        held = self.held.get(argument.variable) if argument.variable is not None else None
        if held is not None and held.is_optional:
            self._add(plan.If, code("{} is not None", held.code), span=span)
            self.depth += 1

    def _argument(self, argument: Expression, parameter: Variable, span: Span) -> Code:
        held = self.held.get(argument.variable) if argument.variable is not None else None
        if held is not None and held.static.cardinality != "many":
            self._skip_unbound(argument, span)
            return held.code
        value = self._value(argument)
        if value.certain and not value.is_many and value.static.plain:
            return value.code
        name = self.names.take(parameter.name)
        self._add(plan.For, name, value.as_list(self.module), span=span)
        self.depth += 1
        return name

    def _default(self, rule: TypedRule) -> None:
        """`src.a -> tgt.b;` through a group, known now or chosen by the item's type."""
        assert rule.default is not None
        entered = self._traced("enter", "dependent", "default", rule.span)
        self._run_default(rule, rule.default)
        self._left(entered)

    def _run_default(self, rule: TypedRule, default: Default) -> None:
        source = self.held[rule.sources[0].variable]
        target = rule.targets[0]
        if default.group is not None:
            assert target.variable is not None
            function = self.module.groups[default.group]
            node = self.nodes[target.variable]
            self._add(plan.Do, code("{}({}, {}, run)", function, source.code, node.name), span=rule.span)
            return
        groups: dict[tuple[str, str], Code] = {}
        for entry in default.groups:
            value = code("({}, {})", entry.target.name, self.module.groups[entry.group])
            groups.setdefault((entry.source.name, entry.target.name), value)
            if entry.by_source:
                groups.setdefault((entry.source.name, ""), value)
        table = Code("{" + ", ".join(code("{}: {}", key, value) for key, value in groups.items()) + "}")
        parent = self._parent(target)
        step = target.steps[-1]
        self._attach(parent, step.key, target.span)
        call = code(
            "{}(run, {}, {}, {}, {}, {}, {})",
            self.module.use("run_default"), source.code, parent.name, step.name, choices(step), step.repeats, table,
        )  # fmt: skip
        self.module.needs_pruning = True
        self._add(plan.Do, call, span=rule.span)


_CALL = re.compile(r"([A-Za-z_][\w.]*|\])\(")
_SAFE_METHODS = frozenset(
    (
        "get",
        "append",
        "setdefault",
        "match",
        "search",
        "fullmatch",
        "note",
        "unmapped",
        "items",
        "enter",
        "step",
        "test",
        "exit",
    )
)
_SAFE_CALLS = frozenset(
    (
        "any",
        "all",
        "len",
        "discard",
        "drop",
        "copied",
        "cc",
        "c",
        "identifier",
        "fp.items",
        "fp.is_true",
        "fp.apply_first",
    )
)


def _is_safe(steps: Sequence[plan.Step], module: ModuleBuilder) -> bool:
    """Can none of the steps fail for a record, apart from inner rules, which catch their own faults?"""
    groups = set(map(str, module.groups.values()))
    guarded: int | None = None
    for step in steps:
        if guarded is not None:
            if isinstance(step, plan.Catch) and step.depth == guarded:
                guarded = None
            continue
        if isinstance(step, plan.Try):
            guarded = step.depth
            continue
        for text in codes_of(step):
            if "raise " in text or "][" in text:
                return False
            for match in _CALL.finditer(text):
                called = match[1]
                if called == "run.search":
                    return False
                if called.rpartition(".")[2] in _SAFE_METHODS or called in _SAFE_CALLS or called in groups:
                    continue
                if called in ("if", "in", "and", "or", "not", "for", "is", "else"):
                    continue
                return False
    return True


def codes_of(step: plan.Step) -> list[str]:
    """Code of a step, its text literals emptied."""
    values = [getattr(step, name, None) for name in ("value", "test", "items")]
    return [_LITERAL.sub("''", str(value)) for value in values if value is not None]


_LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")


def _end_of(target: TypedTarget) -> str:
    """`first` or `last`, where the target asks for an end of the list; else empty."""
    return next((mode for mode in target.node.list_modes if mode in ("first", "last")), "")


def _needs_list(source: TypedSource) -> bool:
    node = source.node
    repeats_default = source.default is not None and (
        not source.steps or source.steps[-1].repeats or not source.item.plain
    )
    return bool(node.list_mode) or node.minimum is not None or node.maximum is not None or repeats_default


def _written(node: nodes.RuleSource | nodes.RuleTarget) -> str:
    """What a source or target names: `src.name`, `tgt.name`, the variable of one without a context."""
    return ".".join([node.context, *node.elements]) if node.context else node.variable or ""


def _source_span(node: nodes.RuleSource) -> Span:
    """`src.name`: what fires, without its conditions."""
    return node.context_span.to(node.element_spans[-1]) if node.element_spans else node.context_span


def _escapes(rule: TypedRule, variable: Variable | None) -> bool:
    """Is the node handed to a group, aliased, or read by an expression of this rule?"""
    if variable is None:
        return False
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
