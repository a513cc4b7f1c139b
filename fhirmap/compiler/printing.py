"""Lines of generated code: statements, functions, constants and imports, each line with the span it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from unicodedata import category

from fhirmap.compiler import python as py
from fhirmap.compiler.plan import ModuleConstant, ModuleSection, PythonFunction
from fhirmap.diagnostics import Span


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One line. ``span``: the place in the map that its statement comes from, None where it has none.

    ``is_heading``: does a function begin here?
    """

    text: str
    span: Span | None = None
    is_heading: bool = False


def comment(text: str) -> str:
    """``text`` fit for one comment line: control characters and line breaks become blanks."""
    return "".join(" " if category(letter) in ("Cc", "Zl", "Zp", "Cs") else letter for letter in text)


def docstring(text: str) -> str:
    """``text`` fit for a docstring in triple double quotes: no quote and no backslash of it can end or bend it."""
    return comment(text).replace("\\", "\\\\").replace('"', "'")


def import_lines(uses: Iterable[py.Import]) -> list[str]:
    """Import statements in order, the standard library first."""
    lines: list[tuple[bool, str]] = []
    for module, held in groupby(sorted(set(uses)), key=lambda entry: entry.module):
        entries = list(held)
        is_ours = module.partition(".")[0] == "fhirmap"
        plain = [entry.name for entry in entries if entry.name and not entry.alias]
        if plain:
            lines.append((is_ours, f"from {module} import {', '.join(plain)}"))
        lines += [(is_ours, entry.line) for entry in entries if entry.alias or not entry.name]
    return [line for _, line in sorted(lines)]


def section_lines(section: ModuleSection) -> Iterator[CodeLine]:
    """The lines of a part of a module, two empty lines before each function."""
    if section.parts:
        yield from (CodeLine(""), CodeLine(""), CodeLine(f"# {comment(section.title)}"))
    follows_function = False
    for part in section.parts:
        if isinstance(part, PythonFunction):
            yield from (CodeLine(""), CodeLine(""), *function_lines(part))
        else:
            if follows_function:
                yield from (CodeLine(""), CodeLine(""))
            yield from constant_lines(part)
        follows_function = isinstance(part, PythonFunction)


def constant_lines(constant: ModuleConstant) -> Iterator[CodeLine]:
    """A constant, after the comment that says what it is."""
    if constant.comment:
        yield CodeLine(f"# {comment(constant.comment)}")
    yield from _code(f"{constant.name} = {constant.value}", None, 0)


def function_lines(function: PythonFunction) -> Iterator[CodeLine]:
    """A function: heading, docstring, statements."""
    parameters = [*map(str, function.parameters), *(f"{flag}=False" for flag in function.flags)]
    yield CodeLine(f"def {function.name}({', '.join(parameters)}):", function.span, is_heading=True)
    yield CodeLine(f'    """{docstring(function.doc)}"""')
    yield from block_lines(function.body, 1)


def block_lines(statements: Iterable[py.Statement], depth: int) -> Iterator[CodeLine]:
    """Statements, indented by ``depth``."""
    for statement in statements:
        yield from _STATEMENTS[type(statement)](statement, depth)


def _code(text: str, span: Span | None, depth: int) -> Iterator[CodeLine]:
    """One statement without a block; a tall display is of several lines."""
    for number, line in enumerate(text.split("\n")):
        yield CodeLine("    " * depth + line, span if number == 0 else None)


def _body(statements: tuple[py.Statement, ...], depth: int) -> Iterator[CodeLine]:
    """A block: a `pass` where no statement of it does anything."""
    yield from block_lines(statements, depth + 1)
    if all(isinstance(statement, py.CommentLine | py.Blank) for statement in statements):
        yield from _code("pass", None, depth + 1)


def _if(node: py.If, depth: int, word: str = "if") -> Iterator[CodeLine]:
    yield from _code(f"{word} {node.test}:", node.span, depth)
    yield from _body(node.body, depth)
    if len(node.otherwise) == 1 and isinstance(node.otherwise[0], py.If):
        yield from _if(node.otherwise[0], depth, "elif")
    elif node.otherwise:
        yield from _code("else:", None, depth)
        yield from _body(node.otherwise, depth)


def _for(node: py.For, depth: int) -> Iterator[CodeLine]:
    yield from _code(f"for {', '.join(map(str, node.targets))} in {node.items}:", node.span, depth)
    yield from _body(node.body, depth)


def _try(node: py.Try, depth: int) -> Iterator[CodeLine]:
    yield from _code("try:", node.span, depth)
    yield from _body(node.body, depth)
    error = f" as {node.error}" if node.error is not None else ""
    yield from _code(f"except {node.caught}{error}:", None, depth)
    yield from _body(node.handler, depth)


def _line(write: Callable[..., str]) -> Callable[[py.Statement, int], Iterator[CodeLine]]:
    return lambda node, depth: _code(write(node), node.span, depth)


_STATEMENTS: dict[type, Callable[..., Iterator[CodeLine]]] = {
    py.CommentLine: lambda node, depth: _code(f"# {comment(node.text)}", None, depth),
    py.Blank: lambda _node, _depth: iter((CodeLine(""),)),
    py.Assign: _line(lambda node: f"{' = '.join(map(str, node.targets))} = {node.value}"),
    py.Unpack: _line(
        lambda node: f"{', '.join(map(str, node.targets))}{',' if len(node.targets) == 1 else ''} = {node.value}"
    ),
    py.SetItem: _line(lambda node: f"{node.node}[{node.key!r}] = {node.value}"),
    py.SetAttribute: _line(lambda node: f"{node.owner}.{node.name} = {node.value}"),
    py.Increment: _line(lambda node: f"{node.name} += 1"),
    py.Do: _line(lambda node: str(node.value)),
    py.Raise: _line(lambda node: f"raise {node.value}"),
    py.Return: _line(lambda node: "return" if node.value is None else f"return {node.value}"),
    py.If: _if,
    py.For: _for,
    py.Try: _try,
}
