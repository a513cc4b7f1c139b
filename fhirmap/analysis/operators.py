"""Operators of expressions: which operands they take, and what they give."""

from __future__ import annotations

from typing import Protocol

from fhirmap.analysis.expression_types import families, is_decided, shown, system
from fhirmap.analysis.static import UNKNOWN, Cardinality, StaticType
from fhirmap.diagnostics import Span
from fhirmap.fhir_types import family, number_type
from fhirmap.language import nodes as n
from fhirmap.model.definition import TypeRef

_COMPARISONS = frozenset(("<", "<=", ">", ">="))


class ExpressionReporter(Protocol):
    """Notes a fault of an expression."""

    def __call__(self, code: str, span: Span, /, variant: str = "", **args: object) -> None:
        """The fault ``code`` at ``span``."""


def operator_result(node: n.FPBinary, left: StaticType, right: StaticType, report: ExpressionReporter) -> StaticType:
    """What `left operator right` gives; operands that do not go together are handed to ``report``."""
    operator = node.operator
    both_one = left.cardinality == right.cardinality == "one"
    once: Cardinality = "one" if both_one else "optional"
    if operator == "|":
        known = all(part.is_known or part.cardinality == "optional" for part in (left, right))
        return StaticType(left.types | right.types if known else frozenset(), "many", False)
    if operator in ("=", "!=", "in", "contains"):
        _check_alike(node, left, right, report)
    if operator in ("and", "or", "xor", "implies", "=", "!="):
        dates = operator in ("=", "!=") and families(left) & families(right) & {"date", "time", "quantity"}
        return system("Boolean", "optional" if dates else once)
    if operator in ("~", "!~"):
        return system("Boolean")
    if operator in ("in", "contains"):
        return system("Boolean", (left if operator == "in" else right).cardinality if both_one else "optional")
    if operator == "&":
        for side in (left, right):
            if side.is_known and is_decided(side) and not any(map(_is_text, side.types)):
                report("FM253", node.span, variant="text", operator=operator, given=shown(side))
        return system("String")
    return _arithmetic(node, left, right, once, report)


def _is_text(ref: TypeRef) -> bool:
    """Is a value of the type a text, for `&`? A date of FHIR is one as it is written, FHIRPath's own is not."""
    is_written = family(ref.name) in ("date", "time") and not ref.name.startswith("System.")
    return is_written or family(ref.name) == "text"


def _check_alike(node: n.FPBinary, left: StaticType, right: StaticType, report: ExpressionReporter) -> None:
    """Values of types that nothing has in common are never equal: most often a missing conversion."""
    mine, other = families(left), families(right)
    alike = mine & other or {"number", "quantity"} <= mine | other or {"date", "time"} <= mine | other
    if left.is_known and right.is_known and not alike and is_decided(left) and is_decided(right):
        report("FM261", node.span, operator=node.operator, left=shown(left), right=shown(right))


def _arithmetic(
    node: n.FPBinary, left: StaticType, right: StaticType, once: Cardinality, report: ExpressionReporter
) -> StaticType:
    operator = node.operator
    decided = left.is_known and right.is_known and is_decided(left) and is_decided(right)
    pairs = {(one, two) for one in families(left) for two in families(right)}
    if decided and not any(_fits(operator, one, two) for one, two in pairs):
        report("FM253", node.span, operator=operator, left=shown(left), right=shown(right))
        return UNKNOWN
    if operator in _COMPARISONS:
        certain = pairs and pairs <= {("number", "number"), ("text", "text")}
        return system("Boolean", once if certain else "optional")
    if pairs == {("text", "text")}:
        return system("String", once)
    if pairs == {("number", "number")}:
        result = "Decimal" if operator == "/" else number_type(ref.name for ref in left.types | right.types)
        return system(result, "optional" if operator in ("/", "div", "mod") else once)
    return (
        left.with_cardinality("optional")
        if len(pairs) == 1 and pairs <= {("date", "quantity"), ("time", "quantity")}
        else UNKNOWN
    )


def _fits(operator: str, left: str, right: str) -> bool:
    if operator in _COMPARISONS:
        return (left == right and left in ("text", "number", "date", "time", "quantity")) or {left, right} == {
            "number",
            "quantity",
        }
    if operator == "+" and left == right == "text":
        return True
    if operator in ("+", "-") and left in ("date", "time"):
        return right == "quantity"
    if operator in ("div", "mod"):
        return left == right == "number"
    return left in ("number", "quantity") and right in ("number", "quantity")
