"""`FPExpr` → its canonical text: single blanks, single quotes, no parenthesis that precedence makes needless."""

from __future__ import annotations

import re

from fhirmap.language import nodes as n

_PRECEDENCE = {
    "implies": 1,
    **dict.fromkeys(("or", "xor"), 2),
    "and": 3,
    **dict.fromkeys(("in", "contains"), 4),
    **dict.fromkeys(("=", "~", "!=", "!~"), 5),
    **dict.fromkeys(("<=", "<", ">", ">="), 6),
    "|": 7,
    **dict.fromkeys(("is", "as"), 8),
    **dict.fromkeys(("+", "-", "&"), 9),
    **dict.fromkeys(("*", "/", "div", "mod"), 10),
}
_UNARY, _POSTFIX = 11, 12
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_NEVER_BARE = frozenset(("true", "false", "and", "or", "xor", "implies", "div", "mod"))
_CALENDAR = re.compile(r"(?:year|month|week|day|hour|minute|second|millisecond)s?\Z")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"}


def expression_to_text(expression: n.FPExpr) -> str:
    """The text of ``expression``; parsing it again gives an equal tree.

    Example:
        >>> from fhirmap.language.parser import parse_expression
        >>> expression_to_text(parse_expression('( a+1 )  = ("x")')[0])
        "a + 1 = 'x'"
    """
    return _text(expression)


def name_to_text(name: str) -> str:
    """An element's or variable's name, in backticks where it needs them."""
    if _IDENTIFIER.match(name) and name not in _NEVER_BARE:
        return name
    return quote(name, "`")


def dotted_to_text(name: str) -> str:
    """A type's name: each part in backticks where it needs them."""
    return ".".join(name_to_text(part) for part in name.split("."))


def quote(text: str, mark: str = "'") -> str:
    """``text`` between ``mark``, escaped as FHIRPath does."""
    escaped = "".join(_escape(character, mark) for character in text)
    return f"{mark}{escaped}{mark}"


def literal_to_text(literal: n.FPLiteral) -> str:
    """A literal as FHIRPath writes it."""
    if literal.kind == "string":
        return quote(str(literal.value))
    if literal.kind == "empty":
        return "{}"
    if literal.kind == "boolean":
        return "true" if literal.value else "false"
    if literal.kind in ("date", "dateTime", "time"):
        return f"@{literal.value}"
    if literal.kind == "long":
        return f"{literal.value}L"
    number = str(literal.value) if literal.kind == "integer" else f"{literal.value:f}"
    if literal.kind != "quantity":
        return number
    unit = literal.unit
    if _CALENDAR.match(unit):
        return f"{number} {unit}"
    quoted_word = unit[1:-1] if unit[:1] == unit[-1:] == "'" and _CALENDAR.match(unit[1:-1]) else None
    return f"{number} {quote(unit if quoted_word is None else quoted_word)}"


def _escape(character: str, mark: str) -> str:
    if character == mark:
        return f"\\{mark}"
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character < " " or character == "\x7f" or "\ud800" <= character <= "\udfff":
        return f"\\u{ord(character):04x}"
    return character


def _text(node: n.FPExpr) -> str:
    match node:
        case n.FPLiteral():
            return literal_to_text(node)
        case n.FPVariable(name=name):
            return name if name.startswith("$") else f"%{name_to_text(name)}"
        case n.FPMember(focus=focus, name=name):
            return name_to_text(name) if focus is None else f"{_wrapped(focus, _POSTFIX)}.{name_to_text(name)}"
        case n.FPCall(focus=focus, name=name, arguments=arguments):
            call = f"{name_to_text(name)}({', '.join(_argument(entry) for entry in arguments)})"
            return call if focus is None else f"{_wrapped(focus, _POSTFIX)}.{call}"
        case n.FPIndex(focus=focus, index=index):
            return f"{_wrapped(focus, _POSTFIX)}[{_text(index)}]"
        case n.FPUnary(operator=operator, operand=operand):
            return f"{operator}{_wrapped(operand, _POSTFIX)}"
        case n.FPType(operator=operator, operand=operand, type_name=type_name):
            return f"{_wrapped(operand, _PRECEDENCE[operator])} {operator} {dotted_to_text(type_name)}"
        case n.FPBinary(operator=operator, left=left, right=right):
            level = _PRECEDENCE[operator]
            if operator == "in" and isinstance(right, n.FPBinary):
                # Not needed, and yet it is how a list of values is read.
                return f"{_wrapped(left, level)} in ({_text(right)})"
            return f"{_wrapped(left, level)} {operator} {_wrapped(right, level + 1)}"


def _argument(argument: n.FPExpr | n.SortKey) -> str:
    if isinstance(argument, n.SortKey):
        return f"{_text(argument.expression)} {'desc' if argument.descending else 'asc'}"
    return _text(argument)


def _wrapped(node: n.FPExpr, level: int) -> str:
    text = _text(node)
    return text if _level(node) >= level else f"({text})"


def _level(node: n.FPExpr) -> int:
    if isinstance(node, n.FPBinary | n.FPType):
        return _PRECEDENCE[node.operator]
    return _UNARY if isinstance(node, n.FPUnary) else _POSTFIX
