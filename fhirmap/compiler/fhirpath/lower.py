"""Expression → Python: the three questions a map, a validator or a project asks, and the hoisting of what several
expressions share.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from fhirmap.analysis.expression import as_fhir, infer_expression
from fhirmap.analysis.static import Static
from fhirmap.compiler.fhirpath.generic import GenericForm, keeps_type
from fhirmap.compiler.fhirpath.keysets import is_keyed, looked_up, worthwhile
from fhirmap.compiler.fhirpath.plain import PlainForm
from fhirmap.compiler.fhirpath.scope import ExprScope, PyExpr
from fhirmap.compiler.fhirpath.values import Place
from fhirmap.language import nodes as n
from fhirmap.language.expression_text import expression_to_text
from fhirmap.model.definition import FHIR_URL, TypeRef

_PARENTHESIS = re.compile(r"[()]|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_GENERATOR_CALL = re.compile(r"\b(?:any|all|sum)\($")
_BOOLEAN = Static(frozenset((TypeRef("boolean", FHIR_URL + "boolean"),)), "one", True)


def lower_expression(expression: n.FPExpr, scope: ExprScope) -> PyExpr:
    """The value of an expression, plain where its types allow it (see `PyExpr`)."""
    form = _Form(expression, scope)
    found = form.plain.value(expression, form.place)
    if found is not None and found.kind in ("scalar", "stream") and found.choice is None:
        many = found.kind == "stream"
        static = found.static.with_cardinality("many") if many else found.static
        return form.done(form.plain.whole(found), as_fhir(replace(static, plain=True)))
    code = form.generic.branch(expression, form.place)
    return form.done(code, as_fhir(replace(form.inferred.static, cardinality="many", plain=False)))


def lower_value(expression: n.FPExpr, scope: ExprScope) -> PyExpr:
    """The one plain value of an expression, None where it is empty; several are a `TransformFailed` FM430."""
    form = _Form(expression, scope)
    found = form.plain.value(expression, form.place)
    one = found is not None and found.is_one
    code = form.plain.single(expression, form.place, "a single value")
    static = form.inferred.static if found is None or not found.static.types else found.static
    return form.done(code, as_fhir(Static(static.types, "one" if one else "optional", True)))


def lower_values(expression: n.FPExpr, scope: ExprScope) -> PyExpr:
    """All plain values of an expression, a list."""
    form = _Form(expression, scope)
    found = form.plain.value(expression, form.place)
    if found is not None and found.kind == "stream" and found.choice is None:
        return form.done(form.plain.whole(found), as_fhir(found.static.with_cardinality("many")))
    if found is not None and found.is_scalar:
        code = f"[{found.code}]" if found.is_one else f"fp.items({found.code})"
        return form.done(code, as_fhir(found.static.with_cardinality("many")))
    code = f"fp.values({form.generic.branch(expression, form.place)})"
    return form.done(code, as_fhir(Static(form.inferred.static.types, "many", True)))


def lower_items(expression: n.FPExpr, scope: ExprScope) -> PyExpr:
    """All items of an expression with their types: a list for the generic runtime."""
    form = _Form(expression, scope)
    found = form.plain.value(expression, form.place)
    if found is not None and keeps_type(found):
        code = form.generic.as_items(found)
    else:
        code = form.generic.branch(expression, form.place)
    return form.done(code, replace(form.inferred.static, cardinality="many", plain=False))


def lower_condition(expression: n.FPExpr, scope: ExprScope) -> PyExpr:
    """Does the expression hold: its only boolean is itself, nothing is false, anything else is true.

    The code is truthy or falsy.
    """
    form = _Form(expression, scope)
    code = form.plain.conditions.condition(expression, form.place, wanted=True)
    if code is None:
        code = f"fp.holds({form.generic.branch(expression, form.place)})"
    return form.done(code, _BOOLEAN)


def expression_key(expression: n.FPExpr) -> str:
    """Canonical text of an expression: the same for all that say the same."""
    return expression_to_text(expression)


def hoist(expressions: Iterable[n.FPExpr], scope: ExprScope) -> tuple[list[str], ExprScope]:
    """Statements that compute what several expressions over one focus share, and the scope where they use those names.

    Shared are filtered collections (`parameter.where(name = 'implants')`) and what is read below them. Each statement
    stands before all uses and has no effect but its name. What `and`, `or` and `implies` mostly skip is left in its
    place unless it is cheap.
    """
    statements: list[str] = []
    inner = replace(scope, hoisted=dict(scope.hoisted), key_sets=dict(scope.key_sets))
    listed = list(expressions)
    parts = [part for expression in listed for part in _chains(expression)]
    counts = Counter(parts)
    certain = {part for expression in listed for part in _chains(expression, certain_only=True)}
    sets = [entry for entry in worthwhile(parts) if entry[0] in certain and counts[entry[0]] > 1]
    for part in parts:
        # What a set answers needs no list of its own.
        found_by = looked_up(part)
        if found_by is not None and found_by[0] in sets and isinstance(part, n.FPCall) and part.focus is not None:
            counts[part.focus] -= 1
    shared = [
        node
        for node, count in counts.items()
        if count > 1 and _is_worth_hoisting(node) and (node in certain or _is_one_filter(node))
    ]
    for node in sorted(shared, key=lambda entry: len(expression_key(entry))):
        if any(other != node and counts[other] == counts[node] and node in set(_chains(other)) for other in shared):
            # All its uses are inside one longer shared chain, which is enough.
            continue
        found = lower_expression(node, inner)
        if not found.static.plain:
            continue
        name = inner.fresh(_hint(node))
        statements += [*found.statements, f"{name} = {found.code}"]
        inner.hoisted[node] = (name, found.static)
    for node, keys in sets:
        held = inner.hoisted.get(node)
        if held is not None and is_keyed(held[1], keys, inner):
            name, item = inner.fresh(f"{_hint(node)}_keys"), inner.fresh("item")
            texts = ", ".join(f"{item}.get({key!r})" for key in keys)
            statements.append(f"{name} = {{({texts}) for {item} in {held[0]}}}")
            inner.key_sets[node, keys] = name
    return statements, inner


class _Form:
    def __init__(self, expression: n.FPExpr, scope: ExprScope) -> None:
        self.inferred = infer_expression(expression, scope.inference())
        self.generic = GenericForm(expression, self.inferred, scope)
        self.plain = PlainForm(self.generic)
        focus = self.plain.held(scope.focus_name, scope.focus) if scope.focus is not None else None
        self.place = Place(focus)

    def done(self, code: str, static: Static) -> PyExpr:
        """``code`` as a hand would write it: without a parenthesis too many."""
        scope = self.generic.scope
        if "fp." in code or self.generic.statements:
            scope.constants.imports.setdefault("from fhirmap.runtime import fhirpath as fp")
        return PyExpr(_tidy(ast.unparse(ast.parse(code, mode="eval"))), static, tuple(self.generic.statements))


def _tidy(code: str) -> str:
    """`any((x for …))` as `any(x for …)`: `ast.unparse` writes the inner pair."""
    opened: list[int] = []
    dropped: set[int] = set()
    previous_close = previous_open = -1
    for found in _PARENTHESIS.finditer(code):
        place = found.start()
        if found[0] == "(":
            opened.append(place)
        elif found[0] == ")":
            start = opened.pop()
            if (
                previous_close == place - 1
                and previous_open == start + 1
                and _GENERATOR_CALL.search(code, 0, start + 1)
            ):
                dropped |= {previous_open, previous_close}
            previous_close, previous_open = place, start
    return "".join(letter for place, letter in enumerate(code) if place not in dropped)


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
    """A chain below a `where`, not a test or a count on top of it."""
    current: n.FPExpr | None = node
    if isinstance(node, n.FPCall) and node.name not in ("where", "select"):
        return False
    while isinstance(current, n.FPMember | n.FPCall):
        if isinstance(current, n.FPCall) and current.name == "where":
            return True
        current = current.focus
    return False


def _is_one_filter(node: n.FPExpr) -> bool:
    return isinstance(node, n.FPCall) and sum(isinstance(part, n.FPCall) for part in _chains(node)) == 1


def _hint(node: n.FPExpr) -> str:
    """A name that tells what is held: `implants` for `parameter.where(name = 'implants')`."""
    current: n.FPExpr | None = node
    while isinstance(current, n.FPMember | n.FPCall):
        if isinstance(current, n.FPMember):
            return current.name
        for argument in current.arguments:
            if (
                isinstance(argument, n.FPBinary)
                and isinstance(argument.right, n.FPLiteral)
                and argument.right.kind == "string"
            ):
                return str(argument.right.value)
        current = current.focus
    return "shared"
