"""Values and expressions of a StructureMap resource as nodes of FHIRPath."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from fhirmap.diagnostics import NO_SPAN
from fhirmap.interchange.structure_map.resource_part import ResourcePart
from fhirmap.language import nodes as n
from fhirmap.language.expression_text import expression_to_text
from fhirmap.language.parser import parse_expression
from fhirmap.texts import Text

__all__ = ["EMPTY", "argument", "embedded", "expression_of", "fhirpath", "literal", "path", "variable_or_literal"]

_TEXTS = frozenset(
    ("String", "Code", "Id", "Uri", "Url", "Canonical", "Oid", "Uuid", "Markdown", "Base64Binary"),
)
_DATES = frozenset(("Date", "DateTime", "Instant", "Time"))


def embedded(expression: n.FPExpr) -> n.FHIRPath:
    """An expression where a rule has one."""
    return n.FHIRPath(expression, expression_to_text(expression), NO_SPAN)


EMPTY = embedded(n.FPLiteral("empty", None, NO_SPAN))
"""What is written in place of an expression that the resource has wrong: `{}`."""


def path(names: Sequence[str]) -> n.FPExpr:
    """`a.b.c`, of one name at least."""
    return _members(n.FPMember(None, names[0], NO_SPAN, NO_SPAN), names[1:])


def _members(node: n.FPExpr, names: Iterable[str]) -> n.FPExpr:
    for name in names:
        node = n.FPMember(node, name, NO_SPAN, NO_SPAN)
    return node


def expression_of(part: ResourcePart, name: str) -> n.FHIRPath | None:
    """The expression that the element ``name`` is the text of; None where it is absent."""
    value = part.text(name)
    return fhirpath(part, name, value) if value is not None else None


def fhirpath(part: ResourcePart, name: str, value: object) -> n.FHIRPath:
    """An expression from its text, which the element ``name`` holds."""
    part.take(name)
    if not isinstance(value, str):
        part.wrong(name, "missing" if value is None else "text")
        return EMPTY
    expression, diagnostics = parse_expression(value)
    errors = [entry for entry in diagnostics if entry.is_error]
    if expression is None or errors:
        part.wrong(name, "expression", why=errors[0].message if errors else Text("reasons.no_expression"))
        return EMPTY
    return embedded(expression)


def argument(part: ResourcePart, *, is_expression: bool = False) -> n.FHIRPath:
    """A parameter of a transform or call. ``is_expression``: its text is FHIRPath, not a string."""
    names = [name for name in part.value if name.startswith("value")]
    if len(names) != 1:
        part.wrong("", "parameter")
        return EMPTY
    kind, value = names[0].removeprefix("value"), part.take(names[0])
    if kind == "Id" and isinstance(value, str) and value:
        return embedded(n.FPMember(None, value, NO_SPAN, NO_SPAN))
    if kind == "String" and is_expression:
        return fhirpath(part, names[0], value)
    found = literal(kind, value)
    if found is None:
        part.wrong(names[0], "parameter")
        return EMPTY
    return embedded(found)


def variable_or_literal(text: str) -> n.FHIRPath:
    """A variable's name in R4, where the reference engine writes literals too."""
    found, diagnostics = parse_expression(text)
    inner = found.operand if isinstance(found, n.FPUnary) else found
    if diagnostics or found is None or not isinstance(inner, n.FPLiteral):
        found = n.FPMember(None, text, NO_SPAN, NO_SPAN)
    return embedded(found)


def literal(kind: str, value: object) -> n.FPExpr | None:
    """A primitive value of a resource as a literal; None for a complex one. ``kind``: as in `valueString`."""
    if isinstance(value, bool):
        return n.FPLiteral("boolean", value, NO_SPAN) if kind == "Boolean" else None
    if isinstance(value, int | float | Decimal):
        return _number(kind, value)
    if not isinstance(value, str):
        return None
    if kind in _DATES:
        stated = f"T{value}" if kind == "Time" else value if kind == "Date" or "T" in value else f"{value}T"
        found, diagnostics = parse_expression(f"@{stated}")
        return found if isinstance(found, n.FPLiteral) and not diagnostics else None
    return n.FPLiteral("string", value, NO_SPAN) if kind in _TEXTS else None


def _number(kind: str, value: int | float | Decimal) -> n.FPExpr:
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    whole = isinstance(value, int) and kind != "Decimal"
    found = n.FPLiteral("integer" if whole else "decimal", int(abs(number)) if whole else abs(number), NO_SPAN)
    return n.FPUnary("-", found, NO_SPAN) if number < 0 else found
