"""Hoisting: what several expressions over one focus share is computed once, before all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from fhirmap.compiler import python as py
from fhirmap.compiler.fhirpath.keysets import is_keyed, looked_up, worthwhile
from fhirmap.compiler.fhirpath.lower import lower_expression
from fhirmap.compiler.fhirpath.scope import ExprScope, KeySet
from fhirmap.language import nodes as n
from fhirmap.language.expression_text import expression_to_text


def expression_key(expression: n.FPExpr) -> str:
    """Canonical text of an expression: the same for all that say the same."""
    return expression_to_text(expression)


def hoist(expressions: Iterable[n.FPExpr], scope: ExprScope) -> tuple[list[py.Assign], ExprScope]:
    """Assignments of what several expressions over one focus share, and the scope where they use those names.

    Shared are filtered collections (`parameter.where(name = 'implants')`), what is read below them, and searches for
    patterns. Each assignment comes before all uses and has no effect but its name. What `and`, `or` and `implies`
    mostly skip is left where it is unless it is cheap.
    """
    inner = replace(scope, hoisted=dict(scope.hoisted), key_sets=dict(scope.key_sets))
    listed = list(expressions)
    parts = [part for expression in listed for part in _chains(expression)]
    certain = {part for expression in listed for part in _chains(expression, certain_only=True)}
    counts = Counter(parts)
    sets = [entry for entry in worthwhile(parts) if entry[0] in certain and counts[entry[0]] > 1]
    _discount(parts, sets, counts)
    statements = [line for node in _shared(counts, certain) for line in _assigned(node, inner)]
    statements += [line for entry in sets for line in _key_set(entry, inner)]
    return statements, inner


def _discount(parts: Iterable[n.FPExpr], sets: list[KeySet], counts: Counter[n.FPExpr]) -> None:
    """What a set answers needs no list of its own."""
    for part in parts:
        found = looked_up(part)
        if found is not None and found.key_set in sets and isinstance(part, n.FPCall) and part.focus is not None:
            counts[part.focus] -= 1


def _shared(counts: Counter[n.FPExpr], certain: set[n.FPExpr]) -> list[n.FPExpr]:
    """Nodes worth a name, each before those that use it."""
    shared = [
        node
        for node, count in counts.items()
        if count > 1 and _is_worth_hoisting(node) and (node in certain or _is_one_filter(node))
    ]

    def is_covered(node: n.FPExpr) -> bool:
        """Are all its uses inside one longer shared chain, which is enough?"""
        return any(other != node and counts[other] == counts[node] and node in set(_chains(other)) for other in shared)

    return [node for node in sorted(shared, key=lambda entry: len(expression_key(entry))) if not is_covered(node)]


def _assigned(node: n.FPExpr, scope: ExprScope) -> list[py.Assign]:
    """The assignment of a shared node, whose name the scope then knows."""
    found = lower_expression(node, scope)
    if not found.static.plain:
        return []
    name = scope.fresh(_hint(node))
    scope.hoisted[node] = (name, found.static)
    return [*found.statements, py.Assign(None, (name,), found.code)]


def _key_set(entry: KeySet, scope: ExprScope) -> list[py.Assign]:
    """The assignment of a set of what the items of a hoisted list hold, whose name the scope then knows."""
    node, keys = entry
    held = scope.hoisted.get(node)
    if held is None or not is_keyed(held[1], keys, scope):
        return []
    name, item = scope.fresh(f"{_hint(node)}_keys"), scope.fresh("item")
    scope.key_sets[entry] = name
    texts = py.TupleOf(tuple(py.Get(item, key) for key in keys))
    return [py.Assign(None, (name,), py.Comprehension(py.Container.SET, texts, (py.ForClause((item,), held[0]),)))]


def _chains(node: n.FPExpr, *, certain_only: bool = False) -> Iterable[n.FPExpr]:
    """All parts of an expression that are evaluated for its own focus, not for an item of something.

    ``certain_only``: without those that an operator may skip.
    """
    waiting: list[n.FPExpr | None] = [node]
    while waiting:
        part = waiting.pop()
        if part is None:
            continue
        yield part
        if isinstance(part, n.FPBinary):
            may_skip = certain_only and part.operator in ("and", "or", "implies")
            waiting += [part.left] if may_skip else [part.right, part.left]
        elif isinstance(part, n.FPUnary | n.FPType):
            waiting.append(part.operand)
        elif isinstance(part, n.FPIndex | n.FPMember | n.FPCall):
            waiting.append(part.focus)


def _is_worth_hoisting(node: n.FPExpr) -> bool:
    """A chain below a `where`, not a test or a count on top of it; or the search for a pattern."""
    current: n.FPExpr | None = node
    if _is_pattern(node):
        return True
    if isinstance(node, n.FPCall) and node.name not in ("where", "select"):
        return False
    while isinstance(current, n.FPMember | n.FPCall):
        if isinstance(current, n.FPCall) and current.name == "where":
            return True
        current = current.focus
    return False


def _is_pattern(node: n.FPExpr) -> bool:
    return isinstance(node, n.FPCall) and node.name == "matches"


def _is_one_filter(node: n.FPExpr) -> bool:
    return isinstance(node, n.FPCall) and sum(isinstance(part, n.FPCall) for part in _chains(node)) == 1


def _hint(node: n.FPExpr) -> str:
    """A name that says what is held: `implants` for `parameter.where(name = 'implants')`."""
    if _is_pattern(node):
        return "matches"
    current: n.FPExpr | None = node
    while isinstance(current, n.FPMember | n.FPCall):
        if isinstance(current, n.FPMember):
            return current.name
        for argument in current.arguments:
            right = argument.right if isinstance(argument, n.FPBinary) else None
            if isinstance(right, n.FPLiteral) and right.kind == "string":
                return str(right.value)
        current = current.focus
    return "shared"
