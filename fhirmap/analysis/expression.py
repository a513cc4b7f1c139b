"""Types of a FHIRPath expression and of each of its parts, and what is wrong with it.

The compiler reads the same answers (`Inferred.of`) to decide where it may write plain Python. A type that is not known
is no fault: what cannot be decided here is left to the run.

Past 400 lines, and one thing: a walk over the tree that gives each kind of node its type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fhirmap.analysis.empty_texts import may_be_empty
from fhirmap.analysis.expression_functions import FUNCTIONS, FunctionSpec
from fhirmap.analysis.expression_types import (
    SYSTEM_NAMES,
    as_fhir,
    children_of,
    families,
    is_decided,
    shown,
    system,
    type_argument,
    type_named,
    value_ref,
)
from fhirmap.analysis.foreign_words import function_meant
from fhirmap.analysis.hints import nothing_meant, number_of, only_meant
from fhirmap.analysis.operators import operator_result
from fhirmap.analysis.other_release import element_of_other_release
from fhirmap.analysis.patterns import PATTERN_FUNCTIONS, fault_of_pattern, is_group_alone
from fhirmap.analysis.static import UNKNOWN, Cardinality, StaticType
from fhirmap.analysis.typed import NameScope, Variable
from fhirmap.diagnostics import Diagnostic, Span, Subject, SubjectKind, Suggestion, suggestion
from fhirmap.fhir_types import ANY_RESOURCE, INTEGER_RANGES, OPEN_TYPES, PRIMITIVES, family
from fhirmap.language import nodes as n
from fhirmap.language.visit import children, left_chain
from fhirmap.model.definition import FHIR_URL, Definitions, Element, TypeRef
from fhirmap.signatures import FunctionSignature
from fhirmap.texts import Text

MAXIMUM_DEPTH = 80
"""How deep an expression may be: generated code nests as it does, and Python reads at most 200 parentheses in one
another.
"""
CONSTANTS: Mapping[str, str] = {
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
    "ucum": "http://unitsofmeasure.org",
}
"""Environment variables that are a URL."""
_RANGE_OF = {"integer": "integer", "long": "integer64"}
"""Kind of a literal → the FHIR type that has its range."""
_JOINING = ("and", "or")
"""Operators of which any number in a row is one step."""
_RESERVED = frozenset((*CONSTANTS, "context", "resource", "rootResource", "terminologies", "factory", "server"))


@dataclass(frozen=True)
class ExpressionScope:
    """Where an expression is. ``focus``: what bare names are read from, None where there is nothing.

    ``lookup``: static view of a variable, None where there is none; ``names``: the variables there are. ``functions``:
    signatures of plug-in functions. ``resource``: what `%resource` is (default: the focus). ``is_strict``: a choice's
    JSON name (`valueQuantity`) and the order of `children()` are errors, as FHIRPath's conformance suite has it; maps
    of the field use both.
    """

    definitions: Definitions
    focus: StaticType | None = None
    lookup: Callable[[str], StaticType | None] = lambda _name: None
    names: tuple[str, ...] = ()
    functions: Mapping[str, FunctionSignature] = field(default_factory=dict)
    resource: StaticType | None = None
    is_strict: bool = False


@dataclass(frozen=True)
class Inferred:
    """The types of an expression: of its whole, and ``of`` each of its nodes by identity."""

    static: StaticType
    diagnostics: tuple[Diagnostic, ...]
    nodes: Mapping[int, StaticType]
    variables: Mapping[int, str]
    """Bare names (by identity of their node) that mean a variable, not a child."""

    def of(self, node: n.FPExpr) -> StaticType:
        """Static view of one of its nodes."""
        return self.nodes.get(id(node), UNKNOWN)


def infer_expression(expression: n.FPExpr, scope: ExpressionScope) -> Inferred:
    """Types and faults of ``expression``."""
    inference = _ExpressionInference(scope)
    depth = depth_of(expression)
    if depth > MAXIMUM_DEPTH:
        inference.report("FM262", expression.span, depth=depth, most=MAXIMUM_DEPTH)
        return Inferred(UNKNOWN, tuple(inference.diagnostics), {}, {})
    static = inference.branch(expression, scope.focus)
    return Inferred(static, tuple(inference.diagnostics), inference.nodes, inference.variables)


def out_of_range(node: n.FPLiteral, *, is_negative: bool = False) -> list[Diagnostic]:
    """FM436 for a whole number that its type does not hold; the least one has a sign before it."""
    if node.kind not in _RANGE_OF or not isinstance(node.value, int):
        return []
    if node.value <= INTEGER_RANGES[_RANGE_OF[node.kind]][1] + is_negative:
        return []
    return [Diagnostic("FM436", node.span, {"value": node.value}, None, "" if node.kind == "integer" else "long")]


def depth_of(expression: n.FPExpr) -> int:
    """How many parts are one inside (or one after) the other."""
    deepest, waiting = 0, [(expression, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        # `a and b and c …` is taken as one step, however long.
        waiting += [(child, depth + (not _goes_on(node, child))) for child in children(node)]
    return deepest


def _goes_on(node: n.FPExpr, child: n.FPExpr) -> bool:
    """Is ``child`` what `a and b and c` joins before its last operand?"""
    if not isinstance(node, n.FPBinary) or not isinstance(child, n.FPBinary) or node.operator not in _JOINING:
        return False
    return child is node.left and child.operator == node.operator


def expression_static(
    expression: n.FPExpr,
    environment: NameScope,
    focus: Variable | None,
    definitions: Definitions,
    functions: Mapping[str, FunctionSignature],
) -> tuple[StaticType, tuple[Diagnostic, ...]]:
    """Static view and faults of an expression of a map; ``environment.lookup(name)`` answers with a variable."""
    scope = map_scope(environment, focus, definitions, functions)
    found = infer_expression(expression, scope)

    def lookup(name: str) -> StaticType | None:
        return scope.focus if name == "$this" else scope.lookup(name)

    static = replace(as_fhir(found.static), may_be_empty=may_be_empty(expression, found.of, lookup))
    return static, found.diagnostics


def map_scope(
    environment: NameScope,
    focus: Variable | None,
    definitions: Definitions,
    functions: Mapping[str, FunctionSignature],
) -> ExpressionScope:
    """What an expression of a map sees: the names of its rule, and its source where that is the only one."""

    def lookup(name: str) -> StaticType | None:
        variable = environment.lookup(name)
        return variable.static if variable is not None else None

    names = (*environment.sources, *environment.constants, *environment.targets)
    return ExpressionScope(definitions, focus.static if focus is not None else None, lookup, names, functions)


class _ExpressionInference:
    def __init__(self, scope: ExpressionScope) -> None:
        self.scope = scope
        self.definitions = scope.definitions
        self.diagnostics: list[Diagnostic] = []
        self.nodes: dict[int, StaticType] = {}
        self.variables: dict[int, str] = {}
        self.defined: dict[str, StaticType] = {}
        self.defines_any = False
        self.negative: set[int] = set()
        """Literals with a minus before them, by identity."""
        self.index: StaticType | None = None
        self.repeats = False
        self.total: StaticType | None = None

    def report(  # noqa: PLR0913 - the parts of a diagnostic
        self,
        code: str,
        span: Span,
        variant: str = "",
        *,
        hint: Text | None = None,
        about: Subject | None = None,
        like: Suggestion | None = None,
        **args: object,
    ) -> None:
        found = like or nothing_meant()
        self.diagnostics.append(Diagnostic(code, span, args, hint, variant, about=about, **found))

    def branch(self, node: n.FPExpr, focus: StaticType | None) -> StaticType:
        """A part of its own: variables it defines are not seen beside it."""
        before = self.defined
        static = self.visit(node, focus)
        self.defined = before
        return static

    def visit(self, node: n.FPExpr, focus: StaticType | None) -> StaticType:
        # Chains are long rather than deep, yet each link is visited through its focus: the parser limits how deep.
        if isinstance(node, n.FPLiteral):
            static = self._literal(node)
        elif isinstance(node, n.FPVariable):
            static = self._variable(node, focus)
        elif isinstance(node, n.FPMember):
            static = self._member(node, focus)
        elif isinstance(node, n.FPCall):
            static = self._call(node, focus)
        elif isinstance(node, n.FPIndex):
            base = self.visit(node.focus, focus)
            self._needs_order(node.focus, "[ ]", node.span)
            self.branch(node.index, focus)
            static = base.with_cardinality("optional")
        elif isinstance(node, n.FPUnary):
            static = self._unary(node, focus)
        elif isinstance(node, n.FPBinary):
            static = self._binary(node, focus)
        else:
            static = self._type_operator(node, self.branch(node.operand, focus))
        self.nodes[id(node)] = static
        return static

    # --- leaves -------------------------------------------------------------------------------------------------------

    def _literal(self, node: n.FPLiteral) -> StaticType:
        if node.kind == "empty":
            return StaticType(frozenset(), "optional", False)
        self.diagnostics += out_of_range(node, is_negative=id(node) in self.negative)
        return system(node.kind[:1].upper() + node.kind[1:])

    def _variable(self, node: n.FPVariable, focus: StaticType | None) -> StaticType:
        name = node.name
        if name == "$this":
            return focus or UNKNOWN
        if name == "$index":
            return self.index or system("Integer")
        if name == "$total":
            return self.total or UNKNOWN
        if name in self.defined:
            return self.defined[name]
        known = self.scope.lookup(name)
        if known is not None:
            return known
        if name in CONSTANTS or name.startswith(("vs-", "ext-")):
            return system("String")
        if name in ("resource", "rootResource", "context"):
            return (self.scope.resource if name != "context" else None) or self.scope.focus or UNKNOWN
        if not self.defines_any:
            self._unknown_variable(name, node.span, [*self.scope.names, *self.defined])
        return UNKNOWN

    # --- navigation ---------------------------------------------------------------------------------------------------

    def _member(self, node: n.FPMember, focus: StaticType | None) -> StaticType:
        if node.focus is not None:
            return self._element(node, self.visit(node.focus, focus))
        if focus is not None and self._is_focus_type(node.name, focus):
            return focus
        if focus is not None and focus.is_known and self._found(focus, node.name):
            return self._element(node, focus)
        known = self.defined.get(node.name) or self.scope.lookup(node.name)
        if known is not None:
            self.variables[id(node)] = node.name
            return known
        if focus is None:
            self._unknown_variable(node.name, node.name_span, self.scope.names)
            return UNKNOWN
        if node.name[:1].isupper() and focus.is_known and self.definitions.type_ref(node.name):
            self.report("FM250", node.name_span, variant="type", name=node.name, type=shown(focus))
            return UNKNOWN
        return self._element(node, focus)

    def _unknown_variable(self, name: str, span: Span, names: Sequence[str]) -> None:
        about = Subject(SubjectKind.VARIABLE, name)
        self.report("FM254", span, about=about, like=suggestion(name, names), name=name)

    def _is_focus_type(self, name: str, focus: StaticType) -> bool:
        if not name[:1].isupper():
            return False
        return any(ref.name == name or self.definitions.is_subtype(ref.name, name) for ref in focus.types)

    def _found(self, base: StaticType, name: str) -> list[tuple[Element, TypeRef | None]]:
        found: list[tuple[Element, TypeRef | None]] = []
        for ref in base.types:
            children = children_of(ref, self.definitions, self.scope.functions)
            if name in children:
                found.append((children[name], None))
            elif not self._is_known_type(ref):
                continue
            else:
                suffixed = self.definitions.element(ref, name)
                if suffixed is not None:
                    found.append(suffixed)
        return found

    def _element(self, node: n.FPMember, base: StaticType) -> StaticType:
        if node.name == "resourceType" and any(map(self._is_resource, base.types)) and not self._found(base, node.name):
            self.report("FM437", node.name_span)
            return system("String", "many" if base.cardinality == "many" else "optional")
        if not base.is_known or any(not self._is_known_type(ref) for ref in base.types):
            return UNKNOWN
        found = self._found(base, node.name)
        if not found:
            if all(family(ref.name) and "." in ref.name and ref.name != "System.Quantity" for ref in base.types):
                self.report("FM250", node.name_span, variant="value", name=node.name, type=shown(base))
            elif not any(ref.name == "System.Quantity" for ref in base.types):
                self._unknown_element(node, base)
            return UNKNOWN
        if any(suffixed for _, suffixed in found):
            variant = "strict" if self.scope.is_strict else ""
            self.report("FM258", node.name_span, variant=variant, name=node.name, stem=found[0][0].name)
        types = {ref for element, suffixed in found for ref in ((suffixed,) if suffixed else element.types)}
        repeats = base.cardinality == "many" or any(element.is_repeating for element, _ in found)
        return StaticType(frozenset(types), "many" if repeats else "optional", base.is_clean)

    def _unknown_element(self, node: n.FPMember, base: StaticType) -> None:
        names = [name for ref in base.types for name in children_of(ref, self.definitions, self.scope.functions)]
        about = Subject(SubjectKind.ELEMENT, node.name, frozenset(ref.structure for ref in base.types))
        found = suggestion(node.name, names)
        # As in SQL: the column's name inside its own `where`, where the value is already the focus.
        is_value = node.focus is None and all(ref.name in PRIMITIVES for ref in base.types) and not found["meant"]
        elsewhere = element_of_other_release(self.definitions, base.types, node.name)
        hint = Text("hints.this_value") if is_value else elsewhere
        self.report("FM250", node.name_span, hint=hint, about=about, like=found, name=node.name, type=shown(base))

    def _is_resource(self, ref: TypeRef) -> bool:
        return ref.name in ANY_RESOURCE or self.definitions.is_subtype(ref.name, "Resource")

    def _is_known_type(self, ref: TypeRef) -> bool:
        return ref.name not in OPEN_TYPES and bool(
            ref.name.startswith("System.") or children_of(ref, self.definitions, self.scope.functions)
        )

    # --- calls --------------------------------------------------------------------------------------------------------

    def _call(self, node: n.FPCall, focus: StaticType | None) -> StaticType:
        base = self.visit(node.focus, focus) if node.focus is not None else focus
        spec = FUNCTIONS.get(node.name)
        if spec is None:
            return self._plug_in(node, base, focus)
        if not spec.required <= len(node.arguments) <= len(spec.arguments):
            wanted = number_of(spec.required, len(spec.arguments))
            self.report("FM252", node.span, name=node.name, wanted=wanted, given=len(node.arguments))
            return UNKNOWN
        given = base or UNKNOWN
        self._check_input(node, spec, given)
        self._check_pattern(node)
        if spec.is_ordered and node.focus is not None:
            self._needs_order(node.focus, node.name, node.span)
        if node.name == "defineVariable":
            return self._define(node, given, focus)
        results = [
            self._argument(node, kind, argument, given, focus)
            for kind, argument in zip(spec.arguments, node.arguments, strict=False)
        ]
        if node.name == "iif" and results[0].is_known and "boolean" not in families(results[0]):
            self.report("FM253", node.arguments[0].span, variant="criterion", given=shown(results[0]))
        return self._result(node, spec.result, given, results)

    def _argument(
        self, node: n.FPCall, kind: str, argument: n.FPExpr | n.SortKey, base: StaticType, focus: StaticType | None
    ) -> StaticType:
        expression = argument.expression if isinstance(argument, n.SortKey) else argument
        if kind == "type":
            return self._named_type(expression)
        if kind == "value":
            return self.branch(expression, focus)
        if kind == "focus":
            return self.branch(expression, base)
        before = self.total
        if node.name == "aggregate":
            self.total = self.branch(node.arguments[1], focus) if len(node.arguments) > 1 else UNKNOWN  # type: ignore[arg-type]
            self.total = replace(self.total, types=frozenset(), cardinality="many", plain=False)
        if kind == "sort" and isinstance(expression, n.FPUnary):
            # `-key` is a direction here, so that text may be sorted with it.
            expression = expression.operand
        static = self.branch(expression, base.as_one())
        if node.name.startswith("repeat") and self.repeats:
            static = UNKNOWN
        elif node.name.startswith("repeat"):
            self.repeats = True
            # A projection is applied to its own results too: their types come from a second round, unreported.
            faults = len(self.diagnostics)
            nodes_before = dict(self.nodes)
            again = self.branch(expression, static.as_one()) if static.is_known else static
            self.nodes = nodes_before
            del self.diagnostics[faults:]
            static = static if again.types <= static.types and again.is_known else UNKNOWN
            self.repeats = False
        self.total = before
        return static

    def _result(self, node: n.FPCall, rule: str, base: StaticType, results: list[StaticType]) -> StaticType:
        many: Cardinality = "many"
        if rule[-1] in "!?*":
            cardinality: Cardinality = {"!": "one", "?": "optional", "*": many}[rule[-1]]  # type: ignore[assignment]
            if (
                rule[-1] == "?"
                and base.cardinality == "one"
                and node.name in ("not", "matches", "matchesFull", "startsWith", "endsWith")
            ):
                cardinality = "one" if all(entry.cardinality == "one" for entry in results) else "optional"
            return system(rule[:-1], cardinality)
        if rule == "same":
            return base
        if rule == "filtered":
            return base.with_cardinality("optional" if base.cardinality != "many" else many)
        if rule == "item":
            return base if base.cardinality == "one" else base.with_cardinality("optional")
        if rule == "projection":
            single = node.name == "select" and base.cardinality != "many" and results[0].cardinality != "many"
            return results[0].with_cardinality("optional" if single else many)
        if rule == "type":
            kept = base.cardinality if node.name == "ofType" and base.cardinality == "many" else "optional"
            return results[0].with_cardinality(kept)
        if rule in ("union", "arguments", "iif"):
            parts = [base, *results] if rule == "union" else results[1:] if rule == "iif" else results
            known = all(part.is_known or part.cardinality == "optional" for part in parts)
            types = frozenset(ref for part in parts for ref in part.types) if known else frozenset()
            single = rule != "union" and all(part.cardinality != "many" for part in parts)
            return StaticType(types, "optional" if single else many, False)
        if rule == "Extension":
            return StaticType(frozenset((TypeRef("Extension", FHIR_URL + "Extension"),)), many, False)
        return UNKNOWN

    def _define(self, node: n.FPCall, base: StaticType, focus: StaticType | None) -> StaticType:
        name = node.arguments[0]
        value = self.branch(node.arguments[1], base) if len(node.arguments) > 1 else base  # type: ignore[arg-type]
        if not (isinstance(name, n.FPLiteral) and isinstance(name.value, str)):
            self.branch(name, focus)  # type: ignore[arg-type]
            self.defines_any = True
            return base
        self.nodes[id(name)] = system("String")
        if name.value in self.defined or name.value in _RESERVED or name.value.startswith(("vs-", "ext-")):
            variant = "" if name.value in self.defined else "reserved"
            self.report("FM259", name.span, variant=variant, name=name.value)
        self.defined = {**self.defined, name.value: replace(value, cardinality="many", plain=False)}
        return base

    def _plug_in(self, node: n.FPCall, base: StaticType | None, focus: StaticType | None) -> StaticType:
        signature = self.scope.functions.get(node.name)
        arguments = [self.branch(argument, focus) for argument in node.arguments if not isinstance(argument, n.SortKey)]
        if signature is None:
            found = suggestion(node.name, [*FUNCTIONS, *self.scope.functions])
            found["meant"] = function_meant(node.name) or found["meant"]
            self.report("FM251", node.name_span, like=found, name=node.name)
            return UNKNOWN
        given = [base or UNKNOWN, *arguments] if node.focus is not None else arguments
        required = sum(parameter.required for parameter in signature.parameters)
        if not required <= len(given) <= len(signature.parameters):
            wanted = number_of(required, len(signature.parameters))
            self.report("FM252", node.span, name=node.name, wanted=wanted, given=len(given))
        for static, parameter in zip(given, signature.parameters, strict=False):
            known = families(static)
            if known and parameter.type.name != "structure" and family(parameter.type.name) not in known:
                self.report(
                    "FM257",
                    node.span,
                    variant="argument",
                    name=node.name,
                    given=shown(static),
                    wanted=parameter.type.name,
                )
        ref = value_ref(signature.result, node.name)
        return StaticType(frozenset((ref,)), "many" if signature.result.repeats else "optional", True)

    def _check_input(self, node: n.FPCall, spec: FunctionSpec, base: StaticType) -> None:
        wanted = {"text": {"text"}, "number": {"number", "quantity"}}.get(spec.input)
        if wanted is None or not base.is_known or not is_decided(base):
            return
        if not families(base) & wanted:
            self.report(
                "FM257", node.name_span, name=node.name, given=shown(base), wanted=Text(f"words.wanted_{spec.input}")
            )

    def _check_pattern(self, node: n.FPCall) -> None:
        """FM433 for a constant regular expression that is none: each record would be invalid."""
        pattern = node.arguments[0] if node.name in PATTERN_FUNCTIONS else None
        if isinstance(pattern, n.FPLiteral) and isinstance(pattern.value, str):
            fault = fault_of_pattern(pattern.value)
            if fault:
                self.report("FM433", pattern.span, variant=fault)
        new = node.arguments[1] if node.name == "replaceMatches" and len(node.arguments) > 1 else None
        if isinstance(new, n.FPLiteral) and is_group_alone(new.value):
            self.report("FM462", node.name_span)

    def _needs_order(self, focus: n.FPExpr, what: str, span: Span) -> None:
        if isinstance(focus, n.FPCall) and focus.name in ("children", "descendants"):
            variant = "strict" if self.scope.is_strict else ""
            self.report("FM260", span, variant=variant, name=what, function=focus.name)

    # --- types --------------------------------------------------------------------------------------------------------

    def _named_type(self, expression: n.FPExpr) -> StaticType:
        name = type_argument(expression)
        ref = type_named(name, self.definitions) if name else None
        if ref is None:
            types = (*SYSTEM_NAMES, "Patient", "Quantity", "CodeableConcept", "Coding")
            found = only_meant(name, types) if name else None
            self.report("FM255", expression.span, like=found, name=name or "this")
            return UNKNOWN
        return StaticType(frozenset((ref,)), "optional", False)

    def _type_operator(self, node: n.FPType, base: StaticType) -> StaticType:
        ref = type_named(node.type_name, self.definitions)
        if ref is None:
            self.report("FM255", node.span, name=node.type_name)
            return UNKNOWN
        if node.operator == "is":
            return system("Boolean", "one" if base.cardinality == "one" else "optional")
        return StaticType(frozenset((ref,)), "optional", base.is_clean)

    # --- operators ----------------------------------------------------------------------------------------------------

    def _unary(self, node: n.FPUnary, focus: StaticType | None) -> StaticType:
        if node.operator == "-":
            self.negative.add(id(node.operand))
        static = self.branch(node.operand, focus)
        if static.is_known and is_decided(static) and not families(static) & {"number", "quantity"}:
            self.report("FM253", node.span, variant="one", operator=node.operator, given=shown(static))
        return static

    def _binary(self, node: n.FPBinary, focus: StaticType | None) -> StaticType:
        chain = left_chain(node) if node.operator in _JOINING else [node]
        left = self.branch(chain[-1].left, focus)
        for inner in reversed(chain[1:]):
            left = operator_result(inner, left, self.branch(inner.right, focus), self._report_operands)
            self.nodes[id(inner)] = left
        return operator_result(node, left, self.branch(node.right, focus), self._report_operands)

    def _report_operands(self, code: str, span: Span, /, variant: str = "", **args: object) -> None:
        self.diagnostics.append(Diagnostic(code, span, args, None, variant))
