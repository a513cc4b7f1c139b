"""Which names hold rows of which everything is known."""

from __future__ import annotations

import pytest

from fhirmap.compiler.one_pass.kinds import Kind, Kinds, same
from fhirmap.compiler.python import (
    Assign,
    Conditional,
    DictOf,
    Do,
    For,
    Get,
    If,
    ListOf,
    Literal,
    Name,
    Not,
    Return,
    SetItem,
    Statement,
    builtin,
    is_none,
    is_not_none,
    method,
)
from fhirmap.compiler.runtime_functions import call, fp_call

ROW, PART, PARTS, P, Q = map(Name, ("row", "part", "parts", "p", "q"))


def made(name: Name) -> Assign:
    return Assign(None, (name,), DictOf())


BLOCK: tuple[Statement, ...] = (
    made(ROW),
    Assign(None, (PARTS,), ListOf()),
    For(None, (P,), Name("raw"), (made(PART), Do(None, method(PARTS, "append", PART)))),
    SetItem(None, ROW, "parts", PARTS),
    For(None, (Q,), Get(ROW, "parts", Literal(())), (SetItem(None, ROW, "last", Q),)),
)


def kinds(*more: Statement) -> Kinds:
    found = Kinds()
    found.block((*BLOCK, *more))
    found.settle()
    return found


def own(found: Kinds) -> set[str]:
    return {name for name in ("row", "part", "p", "q") if found.is_own(name)}


def test_rows_are_followed_into_lists_and_elements() -> None:
    found = kinds(If(None, is_not_none(Get(ROW, "last")), (Do(None, builtin("print", Literal(1))),)))
    assert own(found) == {"row", "part", "q"}
    assert found.name("q") is found.name("part")
    assert found.row(Get(ROW, "last")) is found.name("part")
    assert found.row(Get(P, "last")) is None


@pytest.mark.parametrize(
    "statement",
    [
        Do(None, fp_call("items", ROW, Literal("x"))),
        Return(None, ROW),
        Assign(None, (Name("other"),), DictOf(((Literal("held"), ROW),))),
        Do(None, method(ROW, "keys")),
        Assign(None, (ROW,), Get(P, "x")),
    ],
    ids=["given to a function", "returned", "held by a dict", "asked for all", "bound to another"],
)
def test_what_goes_elsewhere_takes_along_what_it_holds(statement: Statement) -> None:
    assert own(kinds(statement)) == set()


def test_what_an_element_goes_to_leaves_the_row() -> None:
    assert own(kinds(Do(None, fp_call("items", Q, Literal("x"))))) == {"row"}
    assert own(kinds(Do(None, fp_call("items", Get(Q, "text"), Literal("x"))))) == {"row", "part", "q"}


def test_a_row_goes_along_with_a_list_that_is_made_on_the_way() -> None:
    items = builtin("list", Conditional(is_none(Q), ListOf(), ListOf((Q,))))
    assert own(kinds(For(None, (Name("each"),), call("counted", items, Literal(1), Literal(1)), ()))) == {"row"}


def test_a_row_from_a_list_is_not_asked_whether_it_is_empty() -> None:
    assert own(kinds(If(None, Not(PART), (made(Name("other")),)))) == {"row", "part", "q"}
    assert own(kinds(If(None, Not(Q), (made(Name("other")),)))) == {"row"}


def test_kinds_that_hold_themselves_are_the_same_once() -> None:
    one, other = Kind(), Kind()
    same(one.each(), one)
    same(other.each(), other)
    same(one, other)
    assert one.root is other.root
    assert one.each() is one.root
