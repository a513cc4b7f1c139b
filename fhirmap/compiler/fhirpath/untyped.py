"""Untyped lowering: lists of items, and calls of the runtime for operators and functions. It can say everything.

Typed lowering is asked first at each node, so that what has a known type is plain Python even inside untyped code.
"""

from __future__ import annotations

import re
from typing import TypeGuard

from fhirmap.analysis.expression import CONSTANTS
from fhirmap.analysis.expression_functions import FUNCTIONS
from fhirmap.analysis.expression_types import type_argument
from fhirmap.compiler import python as py
from fhirmap.compiler.fhirpath.forms import Forms
from fhirmap.compiler.fhirpath.lowering_context import LoweringContext
from fhirmap.compiler.fhirpath.operands import COMPARISONS
from fhirmap.compiler.fhirpath.typed_values import EvaluationSite, ValueKind
from fhirmap.compiler.fhirpath.untyped_iterations import ITERATIONS, Iterations
from fhirmap.compiler.runtime_functions import fp_call
from fhirmap.errors import InternalError
from fhirmap.language import nodes as n
from fhirmap.language.visit import operands

NOTHING = py.ListOf()
_OPERATORS = {
    "=": "equal", "!=": "not_equal", "~": "equivalent", "!~": "not_equivalent", "<": "less", "<=": "less_or_equal",
    ">": "greater", ">=": "greater_or_equal", "in": "in_", "contains": "contains", "xor": "xor", "implies": "implies",
    "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "div": "div", "mod": "mod", "&": "concatenate",
    "|": "union",
}  # fmt: skip
_NAMED = {
    "abs": "abs_", "not": "not_", "round": "round_", "contains": "contains_text", "sum": "total", "min": "smallest",
    "max": "greatest", "avg": "average", "single": "single_item", "type": "type_info",
}  # fmt: skip
"""Functions whose name in the runtime is not their own."""
_TYPE_FUNCTIONS = {"is": "is_of_type", "as": "as_type", "ofType": "of_type"}
_MOMENTS = frozenset(("now", "today", "timeOfDay"))
_SURROUNDED = frozenset(("trace", "resolve", "memberOf", "conformsTo"))
"""Functions that ask the environment."""
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_LIMITED = {"date": frozenset(("date", "dateTime", "instant")), "dateTime": frozenset(("dateTime", "instant"))}
"""Kind of a literal → types whose texts may be as precise: a day is one in each, an instant is none in a date."""
_ENDS: dict[str, tuple[int | None, int | None]] = {"first": (None, 1), "last": (-1, None), "tail": (1, None)}
_PARSERS = {"date": "parse_date", "dateTime": "parse_date_time", "time": "parse_time"}
_URLS = {"vs-": "http://hl7.org/fhir/ValueSet/", "ext-": "http://hl7.org/fhir/StructureDefinition/"}
"""Environment variables that begin so are URLs: `%vs-administrative-gender`."""
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


