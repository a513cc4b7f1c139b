"""FM238: a rule whose condition is never true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.typed import TypedSource
from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.language.nodes import FPBinary, FPCall, FPExpr, FPLiteral, FPMember, FPVariable, ModelElement
from fhirmap.language.visit import chain


def unreachable_rule(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each `where` that is false whatever the record holds (FM238).

    Spec: FML, rules, source: `where`; FHIRPath N1, 6, operators.
    """
    for _, rule in checked.rules():
        for source in rule.sources:
            if source.where is None:
                continue
            found = _never(source.where.node.expression, source, checked)
            if found is not None:
                span, variant, args = found
                yield Diagnostic("FM238", span, args, variant=variant)


Found = tuple[Span, str, Mapping[str, object]]


def _never(expression: FPExpr, source: TypedSource, checked: Checked) -> Found | None:
    """The part of ``expression`` that makes it always false or empty; None where it may be true."""
    if isinstance(expression, FPLiteral):
        return (expression.span, "", {}) if expression.value is False or expression.kind == "empty" else None
    if isinstance(expression, FPCall) and expression.name == "not" and isinstance(expression.focus, FPLiteral):
        return (expression.span, "", {}) if expression.focus.value is True else None
    if not isinstance(expression, FPBinary):
        return None
    left, right = expression.left, expression.right
    if expression.operator == "and":
        contrary = _contrary(expression)
        return _never(left, source, checked) or _never(right, source, checked) or contrary
    if expression.operator == "or":
        both = _never(left, source, checked), _never(right, source, checked)
        return both[0] if all(both) else None
    if expression.operator in ("=", "!=") and isinstance(left, FPLiteral) and isinstance(right, FPLiteral):
        equal = (left.kind, left.value, left.unit) == (right.kind, right.value, right.unit)
        return (expression.span, "", {}) if equal is (expression.operator == "!=") else None
    if expression.operator == "=":
        return _null_token(expression, source, checked)
    return None


def _contrary(expression: FPBinary) -> Found | None:
    """`x = 'a' and x = 'b'`: one value cannot be both."""
    seen: dict[str, object] = {}
    for part in chain(expression, "and"):
        named = _comparison(part)
        if named is None:
            continue
        name, literal = named
        if seen.setdefault(name, literal.value) != literal.value:
            return expression.span, "contrary", {"name": name}
    return None


def _comparison(expression: FPExpr) -> tuple[str, FPLiteral] | None:
    """Name and literal of `name = literal`, either way round."""
    if not isinstance(expression, FPBinary) or expression.operator != "=":
        return None
    for name, literal in ((expression.left, expression.right), (expression.right, expression.left)):
        if isinstance(literal, FPLiteral):
            if isinstance(name, FPVariable):
                return f"%{name.name}", literal
            if isinstance(name, FPMember) and name.focus is None:
                return name.name, literal
    return None


def _null_token(expression: FPBinary, source: TypedSource, checked: Checked) -> Found | None:
    """`cote = 'X'` where the model says that `X` means absent."""
    named = _comparison(expression)
    if named is None or not isinstance(named[1].value, str):
        return None
    element = _model_element(named[0], source, checked)
    if element is None or (named[1].value.strip() and named[1].value not in element.nulls):
        return None
    variant = "null" if named[1].value.strip() else "blank"
    return expression.span, variant, {"token": named[1].value, "element": element.name}


def _model_element(name: str, source: TypedSource, checked: Checked) -> ModelElement | None:
    """The model's element that ``name`` means in the condition of ``source``: a child of the item, or the item."""
    bare = name.lstrip("%")
    if source.steps and (bare in ("$this", source.node.variable)):
        owner = checked.model(source.context.static.type if len(source.steps) == 1 else source.steps[-2].static.type)
        bare = source.steps[-1].name
    else:
        owner = checked.model(source.item.type)
    elements = owner.node.elements if owner else ()
    return next((element for element in elements if element.name == bare), None)
