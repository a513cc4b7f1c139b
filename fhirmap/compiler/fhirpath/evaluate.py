"""One expression as a Python function of one node: for the columns of a project, and for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fhirmap.analysis.expression import infer_expression
from fhirmap.analysis.static import Static
from fhirmap.compiler.fhirpath.lower import lower_items, lower_values
from fhirmap.compiler.fhirpath.scope import RUNTIME_IMPORT, ExprScope, PyExpr
from fhirmap.errors import MapError
from fhirmap.language.nodes import FPExpr
from fhirmap.language.parser import parse_expression
from fhirmap.model.definition import Definitions


def compile_expression(
    text: str, type_name: str, definitions: Definitions, functions: Mapping[str, Any] | None = None
) -> Callable[[dict[str, Any]], list[Any]]:
    """A function from a node of type ``type_name`` to the plain values of the expression.

    Raises: ``MapError`` with all diagnostics of the text and of its types.
    """
    expression, root = _parsed(text), definitions.type_ref(type_name)
    static = Static(frozenset((root,)) if root else frozenset(), "one", True)
    scope = ExprScope(definitions, static, functions=functions or {})
    _checked(expression, scope)
    return function_of(lower_values(expression, scope), scope)


def compile_items(expression: FPExpr, scope: ExprScope) -> Callable[[Any], list[Any]]:
    """A function from ``scope``'s focus to the list of items that the expression gives."""
    found = lower_items(expression, scope)
    return function_of(found, scope)


def function_of(found: PyExpr, scope: ExprScope) -> Callable[[Any], list[Any]]:
    """The Python function that evaluates compiled code for one value of its focus."""
    lines = [RUNTIME_IMPORT, *scope.constants.imports, *scope.constants.source(), f"def evaluate({scope.focus_name}):"]
    lines += [f"    {line}" for line in (*found.statements, f"return {found.code}")]
    names: dict[str, Any] = {}
    exec(compile("\n".join(lines), "<expression>", "exec"), names)
    evaluate: Callable[[Any], list[Any]] = names["evaluate"]
    return evaluate


def _parsed(text: str) -> FPExpr:
    expression, diagnostics = parse_expression(text)
    if expression is None or any(entry.is_error for entry in diagnostics):
        raise MapError(diagnostics)
    return expression


def _checked(expression: FPExpr, scope: ExprScope) -> None:
    diagnostics = infer_expression(expression, scope.inference()).diagnostics
    if any(entry.is_error for entry in diagnostics):
        raise MapError(diagnostics)
