"""Blocks open, fill and close; a rule gets a `try` where a statement of it can raise."""

from __future__ import annotations

from fhirmap.compiler import printing
from fhirmap.compiler import python as py
from fhirmap.compiler.writer import Writer

A, X = py.Name("a"), py.Name("x")
SAFE = py.Assign(None, (X,), py.Get(A, "x"))
RISKY = py.Assign(None, (X,), py.Arithmetic(A, py.Operator.TIMES, A))


def written(writer: Writer) -> list[str]:
    return [line.text for line in printing.block_lines(writer.statements, 0)]


def test_a_scope_closes_what_was_opened_inside() -> None:
    writer = Writer()
    with writer.scope():
        writer.open(py.For(None, (X,), A, ()))
        writer.open(py.If(None, X, ()))
        writer.append(None, A, X)
    writer.add(SAFE)
    assert written(writer) == ["for x in a:", "    if x:", "        a.append(x)", "x = a.get('x')"]


def test_an_empty_block_is_dropped_where_it_may_be() -> None:
    writer = Writer()
    with writer.scope():
        writer.open(py.If(None, X, ()), is_dropped_when_empty=True)
    with writer.block(py.If(None, A, ())):
        pass
    assert written(writer) == ["if a:", "    pass"]


def test_a_statement_goes_to_a_place_marked_before() -> None:
    writer = Writer()
    mark = writer.mark()
    with writer.block(py.If(None, X, ())):
        writer.add(SAFE)
    writer.insert(mark, py.Assign(None, (X,), py.Literal(None)))
    assert written(writer)[0] == "x = None"


def test_a_rule_that_cannot_raise_has_no_try() -> None:
    writer = Writer()
    with writer.rule():
        writer.open(py.If(None, X, ()))
        writer.add(SAFE)
    assert written(writer) == ["if x:", "    x = a.get('x')"]


def test_a_rule_that_can_raise_has_one_around_all_its_blocks() -> None:
    writer = Writer()
    with writer.rule():
        writer.open(py.If(None, X, ()))
        writer.add(RISKY)
    assert written(writer) == [
        "try:",
        "    if x:",
        "        x = a * a",
        "except run.caught as error:",
        "    run.fail(error)",
    ]


def test_an_inner_rule_catches_its_own() -> None:
    writer = Writer()
    with writer.rule():
        writer.open(py.If(None, X, ()))
        with writer.rule():
            writer.add(RISKY)
    assert written(writer)[:2] == ["if x:", "    try:"]
