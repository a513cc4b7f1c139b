"""FHIRPath of a project or target as functions: the columns of `preview --records`, and what a rate limit counts by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from fhirmap.analysis.expression import ExpressionScope, infer_expression
from fhirmap.analysis.static import StaticType
from fhirmap.compilation.program import CheckedMaps
from fhirmap.decimals import decimal_text
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ProjectError
from fhirmap.language.nodes import FPExpr
from fhirmap.language.parser import parse_expression
from fhirmap.model.definition import Definitions, TypeRef
from fhirmap.runner.project import ColumnSetting
from fhirmap.runner.target import Target
from fhirmap.signatures import FunctionSignature

__all__ = [
    "ExpressionTypes",
    "RecordsColumn",
    "answer_types",
    "check_columns",
    "compile_columns",
    "expression_types",
    "limit_columns",
    "receipt_columns",
    "shown",
]


@dataclass(frozen=True, slots=True)
class ExpressionTypes:
    """What expressions are about: the result's type, the record's model, and what can be called."""

    definitions: Definitions
    result: TypeRef | None
    source: TypeRef | None
    functions: Mapping[str, FunctionSignature]

    @property
    def focus(self) -> StaticType:
        """Static type of the result. Out of scope means no result: the focus is then empty."""
        return StaticType(frozenset((self.result,)) if self.result else frozenset(), "optional", True)

    @property
    def record(self) -> StaticType:
        """Static type of `%source`."""
        return StaticType(frozenset((self.source,)) if self.source else frozenset(), "one", True)


@dataclass(frozen=True, slots=True)
class RecordsColumn:
    """A compiled column: ``values(result, record)``; the result is None where the record is out of scope."""

    name: str
    values: Callable[[dict[str, Any] | None, Mapping[str, Any]], list[Any]]

    def text(self, result: dict[str, Any] | None, record: Mapping[str, Any]) -> str:
        """The values as text, joined by `,`; empty where the expression fails on this record."""
        return ",".join(shown(value) for value in self.found(result, record))

    def found(self, result: dict[str, Any] | None, record: Mapping[str, Any]) -> list[Any]:
        """The values; none where the expression fails on this record or answer, whose shape is anybody's."""
        try:
            return self.values(result, record)
        except Exception:  # noqa: BLE001 - an answer may be of any shape, and what it holds must not stop a run
            return []


def expression_types(maps: CheckedMaps) -> ExpressionTypes:
    """Result and record of a project's maps, as its FHIRPath expressions see them."""
    checked = maps.checked
    last, first = checked.stages[-1], checked.stages[0]
    structure = checked.definitions.structure(last.target.structure or last.target.name) if last.target else None
    return ExpressionTypes(
        checked.definitions,
        (checked.definitions.type_ref(structure.type) or last.target) if structure else last.target,
        first.source if first.source is not None and first.source.structure in checked.models else None,
        checked.functions,
    )


def limit_columns(target: Target | None) -> tuple[ColumnSetting, ...]:
    """What the receiver's rate limit counts by, as an expression over the result."""
    return (ColumnSetting("limit_key", target.limit_key),) if target is not None and target.limit_key else ()


def receipt_columns(target: Target | None) -> tuple[ColumnSetting, ...]:
    """Where the receiver's identifier is, as expressions over its answer."""
    return tuple(ColumnSetting("receipt.identifier", entry) for entry in target.receipt) if target is not None else ()


def answer_types(types: ExpressionTypes) -> ExpressionTypes:
    """As ``types``, for expressions over an operation's answer: Parameters."""
    return replace(types, result=types.definitions.type_ref("Parameters"), source=None)


def check_columns(columns: Sequence[ColumnSetting], types: ExpressionTypes) -> list[Diagnostic]:
    """FM743 for each column that is no FHIRPath or not of these types, at its line of the project file."""
    return [entry for column in columns for entry in _checked(column, types)[1]]


def compile_columns(columns: Sequence[ColumnSetting], types: ExpressionTypes) -> tuple[RecordsColumn, ...]:
    """Each column compiled; `%source` is the record as its model reads it.

    Raises: ProjectError with what `check_columns` finds.
    """
    checked = [(column, *_checked(column, types)) for column in columns]
    wrong = [entry for _, _, found in checked for entry in found]
    if wrong:
        raise ProjectError(wrong)
    return tuple(
        _compiled(column.name, expression, types) for column, expression, _ in checked if expression is not None
    )


def _checked(column: ColumnSetting, types: ExpressionTypes) -> tuple[FPExpr | None, list[Diagnostic]]:
    expression, diagnostics = parse_expression(column.expression)
    wrong = [entry for entry in diagnostics if entry.is_error]
    if expression is not None and not wrong:
        scope = ExpressionScope(
            types.definitions, types.focus, {"source": types.record}.get, ("source",), types.functions
        )
        wrong = [entry for entry in infer_expression(expression, scope).diagnostics if entry.is_error]
    return expression, [_wrong_column(column, entry) for entry in wrong]


def _compiled(name: str, expression: FPExpr, types: ExpressionTypes) -> RecordsColumn:
    # Here, not above: `check` looks at columns and compiles none.
    from fhirmap.compiler.fhirpath import ExprScope, NumberedNames, function_of, lower_values
    from fhirmap.compiler.python import Name

    result, record = Name("result"), Name("record")
    scope = ExprScope(
        types.definitions,
        types.focus,
        focus_name=result,
        variables={"source": (record, types.record)},
        functions=types.functions,
        fresh=NumberedNames({"result", "record", "evaluate", "fp"}),
    )
    lowered = lower_values(expression, scope)
    return RecordsColumn(name, function_of(lowered, scope, (result, record), name=f"<column {name!r}>"))


def _wrong_column(column: ColumnSetting, entry: Diagnostic) -> Diagnostic:
    args = {"column": column.name, "reason": entry.message}
    return Diagnostic("FM743", column.span, args, entry.hint_shown)


def shown(value: object) -> str:
    """A value as a cell of a CSV shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return decimal_text(value)
    return str(value)