class UntypedLowering:
    """Writes one expression over lists of items."""

    def __init__(self, forms: Forms) -> None:
        self.forms = forms
        self.context: LoweringContext = forms.context
        self.scope = forms.context.scope
        self.iterations = Iterations(forms)

    def items(self, node: n.FPExpr, site: EvaluationSite) -> py.Expr:
        """Code of a list of items."""
        if not self._needs_items(node):
            known = self.forms.value(node, site)
            if known is not None and known.keeps_type:
                return self.context.as_items(known)
        if isinstance(node, n.FPLiteral):
            return self._literal(node)
        if isinstance(node, n.FPVariable):
            return self._variable(node, site)
        if isinstance(node, n.FPMember):
            return self._member(node, site)
        if isinstance(node, n.FPCall):
            return self._call(node, site)
        if isinstance(node, n.FPIndex):
            return fp_call("indexed", self.items(node.focus, site), self.forms.branch(node.index, site))
        return self._operator(node, site)

    def _operator(self, node: n.FPUnary | n.FPBinary | n.FPType, site: EvaluationSite) -> py.Expr:
        branch = self.forms.branch
        if isinstance(node, n.FPUnary):
            return fp_call("negate" if node.operator == "-" else "plus", branch(node.operand, site))
        if isinstance(node, n.FPType):
            return fp_call(_TYPE_FUNCTIONS[node.operator], branch(node.operand, site), *self._type(node.type_name))
        if node.operator in ("and", "or"):
            return fp_call(f"{node.operator}_", *(branch(part, site) for part in operands(node)))
        code = fp_call(_OPERATORS[node.operator], branch(node.left, site), branch(node.right, site))
        within = self._within(node, site)
        return code if within is None else py.any_of(within, code)

    def _within(self, node: n.FPBinary, site: EvaluationSite) -> py.Expr | None:
        """`birthDate <= @2007-03-15` where both are written in full, as nearly all are: no item says more."""
        if node.operator not in COMPARISONS:
            return None
        turned = (node.right, node.left, _TURNED[node.operator])
        for side, literal, order in ((node.left, node.right, node.operator), turned):
            if isinstance(literal, n.FPLiteral) and literal.kind in _LIMITED:
                with self.context.own_variables():
                    found = self.forms.value(side, site)
                if found is None or not found.is_scalar or found.raw is not None or found.static.type is None:
                    return None
                if found.static.type.name not in _LIMITED[literal.kind] or not isinstance(found.code, py.Get):
                    return None
                written = fp_call("Limit", py.Literal(order), py.Literal(str(literal.value)))
                limit = self.scope.constants.add("LIMIT", written)
                return fp_call("within_limit", found.code.owner, py.Literal(found.code.key), limit)
        return None

    def branch(self, node: n.FPExpr | n.SortKey, site: EvaluationSite) -> py.Expr:
        """As `items`, for a part whose variables are not seen beside it."""
        with self.context.own_variables():
            return self.items(node.expression if isinstance(node, n.SortKey) else node, site)

    def condition(self, node: n.FPExpr, site: EvaluationSite, *, wanted: bool) -> py.Expr:
        """Code that is truthy exactly where the node is true (or false, where that is ``wanted``)."""
        with self.context.own_variables():
            known = self.forms.typed_condition(node, site, wanted=wanted)
            if known is not None:
                return known
            self.context.asks_items = True
            code = self.items(node, site)
        if wanted:
            return fp_call("is_true", code)
        truth = fp_call("truth", code, py.Literal("a criterion"))
        return py.compared(truth, py.Comparison.IS, py.Literal(False))

    # --- leaves -------------------------------------------------------------------------------------------------------

    def _needs_items(self, node: n.FPExpr) -> bool:
        """A FHIR JSON primitive's own item knows its extensions, which a bare value has lost."""
        return isinstance(node, n.FPMember) and self.forms.elements.may_have_sibling(node)

    def _literal(self, node: n.FPLiteral) -> py.Expr:
        constants = self.scope.constants
        if node.kind == "empty":
            return NOTHING
        if node.kind == "quantity":
            # The parser keeps the quotes of `1 'month'`, which no UCUM unit is: it is meant as the calendar's word.
            unit = py.Literal(node.unit.strip("'"))
            return constants.add("QUANTITY", py.ListOf((fp_call("Quantity", py.Literal(node.value), unit),)))
        parser = _PARSERS.get(node.kind)
        if parser is None:
            raise InternalError("FM900", what=f"literal of kind {node.kind}")
        return constants.add(node.kind.upper(), py.ListOf((fp_call(parser, py.Literal(str(node.value))),)))

    def _variable(self, node: n.FPVariable, site: EvaluationSite) -> py.Expr:
        name = node.name
        if name.startswith("$"):
            return _of_site(name, site, self.context)
        if name in self.context.defined:
            return self.context.defined[name]
        if name in self.scope.variables:
            return self.context.as_items(self.context.variable(name))
        url = _url(name)
        if url:
            return py.ListOf((py.Literal(url),))
        if name in ("resource", "rootResource"):
            root = self.context.root()
            return self.context.as_items(root) if root is not None else NOTHING
        focus = self.context.focus() if name == "context" else None
        if focus is not None:
            return self.context.as_items(focus)
        return fp_call("defined", self.context.variables(), py.Literal(name))

    def _member(self, node: n.FPMember, site: EvaluationSite) -> py.Expr:
        name = py.Literal(node.name)
        if node.focus is not None:
            focus = self.forms.value(node.focus, site)
            if focus is not None and focus.is_one and focus.static.is_raw and focus.static.type is not None:
                return fp_call("items_at", focus.code, self.context.raw_element(focus.static.type, node.name))
            if self._is_all_below(node.focus):
                return fp_call("member_below", self.iterations.input_of(node.focus, site), name)
            return fp_call("member", self.items(node.focus, site), name)
        if id(node) in self.context.inferred.variables:
            return self._variable(n.FPVariable(node.name, node.span), site)
        if site.focus is None:
            return NOTHING
        if self.forms.elements.is_focus_type(node.name, site.focus.static):
            return self.context.as_items(site.focus)
        if site.focus.kind is ValueKind.ITEM:
            return fp_call("child", site.focus.code, name)
        return fp_call("member", self.context.as_items(site.focus), name)

    def _is_all_below(self, node: n.FPExpr) -> TypeGuard[n.FPCall]:
        return isinstance(node, n.FPCall) and node.name == "descendants" and node.name not in self.scope.functions

    # --- calls --------------------------------------------------------------------------------------------------------

    def _call(self, node: n.FPCall, site: EvaluationSite) -> py.Expr:
        if node.name not in FUNCTIONS:
            return self._plug_in(node, site)
        if node.name in _MOMENTS:
            return fp_call(_snake(node.name), self.context.environment())
        if node.name == "coalesce":
            return py.any_of(*(self.forms.branch(argument, site) for argument in node.arguments))
        write = ITERATIONS.get(node.name)
        if write is not None:
            return write(self.iterations, node, site)
        base = self.iterations.input_of(node, site)
        if node.name in _ENDS:
            return py.ListSlice(base, *_ENDS[node.name])
        if node.name == "empty":
            return py.ListOf((py.Not(base),))
        if node.name == "count":
            return py.ListOf((py.builtin("len", base),))
        if node.name in _TYPE_FUNCTIONS:
            return fp_call(_TYPE_FUNCTIONS[node.name], base, *self._type(type_argument(node.arguments[0])))
        return self._runtime_call(node, base, site)

    def _runtime_call(self, node: n.FPCall, base: py.Expr, site: EvaluationSite) -> py.Expr:
        arguments = [self.forms.branch(argument, site) for argument in node.arguments]
        if node.name in _SURROUNDED:
            arguments.insert(0, self.context.environment())
        root = self.context.root() if node.name == "resolve" and self.scope.environment is not None else None
        if root is not None:
            # The caller's environment may not say in which resource the expression is.
            arguments.append(self.context.as_items(root))
        return fp_call(_NAMED.get(node.name) or _snake(node.name), base, *arguments)

    def _plug_in(self, node: n.FPCall, site: EvaluationSite) -> py.Expr:
        """A plug-in's call; an unknown function has been reported, and is empty."""
        if node.name not in self.scope.functions:
            return NOTHING
        return self.context.as_items(self.forms.plug_in(node, site))

    def _type(self, name: str) -> tuple[py.Literal, ...]:
        """A type as the runtime names it: its name, and its name space where the expression writes it."""
        space, dot, short = name.rpartition(".")
        if dot and space in ("FHIR", "System"):
            return py.Literal(short), py.Literal(space)
        structure = self.scope.definitions.structure(name) if "/" in name else None
        return (py.Literal(structure.type if structure else name),)


def _of_site(name: str, site: EvaluationSite, context: LoweringContext) -> py.Expr:
    """`$this`, `$index` or `$total`."""
    if name == "$this":
        return context.as_items(site.focus) if site.focus is not None else NOTHING
    if name == "$index":
        return py.ListOf((site.index,)) if site.index is not None else NOTHING
    return site.total if site.total is not None else NOTHING


def _url(name: str) -> str:
    """The URL that an environment variable is; empty where it is none."""
    if name in CONSTANTS:
        return CONSTANTS[name]
    return next((url + name.removeprefix(prefix) for prefix, url in _URLS.items() if name.startswith(prefix)), "")


def _snake(name: str) -> str:
    return _CAPITAL.sub("_", name).lower()
