"""Invariants become functions: all those of one node in one function, what they share computed once at its head."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fhirmap.analysis.static import StaticType
from fhirmap.compiler.counted_expressions import is_counted
from fhirmap.compiler.counted_texts import with_counted_work
from fhirmap.compiler.fhirpath import ExprScope, NumberedNames, PythonExpr, hoist, lower_condition
from fhirmap.compiler.names import snake_case
from fhirmap.compiler.plan import PythonFunction
from fhirmap.compiler.python import (
    Assign,
    CommentLine,
    Do,
    Expr,
    If,
    Literal,
    Name,
    Not,
    Return,
    Statement,
    Try,
    TupleOf,
    builtin,
)
from fhirmap.compiler.runtime_functions import RUN, call
from fhirmap.compiler.validator.section import ELEMENT, ERROR, FAULTS, FOCUS, PATH, RESOURCE, SectionBuilder, visit
from fhirmap.language import nodes as n
from fhirmap.language.parser import parse_expression
from fhirmap.model.definition import Constraint, TypeRef
from fhirmap.signatures import FunctionSignature

_PARAMETERS = (FOCUS, RESOURCE, FAULTS, PATH, ELEMENT)
_CAUGHT = Name("Exception")


@dataclass(frozen=True, slots=True)
class InvariantWriter:
    """Writes the invariants of one validator. ``root``: the resource's type, for `%resource`."""

    section: SectionBuilder
    functions: Mapping[str, FunctionSignature]
    severities: Mapping[str, str]
    root: TypeRef

    def write(self, constraints: Iterable[Constraint], focus: TypeRef, path: str, name: Name) -> bool:
        """Write the function ``name`` that reports rules of the node at ``path``; False where there are none."""
        rules = []
        for entry in constraints:
            tree = self._parsed(entry.expression, entry.key) if self._severity(entry) != "off" else None
            if tree is not None:
                rules.append((entry, tree))
        if not rules:
            return False
        shared, scope = self._hoisted([tree for _, tree in rules], focus)
        body: list[Statement] = [*shared]
        for entry, tree in rules:
            body += self._rule(entry, lower_condition(tree, scope), self._causes(entry, focus))
        if any(map(is_counted, body)):
            body.insert(0, Assign(None, (RUN,), call("steps_of", FAULTS)))
        doc = f"Report the rules of {path} that do not hold."
        self.section.parts.append(PythonFunction(name, _PARAMETERS, doc, tuple(body)))
        return True

    def _severity(self, entry: Constraint) -> str:
        return self.severities.get(entry.key, entry.severity)

    def _hoisted(self, trees: Sequence[n.FPExpr], focus: TypeRef) -> tuple[list[Assign], ExprScope]:
        """What the rules share. Nothing where computing it may raise: each rule then fails for itself."""
        shared, scope = hoist(trees, self._scope(focus))
        may_fail = any(entry.may_raise or is_counted(_with_steps(entry)) for entry in shared)
        return ([], self._scope(focus)) if may_fail else (shared, scope)

    def _scope(self, focus: TypeRef) -> ExprScope:
        return ExprScope(
            self.section.definitions,
            focus=StaticType(frozenset((focus,)), "one", plain=True),
            focus_name=FOCUS,
            functions=self.functions,
            constants=self.section.constants,
            fresh=NumberedNames({str(name) for name in (*_PARAMETERS, ERROR, RUN)}),
            resource=(RESOURCE, StaticType(frozenset((self.root,)), "one", plain=True)),
        )

    def _parsed(self, text: str, key: str) -> n.FPExpr | None:
        tree, found = parse_expression(text, f"rule {key}")
        self.section.diagnostics += found
        return None if any(entry.is_error for entry in found) else tree

    def _rule(self, entry: Constraint, found: PythonExpr, causes: tuple[Expr, ...]) -> Iterable[Statement]:
        """Report one rule where it does not hold, and where it cannot be evaluated."""
        key, severity = Literal(entry.key), Literal(self._severity(entry))
        here = visit(PATH, ELEMENT)
        invariant: list[Expr] = [key, severity, Literal(entry.human or entry.key)]
        if causes:
            invariant.append(TupleOf(causes, is_tall=True))
        broken = call("broken", call("Invariant", *invariant), FOCUS, here)
        body = tuple(map(_with_steps, (*found.statements, If(None, Not(found.code), (Do(None, broken),)))))
        yield CommentLine(None, f"{entry.key}: {entry.expression}")
        if not found.may_raise and not any(map(is_counted, body)):
            yield from body
            return
        failed = call("not_evaluated", call("Invariant", key, severity), ERROR, here)
        yield Try(None, body, _CAUGHT, ERROR, (Do(None, failed),))

    def _causes(self, entry: Constraint, focus: TypeRef) -> tuple[Expr, ...]:
        """(name, test, text) of each reason for which a rule fails; writes the tests."""
        rows = []
        for label, text, human in entry.variants:
            tree = self._parsed(text, entry.key)
            if tree is not None:
                name = self.section.name(f"is_{snake_case(entry.key)}_{snake_case(label)}")
                self._write_test(name, lower_condition(tree, self._scope(focus)), f"{entry.key} fails: {label}")
                rows.append(TupleOf((Literal(label), name, Literal(human))))
        return tuple(rows)

    def _write_test(self, name: Name, found: PythonExpr, what: str) -> None:
        """A test that fails is no reason."""
        body = tuple(map(_with_steps, (*found.statements, Return(None, builtin("bool", found.code)))))
        if any(map(is_counted, body)):
            body = (Assign(None, (RUN,), call("StepCount")), *body)
        if found.may_raise or len(body) > 1 + len(found.statements):
            body = (Try(None, body, _CAUGHT, None, (Return(None, Literal(False)),)),)
        self.section.parts.append(PythonFunction(name, _PARAMETERS[:2], f"Is this why {what}?", body))


def _with_steps(statement: Statement) -> Statement:
    return with_counted_work(statement, _PARAMETERS)
