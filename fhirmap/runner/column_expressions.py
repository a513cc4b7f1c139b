"""FHIRPath of a project or target, checked and compiled: the columns of `preview --records`, what a rate limit counts
by, and where an answer has the receiver's identifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fhirmap.analysis.expression import ExpressionScope, infer_expression
from fhirmap.analysis.static import StaticType
from fhirmap.compilation.program import CheckedMaps
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ProjectError
from fhirmap.language.nodes import FPExpr
from fhirmap.language.parser import parse_expression
from fhirmap.model.definition import Definitions, TypeRef
from fhirmap.runner.columns import ColumnCode
from fhirmap.runner.project import ColumnSetting
from fhirmap.signatures import FunctionSignature

__all__ = ["ExpressionTypes", "answer_types", "check_columns", "compile_columns", "expression_types"]


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


def answer_types(types: ExpressionTypes) -> ExpressionTypes:
    """As ``types``, for expressions over an operation's answer: Parameters."""
    return replace(types, result=types.definitions.type_ref("Parameters"), source=None)


def check_columns(columns: Sequence[ColumnSetting], types: ExpressionTypes) -> list[Diagnostic]:
    """FM743 for each column that is no FHIRPath or not of these types, at its line of the project file."""
    return [entry for column in columns for entry in _checked(column, types)[1]]


def compile_columns(columns: Sequence[ColumnSetting], types: ExpressionTypes) -> tuple[ColumnCode, ...]:
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


def _compiled(name: str, expression: FPExpr, types: ExpressionTypes) -> ColumnCode:
    # Here, not above: `check` looks at columns and compiles none.
    from fhirmap.compiler.fhirpath import ExprScope, NumberedNames, function_code, lower_values
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
    return ColumnCode(name, function_code(lowered, scope, (result, record), name=f"<column {name!r}>"))


def _wrong_column(column: ColumnSetting, entry: Diagnostic) -> Diagnostic:
    args = {"column": column.name, "reason": entry.message}
    return Diagnostic("FM743", column.span, args, entry.hint_shown)
