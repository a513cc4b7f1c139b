"""Untyped lowering of functions that evaluate an argument for each item, or for their input: comprehensions and
lambdas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fhirmap.analysis.static import StaticType
from fhirmap.compiler import python as py
from fhirmap.compiler.fhirpath.forms import Forms
from fhirmap.compiler.fhirpath.lowering_context import ITEM
from fhirmap.compiler.fhirpath.operands import expression_of, first_argument, uses_index
from fhirmap.compiler.fhirpath.typed_values import EvaluationSite, TypedValue, ValueKind
from fhirmap.compiler.runtime_functions import fp_call
from fhirmap.language import nodes as n

_NOTHING = py.ListOf()
_UNKNOWN = StaticType()


class Iterations:
    """Writes the iterating calls of one expression."""

    def __init__(self, forms: Forms) -> None:
        self.forms = forms
        self.context = forms.context
        self.inferred = forms.context.inferred
        self.fresh = forms.context.fresh

    def input_of(self, node: n.FPCall, site: EvaluationSite) -> py.Expr:
        """The items that a call works on."""
        if node.focus is not None:
            return self.forms.items(node.focus, site)
        return self.context.as_items(site.focus) if site.focus is not None else _NOTHING

    # --- for each item ------------------------------------------------------------------------------------------------

    def _each(self, node: n.FPCall, site: EvaluationSite) -> tuple[py.Name, py.ForClause, EvaluationSite]:
        """The name of an item, the clause over a call's input, and the site inside it."""
        base = self.input_of(node, site)
        name = self.fresh("this")
        focus = TypedValue(name, self._input_static(node, site).as_one(), ValueKind.ITEM)
        if not uses_index(node):
            return name, py.ForClause((name,), base), site.inside(focus)
        index = self.fresh("index")
        return name, py.ForClause((index, name), py.builtin("enumerate", base)), site.inside(focus, index)

    def _input_static(self, node: n.FPCall, site: EvaluationSite) -> StaticType:
        if node.focus is not None:
            return self.inferred.of(node.focus)
        return site.focus.static if site.focus is not None else _UNKNOWN

    def _where(self, node: n.FPCall, site: EvaluationSite) -> py.Expr:
        name, clause, inner = self._each(node, site)
        test = py.IfClause(self.forms.condition(first_argument(node), inner))
        return py.Comprehension(py.Container.LIST, name, (clause, test))

    def _select(self, node: n.FPCall, site: EvaluationSite) -> py.Expr:
        _, clause, inner = self._each(node, site)
        found = py.ForClause((ITEM,), self.forms.branch(first_argument(node), inner))
        return py.Comprehension(py.Container.LIST, ITEM, (clause, found))

    def _all(self, node: n.FPCall, site: EvaluationSite) -> py.Expr:
        return self._tested("all", node, site)

    def _exists(self, node: n.FPCall, site: EvaluationSite) -> py.Expr:
        if not node.arguments:
            return py.ListOf((py.builtin("bool", self.input_of(node, site)),))
        return self._tested("any", node, site)

    def _tested(self, function: str, node: n.FPCall, site: EvaluationSite) -> py.Expr:
        _, clause, inner = self._each(node, site)
        test = self.forms.condition(first_argument(node), inner)
        tests = py.Comprehension(py.Container.GENERATOR, test, (clause,))
        return py.ListOf((py.builtin(function, tests),))

    def _repeat(self, node: n.FPCall, site: EvaluationSite) -> py.Expr:
        base, name = self.input_of(node, site), self.fresh("this")
        inner = site.inside(TypedValue(name, _UNKNOWN, ValueKind.ITEM))
        step = py.Lambda((name,), self.forms.branch(first_argument(node), inner))
        return fp_call("repeat" if node.name == "repeat" else "repeat_all", base, step)

    def _aggregate(self, node: n.FPCall, site: EvaluationSite) -> py.Expr:
        base, name = self.input_of(node, site), self.fresh("this")
        total, index = self.fresh("total"), self.fresh("index")
        start = self.forms.branch(node.arguments[1], site) if len(node.arguments) > 1 else _NOTHING
        inner = site.inside(TypedValue(name, _UNKNOWN, ValueKind.ITEM), index, total)
        step = py.Lambda((name, total, index), self.forms.branch(first_argument(node), inner))
        return fp_call("aggregate", base, step, start)

    def _sort(self, node: n.FPCall, site: EvaluationSite) -> py.Expr:
        if not node.arguments:
            own = py.TupleOf((ITEM, py.ListOf((ITEM,))))
            clause = py.ForClause((ITEM,), self.input_of(node, site))
            return _sorted(own, clause, (False,))
        name, clause, inner = self._each(node, site)
        keys: list[py.Expr] = []
        directions = []
        for argument in node.arguments:
            expression = expression_of(argument)
            is_descending = isinstance(argument, n.SortKey) and argument.descending
            if isinstance(expression, n.FPUnary):
                # `-key` says the same as `key desc` (the suite sorts text with it).
                is_descending, expression = is_descending != (expression.operator == "-"), expression.operand
            keys.append(self.forms.branch(expression, inner))
            directions.append(is_descending)
        return _sorted(py.TupleOf((name, *keys)), clause, tuple(directions))

    # --- for the input as a whole -------------------------------------------------------------------------------------

    def _iif(self, node: n.FPCall, site: EvaluationSite) -> py.Expr:
        if node.focus is None:
            return self._chosen(node, site)
        name = self.fresh("focus")
        inner = site.inside(TypedValue(name, self.inferred.of(node.focus), ValueKind.ITEMS))
        base = fp_call("single_item", self.forms.items(node.focus, site))
        return _with(name, base, self._chosen(node, inner))

    def _chosen(self, node: n.FPCall, site: EvaluationSite) -> py.Expr:
        criterion, yes = first_argument(node), self.forms.branch(node.arguments[1], site)
        no = self.forms.branch(node.arguments[2], site) if len(node.arguments) > 2 else _NOTHING
        test = self.forms.typed_condition(criterion, site, wanted=True)
        if test is None:
            test = fp_call("criterion", self.forms.branch(criterion, site))
        return py.Conditional(yes, test, no)

    def _combine(self, node: n.FPCall, site: EvaluationSite) -> py.Expr:
        base, other = self.input_of(node, site), self.forms.branch(node.arguments[0], site)
        return fp_call("combine", base, other)

    def _trace(self, node: n.FPCall, site: EvaluationSite) -> py.Expr:
        base, name = self.input_of(node, site), self.forms.branch(node.arguments[0], site)
        if len(node.arguments) == 1:
            return fp_call("trace", base, self.context.environment(), name)
        focus = self.fresh("focus")
        static = self.inferred.of(node.focus) if node.focus is not None else _UNKNOWN
        shown = self.forms.branch(node.arguments[1], site.inside(TypedValue(focus, static, ValueKind.ITEMS)))
        return _with(focus, base, fp_call("trace", focus, self.context.environment(), name, shown))

    def _define_variable(self, node: n.FPCall, site: EvaluationSite) -> py.Expr:
        base, focus = self.input_of(node, site), self.fresh("focus")
        inner = site.inside(TypedValue(focus, _UNKNOWN, ValueKind.ITEMS))
        value = self.forms.branch(node.arguments[1], inner) if len(node.arguments) > 1 else focus
        name = node.arguments[0]
        key = self.forms.branch(name, site)
        variables = self.context.variables()
        if isinstance(name, n.FPLiteral) and isinstance(name.value, str):
            found = fp_call("defined", variables, py.Literal(name.value))
            self.context.defined = {**self.context.defined, name.value: found}
        return _with(focus, base, fp_call("define", variables, key, value, focus))


def _with(name: py.Name, value: py.Expr, items: py.Expr) -> py.Expr:
    """``items`` of a code that names ``value`` more than once: `[item for focus in [value] for item in items]`."""
    clauses = (py.ForClause((name,), py.ListOf((value,))), py.ForClause((ITEM,), items))
    return py.Comprehension(py.Container.LIST, ITEM, clauses)


def _sorted(keyed: py.Expr, clause: py.ForClause, directions: tuple[bool, ...]) -> py.Expr:
    rows = py.Comprehension(py.Container.LIST, keyed, (clause,))
    return fp_call("sort", rows, py.Literal(directions))


_Writer = Callable[[Iterations, n.FPCall, EvaluationSite], py.Expr]
ITERATIONS: Mapping[str, _Writer] = {
    "where": Iterations._where,
    "select": Iterations._select,
    "all": Iterations._all,
    "exists": Iterations._exists,
    "repeat": Iterations._repeat,
    "repeatAll": Iterations._repeat,
    "aggregate": Iterations._aggregate,
    "sort": Iterations._sort,
    "iif": Iterations._iif,
    "combine": Iterations._combine,
    "trace": Iterations._trace,
    "defineVariable": Iterations._define_variable,
}
