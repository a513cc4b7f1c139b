"""Lists of a node: held in local names while a group or rule writes to them, and the ends that list modes ask for."""

from __future__ import annotations

from fhirmap.analysis.typed import TargetStep, TypedRule, TypedTarget, Variable
from fhirmap.compiler.groups.state import GroupState, TargetNode
from fhirmap.compiler.groups.uses import end_of, escapes, list_counts, share_of
from fhirmap.compiler.python import (
    Blank,
    Connective,
    Do,
    Expr,
    Get,
    If,
    ListOf,
    Literal,
    Logic,
    Name,
    SetItem,
    method,
)
from fhirmap.compiler.runtime_functions import RUN, call
from fhirmap.diagnostics import Span


def list_of(node: TargetNode, key: str) -> Expr:
    """The list that an item of ``key`` is appended to."""
    return node.lists.get(key) or method(node.name, "setdefault", Literal(key), ListOf(), raises=False)


def attach(state: GroupState, node: TargetNode, key: str, span: Span) -> None:
    """Give the node its list now, where the runtime writes to that element too: both then hold the same list."""
    if key in node.lists:
        state.writer.add(SetItem(span, node.name, key, node.lists[key]))
        state.module.needs_pruning = True


def open_lists(state: GroupState, variable: Variable, rules: tuple[TypedRule, ...], span: Span) -> None:
    """Local names for the lists of a node that only ``rules`` write to, attached when they are done.

    Not where the node is handed to another group, aliased or read in an expression: those must see its lists grow.
    """
    every = tuple(entry for rule in rules for entry in rule.walk())
    if any(escapes(rule, variable) for rule in every) or state.module.tracing is not None:
        return
    node = state.nodes[variable]
    for key, count in list_counts(every, variable).items():
        if count > 1:
            name = state.names.take(f"{node.name}_{key}")
            node.lists[key] = name
            held = Logic(Connective.OR, (Get(node.name, key), ListOf()))
            state.assign(name, held if variable.is_parameter else ListOf(), span)


def close_lists(state: GroupState, variable: Variable, span: Span) -> None:
    """Attach the lists of a node that hold something."""
    node = state.nodes[variable]
    if node.lists and variable.is_parameter:
        state.writer.add(Blank(None))
    for key, name in node.lists.items():
        state.writer.add(If(span, name, (SetItem(span, node.name, key, name),)))
    node.lists = {}


def place_node(state: GroupState, target: TypedTarget, parent: TargetNode, name: Name, display: Expr) -> None:
    """A node under a list mode: where in the list it goes, or which item of the list it is."""
    items = list_of(parent, target.steps[-1].key)
    share = share_of(target)
    if share == "":
        state.assign(name, call("reused", RUN, items, display), target.span)
    elif share is not None:
        state.assign(name, call("shared", state.shares(target), items, Literal(share), display), target.span)
    else:
        state.assign(name, display, target.span)
        place(state, target, parent, name)


def place(state: GroupState, target: TypedTarget, parent: TargetNode, value: Expr) -> None:
    """Put a value at the end of its list that the target asks for."""
    end, key = end_of(target), target.steps[-1].key
    items = list_of(parent, key)
    if not end:
        state.writer.append(target.span, items, value)
        return
    state.module.has_endings = True
    placed = call(f"place_{end}", RUN, parent.name, Literal(key), items, value, Literal(target.span.position))
    state.writer.add(Do(target.span, placed))


def removal_of(parent: TargetNode, step: TargetStep, name: Name) -> Expr:
    """Takes an item out of its list."""
    if step.key in parent.lists:
        return call("discard", parent.lists[step.key], name)
    return call("drop", parent.name, Literal(step.key), name)
