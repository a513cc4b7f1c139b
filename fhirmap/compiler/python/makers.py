"""Makers of common expressions, and small questions about them."""

from __future__ import annotations

from collections.abc import Mapping

from fhirmap.compiler.python.displays import DictOf
from fhirmap.compiler.python.expressions import Attribute, Call, Constant, Expr, Get, Literal, Name
from fhirmap.compiler.python.operators import Compare, Comparison, Connective, Logic


def is_cheap(expression: Expr) -> bool:
    """May the expression be written twice: a name, or one look into a dict of that name?"""
    if isinstance(expression, Get):
        return isinstance(expression.owner, Name) and expression.default is None
    return isinstance(expression, Name)


def or_default(expression: Expr, default: Expr) -> Expr:
    """A value that may be None, with a default: `a.get('x', default)` where that says it, else `a or default`."""
    if isinstance(expression, Get) and expression.default is None:
        return Get(expression.owner, expression.key, default)
    return Logic(Connective.OR, (expression, default))


def compared(left: Expr, operator: Comparison, right: Expr) -> Compare:
    """`left operator right`."""
    return Compare(left, ((operator, right),))


def is_none(value: Expr) -> Compare:
    """`value is None`."""
    return compared(value, Comparison.IS, Literal(None))


def is_not_none(value: Expr) -> Compare:
    """`value is not None`."""
    return compared(value, Comparison.IS_NOT, Literal(None))


def all_of(*operands: Expr) -> Expr:
    """`a and b`; the operand itself where there is one."""
    return operands[0] if len(operands) == 1 else Logic(Connective.AND, operands)


def any_of(*operands: Expr) -> Expr:
    """`a or b`; the operand itself where there is one."""
    return operands[0] if len(operands) == 1 else Logic(Connective.OR, operands)


def method(owner: Expr, name: str, *arguments: Expr, raises: bool = True) -> Call:
    """`owner.name(arguments)`."""
    return Call(Attribute(owner, name), arguments, raises=raises)


def builtin(name: str, *arguments: Expr, raises: bool = False) -> Call:
    """A call of a built-in function, which does not raise for what the compiler gives it unless said so."""
    return Call(Name(name), arguments, raises=raises)


def literal_dict(entries: Mapping[str, Constant], *, is_tall: bool = False) -> DictOf:
    """A dict of constants."""
    return DictOf(tuple((Literal(key), Literal(value)) for key, value in entries.items()), is_tall)
