"""Questions about the tree of an expression that several lowerings ask."""

from __future__ import annotations

from fhirmap.language import nodes as n
from fhirmap.language.visit import walk

COMPARISONS = frozenset(("<", "<=", ">", ">="))
LOGIC = frozenset(("and", "or", "implies", "xor"))
BOOLEAN_OPERATORS = LOGIC | COMPARISONS | {"=", "!=", "~", "!~", "in", "contains"}


def first_argument(node: n.FPCall) -> n.FPExpr:
    """The expression of a call's first argument."""
    return expression_of(node.arguments[0])


def expression_of(argument: n.FPExpr | n.SortKey) -> n.FPExpr:
    """The expression of an argument."""
    return argument.expression if isinstance(argument, n.SortKey) else argument


def value_arguments(node: n.FPCall) -> list[n.FPExpr]:
    """Arguments of a call that are expressions of their own."""
    return [argument for argument in node.arguments if not isinstance(argument, n.SortKey)]


def uses_index(node: n.FPCall) -> bool:
    """Does an argument ask for `$index`?"""
    return any(
        isinstance(part, n.FPVariable) and part.name == "$index"
        for argument in node.arguments
        for part in walk(argument)
    )


def literals(node: n.FPExpr) -> list[n.FPLiteral]:
    """The literals of `('a' | 'b' | …)`; empty where it is anything else."""
    if isinstance(node, n.FPLiteral) and node.kind in ("string", "integer"):
        return [node]
    if isinstance(node, n.FPBinary) and node.operator == "|":
        left, right = literals(node.left), literals(node.right)
        return left + right if left and right else []
    return []
