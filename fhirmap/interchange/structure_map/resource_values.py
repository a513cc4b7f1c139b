"""Expressions of a map as the texts and values of a StructureMap resource."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from fhirmap.language import nodes as n
from fhirmap.language.expression_text import expression_to_text

__all__ = ["literal_slot", "text_of_expression"]

_STRING = re.compile(r"[ \r\n\t\S]+\Z")
_WHOLE_TIME = re.compile(r"T\d\d:\d\d:\d\d(?:\.\d+)?\Z")
_WHOLE_DATE_TIME = re.compile(
    r"\d{4}(?:-\d\d(?:-\d\d)?)?T\Z|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)\Z"
)


def text_of_expression(expression: n.FHIRPath) -> str:
    """The canonical text of an expression."""
    return expression_to_text(expression.expression)


def literal_slot(expression: n.FPExpr, slots: Collection[str]) -> tuple[str, Any] | None:
    """The `value[x]` that holds a literal, and the value; None where none of ``slots`` can."""
    literal = expression.operand if isinstance(expression, n.FPUnary) else expression
    if not isinstance(literal, n.FPLiteral):
        return None
    value: Any = literal.value
    signed = isinstance(expression, n.FPUnary)
    if signed and (literal.kind not in ("integer", "decimal") or expression.operator != "-"):  # type: ignore[union-attr]
        return None
    found: tuple[str, Any] | None = None
    match literal.kind:
        case "string" if _STRING.match(value):
            found = "valueString", value
        case "boolean":
            found = "valueBoolean", value
        case "integer" if value < 2**31:
            found = "valueInteger", -value if signed else value
        case "decimal":
            found = "valueDecimal", value.copy_negate() if signed else value
        case "date":
            found = "valueDate", value
        case "time" if _WHOLE_TIME.match(value):
            found = "valueTime", value[1:]
        case "dateTime" if _WHOLE_DATE_TIME.match(value):
            found = "valueDateTime", value.removesuffix("T")
    return found if found is not None and found[0] in slots else None
