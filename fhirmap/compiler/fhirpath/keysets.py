"""Tests for one item among many, `coding.where(system = 's' and code = 'c').exists()`, by a set made once.

A contract asks the same list for several such items; a set of what its items hold answers each by one look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from fhirmap.analysis.expression import children_of, families
from fhirmap.analysis.static import Static
from fhirmap.compiler.fhirpath.generic import operands
from fhirmap.compiler.fhirpath.scope import ExprScope
from fhirmap.language import nodes as n

KeySet = tuple[n.FPExpr, tuple[str, ...]]
"""The list, and the children by which its items are looked for."""
_WORTHWHILE = 3


def looked_up(node: n.FPExpr) -> tuple[KeySet, tuple[str, ...]] | None:
    """What `X.where(a = 'x' and b = 'y').exists()`, or `.empty()`, looks for: the set and the texts."""
    if not (isinstance(node, n.FPCall) and node.name in ("exists", "empty") and not node.arguments):
        return None
    filtered = node.focus
    if not (isinstance(filtered, n.FPCall) and filtered.name == "where" and filtered.focus is not None):
        return None
    (test,) = filtered.arguments
    parts = operands(test) if isinstance(test, n.FPBinary) and test.operator == "and" else [test]
    found: dict[str, str] = {}
    for part in parts:
        if not (isinstance(part, n.FPBinary) and part.operator == "="):
            return None
        left, right = part.left, part.right
        if not (isinstance(left, n.FPMember) and left.focus is None and left.name not in found):
            return None
        if not (isinstance(right, n.FPLiteral) and right.kind == "string"):
            return None
        found[left.name] = str(right.value)
    keys = tuple(sorted(found))
    return (filtered.focus, keys), tuple(found[key] for key in keys)


def worthwhile(parts: Iterable[n.FPExpr]) -> list[KeySet]:
    """Sets that at least three tests among all these parts of expressions would use."""
    uses = Counter(found[0] for part in parts if (found := looked_up(part)) is not None and len(found[1]) > 1)
    return [entry for entry, count in uses.items() if count >= _WORTHWHILE]


def is_keyed(static: Static, keys: tuple[str, ...], scope: ExprScope) -> bool:
    """Does every item of a plain list have each of these children at most once, as text?"""
    if not static.plain or not static.types or static.cardinality != "many":
        return False
    for ref in static.types:
        children = children_of(ref, scope.definitions, scope.functions)
        for key in keys:
            child = children.get(key)
            if child is None or child.is_choice or child.is_repeating:
                return False
            if families(Static(frozenset(child.types), "one", True)) != {"text"}:
                return False
    return True
