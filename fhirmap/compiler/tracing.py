"""Compiling for a trace: the table of places that a tracing module reports, and the calls that report them.

A module is compiled without any of this unless it is asked for: what a run executes has no trace in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar, cast

from fhirmap.analysis.typed import Unit, Variable
from fhirmap.compiler.plan import ModuleConstant, PythonFunction
from fhirmap.compiler.python import (
    Call,
    Compare,
    Comparison,
    Expr,
    ForClause,
    IfClause,
    Literal,
    Name,
    Statement,
    TupleOf,
)
from fhirmap.compiler.python.expressions import field_names
from fhirmap.compiler.runtime_functions import call, run_call
from fhirmap.diagnostics import Span
from fhirmap.language import nodes

_Part = TypeVar("_Part")
_CONTEXTS = {"source": "input", "target": "output"}


class Tracing:
    """The places of one module, numbered as they are lowered."""

    def __init__(self) -> None:
        self._points: list[Expr] = []
        self._paths: dict[str, dict[tuple[str, int, int], str]] = {}

    def point(self, unit: Unit, kind: str, name: str, span: Span, variables: Iterable[Variable]) -> int:
        """The number of a place, with the variables in scope there."""
        paths = self._paths.get(unit.name)
        if paths is None:
            paths = self._paths[unit.name] = dict(_map_paths(unit.tree))
        path = paths.get((kind, span.start, span.end), "")
        seen = tuple((entry.name, _CONTEXTS[entry.mode], _shown_type(entry)) for entry in variables)
        self._points.append(Literal((kind, name, span.position, path, seen)))
        return len(self._points) - 1

    def table(self) -> ModuleConstant:
        """The table that the runtime reads places from."""
        comment = "What is traced: kind, name, place, path, variables in scope."
        return ModuleConstant(Name("_points"), TupleOf(tuple(self._points), is_tall=True), comment)


def trace_call(verb: str, point: int, held: Mapping[Variable, Expr], *more: Expr) -> Call:
    """`run.verb(point, (values of the variables in scope,), …)`."""
    return run_call(verb, Literal(point), TupleOf(tuple(held.values())), *more)


def with_bare_identities(function: PythonFunction) -> PythonFunction:
    """The function with bare values on both sides of `is`: a boolean that knows its cell is not Python's `True`."""
    return replace(function, body=_bared(function.body))


def _bared(node: _Part) -> _Part:
    if isinstance(node, tuple):
        return cast("_Part", tuple(_bared(entry) for entry in node))
    if not isinstance(node, Expr | Statement | ForClause | IfClause):
        return node
    held = {name: getattr(node, name) for name in field_names(type(node))}
    found = replace(node, **{name: _bared(value) for name, value in held.items()})
    return cast("_Part", _bare_identity(found)) if isinstance(found, Compare) else found


def _bare_identity(test: Compare) -> Compare:
    (operator, other), *more = test.rest
    is_identity = operator in (Comparison.IS, Comparison.IS_NOT) and not more
    if not is_identity or Literal(None) in (test.first, other):
        return test
    first, second = (side if isinstance(side, Literal) else call("bare", side) for side in (test.first, other))
    return Compare(first, ((operator, second),))


def _shown_type(variable: Variable) -> str:
    return variable.static.show() if variable.static.is_known else ""


def _map_paths(tree: nodes.Map) -> Iterable[tuple[tuple[str, int, int], str]]:
    """(kind, start, end) of each part of a map -> its path in the map's StructureMap, as the text has its parts."""
    for number, group in enumerate(tree.groups):
        path = f"StructureMap.group[{number}]"
        yield ("group", group.name_span.start, group.name_span.end), path
        yield from _rule_paths(group.rules, path)


def _rule_paths(rules: Iterable[nodes.Rule], path: str) -> Iterable[tuple[tuple[str, int, int], str]]:
    for number, rule in enumerate(rules):
        here = f"{path}.rule[{number}]"
        yield ("rule", rule.span.start, rule.span.end), here
        for index, source in enumerate(rule.sources):
            yield ("source", source.span.start, source.span.end), f"{here}.source[{index}]"
            if source.where is not None:
                yield ("where", source.where.span.start, source.where.span.end), f"{here}.source[{index}].condition"
        for index, target in enumerate(rule.targets):
            yield ("target", target.span.start, target.span.end), f"{here}.target[{index}]"
        if rule.dependent is not None:
            for index, called in enumerate(rule.dependent.calls):
                yield ("dependent", called.span.start, called.span.end), f"{here}.dependent[{index}]"
            yield from _rule_paths(rule.dependent.rules or (), here)
