"""Typed lowering: what has a known type is written as by hand, `code.get('x')`, `[… for part in …]`.

`value` has no answer (None) where only untyped lowering can say the node; an operator must be decided by the types at
hand, never by luck. `typed_calls` lowers functions, `conditions` what is only asked to be true or false.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from math import inf

from fhirmap.analysis.expression_types import families
from fhirmap.compiler import python as py
from fhirmap.compiler.fhirpath.forms import Forms
from fhirmap.compiler.fhirpath.operands import BOOLEAN_OPERATORS
from fhirmap.compiler.fhirpath.streams import as_stream, first_entry, flushed, held, listed, whole
from fhirmap.compiler.fhirpath.typed_calls import TypedCalls
from fhirmap.compiler.fhirpath.typed_values import EvaluationSite, Sibling, TypedValue, ValueKind, is_integer, is_texts
from fhirmap.compiler.runtime_functions import fp_call
from fhirmap.language import nodes as n
from fhirmap.language.visit import operands

_LIMITS = {"System.Integer": ("integer", 2**31), "System.Long": ("long", 2**63)}
"""System type → the runtime's test of a computed value, and the bound that needs none."""
_MOST_ITEMS = 2**30
"""More items or characters than memory holds."""
_ARITHMETIC = {operator.value: operator for operator in (py.Operator.PLUS, py.Operator.MINUS, py.Operator.TIMES)}


