"""Expressions in their place: a literal, a variable, or FHIRPath compiled with the names that a rule sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fhirmap.analysis.static import Static
from fhirmap.analysis.typed import Expression, Variable
from fhirmap.compiler import plan
from fhirmap.compiler.fhirpath import ExprScope, lower_condition, lower_expression
from fhirmap.compiler.fhirpath.scope import PyExpr
from fhirmap.compiler.module import ModuleBuilder
from fhirmap.compiler.names import Code, Name, Names, code, literal
from fhirmap.language import nodes


@dataclass(frozen=True, slots=True)
class Held:
    """How a variable is held: in a Python name, or as a constant's code. ``is_optional``: it may be None."""

    code: Code
    static: Static
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """Code of a value. ``certain``: it is one value, never None."""

    code: Code
    static: Static
    certain: bool = False
    statements: tuple[str, ...] = ()

    @property
    def is_many(self) -> bool:
        """A list of values?"""
        return self.static.cardinality == "many"

    def as_it_is(self) -> Code:
        """A plain value, or a list of items."""
        return self.code

    def as_single(self, module: ModuleBuilder) -> Code:
        """One plain value or None; several are this record's fault."""
        if not self.static.plain:
            module.use_fhirpath()
            return code("fp.value({})", self.code)
        return code("{}({})", module.use("single"), self.code) if self.is_many else self.code

    def as_list(self, module: ModuleBuilder) -> Code:
        """A list of values, of items where they are not plain."""
        if self.is_many or not self.static.plain:
            return self.code
        if self.certain:
            return code("[{}]", self.code)
        module.use_fhirpath()
        return code("fp.items({})", self.code)

    def as_items(self) -> Code:
        """A list of items, whatever the value is held as: None stands for no item."""
        if self.is_many or not self.static.plain:
            return self.code
        return code("[{}]", self.code)


class Expressions:
    """Compiles the expressions of one function."""

    def __init__(self, module: ModuleBuilder, held: Mapping[Variable, Held], names: Names) -> None:
        self.module = module
        self.held = held
        self.names = names

    def value(self, expression: Expression) -> Value:
        """The value of an expression: plain where its types allow it, else a list of items."""
        found = expression.literal
        if found is not None:
            return _literal(found, expression.static)
        if expression.variable is not None:
            return self._variable(expression.variable)
        lowered = lower_expression(expression.node.expression, self._scope(expression))
        static = lowered.static
        certain = static.plain and static.cardinality == "one"
        return Value(Code(lowered.code), static, certain, lowered.statements)

    def condition(self, expression: Expression) -> tuple[Code, tuple[str, ...]]:
        """Truthy code for a condition, and the statements before it."""
        found = expression.literal
        if found is not None:
            holds = found.value if found.kind == "boolean" else found.kind != "empty"
            return literal(bool(holds)), ()
        lowered: PyExpr = lower_condition(expression.node.expression, self._scope(expression))
        return Code(lowered.code), lowered.statements

    def constant(self, variable: Variable) -> Value:
        """A `let` constant: its literal, or what is computed once a run."""
        expression = variable.expression
        if expression is None:
            return Value(Code("None"), variable.static.with_cardinality("optional"))
        found = expression.literal
        if found is not None:
            return _literal(found, expression.static)
        function, static = self.module.constant(variable)
        return Value(
            code("run.constant({}, {})", str(function), function), static, static.cardinality == "one" and static.plain
        )

    def _variable(self, variable: Variable) -> Value:
        if variable.mode == "constant":
            return self.constant(variable)
        held = self.held.get(variable)
        if held is None:
            if variable.expression is not None:
                return self.value(variable.expression)
            return Value(Code("None"), Static(frozenset(), "optional", plain=True))
        if held.static.cardinality == "many":
            return Value(held.code, held.static)
        if not held.static.plain:
            return Value(code("[{}]", held.code), held.static.with_cardinality("many"))
        cardinality = "optional" if held.is_optional else "one"
        return Value(held.code, replace(held.static, cardinality=cardinality), not held.is_optional)  # type: ignore[arg-type]

    def _scope(self, expression: Expression) -> ExprScope:
        variables: dict[str, tuple[str, Static]] = {}
        environment = expression.environment
        for name in (*environment.sources, *environment.constants, *environment.targets):
            variable = environment.lookup(name)
            if variable is None or not self._is_named(expression, name):
                continue
            value = self._variable(variable)
            variables[name] = (str(value.code), value.static)
        focus, focus_name = None, "focus"
        if expression.focus is not None:
            value = self._variable(expression.focus)
            focus, focus_name = value.static, str(value.code)
        return ExprScope(
            self.module.checked.definitions,
            focus,
            focus_name,
            variables,
            self.module.checked.functions,
            self.module.constants,
            lambda hint: str(self.names.take(hint)),
            resource=self._resource(),
            environment="run.environment",
        )

    def _resource(self) -> tuple[str, Static] | None:
        """`%resource`: the input, where it is a tree as it came; a record read through a model is none."""
        stages = self.module.checked.stages
        if not stages or self.module.checked.model(stages[0].source) is not None:
            return None
        ref = stages[0].source
        return "[run.resource]", Static(frozenset((ref,)) if ref else frozenset(), "many")

    def _is_named(self, expression: Expression, name: str) -> bool:
        return name in self.module.names_of(expression.node)


def _literal(found: nodes.FPLiteral, static: Static) -> Value:
    if found.kind == "empty":
        return Value(Code("None"), Static(static.types, "optional", plain=True))
    if found.kind == "quantity":
        quantity = {"value": found.value, "unit": found.unit}
        return Value(literal(quantity), Static(static.types, "one", plain=True), certain=True)
    value = found.value
    if found.kind == "time" and isinstance(value, str):
        value = value.removeprefix("T")
    return Value(literal(value), Static(static.types, "one", plain=True), certain=True)


def constant_function(name: Name, variable: Variable, value: Value) -> plan.Function:
    """The function that computes a `let` constant."""
    span = variable.span
    steps: list[plan.Step] = [plan.Do(1, span, Code(line)) for line in value.statements]
    steps.append(plan.Return(1, span, value.code))
    doc = f"let {variable.name}  {span.name}:{span.line}"
    return plan.Function(name, (Name("run"),), doc, tuple(steps), span.text, span)
