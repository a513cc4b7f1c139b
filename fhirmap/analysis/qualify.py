"""Bare names of a computed value: in `(expression)` they are variables, whatever the item's children are called.

Spec: FML leaves the focus of the target form `( )` open; HAPI gives it none, and maps of the field rely on that:
`src.item as item -> tgt.gender = (item.answer.value)`, where an item has items itself. `$this` still is the item.
"""

from __future__ import annotations

from dataclasses import replace

from fhirmap.analysis.typed import NameScope
from fhirmap.language import nodes

_OWN_FOCUS = frozenset((
    "where", "select", "all", "exists", "repeat", "repeatAll", "aggregate", "sort", "any", "trace", "defineVariable",
    "ofType", "as", "is",
))  # fmt: skip
"""Functions whose arguments are read on each item, not at the call."""


def qualified(node: nodes.FHIRPath, environment: NameScope) -> nodes.FHIRPath:
    """The expression with each leading bare name that is a variable turned into that variable."""
    return replace(node, expression=_qualify(node.expression, environment))


def _qualify(node: nodes.FPExpr, environment: NameScope) -> nodes.FPExpr:
    match node:
        case nodes.FPMember(focus=None):
            if environment.lookup(node.name) is not None:
                return nodes.FPVariable(node.name, node.span)
            return node
        case nodes.FPMember(focus=focus) if focus is not None:
            return replace(node, focus=_qualify(focus, environment))
        case nodes.FPCall():
            focus = _qualify(node.focus, environment) if node.focus is not None else None
            if node.name in _OWN_FOCUS:
                return replace(node, focus=focus)
            arguments = tuple(
                entry if isinstance(entry, nodes.SortKey) else _qualify(entry, environment) for entry in node.arguments
            )
            return replace(node, focus=focus, arguments=arguments)
        case nodes.FPIndex():
            return replace(node, focus=_qualify(node.focus, environment), index=_qualify(node.index, environment))
        case nodes.FPUnary() | nodes.FPType():
            return replace(node, operand=_qualify(node.operand, environment))
        case nodes.FPBinary():
            return replace(node, left=_qualify(node.left, environment), right=_qualify(node.right, environment))
    return node
