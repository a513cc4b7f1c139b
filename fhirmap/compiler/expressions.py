"""Expressions in their place: a literal, a variable, or FHIRPath compiled with the names that a rule sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fhirmap.analysis.static import StaticType
from fhirmap.analysis.typed import Expression, Variable
from fhirmap.compiler.counted_expressions import with_counted_loops
from fhirmap.compiler.explanation import CodeCause
from fhirmap.compiler.fhirpath import ExprScope, PythonExpr, lower_condition, lower_expression
from fhirmap.compiler.fhirpath.clean import CleanPath, CleanPaths
from fhirmap.compiler.module import ModuleBuilder
from fhirmap.compiler.names import Names
from fhirmap.compiler.plan import PythonFunction
from fhirmap.compiler.python import Assign, Attribute, Expr, ListOf, Literal, Name, Return, literal_dict
from fhirmap.compiler.runtime_functions import RUN, call, fp_call, run_call
from fhirmap.language import nodes


@dataclass(frozen=True, slots=True)
class HeldVariable:
    """How a variable is held: in a Python name, or as a constant's code. ``is_optional``: it may be None."""

    code: Expr
    static: StaticType
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class PythonValue:
    """Code of a value, and the statements before it. ``certain``: it is one value, never None.

    ``item``: the value as an item that knows its type, where it is an object of the record's FHIR JSON. ``by_items``,
    ``bare``: of what is held as items (`PythonExpr`).
    """

    code: Expr
    static: StaticType
    certain: bool = False
    statements: tuple[Assign, ...] = ()
    item: Expr | None = None
    by_items: CodeCause | None = None
    bare: Expr | None = None

    @property
    def is_many(self) -> bool:
        """A list of values?"""
        return self.static.cardinality == "many"

    def as_single(self) -> Expr:
        """One plain value or None; several are this record's fault."""
        if not self.static.plain:
            return self.bare if self.bare is not None else fp_call("value", self.code)
        return call("single", self.code) if self.is_many else self.code

    def as_list(self) -> Expr:
        """A list of values, of items where they are not plain."""
        if self.is_many or not self.static.plain:
            return self.code
        return ListOf((self.code,)) if self.certain else fp_call("items", self.code)

    def as_items(self) -> Expr:
        """A list of items, whatever the value is held as: None is no item."""
        if self.item is not None:
            return ListOf((self.item,))
        if self.static.plain and self.static.type_name == "integer64":
            # Python's int is an Integer: only its type says that it is a Long.
            return fp_call("longs", self.code)
        if self.is_many or not self.static.plain:
            return self.code
        return ListOf((self.code,))