class TypedLowering:
    """Writes what it can of one expression over bare values."""

    def __init__(self, forms: Forms) -> None:
        self.forms = forms
        self.context = forms.context
        self.scope = forms.context.scope
        self.inferred = forms.context.inferred
        self.calls = TypedCalls(forms)
        self._known: dict[tuple[object, ...], tuple[TypedValue | None, EvaluationSite]] = {}
        self.without: set[int] = set()
        """Identities of the nodes that were asked for and have no typed value."""

    def value(self, node: n.FPExpr, site: EvaluationSite) -> TypedValue | None:
        """The typed value of a node; None where it has none.

        Answers are kept: a node is asked for by each lowering that its parent tries, and nested ones would ask without
        end. They are kept by identity, with their site, since the same text elsewhere may mean something else.
        """
        if id(node) in self.without:
            return None
        key = (id(node), id(site), *self.context.defined)
        if key not in self._known:
            self._known[key] = (self._value(node, site), site)
            if self._known[key][0] is None:
                self.without.add(id(node))
        return self._known[key][0]

    def _value(self, node: n.FPExpr, site: EvaluationSite) -> TypedValue | None:
        if site.is_root and node in self.scope.hoisted:
            return held(*self.scope.hoisted[node], self.context.fresh)
        if isinstance(node, n.FPLiteral):
            return self._literal(node)
        if isinstance(node, n.FPVariable):
            return self._variable(node, site)
        if isinstance(node, n.FPMember):
            return self._member(node, site)
        if isinstance(node, n.FPCall):
            return self.calls.call(node, site)
        if isinstance(node, n.FPIndex):
            return self._indexed(node, site)
        if isinstance(node, n.FPBinary):
            return self._binary(node, site)
        if isinstance(node, n.FPType):
            return self.calls.of_type(node.operator, self.value(node.operand, site), node.type_name)
        return self._signed(node, site)

    # --- leaves -------------------------------------------------------------------------------------------------------

    def _literal(self, node: n.FPLiteral) -> TypedValue | None:
        static = self.inferred.of(node)
        if node.kind in ("string", "integer", "long", "boolean"):
            return TypedValue(py.Literal(node.value), static)
        if isinstance(node.value, Decimal) and node.kind == "decimal":
            return TypedValue(self.scope.constants.add("DECIMAL", py.Literal(node.value)), static)
        return None

    def _variable(self, node: n.FPVariable, site: EvaluationSite) -> TypedValue | None:
        if node.name == "$this":
            return _if_typed(site.focus)
        if node.name == "$index" and site.index is not None:
            return TypedValue(site.index, self.inferred.of(node))
        if node.name in self.context.defined or node.name.startswith("$"):
            return None
        if node.name in self.scope.variables:
            return _if_typed(self.context.variable(node.name))
        if node.name in ("resource", "rootResource"):
            root = self.context.root()
            return root if root is not None and root.kind is ValueKind.SCALAR else None
        return None

    def _member(self, node: n.FPMember, site: EvaluationSite) -> TypedValue | None:
        if node.focus is not None:
            base = self.value(node.focus, site)
            return self.forms.elements.child(base, node.name) if base is not None else None
        if id(node) in self.inferred.variables:
            return self._variable(n.FPVariable(node.name, node.span), site)
        focus = _if_typed(site.focus)
        if focus is None or self.forms.elements.is_focus_type(node.name, focus.static):
            return focus
        return self.forms.elements.child(focus, node.name)

    def _indexed(self, node: n.FPIndex, site: EvaluationSite) -> TypedValue | None:
        """`name[0]`, the one index that maps use."""
        base, index = self.value(node.focus, site), node.index
        is_first = isinstance(index, n.FPLiteral) and index.kind in ("integer", "long") and index.value == 0
        if base is None or base.choice is not None or not is_first:
            return None
        if base.kind is ValueKind.SCALAR:
            return base
        return first_entry(flushed(base, self.context.fresh)) if base.sibling is None else None

    # --- operators ----------------------------------------------------------------------------------------------------

    def _signed(self, node: n.FPUnary, site: EvaluationSite) -> TypedValue | None:
        """`-count`; a `+` changes nothing."""
        operand = self.value(node.operand, site)
        if operand is None or not operand.is_one or families(operand.static) != {"number"}:
            return None
        if node.operator == "+":
            return TypedValue(operand.code, operand.static)
        return self._computed(node, py.Negative(operand.code, raises=not is_integer(operand.static)))

    def _binary(self, node: n.FPBinary, site: EvaluationSite) -> TypedValue | None:
        if node.operator in BOOLEAN_OPERATORS:
            return self.forms.truth(node, site)
        if node.operator == "&":
            return self._joined(node, site)
        if node.operator == "|":
            return self._united(node, site)
        operator = _ARITHMETIC.get(node.operator)
        left, right = self.value(node.left, site), self.value(node.right, site)
        if operator is None or left is None or right is None or not (left.is_one and right.is_one):
            # An absent operand makes the result absent: `weight + 1` of an optional weight is left to the runtime.
            return None
        if left.choice is not None or right.choice is not None:
            return None
        kinds = families(left.static) | families(right.static)
        if kinds != {"number"} and not (kinds == {"text"} and operator is py.Operator.PLUS):
            return None
        # `a * a` of decimals may overflow; `'a' + b` of texts may not.
        code = py.Arithmetic(left.code, operator, right.code, raises=kinds == {"number"})
        return self._computed(node, code)

    def _computed(self, node: n.FPExpr, code: py.Expr) -> TypedValue:
        """What was computed: a text, a decimal, or a whole number, which may overflow and is then absent."""
        static = self.inferred.of(node)
        limit = _LIMITS.get(static.type.name) if static.type is not None else None
        if limit is None or _most(node) < limit[1]:
            return TypedValue(code, static.as_one())
        return TypedValue(fp_call(limit[0], code), static.with_cardinality("optional"))

    def _united(self, node: n.FPBinary, site: EvaluationSite) -> TypedValue | None:
        """`name.given | name.family`: texts are equal whatever their types are."""
        lists: list[py.Expr] = []
        siblings: list[Sibling] = []
        for part in operands(node):
            side = self.value(part, site)
            if side is None or not is_texts(side):
                return None
            stream = as_stream(side, self.context.fresh)
            lists.append(whole(stream, self.context.fresh))
            siblings += [side.sibling] if side.sibling is not None else []
        found = listed(fp_call("different_texts", *lists), self.inferred.of(node), self.context.fresh)
        return replace(found, sibling=siblings[0] if siblings else None)

    def _joined(self, node: n.FPBinary, site: EvaluationSite) -> TypedValue | None:
        """`a & b & c` of texts, each there or not."""
        texts = [self.calls.first_text(part, site) or self.value(part, site) for part in operands(node)]
        held_ = [text for text in texts if text is not None and text.is_scalar and families(text.static) == {"text"}]
        if len(held_) < len(texts):
            return None
        static = self.inferred.of(node).as_one()
        first, *rest = (
            text.code if text.is_one else py.Logic(py.Connective.OR, (text.code, py.Literal(""))) for text in held_
        )
        for code in rest:
            first = py.Arithmetic(first, py.Operator.PLUS, code, raises=False)
        return TypedValue(first, static)


def _most(node: n.FPExpr) -> float:
    """The greatest whole number, sign aside, that a part may come to; infinite where its text does not say."""
    if isinstance(node, n.FPLiteral) and isinstance(node.value, int):
        return abs(node.value)
    if isinstance(node, n.FPCall) and node.name in ("count", "length", "indexOf", "lastIndexOf"):
        return _MOST_ITEMS
    if isinstance(node, n.FPUnary):
        return _most(node.operand)
    if isinstance(node, n.FPBinary) and node.operator in _ARITHMETIC:
        left, right = _most(node.left), _most(node.right)
        return left * right if node.operator == "*" else left + right
    return inf


def _if_typed(value: TypedValue | None) -> TypedValue | None:
    return value if value is not None and value.is_typed else None
