"""Regular expressions known at compile time, as module-level compiled patterns."""

from __future__ import annotations

import re

from fhirmap.compiler import python as py
from fhirmap.compiler.fhirpath.scope import Constants
from fhirmap.compiler.runtime_functions import fp_call
from fhirmap.regular_expressions import LongPattern, is_plain, names_categories, python_pattern

_RE = py.Imported(py.Import("re"))
_FLAGS = py.Arithmetic(py.Attribute(_RE, "DOTALL"), py.Operator.BITS, py.Attribute(_RE, "ASCII"), raises=False)
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[|()]", re.DOTALL)


def pattern_constant(pattern: str, constants: Constants, *, full: bool) -> py.Attribute | None:
    """The method of the compiled pattern that tests a text; None for a pattern that is none, or is not quick with any
    text.

    `$` becomes the very end of the text: Python's own would also accept a line break after it, and let
    `"12345678901\\n"` through.
    """
    method = "fullmatch" if full else "search"
    try:
        if not is_plain(pattern, everywhere=not full):
            return None  # the runtime counts its steps
    except (re.error, LongPattern):
        return None
    text = python_pattern(pattern)
    if names_categories(pattern):
        return py.Attribute(constants.add("PATTERN", fp_call("compile_pattern", py.Literal(pattern))), method)
    if not full and pattern.startswith("^") and not _has_alternatives(pattern):
        text, method = text[1:], "match"
        if pattern.endswith("$") and text.endswith(r"\Z"):
            text, method = text.removesuffix(r"\Z"), "fullmatch"
    compiled = py.method(_RE, "compile", py.Literal(text), _FLAGS)
    return py.Attribute(constants.add("PATTERN", compiled), method)


def _has_alternatives(pattern: str) -> bool:
    """Does a `|` occur outside all parentheses?"""
    depth = 0
    for found in _TOKEN.finditer(pattern):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if found[0] == "|" and depth == 0:
            return True
    return False
