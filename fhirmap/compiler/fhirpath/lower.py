"""Expression → Python: the three questions a map, a validator or a project asks, and the hoisting of what several
expressions share.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from fhirmap.analysis.expression import as_fhir, infer_expression
from fhirmap.analysis.static import Static
from fhirmap.compiler.fhirpath.generic import GenericForm
from fhirmap.compiler.fhirpath.plain import PlainForm
from fhirmap.compiler.fhirpath.scope import ExprScope, PyExpr
from fhirmap.compiler.fhirpath.values import Place
from fhirmap.language import nodes as n
from fhirmap.language.expression_text import expression_to_text
from fhirmap.model.definition import FHIR_URL, TypeRef

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


def lower_condition(expression: n.FPExpr, scope: ExprScope) -> PyExpr:
    """Does the expression hold: its only boolean is itself, nothing is false, anything else is true.

    The code is truthy or falsy.
    """
    form = _Form(expression, scope)
    code = form.plain.condition(expression, form.place, wanted=True)
    if code is None:
        code = f"fp.holds({form.generic.branch(expression, form.place)})"
    return form.done(code, _BOOLEAN)


def expression_key(expression: n.FPExpr) -> str:
    """Canonical text of an expression: the same for all that say the same."""
    return expression_to_text(expression)


def hoist(expressions: Iterable[n.FPExpr], scope: ExprScope) -> tuple[list[str], ExprScope]:
    """Statements that compute what several expressions over one focus share, and the scope where they use those names.

    Shared are filtered collections (`parameter.where(name = 'implants')`) and what is read below them. Each statement
    stands before all uses and has no effect but its name; it is written once although a use may then be skipped by
    `implies`.
    """
    statements: list[str] = []
    inner = replace(scope, hoisted=dict(scope.hoisted))
    counts: Counter[n.FPExpr] = Counter()
    for expression in expressions:
        counts.update(_chains(expression))
    shared = [node for node, count in counts.items() if count > 1 and _is_worth_hoisting(node)]
    for node in sorted(shared, key=lambda entry: len(expression_key(entry))):
        bigger = [other for other in shared if other != node and node in set(_chains(other))]
        if bigger and counts[node] == sum(counts[other] for other in bigger if not _is_inside_another(other, bigger)):
            # All its uses are inside longer shared chains: one of those is enough.
            continue
        found = lower_expression(node, inner)
        if not found.static.plain:
            continue
        name = inner.fresh(_hint(node))
        statements += [*found.statements, f"{name} = {found.code}"]
        inner.hoisted[node] = (name, found.static)
    return statements, inner


class _Form:
    def __init__(self, expression: n.FPExpr, scope: ExprScope) -> None:
        self.inferred = infer_expression(expression, scope.inference())
        self.generic = GenericForm(expression, self.inferred, scope)
        self.plain = PlainForm(self.generic)
        focus = self.plain.held(scope.focus_name, scope.focus) if scope.focus is not None else None
        self.place = Place(focus)

    def done(self, code: str, static: Static) -> PyExpr:
        """``code`` as Python itself would write it: without a parenthesis too many."""
        scope = self.generic.scope
        if "fp." in code or self.generic.statements:
            scope.constants.imports.setdefault("from fhirmap.runtime import fhirpath as fp")
        return PyExpr(ast.unparse(ast.parse(code, mode="eval")), static, tuple(self.generic.statements))


def _chains(node: n.FPExpr) -> Iterable[n.FPExpr]:
    """All parts of an expression that are evaluated for its own focus, not for an item of something."""
    waiting: list[n.FPExpr | None] = [node]
    while waiting:
        part = waiting.pop()
        if part is None:
            continue
        yield part
        if isinstance(part, n.FPBinary):
            waiting += [part.right, part.left]
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


def _is_inside_another(node: n.FPExpr, others: list[n.FPExpr]) -> bool:
    return any(other != node and node in set(_chains(other)) for other in others)


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
