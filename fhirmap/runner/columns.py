"""FHIRPath of a project or target as functions: the columns of `preview --records`, and what a rate limit counts by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fhirmap.analysis.expression import infer_expression
from fhirmap.analysis.static import Static
from fhirmap.compiler.fhirpath import ExprScope, FreshNames
from fhirmap.compiler.fhirpath.lower import lower_values
from fhirmap.compiler.fhirpath.scope import RUNTIME_IMPORT
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import FhirmapError, ProjectError
from fhirmap.language.parser import parse_expression
from fhirmap.model.definition import Definitions, TypeRef
from fhirmap.runner.project import RecordColumn

__all__ = ["Column", "Setting", "compile_columns", "shown"]


@dataclass(frozen=True, slots=True)
class Setting:
    """Where expressions stand: the result's type, the record's model, and what can be called."""

    definitions: Definitions
    result: TypeRef | None
    source: TypeRef | None
    functions: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A compiled column: ``values(result, record)``; the result is None where the record is out of scope."""

    name: str
    values: Callable[[dict[str, Any] | None, Mapping[str, Any]], list[Any]]

    def text(self, result: dict[str, Any] | None, record: Mapping[str, Any]) -> str:
        """The values as text, joined by `,`; empty where the expression fails on this record."""
        try:
            return ",".join(shown(value) for value in self.values(result, record))
        except FhirmapError:
            return ""


def compile_columns(columns: tuple[RecordColumn, ...], setting: Setting) -> tuple[Column, ...]:
    """Each column compiled; `%source` is the record as its model reads it.

    Raises: ProjectError with FM743 for each column that is no FHIRPath, at its line of the project file.
    """
    found: list[Column] = []
    faults: list[Diagnostic] = []
    for column in columns:
        told, compiled = _compiled(column, setting)
        faults += told
        if compiled is not None:
            found.append(compiled)
    if faults:
        raise ProjectError(faults)
    return tuple(found)


def _compiled(column: RecordColumn, setting: Setting) -> tuple[list[Diagnostic], Column | None]:
    expression, diagnostics = parse_expression(column.expression)
    wrong = [entry for entry in diagnostics if entry.is_error]
    if expression is None or wrong:
        return [_told(column, entry) for entry in wrong], None
    scope = _scope(setting)
    wrong = [entry for entry in infer_expression(expression, scope.inference()).diagnostics if entry.is_error]
    if wrong:
        return [_told(column, entry) for entry in wrong], None
    lowered = lower_values(expression, scope)
    lines = [RUNTIME_IMPORT, *scope.constants.imports, *scope.constants.source(), "def values(result, record):"]
    lines += [f"    {line}" for line in (*lowered.statements, f"return {lowered.code}")]
    names: dict[str, Any] = {}
    exec(compile("\n".join(lines), f"<column {column.name!r}>", "exec"), names)
    return [], Column(column.name, names["values"])


def _scope(setting: Setting) -> ExprScope:
    # Out of scope means no result: its focus is then empty.
    focus = Static(frozenset((setting.result,)) if setting.result else frozenset(), "optional", True)
    source = Static(frozenset((setting.source,)) if setting.source else frozenset(), "one", True)
    return ExprScope(
        setting.definitions,
        focus,
        focus_name="result",
        variables={"source": ("record", source)},
        functions=setting.functions,
        fresh=FreshNames({"result", "record", "values", "fp"}),
    )


def _told(column: RecordColumn, entry: Diagnostic) -> Diagnostic:
    args = {"column": column.name, "reason": entry.message}
    return Diagnostic("FM743", column.span, args, entry.hint_text or None)


def shown(value: Any) -> str:
    """A value as a cell of a CSV shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)
