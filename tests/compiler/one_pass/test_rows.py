"""Rows as names."""

from __future__ import annotations

import pytest

from fhirmap.compiler.names import Names
from fhirmap.compiler.one_pass.kinds import Kinds
from fhirmap.compiler.one_pass.rows import LateWrite, RowsAsNames
from fhirmap.compiler.printing import block_lines
from fhirmap.compiler.python import (
    Assign,
    Comparison,
    DictOf,
    Do,
    Expr,
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
    Try,
    builtin,
    compared,
    is_none,
    is_not_none,
    method,
)
from fhirmap.compiler.runtime_functions import call

TGT, ITEM, P, RAW = map(Name, ("tgt", "i", "p", "raw"))
ITEMS = method(TGT, "setdefault", Literal("items"), ListOf(), raises=False)


def begun(name: Name) -> Assign:
    return Assign(None, (name,), DictOf())


def shown(*values: Expr) -> Do:
    return Do(None, builtin("print", *values))


def added(*writes: Statement) -> tuple[Statement, ...]:
    """An item that rules write to after it was put into its list, taken out again where they wrote nothing."""
    removed = If(None, Not(ITEM), (Do(None, call("drop", TGT, Literal("items"), ITEM)),))
    return begun(ITEM), Do(None, method(ITEMS, "append", ITEM)), *writes, removed


def rewritten(*block: Statement) -> str:
    kinds = Kinds()
    kinds.block(block)
    kinds.settle()
    return "\n".join(line.text for line in block_lines(RowsAsNames(kinds, Names(["tgt", "i", "p"])).block(block), 0))


def test_elements_are_names() -> None:
    text = rewritten(
        begun(P),
        SetItem(None, P, "a", Literal(1)),
        shown(Get(P, "a"), Get(P, "b"), Get(P, "c", ListOf())),
        If(None, compared(Literal("b"), Comparison.NOT_IN, P), (shown(),)),
        If(None, P, (shown(),)),
    )
    assert text.splitlines() == [
        "p_a = p_b = p_c = None",
        "p_a = 1",
        "print(p_a, p_b, p_c or [])",
        "if p_b is None:",
        "    print()",
        "if p_a is not None or p_b is not None or p_c is not None:",
        "    print()",
    ]


def test_a_row_is_held_as_a_tuple_and_taken_apart() -> None:
    text = rewritten(
        begun(TGT),
        For(None, (RAW,), Name("raws"), added(SetItem(None, ITEM, "a", RAW), SetItem(None, ITEM, "b", RAW))),
        For(None, (P,), Get(TGT, "items", Literal(())), (shown(Get(P, "b")), shown(Get(P, "b")))),
        shown(is_none(Get(TGT, "items"))),
    )
    assert text.splitlines() == [
        "tgt_items = []",
        "for raw in raws:",
        "    i_a = i_b = None",
        "    i_a = raw",
        "    i_b = raw",
        "    if i_a is not None or i_b is not None:",
        "        tgt_items.append((i_a, i_b))",
        "for p in tgt_items:",
        "    _, p_b = p",
        "    print(p_b)",
        "    print(p_b)",
        "print((tgt_items or None) is None)",
    ]


def test_an_element_that_is_a_row_may_be_absent() -> None:
    inner, outer = Name("inner"), Name("outer")
    text = rewritten(
        begun(outer),
        begun(inner),
        SetItem(None, inner, "a", Literal(1)),
        SetItem(None, outer, "inner", inner),
        Assign(None, (P,), Get(outer, "inner")),
        If(None, is_not_none(P), (shown(Get(P, "a")),)),
        shown(Get(Get(outer, "inner", DictOf()), "a"), Get(P, "a")),
    )
    assert text.splitlines()[3:] == [
        "outer_inner = (inner_a,)",
        "p = outer_inner",
        "if p is not None:",
        "    p_a, = p",
        "    print(p_a)",
        "print(outer_inner[0] if outer_inner is not None else None, p[0])",
    ]


def test_items_that_are_dicts_are_taken_from_the_list_of_a_dict() -> None:
    text = rewritten(begun(TGT), *added(SetItem(None, ITEM, "a", RAW)), shown(ITEM))
    assert "tgt = {}" in text
    assert "drop(tgt, 'items', i)" in text


def test_a_failure_that_no_rule_expects_leaves_the_record_to_the_steps() -> None:
    failed = Try(None, added(SetItem(None, ITEM, "a", RAW)), Name("caught"), Name("error"), (shown(Name("error")),))
    text = rewritten(begun(TGT), failed, shown(is_none(Get(TGT, "items"))))
    assert "except caught as error:\n    return run.leave(error)" in text


@pytest.mark.parametrize(
    "block",
    [
        (begun(P), Do(None, method(Name("all"), "append", P)), SetItem(None, P, "a", Literal(1))),
        (
            begun(TGT),
            begun(ITEM),
            Do(None, method(ITEMS, "append", ITEM)),
            SetItem(None, ITEM, "a", Literal(1)),
            Return(None),
        ),
    ],
    ids=["a list", "a list of a row"],
)
def test_a_row_that_is_written_to_when_it_is_held_is_none_of_these(block: tuple[Statement, ...]) -> None:
    with pytest.raises(LateWrite):
        rewritten(*block)
