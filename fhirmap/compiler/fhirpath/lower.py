"""Expression → Python: the questions a map, a validator or a project asks."""

from __future__ import annotations

from dataclasses import replace

from fhirmap.analysis.expression import infer_expression
from fhirmap.analysis.expression_types import as_fhir, families
from fhirmap.analysis.static import StaticType
from fhirmap.compiler import python as py
from fhirmap.compiler.explanation import CodeCause, CodeReason
from fhirmap.compiler.fhirpath.conditions import ConditionLowering
from fhirmap.compiler.fhirpath.elements import ElementReader
from fhirmap.compiler.fhirpath.lowering_context import LoweringContext
from fhirmap.compiler.fhirpath.scope import ExprScope, PythonExpr
from fhirmap.compiler.fhirpath.streams import whole
from fhirmap.compiler.fhirpath.typed import TypedLowering
from fhirmap.compiler.fhirpath.typed_values import EvaluationSite, TypedValue
from fhirmap.compiler.fhirpath.untyped import UntypedLowering
from fhirmap.compiler.runtime_functions import fp_call
from fhirmap.language import nodes as n
from fhirmap.language.expression_text import expression_to_text
from fhirmap.language.visit import walk
from fhirmap.model.definition import FHIR_URL, TypeRef

_BOOLEAN = StaticType(frozenset((TypeRef("boolean", FHIR_URL + "boolean"),)), "one", True)


def lower_expression(expression: n.FPExpr, scope: ExprScope) -> PythonExpr:
    """The value of an expression, bare where its types allow it (see `PythonExpr`)."""
    lowering = _Lowering(expression, scope)
    found = lowering.root_value()
    if found is not None and found.is_typed and found.choice is None and not _keeps_more(found, expression):
        static = found.static.with_cardinality("many") if found.is_stream else found.static
        return lowering.done(whole(found, scope.fresh), as_fhir(replace(static, plain=True)))
    static = replace(lowering.inferred, cardinality="many", plain=False)
    done = lowering.done(lowering.root_branch(), as_fhir(static))
    if found is not None and found.is_scalar and is_of_record(found):
        return replace(done, bare=found.code)
    return replace(done, by_items=lowering.why_items())


def is_of_record(value: TypedValue) -> bool:
    """Is it an element of FHIR JSON as the record has it? Its siblings and its types go with it, as items."""
    return value.static.is_raw or value.raw is not None


def _keeps_more(value: TypedValue, expression: n.FPExpr) -> bool:
    """Do items keep what the bare value lacks: where it is in the record, or the extensions of what is made of it?"""
    is_made = value.sibling is not None and value.is_stream and not isinstance(expression, n.FPMember)
    return is_made or is_of_record(value)


def lower_value(expression: n.FPExpr, scope: ExprScope) -> PythonExpr:
    """The one bare value of an expression, None where it is empty; several are a `TransformFailed` FM430."""
    lowering = _Lowering(expression, scope)
    found = lowering.root_value()
    one = found is not None and found.is_one
    code = lowering.single(expression, lowering.site, "a single value")
    static = lowering.inferred if found is None or not found.static.types else found.static
    return lowering.done(code, as_fhir(StaticType(static.types, "one" if one else "optional", True)))


def lower_values(expression: n.FPExpr, scope: ExprScope) -> PythonExpr:
    """All bare values of an expression, a list."""
    lowering = _Lowering(expression, scope)
    found = lowering.root_value()
    if found is not None and found.is_stream:
        return lowering.done(whole(found, scope.fresh), as_fhir(found.static.with_cardinality("many")))
    if found is not None and found.is_scalar:
        code = py.ListOf((found.code,)) if found.is_one else fp_call("items", found.code)
        return lowering.done(code, as_fhir(found.static.with_cardinality("many")))
    code = fp_call("values", lowering.root_branch())
    return lowering.done(code, as_fhir(StaticType(lowering.inferred.types, "many", True)))


def lower_items(expression: n.FPExpr, scope: ExprScope) -> PythonExpr:
    """All items of an expression with their types: a list for the runtime's functions."""
    lowering = _Lowering(expression, scope)
    found = lowering.root_value()
    wraps = found is not None and found.keeps_type
    code = lowering.context.as_items(found) if found is not None and wraps else lowering.root_branch()
    return lowering.done(code, replace(lowering.inferred, cardinality="many", plain=False))


