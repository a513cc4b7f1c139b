"""Lines of statements and functions, and the spans they come from."""

from __future__ import annotations

import ast

from fhirmap.compiler import printing
from fhirmap.compiler import python as py
from fhirmap.compiler.plan import ModuleConstant, ModuleSection, PythonFunction
from fhirmap.diagnostics import MapText, Span

TEXT = MapText("a.map", "one\ntwo\nthree\n")
ONE, TWO = Span(TEXT, 0, 3), Span(TEXT, 4, 7)
A, X = py.Name("a"), py.Name("x")
EVIL = 'x\\\'; import os\n\u2028"""{{ 7 * 7 }}\ud800'


def lines(*statements: py.Statement) -> list[str]:
    return [line.text for line in printing.block_lines(statements, 0)]


def test_blocks_are_indented() -> None:
    caught = py.Try(None, (py.Do(None, A),), py.Attribute(A, "caught"), X, (py.Do(None, X),))
    tree = py.For(ONE, (X,), A, (py.If(TWO, X, (caught,), (py.Increment(None, X),)),))
    assert lines(tree) == [
        "for x in a:",
        "    if x:",
        "        try:",
        "            a",
        "        except a.caught as x:",
        "            x",
        "    else:",
        "        x += 1",
    ]


def test_each_statement() -> None:
    assert lines(
        py.CommentLine(None, "c\nd"), py.Blank(None), py.Assign(None, (A, X), py.Literal(1)),
        py.SetItem(None, A, "it's", X), py.SetAttribute(None, A, "resource", X),
        py.Raise(None, X), py.Return(None), py.Return(None, X),
    ) == [
        "# c d", "", "a = x = 1", 'a["it\'s"] = x', "a.resource = x", "raise x", "return", "return x",
    ]  # fmt: skip


def test_a_block_of_comments_passes() -> None:
    assert lines(py.If(None, X, (py.CommentLine(None, "empty"),))) == ["if x:", "    # empty", "    pass"]
    assert lines(py.If(None, X, ())) == ["if x:", "    pass"]


def test_spans_stay_with_their_lines() -> None:
    tall = py.Assign(TWO, (X,), py.literal_dict({"k": 1, "l": 2}, is_tall=True))
    found = [line.span for line in printing.block_lines((py.Do(ONE, A), tall), 1)]
    assert found == [ONE, TWO, None, None, None]


def test_a_function() -> None:
    made = PythonFunction(A, (X,), 'says "it"', (py.Return(TWO, X),), TEXT, ONE, (py.Name("strict"),))
    found = list(printing.function_lines(made))
    assert [line.text for line in found] == ["def a(x, strict=False):", '    """says \'it\'"""', "    return x"]
    assert [line.span for line in found] == [ONE, None, TWO]


def test_imports_are_sorted_and_joined() -> None:
    ours, theirs = "fhirmap.runtime.lists", "decimal"
    uses = [
        py.Import(ours, "single"), py.Import(theirs, "Decimal"), py.Import(ours, "drop"), py.Import("re"),
        py.Import("fhirmap.runtime", "fhirpath", "fp"), py.Import("somewhere.else", "f", "_f"),
    ]  # fmt: skip
    assert printing.import_lines(uses) == [
        "from decimal import Decimal",
        "from somewhere.else import f as _f",
        "import re",
        "from fhirmap.runtime import fhirpath as fp",
        "from fhirmap.runtime.lists import drop, single",
    ]


def test_a_section_opens_with_its_title() -> None:
    constant = ModuleConstant(py.Name("_k"), py.Literal(1), "what it is")
    section = ModuleSection((constant, PythonFunction(A, (), "d", ()), constant), "Title")
    assert [line.text for line in printing.section_lines(section)] == [
        "", "", "# Title", "# what it is", "_k = 1", "", "", "def a():", '    """d"""', "", "", "# what it is",
        "_k = 1",
    ]  # fmt: skip
    assert list(printing.section_lines(ModuleSection())) == []


def test_comments_and_docstrings_stay_one_line() -> None:
    for text in (printing.comment(EVIL), printing.docstring(EVIL)):
        assert len(text.splitlines()) == 1
        assert text.encode()
    assert ast.literal_eval(f'"""{printing.docstring(EVIL)}"""')
