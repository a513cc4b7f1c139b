"""Sources: the blocks that a rule's sources open, and the variables that they bind."""

from __future__ import annotations

from dataclasses import replace

from fhirmap.analysis.static import StaticType
from fhirmap.analysis.typed import Expression, SourceStep, TypedRule, TypedSource, Variable
from fhirmap.compiler.explanation import CodeCause, CodeReason
from fhirmap.compiler.expressions import HeldVariable, PythonValue
from fhirmap.compiler.fhirpath.clean import CleanPath, CleanPaths
from fhirmap.compiler.fhirpath.tables import table_key
from fhirmap.compiler.groups.state import GroupState
from fhirmap.compiler.groups.uses import conditions_of, filters_first, needs_list, source_span, uses_index, written
from fhirmap.compiler.lookups import lookup_of
from fhirmap.compiler.python import (
    Comparison,
    Conditional,
    Do,
    Expr,
    For,
    Get,
    If,
    ListOf,
    ListSlice,
    Literal,
    Name,
    Not,
    Raise,
    SetOf,
    TupleOf,
    all_of,
    any_of,
    builtin,
    compared,
    is_none,
    is_not_none,
)
from fhirmap.compiler.runtime_functions import call, fp_call, run_call
from fhirmap.compiler.tracing import trace_call
from fhirmap.diagnostics import Span
from fhirmap.fhir_types import ANY_RESOURCE, OPEN_TYPES
from fhirmap.model.definition import Definitions

_CHOSEN = {"first": (None, 1), "not_first": (1, None), "last": (-1, None), "not_last": (None, -1)}
"""Start and end of the items that a list mode chooses."""


_FEW = 16
"""Items that are gone through sooner than looked up."""


