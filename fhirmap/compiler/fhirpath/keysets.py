"""Tests for one item among many, `coding.where(system = 's' and code = 'c').exists()`, by a set made once.

A contract asks the same list for several such items; a set of what its items hold answers each by one look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from fhirmap.analysis.expression_types import children_of, families
from fhirmap.analysis.static import StaticType
from fhirmap.compiler.fhirpath.scope import ExprScope, KeySet
from fhirmap.language import nodes as n
from fhirmap.language.visit import operands
from fhirmap.model.definition import Element

_WORTHWHILE = 3
"""A set pays where at least this many tests use it."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What a test looks for: the set, and the texts of one of its entries."""

    key_set: KeySet
    texts: tuple[str, ...]


def looked_up(node: n.FPExpr) -> Sought | None:
    """What `X.where(a = 'x' and b = 'y').exists()`, or `.empty()`, looks for."""
    if not (isinstance(node, n.FPCall) and node.name in ("exists", "empty") and not node.arguments):
        return None
    filtered = node.focus
    if not (isinstance(filtered, n.FPCall) and filtered.name == "where" and filtered.focus is not None):
        return None
    (test,) = filtered.arguments
    parts = operands(test) if isinstance(test, n.FPBinary) and test.operator == "and" else [test]
    found: dict[str, str] = {}
    for part in parts:
        pair = _child_and_text(part)
        if pair is None or pair[0] in found:
            return None
        found[pair[0]] = pair[1]
    keys = tuple(sorted(found))
    return Sought((filtered.focus, keys), tuple(found[key] for key in keys))


def _child_and_text(part: n.FPExpr | n.SortKey) -> tuple[str, str] | None:
    """`code`, `c` of `code = 'c'`."""
    if not (isinstance(part, n.FPBinary) and part.operator == "="):
        return None
    left, right = part.left, part.right
    if not (isinstance(left, n.FPMember) and left.focus is None):
        return None
    if not (isinstance(right, n.FPLiteral) and right.kind == "string"):
        return None
    return left.name, str(right.value)


def worthwhile(parts: Iterable[n.FPExpr]) -> list[KeySet]:
    """Sets that enough tests among all these parts of expressions would use."""
    uses = Counter(found.key_set for part in parts if (found := looked_up(part)) is not None and len(found.texts) > 1)
    return [entry for entry, count in uses.items() if count >= _WORTHWHILE]


def is_keyed(static: StaticType, keys: tuple[str, ...], scope: ExprScope) -> bool:
    """Does every item of a typed list have each of these children at most once, as text?"""
    if not static.plain or not static.types or static.cardinality != "many":
        return False
    for ref in static.types:
        children = children_of(ref, scope.definitions, scope.functions)
        if not all(_is_text(children.get(key)) for key in keys):
            return False
    return True


def _is_text(child: Element | None) -> bool:
    if child is None or child.is_choice or child.is_repeating:
        return False
    return families(StaticType(frozenset(child.types), "one", True)) == {"text"}
