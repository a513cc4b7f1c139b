"""How the lowerings of one expression see one another.

Typed lowering asks untyped lowering for the test of a `where`, untyped lowering asks typed lowering at every node, and
both ask for conditions: none of the three imports another.
"""

from __future__ import annotations

from typing import Protocol

from fhirmap.compiler import python as py
from fhirmap.compiler.fhirpath.elements import ElementReader
from fhirmap.compiler.fhirpath.lowering_context import LoweringContext
from fhirmap.compiler.fhirpath.typed_values import EvaluationSite, TypedValue
from fhirmap.language import nodes as n


class Forms(Protocol):
    """The lowerings of one expression."""

    context: LoweringContext
    elements: ElementReader

    def value(self, node: n.FPExpr, site: EvaluationSite) -> TypedValue | None:
        """The typed value of a node; None where only items can say it."""

    def input_of(self, node: n.FPCall, site: EvaluationSite) -> TypedValue | None:
        """The typed value that a call works on: what is before its dot, or `$this`."""

    def filtered(self, node: n.FPCall, base: TypedValue, site: EvaluationSite) -> TypedValue | None:
        """The elements of ``base`` for which the call's first argument is true."""

    def single(self, node: n.FPExpr, site: EvaluationSite, what: str) -> py.Expr:
        """Code of a value that must be at most one: bare, None where it is absent."""

    def plug_in(self, node: n.FPCall, site: EvaluationSite) -> TypedValue:
        """The call of a plug-in's function."""

    def typed_condition(self, node: n.FPExpr, site: EvaluationSite, *, wanted: bool) -> py.Expr | None:
        """Code that is truthy exactly where the node is true, or false where that is ``wanted``; None without types."""

    def condition(self, node: n.FPExpr, site: EvaluationSite, *, wanted: bool = True) -> py.Expr:
        """As `typed_condition`, over items where there are no types."""

    def truth(self, node: n.FPExpr, site: EvaluationSite) -> TypedValue | None:
        """A boolean node that is never empty, as True or False."""

    def items(self, node: n.FPExpr, site: EvaluationSite) -> py.Expr:
        """Code of a list of items."""

    def branch(self, node: n.FPExpr | n.SortKey, site: EvaluationSite) -> py.Expr:
        """As `items`, for a part whose variables are not seen beside it."""