def lower_condition(expression: n.FPExpr, scope: ExprScope) -> PythonExpr:
    """Does the expression hold: its only boolean is itself, an empty value is false, anything else is true.

    The code is truthy or falsy.
    """
    lowering = _Lowering(expression, scope)
    code = lowering.typed_condition(expression, lowering.site, wanted=True)
    done = lowering.done(code or fp_call("holds", lowering.root_branch()), _BOOLEAN)
    return replace(done, by_items=lowering.why_items() if code is None or lowering.context.asks_items else None)


_MOST_SHOWN = 60


def _why(node: n.FPExpr, static: StaticType) -> CodeCause:
    """Why a part of an expression has no bare value."""
    text = expression_to_text(node)
    shown = text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"
    if isinstance(node, n.FPVariable):
        return CodeCause(CodeReason.IS_ITEM, shown)
    if not isinstance(node, n.FPMember):
        return CodeCause(CodeReason.NOT_DECIDED, shown)
    if not static.types:
        return CodeCause(CodeReason.TYPE_UNKNOWN, shown)
    if len(static.types) > 1:
        return CodeCause(CodeReason.SEVERAL_TYPES, shown)
    is_number = not static.is_clean and families(static) == {"number"}
    return CodeCause(CodeReason.NUMBER_AS_TEXT if is_number else CodeReason.READ_FROM_ITEM, shown)


def _is_this(node: n.FPExpr) -> bool:
    """Is it `$this`? It is an item where what it goes through is one of items."""
    return isinstance(node, n.FPVariable) and node.name == "$this"


class _Lowering:
    """The three lowerings of one expression, as each sees the others (`forms.Forms`)."""

    def __init__(self, expression: n.FPExpr, scope: ExprScope) -> None:
        self.expression = expression
        inferred = infer_expression(expression, scope.inference())
        self.inferred = inferred.static
        self.context = LoweringContext(expression, inferred, scope)
        self.elements = ElementReader(self.context)
        self.typed = TypedLowering(self)
        self.conditions = ConditionLowering(self)
        self.untyped = UntypedLowering(self)
        self.site = EvaluationSite(self.context.focus(), scope.index)

    def done(self, code: py.Expr, static: StaticType) -> PythonExpr:
        """What came of the expression, with the assignments before it."""
        return PythonExpr(code, static, tuple(self.context.statements))

    def why_items(self) -> CodeCause | None:
        """Why the expression goes through items: the innermost part of it that has no bare value."""
        without = self.typed.without
        parts = (node for node in reversed(list(walk(self.expression))) if id(node) in without)
        part = next((node for node in parts if not _is_this(node)), None)
        return CodeCause(CodeReason.KEEPS_TYPE) if part is None else _why(part, self.context.inferred.of(part))

    def root_value(self) -> TypedValue | None:
        """The typed value of the whole expression."""
        return self.value(self.expression, self.site)

    def root_branch(self) -> py.Expr:
        """The items of the whole expression."""
        return self.branch(self.expression, self.site)

    # --- forms.Forms --------------------------------------------------------------------------------------------------

    def value(self, node: n.FPExpr, site: EvaluationSite) -> TypedValue | None:
        return self.typed.value(node, site)

    def input_of(self, node: n.FPCall, site: EvaluationSite) -> TypedValue | None:
        return self.typed.calls.input_of(node, site)

    def filtered(self, node: n.FPCall, base: TypedValue, site: EvaluationSite) -> TypedValue | None:
        return self.typed.calls.filtered(node, base, site)

    def single(self, node: n.FPExpr, site: EvaluationSite, what: str) -> py.Expr:
        return self.typed.calls.single(node, site, what)

    def plug_in(self, node: n.FPCall, site: EvaluationSite) -> TypedValue:
        return self.typed.calls.plug_in(node, site)

    def typed_condition(self, node: n.FPExpr, site: EvaluationSite, *, wanted: bool) -> py.Expr | None:
        return self.conditions.condition(node, site, wanted=wanted)

    def condition(self, node: n.FPExpr, site: EvaluationSite, *, wanted: bool = True) -> py.Expr:
        return self.untyped.condition(node, site, wanted=wanted)

    def truth(self, node: n.FPExpr, site: EvaluationSite) -> TypedValue | None:
        return self.conditions.truth(node, site)

    def items(self, node: n.FPExpr, site: EvaluationSite) -> py.Expr:
        return self.untyped.items(node, site)

    def branch(self, node: n.FPExpr | n.SortKey, site: EvaluationSite) -> py.Expr:
        return self.untyped.branch(node, site)
