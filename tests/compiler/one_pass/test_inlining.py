"""Functions in the place of their calls."""

from __future__ import annotations

from fhirmap.compiler.names import Names
from fhirmap.compiler.one_pass.inlining import Inlining
from fhirmap.compiler.plan import PythonFunction
from fhirmap.compiler.printing import block_lines
from fhirmap.compiler.python import Assign, Call, Do, For, Get, If, Literal, Name, Return, Statement, builtin
from fhirmap.compiler.runtime_functions import call

A, X, ROW, READ, OUTER = map(Name, ("a", "x", "row", "read", "outer"))


def function(name: Name, parameters: tuple[Name, ...], *body: Statement) -> PythonFunction:
    return PythonFunction(name, parameters, "", body)


def inlined(*functions: PythonFunction) -> str:
    """The body of the first function, with those of the others where it calls them."""
    inlining = Inlining(functions, Names(["a", "row"]))
    return "\n".join(line.text for line in block_lines(inlining.block(functions[0].body), 0))


def calling(*arguments: Name) -> PythonFunction:
    return function(OUTER, (A,), Assign(None, (X,), Call(READ, arguments or (A,))), Do(None, builtin("print", X)))


def test_its_names_are_those_of_the_place() -> None:
    read = function(READ, (ROW,), Assign(None, (A,), Get(ROW, "k")), Return(None, A))
    assert inlined(calling(), read) == "x = a.get('k')\nprint(x)"


def test_a_parameter_that_is_bound_anew_has_a_name_of_its_own() -> None:
    read = function(READ, (ROW,), Assign(None, (ROW,), Get(ROW, "k")), Assign(None, (A,), ROW), Return(None, A))
    assert inlined(calling(), read) == "row_2 = a\nrow_2 = row_2.get('k')\nx = row_2\nprint(x)"


def test_what_is_called_twice_stays() -> None:
    again = function(Name("again"), (A,), Do(None, Call(READ, (A,))))
    read = function(READ, (ROW,), Return(None, ROW))
    assert "read(a)" in inlined(calling(), read, again)
    held = function(Name("again"), (A,), Do(None, builtin("map", READ, A)))
    assert "read(a)" in inlined(calling(), read, held)


def test_what_returns_early_or_nothing_named_stays() -> None:
    early = function(READ, (ROW,), If(None, ROW, (Return(None, A),)), Return(None, ROW))
    assert "read(a)" in inlined(calling(), early)
    assert "read(a)" in inlined(calling(), function(READ, (ROW,), Return(None, Literal(1))))


def test_what_calls_itself_stays() -> None:
    read = function(READ, (ROW,), Assign(None, (A,), Call(Name("inner"), (ROW,))), Return(None, A))
    inner = function(Name("inner"), (ROW,), Do(None, Call(Name("inner"), (ROW,))), Return(None, ROW))
    assert inlined(calling(), read, inner) == "x = inner(a)\nprint(x)"


def test_loops_are_no_deeper_than_python_takes() -> None:
    def loop(depth: int, inside: Statement) -> Statement:
        return inside if depth == 0 else For(None, (ROW,), A, (loop(depth - 1, inside),))

    for depth, is_called in ((14, False), (15, True)):
        outer = function(OUTER, (A,), loop(depth, Do(None, Call(READ, (A,)))))
        read = function(READ, (A,), loop(2, Do(None, builtin("print", A))))
        text = inlined(outer, read)
        assert ("read(a)" in text) is is_called
        compile(f"def outer(a):\n{' ' * 4}{text.replace(chr(10), chr(10) + ' ' * 4)}", "test", "exec")


def test_who_asks_is_not_watched() -> None:
    watched = Assign(None, (A,), call("watched", A, Name("faults"), Literal(0)))
    assert inlined(function(OUTER, (A,), watched, Do(None, builtin("print", A)))) == "print(a)"
