"""Map positions for generated Python: each statement of a compiled module bears the place in the map it comes from.

The printer says which line of the module comes from which span (`render.ModuleText`). `compile_stamped` has Python
parse the text, as it would to import it, puts the span on the AST nodes of that line's statement and compiles, so that
a traceback shows the map's line with carets; each function's code object bears the name of the map it comes from.
Nothing else is read in the text. People find the same facts at its end, as a table, `_marks`.

AST columns are UTF-8 bytes, hence `MapText.utf8_place`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from types import CodeType

from fhirmap.compiler.render import ModuleText
from fhirmap.diagnostics import MapText, Span


def compile_stamped(module: ModuleText, texts: Mapping[str, MapText], module_name: str) -> CodeType:
    """The code object of a module, its statements bearing map positions.

    ``texts``: function name -> the map text that the function comes from.
    """
    tree = ast.parse(module.text)
    places = {line: _place_of(span) for line, span in module.spans.items()}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in texts:
            _stamp(node, places)
    return _named(
        compile(tree, module_name, "exec", dont_inherit=True), {name: file_name(text) for name, text in texts.items()}
    )


def file_name(text: MapText) -> str:
    """The file name that tracebacks show. Maps without a file get one of their own, so that two of them never mix."""
    if not text.name.startswith("<"):
        return text.name
    from hashlib import sha256

    return f"<map {sha256(text.text.encode()).hexdigest()[:12]}>"


StampedPlace = tuple[int, int, int, int]


def _place_of(span: Span) -> StampedPlace:
    return *span.text.utf8_place(span.start), *span.text.utf8_place(span.end)


def _stamp(function: ast.FunctionDef, places: Mapping[int, StampedPlace]) -> None:
    """Give every node of ``function`` the place of its statement; an unmarked statement takes its neighbour's."""
    if function.lineno not in places:
        return
    current = places[function.lineno]
    _put(function, current)
    _put_all(function.args, current)
    _stamp_body(function.body, places, current)


def _stamp_body(body: Sequence[ast.stmt], places: Mapping[int, StampedPlace], current: StampedPlace) -> None:
    for statement in body:
        current = places.get(statement.lineno, current)
        _stamp_statement(statement, places, current)


def _stamp_statement(statement: ast.stmt, places: Mapping[int, StampedPlace], current: StampedPlace) -> None:
    for name, value in ast.iter_fields(statement):
        if name in ("body", "orelse", "finalbody") and isinstance(value, list):
            _stamp_body(value, places, current)
        elif name == "handlers":
            for handler in value:
                if handler.type is not None:
                    _put_all(handler.type, current)
                _stamp_body(handler.body, places, current)
                _put(handler, current)
        elif isinstance(value, ast.AST):
            _put_all(value, current)
        elif isinstance(value, list):
            for entry in value:
                if isinstance(entry, ast.AST):
                    _put_all(entry, current)
    _put(statement, current)


def _put_all(node: ast.AST, place: StampedPlace) -> None:
    """As `ast.walk`, whose generators take most of the time that this does."""
    waiting = [node]
    while waiting:
        entry = waiting.pop()
        _put(entry, place)
        for name in entry._fields:
            value = getattr(entry, name, None)
            if isinstance(value, list):
                waiting += [each for each in value if isinstance(each, ast.AST)]
            elif isinstance(value, ast.AST):
                waiting.append(value)


def _put(node: ast.AST, place: StampedPlace) -> None:
    if node._attributes:
        node.lineno, node.col_offset, node.end_lineno, node.end_col_offset = place  # type: ignore[attr-defined]


def _named(code: CodeType, files: Mapping[str, str]) -> CodeType:
    """``code`` whose functions bear the names of the maps they come from."""
    constants = tuple(
        _with_file(entry, files[entry.co_name]) if isinstance(entry, CodeType) and entry.co_name in files else entry
        for entry in code.co_consts
    )
    return code.replace(co_consts=constants)


def _with_file(code: CodeType, file: str) -> CodeType:
    """``code`` and the code within it (comprehensions) under another file name."""
    constants = tuple(_with_file(entry, file) if isinstance(entry, CodeType) else entry for entry in code.co_consts)
    return code.replace(co_filename=file, co_consts=constants)
