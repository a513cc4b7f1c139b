"""Statements are a tree: what is inside counts, except what a `try` catches."""

from __future__ import annotations

from fhirmap.compiler import python as py

A, X = py.Name("a"), py.Name("x")
RISKY = py.Do(None, py.Call(py.Imported(py.Import("m", "f"))))
SAFE = py.Assign(None, (X,), py.Get(A, "x"))


def test_a_block_can_raise_where_a_statement_of_it_can() -> None:
    inner = py.If(None, X, (py.For(None, (X,), A, (SAFE, RISKY)),))
    assert inner.may_raise
    assert not py.If(None, X, (SAFE,)).may_raise
    assert py.If(None, X, (SAFE,), (RISKY,)).may_raise
    assert py.If(None, py.compared(A, py.Comparison.LESS, X), (SAFE,)).may_raise


def test_only_the_handler_of_a_try_can_raise() -> None:
    assert not py.Try(None, (RISKY,), A, X, (SAFE,)).may_raise
    assert py.Try(None, (SAFE,), A, X, (RISKY,)).may_raise


def test_raise_raises() -> None:
    assert py.Raise(None, A).may_raise


def test_imports_of_all_blocks() -> None:
    assert py.Try(None, (py.If(None, X, (RISKY,)),), A, X, (SAFE,)).uses == {py.Import("m", "f")}
