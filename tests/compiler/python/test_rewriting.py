"""Trees changed as a whole."""

from __future__ import annotations

from fhirmap.compiler.python import (
    Assign,
    Comprehension,
    Container,
    Expr,
    For,
    ForClause,
    Get,
    If,
    IfClause,
    Lambda,
    Literal,
    Name,
    Return,
    Try,
    Unpack,
)
from fhirmap.compiler.python.rewriting import bound_in, rewritten, rewritten_block, statements_in

A, B, C = map(Name, "abc")
LOOP = For(None, (A,), Get(B, "x"), (If(None, A, (Return(None, A),)),))


def to_c(node: Expr) -> Expr | None:
    return C if node == B else None


def test_what_does_not_change_is_the_same() -> None:
    assert rewritten(LOOP, lambda _: None) is LOOP
    changed = rewritten(LOOP, to_c)
    assert changed == For(None, (A,), Get(C, "x"), LOOP.body)
    assert changed.body is LOOP.body


def test_the_outer_expression_is_changed_first() -> None:
    def change(node: Expr) -> Expr | None:
        return Literal(1) if isinstance(node, Get) else to_c(node)

    assert rewritten(Get(Get(B, "x"), "y"), change) == Literal(1)
    assert rewritten(B, change) == C


def test_clauses_and_blocks_are_gone_into() -> None:
    each = Comprehension(Container.LIST, B, (ForClause((B,), B), IfClause(B)))
    assert str(rewritten(each, to_c)) == "[c for c in c if c]"
    (caught,) = rewritten_block([Try(None, (Assign(None, (A,), B),), B, None, (Return(None, B),))], to_c)
    held = [str(entry) for statement in statements_in([caught]) for entry in statement.expressions]
    assert held == ["c", "a", "c", "c"]


def test_the_names_that_are_bound() -> None:
    block = (
        Unpack(None, (Name("d"), Name("e")), A),
        For(None, (A,), Lambda((B,), B), (Assign(None, (C,), A),)),
        Try(None, (), A, Name("error"), ()),
        Return(None, Comprehension(Container.SET, A, (ForClause((Name("f"),), A),))),
    )
    assert sorted(bound_in(block)) == ["a", "b", "c", "d", "e", "error", "f"]
