"""Walking over a tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any, TypeAlias, get_args, get_type_hints

from fhirmap.language import nodes

AnyNode: TypeAlias = Any
"""A node of any class in `nodes`, or what a field of one holds."""

_NODE_TYPES = frozenset(
    entry for entry in vars(nodes).values() if isinstance(entry, type) and entry.__module__ == nodes.__name__
)
"""Every class of nodes. A set, asked for a value's own class: each map is walked dozens of times."""


def walk(node: AnyNode) -> Iterator[Any]:
    """``node`` and every node below it, each before its children, in the order of the text within each field.

    Example:
        >>> from fhirmap.language.parser import parse_expression
        >>> [type(node).__name__ for node in walk(parse_expression("a.b = 1")[0])]
        ['FPBinary', 'FPMember', 'FPMember', 'FPLiteral']
    """
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        if _field_names(current.__class__):
            waiting.extend(reversed(children(current)))


def children(node: AnyNode) -> list[Any]:
    """The nodes directly below ``node``."""
    found: list[Any] = []
    for name in _field_names(node.__class__):
        value = getattr(node, name)
        if isinstance(value, tuple):
            found.extend([entry for entry in value if entry.__class__ in _NODE_TYPES])
        elif value.__class__ in _NODE_TYPES:
            found.append(value)
    return found


@cache
def _field_names(kind: type[Any]) -> tuple[str, ...]:
    """The fields that may hold nodes: most hold words, numbers and spans."""
    types = get_type_hints(kind)
    return tuple(entry.name for entry in fields(kind) if _may_hold_nodes(types[entry.name]))


def _may_hold_nodes(annotated: object) -> bool:
    return annotated in _NODE_TYPES or any(map(_may_hold_nodes, get_args(annotated)))


def left_chain(node: nodes.FPBinary) -> list[nodes.FPBinary]:
    """``node`` and the operations that its left side goes on with, outermost first: two for `a + b + c`."""
    found = [node]
    while isinstance(left := found[-1].left, nodes.FPBinary) and left.operator == node.operator:
        found.append(left)
    return found


def operands(node: nodes.FPBinary) -> list[nodes.FPExpr]:
    """What `a and b and c` joins; a group in parentheses on the right stays one operand."""
    chain = left_chain(node)
    return [chain[-1].left, *(entry.right for entry in reversed(chain))]


def chain(node: nodes.FPExpr, operator: str) -> list[nodes.FPExpr]:
    """What ``operator`` joins, whichever way the parentheses go: three for `a or (b or c)`."""
    parts: list[nodes.FPExpr] = []
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, nodes.FPBinary) and part.operator == operator:
            waiting += [part.right, part.left]
        else:
            parts.append(part)
    return parts
