"""Searches for items alike: `%src.poses.where(lot = %pose.lot)`, asked for one item after another.

Such a search looks at every item, for every item. Where nothing changes the list meanwhile, the runtime keeps its items
by what the search compares, and the condition is asked only of those that can hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fhirmap.analysis.expression_types import families
from fhirmap.compiler import python as py
from fhirmap.compiler.fhirpath.forms import Forms
from fhirmap.compiler.fhirpath.operands import first_argument
from fhirmap.compiler.fhirpath.typed_values import EvaluationSite, TypedValue
from fhirmap.compiler.runtime_functions import fp_call
from fhirmap.language import nodes as n
from fhirmap.language.visit import operands, walk


def narrowed(node: n.FPCall, stream: TypedValue, inner: EvaluationSite, forms: Forms) -> TypedValue:
    """The items of ``stream``, the input of a filter, that can be alike; all of them where that is not known.

    ``inner``: the site of the filter's condition.
    """
    if len(stream.clauses) != 1 or stream.source is None or stream.static.is_raw or not _is_settled(node.focus, forms):
        return stream
    (clause,) = stream.clauses
    if not (isinstance(clause, py.ForClause) and isinstance(clause.items, py.Get)):
        return stream
    pairs = list(_compared(first_argument(node), inner, forms))
    if not pairs:
        return stream
    key = py.Lambda(clause.targets, py.TupleOf(tuple(own for own, _ in pairs)))
    wanted = py.TupleOf(tuple(other for _, other in pairs))
    items = fp_call("alike_items", forms.context.environment(), clause.items, key, wanted)
    return replace(stream, clauses=(py.ForClause(clause.targets, items),), source=None)


def _is_settled(node: n.FPExpr | None, forms: Forms) -> bool:
    """Is a list a part of a variable to which no rule writes while expressions are evaluated?"""
    while isinstance(node, n.FPMember) and node.focus is not None:
        node = node.focus
    context = forms.context
    if isinstance(node, n.FPMember) and id(node) not in context.inferred.variables:
        return False
    if not isinstance(node, n.FPMember | n.FPVariable) or node.name in context.defined:
        return False
    return context.scope.is_settled is not None and context.scope.is_settled(node.name)


def _compared(test: n.FPExpr, inner: EvaluationSite, forms: Forms) -> Iterator[tuple[py.Expr, py.Expr]]:
    """What of an item must be the same as what of the surroundings, by Python's own `==`; None is nothing's same."""
    for part in operands(test) if isinstance(test, n.FPBinary) and test.operator == "and" else [test]:
        if not isinstance(part, n.FPBinary) or part.operator not in ("=", "~"):
            continue
        for own, other in ((part.left, part.right), (part.right, part.left)):
            if _is_of_item(own, forms) and _is_of_surroundings(other, forms):
                sides = [_key(side, part.operator, inner, forms) for side in (own, other)]
                kinds = [families(forms.context.inferred.of(side)) for side in (own, other)]
                if sides[0] is not None and sides[1] is not None and kinds[0] == kinds[1]:
                    yield sides[0], sides[1]


def _key(node: n.FPExpr, operator: str, inner: EvaluationSite, forms: Forms) -> py.Expr | None:
    """What a side is compared by, where it is one text or number, and cannot fail."""
    found = forms.value(node, inner)
    if found is None or not found.is_scalar or found.sibling is not None or found.code.may_raise:
        return None
    kind = families(found.static)
    if operator == "~":
        return fp_call("likeness", found.code) if kind == {"text"} else None
    return found.code if kind in ({"text"}, {"number"}) else None


def _is_of_item(node: n.FPExpr, forms: Forms) -> bool:
    """Does an expression read the item, and nothing else?"""
    leaves = list(_leaves(node))
    return bool(leaves) and all(_is_this(leaf, forms) for leaf in leaves)


def _is_of_surroundings(node: n.FPExpr, forms: Forms) -> bool:
    """Does an expression read variables, and nothing of the item?"""
    leaves = list(_leaves(node))
    return bool(leaves) and not any(_is_this(leaf, forms) or leaf.name.startswith("$") for leaf in leaves)


def _leaves(node: n.FPExpr) -> Iterator[n.FPVariable | n.FPMember | n.FPCall]:
    """The names from which the paths of an expression start."""
    for part in walk(node):
        if isinstance(part, n.FPVariable) or (isinstance(part, n.FPMember | n.FPCall) and part.focus is None):
            yield part


def _is_this(leaf: n.FPVariable | n.FPMember | n.FPCall, forms: Forms) -> bool:
    """Does a path start from the item? A call without anything before it may."""
    if isinstance(leaf, n.FPVariable):
        return leaf.name == "$this"
    return isinstance(leaf, n.FPCall) or id(leaf) not in forms.context.inferred.variables