class SourceLowering:
    """The sources of one group's rules."""

    def __init__(self, state: GroupState) -> None:
        self.state = state
        self.writer = state.writer
        self._clean = CleanPaths(state.module.checked.definitions, state.module.constants)

    def source(self, source: TypedSource) -> None:
        """Open the blocks that a source needs, and bind its variable."""
        self._open(source)
        self.state.traced("step", "source", written(source.node), source.node.span)

    def _open(self, source: TypedSource) -> None:
        node = source.node
        context = self._context(source)
        is_whole = not source.steps and source.default is None and source.search is None
        is_many = context.static.cardinality == "many"
        if is_whole and not is_many and node.list_mode is None and node.minimum is None:
            self.state.held[source.variable] = self._filtered_context(source, context)
            self.conditions(source)
            return
        span = source_span(node)
        context = self.open_path(source)
        last = source.steps[-1] if source.steps else None
        is_plain = context.static.plain and last is not None and (last.static.is_raw or not context.static.is_raw)
        if is_plain and last is not None and not last.repeats and not needs_list(source):
            self._plain_single(source, context, last, span)
        elif self._goes_through_objects(source, last):
            assert last is not None
            items = self._looked_up(source, context, last)
            self._objects(self._bind(source), context, last, span, items)
            self.conditions(source)
        elif not needs_list(source) and not filters_first(source):
            self._each(source, self._items(source, context, last), span)
        else:
            self._listed(source, self._items(source, context, last), span)

    def _looked_up(self, source: TypedSource, context: HeldVariable, last: SourceStep) -> Expr | None:
        """The objects of a long list that have one text, where several rules look for some so; None where they do not.

        The list is gone through once then, and not by each of these rules.
        """
        module, span = self.state.module, source_span(source.node)
        lookup = lookup_of(source, module.checked.definitions)
        texts = module.lookups.get(lookup.key) if lookup is not None and module.tracing is None else None
        if lookup is None or texts is None:
            return None
        key = module.constants.raw_element(lookup.key.item, lookup.key.key, module.source_types)
        every = SetOf(tuple(map(Literal, sorted(texts))))
        made = fp_call("RawLookup", self._element(context, last), key, every)
        constant = module.constants.add(f"by_{lookup.key.key}", made)
        items = self.state.names.take(last.name)
        self.state.assign(items, self._list_of(context, last), span)
        is_short = compared(builtin("len", items, raises=True), Comparison.LESS, Literal(_FEW))
        return Conditional(items, is_short, run_call("found", context.code, constant, Literal(lookup.text)))

    def open_path(self, source: TypedSource) -> HeldVariable:
        """Open the blocks of a source's path up to its last name; what that is read from."""
        context, span = self._context(source), source_span(source.node)
        if context.static.cardinality == "many" and source.steps:
            context = self._one_of(source, context, span)
        self.state.skip_unbound(context, span)
        for step in source.steps[:-1]:
            context = self._step(context, step, span)
        return context

    def lists_of(self, rule: TypedRule) -> tuple[Expr, ...]:
        """The lists that the sources of a rule go through as the record has them, which nothing looks at before: an
        object that is there before the rule, and the elements that lead down from it to a list."""
        own = {source.variable for source in rule.sources}
        ways: dict[Variable, tuple[HeldVariable, tuple[Expr, ...]]] = {}
        found: list[tuple[Expr, ...]] = []
        for source in rule.sources:
            held = None if source.context in own else self.state.held.get(source.context)
            if held is not None and not held.is_optional and held.static.cardinality != "many":
                ways[source.context] = (held, (held.code,))
            if source.context not in ways:
                continue
            context, way = ways[source.context]
            for step in source.steps:
                if not context.static.is_raw or context.static.type is None or not step.static.is_raw:
                    break
                way = (*way, self._element(context, step))
                context = HeldVariable(context.code, step.static)
                if step.repeats and (step is not source.steps[-1] or self._goes_through_objects(source, step)):
                    found = [known for known in found if known != way[: len(known)]] + [way]
            else:
                ways[source.variable] = (context, way)
        return tuple(map(TupleOf, found))

    # --- primitives of the record's FHIR JSON -------------------------------------------------------------------------

    def may_be_bare(self, rule: TypedRule) -> bool:
        """Is the one source of a rule a primitive of the record's FHIR JSON, which is mostly a bare value, and is the
        rule short enough to be written for that and for an item?"""
        if len(rule.sources) != 1 or rule.rules or rule.calls or self.state.module.tracing is not None:
            return False
        if rule.default is not None and (rule.default.group is not None or rule.default.table is not None):
            return False
        (source,) = rule.sources
        has_list = source.node.list_mode or source.node.minimum is not None or source.node.maximum is not None
        if not source.steps or has_list or source.default is not None or source.search is not None:
            return False
        found = None if filters_first(source) else self._bare_child(source, Name("held"))
        return found is not None and not (found.repeats and any(map(uses_index, conditions_of(source))))

    def _bare_child(self, source: TypedSource, owner: Expr) -> CleanPath | None:
        """The bare value of a source, where it is one."""
        static = source.steps[-2].static if len(source.steps) > 1 else source.context.static
        if not static.is_raw or static.type is None:
            return None
        return self._clean.child(owner, static.type, source.steps[-1].name, source.filter_types)

    def bare(self, source: TypedSource, context: HeldVariable, tests: list[Expr]) -> If:
        """Bind the variable of a source to its bare value; the block that runs if there is one and ``tests`` hold."""
        found, span = self._bare_child(source, context.code), source_span(source.node)
        assert found is not None
        name = self.state.names.take(found.key) if found.repeats else self._bind(source)
        self.state.held[source.variable] = HeldVariable(name, found.static)
        return If(span, all_of(*self.state.bare(found, name, span), *tests), ())

    def each_bare(self, source: TypedSource) -> None:
        """Go on with the bare value of a source, or with each where it repeats; its conditions."""
        if source.steps[-1].repeats:
            items, static = self.state.held[source.variable].code, self.state.held[source.variable].static
            name = self._bind(source)
            self.state.held[source.variable] = HeldVariable(name, static)
            self.writer.open(For(source_span(source.node), (name,), items, ()))
        self.conditions(source)

    def by_items(self, source: TypedSource, context: HeldVariable) -> None:
        """Open the loop over the items of a source that is no bare value."""
        self._each(source, self._items(source, context, source.steps[-1]), source_span(source.node))

    # --- items --------------------------------------------------------------------------------------------------------

    def _goes_through_objects(self, source: TypedSource, last: SourceStep | None) -> bool:
        """Are the items of a source objects of the record's FHIR JSON, each looked at by itself, in their order?"""
        is_each = not needs_list(source) and not filters_first(source)
        has_index = any(map(uses_index, conditions_of(source)))
        return last is not None and last.static.is_raw and last.repeats and is_each and not has_index

    def _one_of(self, source: TypedSource, context: HeldVariable, span: Span) -> HeldVariable:
        """One value of a variable that holds several: a path goes on from each."""
        name = self.state.names.take(source.context.name)
        self.writer.open(For(span, (name,), context.code, ()))
        return HeldVariable(name, context.static.as_one())

    def _context(self, source: TypedSource) -> HeldVariable:
        if source.context.mode == "constant":
            value = self.state.expressions.constant(source.context)
            return HeldVariable(value.code, value.static)
        held = self.state.held.get(source.context)
        return held if held is not None else HeldVariable(Literal(None), StaticType(frozenset(), "one"))

    def _filtered_context(self, source: TypedSource, context: HeldVariable) -> HeldVariable:
        span = source_span(source.node)
        if context.static.is_raw and not source.item.is_raw:
            name = self.state.names.take(source.context.name)
            self.state.assign(name, self.state.expressions.item(context), span)
            context = HeldVariable(name, source.item)
        if source.filter_types and not context.static.plain:
            self.writer.open(If(span, self.state.values.is_type(context.code, source.filter_types), ()))
        self.state.skip_unbound(context, span)
        return HeldVariable(context.code, source.item)

    def _step(self, context: HeldVariable, step: SourceStep, span: Span) -> HeldVariable:
        """Go one name down a path that goes on."""
        name = self.state.names.take(step.name)
        if context.static.is_raw:
            self._raw_step(name, context, step, span)
        elif context.static.plain and not step.repeats:
            self.state.assign(name, Get(context.code, step.name), span)
            self.writer.open(If(span, is_not_none(name), ()))
        elif context.static.plain:
            self.writer.open(For(span, (name,), Get(context.code, step.name, TupleOf()), ()))
        else:
            self.writer.open(For(span, (name,), self._children(context, step), ()))
        return HeldVariable(name, step.static)

    def _raw_step(self, name: Name, context: HeldVariable, step: SourceStep, span: Span) -> None:
        """Go one name down an object of the record's FHIR JSON."""
        if not step.static.is_raw:
            self.writer.open(For(span, (name,), self._children(context, step), ()))
        elif step.repeats:
            self._objects(name, context, step, span)
        else:
            self.state.assign(name, self._read_object(context, step), span)
            self.writer.open(If(span, is_not_none(name), ()))

    def _objects(
        self, name: Name, context: HeldVariable, step: SourceStep, span: Span, items: Expr | None = None
    ) -> None:
        """Go through a list of objects as the record has it. What is no list has no object in it."""
        self.writer.open(For(span, (name,), items or self._list_of(context, step), ()))
        is_dict = compared(builtin("type", name), Comparison.IS, Name("dict"))
        looked_at = fp_call("is_object", name, context.code, self._element(context, step))
        self.writer.open(If(span, any_of(is_dict, looked_at), ()))
        if _holds_any(step):
            is_wanted = compared(Get(name, "resourceType"), Comparison.EQUAL, Literal(step.static.type_name))
            self.writer.open(If(span, is_wanted, ()))

    def _list_of(self, context: HeldVariable, step: SourceStep) -> Expr:
        """A list as the record has it, its items not looked at."""
        return any_of(Get(context.code, step.name), self._read("no_objects", context, step))

    def _read(self, function: str, context: HeldVariable, step: SourceStep) -> Expr:
        """An element of an object of the record's FHIR JSON, once its shape has been looked at."""
        return fp_call(function, context.code, self._element(context, step))

    def _read_object(self, context: HeldVariable, step: SourceStep) -> Expr:
        """An object that does not repeat; of a choice, where it is of the type that is asked for."""
        wanted = step.static.type
        assert wanted is not None
        if _holds_any(step):
            return fp_call("resource_at", context.code, self._element(context, step), Literal(wanted.name))
        if step.element is None or not step.element.is_choice or step.name != step.element.name:
            return self._read("object_at", context, step)
        key = step.element.json_name(wanted.name)
        facts = (context.code, self._element(context, step), Literal(key), Literal(table_key(wanted)))
        return fp_call("object_of_choice", *facts)

    def _element(self, context: HeldVariable, step: SourceStep) -> Name:
        module = self.state.module
        assert context.static.type is not None
        return module.constants.raw_element(context.static.type, step.name, module.source_types)

    def _children(self, context: HeldVariable, step: SourceStep) -> Expr:
        """Items of an element that only the run knows."""
        self.state.explain(_why_items(step, self.state.module.checked.definitions), step.span)
        if context.static.is_raw:
            return self._read("items_at", context, step)
        return self.state.values.children(self.state.expressions.item(context), step.name)

    def _bind(self, source: TypedSource) -> Name:
        wanted = source.variable.name or (source.steps[-1].name if source.steps else source.context.name)
        name = self.state.names.take(wanted)
        self.state.held[source.variable] = HeldVariable(name, source.item)
        return name

    def _plain_single(self, source: TypedSource, context: HeldVariable, step: SourceStep, span: Span) -> None:
        name = self._bind(source)
        found = self._read_object(context, step) if context.static.is_raw else Get(context.code, step.name)
        self.state.assign(name, found, span)
        if source.default is not None:
            with self.writer.block(If(span, is_none(name), ())):
                self.state.assign(name, self._default(source.default).as_single(), source.default.span)
        self.writer.open(If(span, is_not_none(name), ()))
        self.conditions(source)

    def _default(self, default: Expression) -> PythonValue:
        """What a source without values has: an empty text is none."""
        return self.state.values.filled(self.state.value(default))

    def _items(self, source: TypedSource, context: HeldVariable, step: SourceStep | None) -> Expr:
        """The items of a source as a list (or what a `for` takes)."""
        if source.search is not None:
            return run_call("search", self.state.value(source.search).as_list())
        if step is None:
            return self._held_items(source, context)
        if step.static.is_raw:
            return self._read_list(context, step)
        if context.static.is_raw:
            items = self._children(context, step)
            return self.state.values.of_types(items, source.filter_types) if source.filter_types else items
        if context.static.plain and step.repeats:
            found = Get(context.code, step.name, TupleOf())
            # What the rules add meanwhile is not of this source.
            return builtin("tuple", found) if source.context.mode == "target" else found
        if context.static.plain:
            held = self.state.names.take(step.name)
            self.state.assign(held, Get(context.code, step.name), step.span)
            return Conditional(ListOf(), is_none(held), ListOf((held,)))
        items = self._children(context, step)
        return self.state.values.of_types(items, source.filter_types) if source.filter_types else items

    def _read_list(self, context: HeldVariable, step: SourceStep) -> Expr:
        """The objects of an element of the record's FHIR JSON as a list."""
        if step.repeats:
            return self._read("objects_at", context, step)
        return fp_call("items", self._read_object(context, step))

    def _held_items(self, source: TypedSource, context: HeldVariable) -> Expr:
        """What a variable holds, one value or several, as a list."""
        if context.static.is_raw and not source.item.is_raw:
            context = replace(context, code=self.state.expressions.item(context), static=source.item)
        if context.static.cardinality == "many":
            items = context.code
        else:
            items = fp_call("items", context.code) if context.is_optional else ListOf((context.code,))
        if source.filter_types and not context.static.plain:
            return self.state.values.of_types(items, source.filter_types)
        return items

    def _each(self, source: TypedSource, items: Expr, span: Span) -> Name:
        name = self._bind(source)
        if any(map(uses_index, conditions_of(source))):
            index = self.state.names.take("index")
            self.writer.open(For(span, (index, name), builtin("enumerate", items), ()))
            self.conditions(source, index)
        else:
            self.writer.open(For(span, (name,), items, ()))
            self.conditions(source)
        return name

    def _listed(self, source: TypedSource, items: Expr, span: Span) -> None:
        """A source with a cardinality, a default or a list mode: filtered into a list before it fires."""
        node = source.node
        if node.minimum is not None or node.maximum is not None:
            most = None if node.maximum in (None, -1) else node.maximum
            items = call("counted", builtin("list", items), Literal(node.minimum or 0), Literal(most))
        if source.default is not None:
            held = self.state.names.take("found")
            self.state.assign(held, items, span)
            with self.writer.block(If(span, Not(held), ())):
                self.state.assign(held, self._default(source.default).as_list(), source.default.span)
            items = held
        if node.list_mode is None and not filters_first(source):
            self._each(source, items, span)
            return
        kept = self.state.names.take("kept")
        self.state.assign(kept, ListOf(), span)
        with self.writer.scope():
            name = self._each(source, items, span)
            self.writer.append(span, kept, name)
        if node.list_mode is None:
            chosen: Expr = kept
        elif node.list_mode == "only_one":
            chosen = call("only_one", kept)
        else:
            chosen = ListSlice(kept, *_CHOSEN[node.list_mode])
        self.writer.open(For(span, (name,), chosen, ()))

    def conditions(self, source: TypedSource, index: Expr | None = None) -> None:
        """where, check, log: in this order, for one item, the only one where it has no ``index``."""
        index = index or Literal(0)
        if source.where is not None:
            test = self.state.condition(source.where, index)
            point = self.state.point("where", source.where.node.text, source.where.span)
            if point is not None:
                test = trace_call("test", point.number, point.held, test)
            if test != Literal(True):
                self.writer.open(If(source.where.span, test, ()))
        if source.check is not None:
            test = self.state.condition(source.check, index)
            with self.writer.block(If(source.check.span, Not(test), ())):
                said = [] if source.node.message is None else [Literal(source.node.message)]
                failure = call("check_failed", Literal(source.check.node.text), *said)
                self.writer.add(Raise(source.check.span, failure))
        if source.log is not None:
            value = self.state.value(source.log)
            position = Literal(source.log.span.position)
            self.writer.add(Do(source.log.span, run_call("note", value.as_single(), position)))


def _holds_any(step: SourceStep) -> bool:
    """Is a resource of one type read where there may be any?"""
    element = step.element
    return step.static.is_raw and element is not None and [ref.name in ANY_RESOURCE for ref in element.types] == [True]


def _why_items(step: SourceStep, definitions: Definitions) -> CodeCause:
    """Why an element of a source is gone through by items."""
    if not step.static.types:
        return CodeCause(CodeReason.TYPE_UNKNOWN, step.name)
    if len(step.static.types) > 1:
        return CodeCause(CodeReason.SEVERAL_TYPES, step.name)
    if any(definitions.is_primitive(ref.name) for ref in step.static.types):
        return CodeCause(CodeReason.HAS_EXTENSIONS, step.name)
    if any(ref.name in OPEN_TYPES for ref in step.static.types):
        return CodeCause(CodeReason.ANY_TYPE, step.name)
    return CodeCause(CodeReason.READ_FROM_ITEM, step.name)
