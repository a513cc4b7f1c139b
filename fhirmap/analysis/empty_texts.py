"""May an expression give a text without characters? FHIRPath has such texts, FHIR has none: a value is looked at before
it is written where it may be one.

Elements of records hold none, since readers take an empty text for an absent one. Those of FHIR trees, which may hold
anything, are looked at when they are written.
"""

from __future__ import annotations

from collections.abc import Callable

from fhirmap.analysis.expression_functions import FUNCTIONS
from fhirmap.analysis.static import StaticType
from fhirmap.fhir_types import Family, family
from fhirmap.language import nodes as n
from fhirmap.language.visit import operands

_OF_INPUT = frozenset(("same", "item", "filtered", "type"))
"""Results that are some of what a function is called on (`FunctionSpec.result`)."""
_OF_ARGUMENTS = frozenset(("iif", "arguments", "union"))
"""Results that are some of what a function is given."""
_AS_LONG = frozenset(("upper", "lower"))
"""Functions that give a text of as many characters."""


def may_be_empty(
    expression: n.FPExpr, static_of: Callable[[n.FPExpr], StaticType], lookup: Callable[[str], StaticType | None]
) -> bool:
    """May ``expression`` give an empty text? ``static_of``: static view of its parts; ``lookup``: of a variable, and of
    `$this`.
    """
    return _EmptyTexts(static_of, lookup).in_value(expression)


class _EmptyTexts:
    def __init__(self, static_of: Callable[[n.FPExpr], StaticType], lookup: Callable[[str], StaticType | None]) -> None:
        self.static_of = static_of
        self.lookup = lookup

    def in_value(self, node: n.FPExpr) -> bool:
        static = self.static_of(node)
        if static.is_known and all(family(ref.name) not in (Family.TEXT, Family.OTHER) for ref in static.types):
            return False
        if isinstance(node, n.FPLiteral):
            return node.value == ""
        if isinstance(node, n.FPVariable):
            return self._variable(node.name)
        if isinstance(node, n.FPMember):
            return node.focus is None and self._variable(node.name)
        if isinstance(node, n.FPCall):
            return self._call(node)
        if isinstance(node, n.FPIndex):
            return self.in_value(node.focus)
        if isinstance(node, n.FPBinary):
            return self._binary(node)
        return isinstance(node, n.FPType) and self.in_value(node.operand)

    def _variable(self, name: str) -> bool:
        found = self.lookup(name)
        return found is not None and found.may_be_empty

    def _call(self, node: n.FPCall) -> bool:
        result = FUNCTIONS[node.name].result if node.name in FUNCTIONS else ""
        arguments = [entry for entry in node.arguments if not isinstance(entry, n.SortKey)]
        if result in _OF_ARGUMENTS:
            parts = arguments[1:] if result == "iif" else [*([node.focus] if node.focus else []), *arguments]
            return any(map(self.in_value, parts))
        if result in _OF_INPUT or node.name in _AS_LONG:
            return node.focus is not None and self.in_value(node.focus)
        return True

    def _binary(self, node: n.FPBinary) -> bool:
        parts = operands(node)
        if node.operator == "&":
            # What is absent counts as an empty text.
            return not any(map(self._is_sure, parts))
        return any(map(self.in_value, parts)) if node.operator == "|" else all(map(self.in_value, parts))

    def _is_sure(self, node: n.FPExpr) -> bool:
        return self.static_of(node).cardinality == "one" and not self.in_value(node)