class Expressions:
    """Compiles the expressions of one function."""

    def __init__(self, module: ModuleBuilder, held: Mapping[Variable, HeldVariable], names: Names) -> None:
        self.module = module
        self.held = held
        self.names = names
        self._clean = CleanPaths(module.checked.definitions, module.constants)

    def value(self, expression: Expression) -> PythonValue:
        """The value of an expression: plain where its types allow it, else a list of items."""
        found = expression.literal
        if found is not None:
            return self._constant(_literal(found, expression.static))
        if expression.variable is not None:
            return self._variable(expression.variable)
        lowered = lower_expression(expression.node.expression, self._scope(expression))
        static = replace(lowered.static, may_be_empty=expression.static.may_be_empty)
        certain = static.plain and static.cardinality == "one"
        code, statements = lowered.code, lowered.statements
        return PythonValue(code, static, certain, statements, by_items=lowered.by_items, bare=lowered.bare)

    def clean_path(self, expression: Expression) -> CleanPath | None:
        """The bare value that an expression mostly has; None where it is no path of the record's FHIR JSON."""
        if expression.literal is not None or expression.variable is not None:
            return None
        return self._clean.path(expression.node.expression, self._scope(expression))

    def condition(self, expression: Expression, index: Expr | None = None) -> PythonExpr:
        """Truthy code for a condition. ``index``: its `$index`."""
        found = expression.literal
        if found is not None:
            holds = found.value if found.kind == "boolean" else found.kind != "empty"
            return PythonExpr(Literal(bool(holds)))
        return lower_condition(expression.node.expression, replace(self._scope(expression), index=index))

    def constant(self, variable: Variable) -> PythonValue:
        """A `let` constant: its literal, or what is computed once a run."""
        expression = variable.expression
        if expression is None:
            return PythonValue(Literal(None), variable.static.with_cardinality("optional"))
        found = expression.literal
        if found is not None:
            return _literal(found, expression.static)
        function, static = self._function_of(variable, expression)
        code = run_call("constant", Literal(function.text), function)
        return PythonValue(code, static, static.cardinality == "one" and static.plain)

    def _constant(self, value: PythonValue) -> PythonValue:
        """A value that the map itself says; for a trace one that knows it."""
        return value if self.module.tracing is None else replace(value, code=call("constant", value.code))

    def _function_of(self, variable: Variable, expression: Expression) -> tuple[Name, StaticType]:
        """The function that computes a `let` constant, and what it gives."""
        known = self.module.lets.get(variable)
        if known is None:
            name = self.module.names.take(f"constant_{variable.name}")
            value = Expressions(self.module, {}, self.module.local_names()).value(expression)
            known = self.module.lets[variable] = name, value.static
            self.module.functions.append(_constant_function(name, variable, value))
        return known

    def _variable(self, variable: Variable) -> PythonValue:
        if variable.mode == "constant":
            return self._constant(self.constant(variable))
        held = self.held.get(variable)
        if held is None:
            if variable.expression is not None:
                return self.value(variable.expression)
            return PythonValue(Literal(None), StaticType(frozenset(), "optional", plain=True))
        if held.static.cardinality == "many":
            return PythonValue(held.code, held.static)
        if not held.static.plain:
            return PythonValue(ListOf((held.code,)), held.static.with_cardinality("many"))
        static = held.static.with_cardinality("optional" if held.is_optional else "one")
        return PythonValue(held.code, static, not held.is_optional, item=self.item(held) if static.is_raw else None)

    def item(self, held: HeldVariable) -> Expr:
        """What a variable holds as an item that knows its type."""
        return self.module.item(held.code, held.static) if held.static.is_raw else held.code

    def _scope(self, expression: Expression) -> ExprScope:
        variables: dict[str, tuple[Expr, StaticType]] = {}
        environment = expression.environment
        for name in (*environment.sources, *environment.constants, *environment.targets):
            variable = environment.lookup(name)
            if variable is None or name not in self.module.names_of(expression.node):
                continue
            value = self._variable(variable)
            variables[name] = (value.code, value.static)
        focus = self._variable(expression.focus) if expression.focus is not None else None
        return ExprScope(
            self.module.checked.definitions,
            focus.static if focus is not None else None,
            focus.code if focus is not None else Name("focus"),
            variables,
            self.module.checked.functions,
            self.module.constants,
            self.names.take,
            resource=self.module.resource,
            environment=Attribute(RUN, "environment"),
            elements_read=self.module.elements_read,
            is_settled=lambda name: self.module.is_settled(environment.lookup(name)),
            source_types=lambda: self.module.source_types,
        )


def _literal(found: nodes.FPLiteral, static: StaticType) -> PythonValue:
    if found.kind == "empty" or found.value == "":  # FHIR has no empty text.
        return PythonValue(Literal(None), StaticType(static.types, "optional", plain=True))
    if found.kind == "quantity":
        quantity = literal_dict({"value": found.value, "unit": found.unit})
        return PythonValue(quantity, StaticType(static.types, "one", plain=True), certain=True)
    value = found.value
    if found.kind == "time" and isinstance(value, str):
        value = value.removeprefix("T")
    return PythonValue(Literal(value), StaticType(static.types, "one", plain=True), certain=True)


def _constant_function(name: Name, variable: Variable, value: PythonValue) -> PythonFunction:
    """The function that computes a `let` constant."""
    span = variable.span
    body = tuple(
        with_counted_loops(statement, None)
        for statement in (*(replace(statement, span=span) for statement in value.statements), Return(span, value.code))
    )
    return PythonFunction(name, (RUN,), f"let {variable.name}  {span.name}:{span.line}", body, span.text, span)
