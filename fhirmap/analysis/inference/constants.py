"""Constants: each `let` of a map, typed with those it uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from fhirmap.analysis.inference.values import ValueTypes
from fhirmap.analysis.scope import Scope
from fhirmap.analysis.static import UNKNOWN
from fhirmap.analysis.typed import NameScope, Unit, Variable
from fhirmap.language import nodes
from fhirmap.language.visit import walk


@dataclass(frozen=True)
class ConstantTypes:
    """Types the constants of one program, map by map as they are asked for."""

    _scope: Scope
    _values: ValueTypes
    _known: dict[str, dict[str, Variable]] = field(default_factory=dict)

    def of(self, unit: Unit) -> dict[str, Variable]:
        """The `let` constants of ``unit``, each typed with those it uses; a cycle is reported."""
        known = self._known.get(unit.name)
        if known is not None:
            return known
        constants: dict[str, Variable] = {}
        self._known[unit.name] = constants
        lets = {entry.name: entry for entry in unit.tree.lets}
        with self._scope.noting(unit.declared):
            for name in lets:
                self._constant(unit, name, lets, constants, [])
        return constants

    def _constant(
        self, unit: Unit, name: str, lets: Mapping[str, nodes.Let], constants: dict[str, Variable], path: list[str]
    ) -> None:
        if name in constants:
            return
        let = lets[name]
        if name in path:
            self._scope.report("FM113", let.span, name=name, cycle=" -> ".join([*path[path.index(name) :], name]))
            constants[name] = Variable(name, "constant", UNKNOWN, let.span, unit=unit)
            return
        for node in walk(let.expression):
            if _is_leading_name(node) and node.name in lets:
                self._constant(unit, node.name, lets, constants, [*path, name])
        if name not in constants:
            expression = self._values.expression(let.expression, NameScope(constants=dict(constants)), None)
            constants[name] = Variable(name, "constant", expression.static, let.span, expression, unit=unit)


def _is_leading_name(node: object) -> TypeGuard[nodes.FPVariable | nodes.FPMember]:
    """Is it a variable, or a name that nothing is read from?"""
    return isinstance(node, nodes.FPVariable) or (isinstance(node, nodes.FPMember) and node.focus is None)
