"""One expression as a Python function: for the columns of a project, and for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any

from fhirmap.analysis.expression import infer_expression
from fhirmap.analysis.static import StaticType
from fhirmap.compiler import python as py
from fhirmap.compiler.counted_expressions import is_counted
from fhirmap.compiler.counted_texts import with_counted_work
from fhirmap.compiler.fhirpath.lower import lower_items, lower_values
from fhirmap.compiler.fhirpath.scope import ExprScope, PythonExpr
from fhirmap.compiler.runtime_functions import RUN, call
from fhirmap.errors import MapError
from fhirmap.language.nodes import FPExpr
from fhirmap.language.parser import parse_expression
from fhirmap.model.definition import Definitions
from fhirmap.signatures import FunctionSignature


def compile_expression(
    text: str, type_name: str, definitions: Definitions, functions: Mapping[str, FunctionSignature] | None = None
) -> Callable[[dict[str, Any]], list[Any]]:
    """A function from a node of type ``type_name`` to the bare values of the expression.

    Raises:
        MapError: with all diagnostics of the text and of its types.
    """
    expression, root = _parsed(text), definitions.type_ref(type_name)
    static = StaticType(frozenset((root,)) if root else frozenset(), "one", True)
    scope = ExprScope(definitions, static, functions=functions or {})
    _checked(expression, scope)
    return function_of(lower_values(expression, scope), scope)


def compile_items(expression: FPExpr, scope: ExprScope) -> Callable[[Any], list[Any]]:
    """A function from ``scope``'s focus to the list of items of the expression."""
    return function_of(lower_items(expression, scope), scope)


def function_of(
    found: PythonExpr, scope: ExprScope, parameters: tuple[py.Expr, ...] = (), *, name: str = "<expression>"
) -> Callable[..., Any]:
    """The Python function that evaluates lowered code. Parameters as of `function_code`."""
    names: dict[str, Any] = {}
    exec(function_code(found, scope, parameters, name=name), names)  # noqa: S102 - Python that this compiler has just written
    evaluate: Callable[..., Any] = names["evaluate"]
    return evaluate


def function_code(
    found: PythonExpr, scope: ExprScope, parameters: tuple[py.Expr, ...] = (), *, name: str = "<expression>"
) -> CodeType:
    """The module of one function, `evaluate`, that evaluates lowered code.

    ``parameters``: names that the code uses, by default that of its focus. ``name``: what a traceback shows as the
    file.
    """
    constants, given = scope.constants.entries(), parameters or (scope.focus_name,)
    code = with_counted_work(found.code, given)
    assigned = [(entry.targets[0], with_counted_work(entry.value, given)) for entry in found.statements]
    if any(map(is_counted, (code, *(value for _, value in assigned)))):
        assigned.insert(0, (RUN, call("StepCount")))
    printed = [code, *(value for _, value in (*constants, *assigned))]
    imports = sorted(frozenset[py.Import]().union(*(code.uses for code in printed)))
    lines = [
        *(entry.line for entry in imports),
        *(f"{constant} = {value}" for constant, value in constants),
        f"def evaluate({', '.join(map(str, given))}):",
        *(f"    {target} = {value}" for target, value in assigned),
        f"    return {code}",
    ]
    # The text is the printer's: whatever an author wrote is a literal in it, or a checked identifier (`python`).
    return compile("\n".join(lines), name, "exec", dont_inherit=True)


def _parsed(text: str) -> FPExpr:
    expression, diagnostics = parse_expression(text)
    if expression is None or any(entry.is_error for entry in diagnostics):
        raise MapError(diagnostics)
    return expression


def _checked(expression: FPExpr, scope: ExprScope) -> None:
    diagnostics = infer_expression(expression, scope.inference()).diagnostics
    if any(entry.is_error for entry in diagnostics):
        raise MapError(diagnostics)
