"""Operators of generated code, each with how tightly it binds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fhirmap.compiler.python.expressions import Expr, Precedence


class Comparison(StrEnum):
    """Operators of `Compare`, as Python writes them."""

    EQUAL = "=="
    UNEQUAL = "!="
    IS = "is"
    IS_NOT = "is not"
    IN = "in"
    NOT_IN = "not in"
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="


_ORDERINGS = frozenset((Comparison.LESS, Comparison.LESS_OR_EQUAL, Comparison.GREATER, Comparison.GREATER_OR_EQUAL))


@dataclass(frozen=True)
class Compare(Expr):
    """`first operator operand …`: a chain of one comparison or several."""

    first: Expr
    rest: tuple[tuple[Comparison, Expr], ...]

    @property
    def raises_itself(self) -> bool:
        """Values of two types, and decimals that are no numbers, have no order."""
        return any(operator in _ORDERINGS for operator, _ in self.rest)

    @property
    def precedence(self) -> int:
        """That of a comparison."""
        return Precedence.COMPARE

    def __str__(self) -> str:
        parts = [self.first.inside(Precedence.BITS)]
        parts += [f"{operator} {operand.inside(Precedence.BITS)}" for operator, operand in self.rest]
        return " ".join(parts)


class Connective(StrEnum):
    """Operators of `Logic`, as Python writes them."""

    AND = "and"
    OR = "or"


@dataclass(frozen=True)
class Logic(Expr):
    """`a and b and …`, `a or b or …`."""

    operator: Connective
    operands: tuple[Expr, ...]

    @property
    def precedence(self) -> int:
        """`or` binds less than `and`."""
        return Precedence.AND if self.operator is Connective.AND else Precedence.OR

    def __str__(self) -> str:
        # An `and` inside an `or` is in parentheses although it binds more, for who reads it.
        parts = [
            f"({operand})" if isinstance(operand, Logic) else operand.inside(self.precedence + 1)
            for operand in self.operands
        ]
        return f" {self.operator} ".join(parts)


@dataclass(frozen=True)
class Not(Expr):
    """`not operand`."""

    operand: Expr

    @property
    def precedence(self) -> int:
        """That of `not`."""
        return Precedence.NOT

    def __str__(self) -> str:
        return f"not {self.operand.inside(Precedence.NOT)}"


@dataclass(frozen=True)
class Conditional(Expr):
    """`value if test else otherwise`."""

    value: Expr
    test: Expr
    otherwise: Expr

    @property
    def precedence(self) -> int:
        """That of `if … else`."""
        return Precedence.CONDITIONAL

    def __str__(self) -> str:
        value, test = self.value.inside(Precedence.OR), self.test.inside(Precedence.OR)
        return f"{value} if {test} else {self.otherwise.inside(Precedence.CONDITIONAL)}"


class Operator(StrEnum):
    """Operators of `Arithmetic`, as Python writes them."""

    PLUS = "+"
    MINUS = "-"
    TIMES = "*"
    BITS = "|"


_BINDING = {
    Operator.PLUS: Precedence.PLUS,
    Operator.MINUS: Precedence.PLUS,
    Operator.TIMES: Precedence.TIMES,
    Operator.BITS: Precedence.BITS,
}


@dataclass(frozen=True)
class Arithmetic(Expr):
    """`left operator right`. ``raises``: False for texts and lists; numbers overflow (`Decimal`)."""

    left: Expr
    operator: Operator
    right: Expr
    raises: bool = True

    @property
    def raises_itself(self) -> bool:
        """A decimal may overflow."""
        return self.raises

    @property
    def precedence(self) -> int:
        """`*` binds more than `+` and `-`, `|` less."""
        return _BINDING[self.operator]

    def __str__(self) -> str:
        left, right = self.left.inside(self.precedence), self.right.inside(self.precedence + 1)
        return f"{left} {self.operator} {right}"


@dataclass(frozen=True)
class Negative(Expr):
    """`-operand`. ``raises``: False for whole numbers; a decimal is rounded, and may overflow."""

    operand: Expr
    raises: bool = True

    @property
    def raises_itself(self) -> bool:
        """A decimal may overflow."""
        return self.raises

    @property
    def precedence(self) -> int:
        """That of a sign."""
        return Precedence.UNARY

    def __str__(self) -> str:
        return f"-{self.operand.inside(Precedence.UNARY)}"
