"""Conditions of typed lowering: code that is truthy exactly where an expression is true, or exactly where it is false.

FHIRPath has a third value: `side = 'D'` is neither true nor false where there is no side, and `not()` keeps it so. With
one code for each of the two senses (``wanted``) it costs nothing: an absent operand makes both of them false, and
`(side = 'D').not()` becomes `None is not focus.get('side') != 'D'`.
"""

from __future__ import annotations

from fhirmap.analysis.expression_types import families
from fhirmap.compiler import python as py
from fhirmap.compiler.fhirpath.comparisons import Comparisons
from fhirmap.compiler.fhirpath.forms import Forms
from fhirmap.compiler.fhirpath.operands import COMPARISONS, LOGIC
from fhirmap.compiler.fhirpath.predicates import TEXT_TESTS, VALUED, Predicates
from fhirmap.compiler.fhirpath.streams import TRUE
from fhirmap.compiler.fhirpath.typed_values import BOOLEAN, EvaluationSite, TypedValue
from fhirmap.language import nodes as n
from fhirmap.language.visit import chain, operands

FALSE = py.Literal(False)
_AND, _OR = py.Connective.AND, py.Connective.OR
_SENSES = {
    # `a and b` is false where a is false or b is, `a implies b` where a is true and b is false.
    ("and", True): (True, _AND, True),
    ("and", False): (False, _OR, False),
    ("or", True): (True, _OR, True),
    ("or", False): (False, _AND, False),
    ("implies", True): (False, _OR, True),
    ("implies", False): (True, _AND, False),
}
"""Operator and sense → sense of its first operand, Python's operator, sense of its other operands."""


class ConditionLowering:
    """Writes the conditions of one expression."""

    def __init__(self, forms: Forms) -> None:
        self.forms = forms
        self.inferred = forms.context.inferred
        self.comparisons = Comparisons(forms)
        self.predicates = Predicates(forms)
        self._without: set[tuple[int, bool]] = set()

    def condition(self, node: n.FPExpr, site: EvaluationSite, *, wanted: bool) -> py.Expr | None:
        """Code that is truthy exactly where the node is true (false where not ``wanted``); None without types."""
        if (id(node), wanted) in self._without:
            return None
        code = self._condition(node, site, wanted=wanted)
        if code is None:
            self._without.add((id(node), wanted))
        return code

    def _condition(self, node: n.FPExpr, site: EvaluationSite, *, wanted: bool) -> py.Expr | None:
        if site.is_root and node in self.forms.context.scope.hoisted:
            return self._held(node, site, wanted=wanted)
        if isinstance(node, n.FPBinary):
            if node.operator in LOGIC:
                return self._logic(node, site, wanted=wanted)
            found = self.comparisons.condition(node, site, wanted=wanted)
            return found if self.comparisons.knows(node) else self._held(node, site, wanted=wanted)
        if isinstance(node, n.FPCall):
            if node.name in VALUED or node.name in self.forms.context.scope.functions:
                return self._held(node, site, wanted=wanted)
            return self.predicates.condition(node, site, wanted=wanted)
        if isinstance(node, n.FPType) and node.operator == "is":
            return self.predicates.is_type(self.forms.value(node.operand, site), node.type_name, wanted=wanted)
        return self._held(node, site, wanted=wanted)

    def _held(self, node: n.FPExpr, site: EvaluationSite, *, wanted: bool) -> py.Expr | None:
        """A boolean is itself (`urgent`); any other single value means true (`id and side`)."""
        found = self.forms.value(node, site)
        if found is None or not found.is_scalar:
            return None
        if families(found.static) == {"boolean"}:
            if found.is_one:
                return found.code if wanted else py.Not(found.code)
            # An absent boolean is neither True nor False.
            return py.compared(found.code, py.Comparison.IS, py.Literal(wanted))
        if not wanted:
            return FALSE
        return TRUE if found.is_one else self.predicates.is_there(found)

    # --- logic --------------------------------------------------------------------------------------------------------

    def _logic(self, node: n.FPBinary, site: EvaluationSite, *, wanted: bool) -> py.Expr | None:
        if node.operator == "xor":
            return self._xor(node, site, wanted=wanted)
        if node.operator == "or" and wanted:
            among = self._among(node, site)
            if among is not None:
                return among
        first, connective, others = _SENSES[node.operator, wanted]
        head, *tail = operands(node) if node.operator != "implies" else [node.left, node.right]
        parts = [self.forms.condition(head, site, wanted=first)]
        parts += [self.forms.condition(part, site, wanted=others) for part in tail]
        return py.Logic(connective, tuple(parts))

    def _xor(self, node: n.FPBinary, site: EvaluationSite, *, wanted: bool) -> py.Expr | None:
        """`urgent.exists() xor side.exists()`: of two that are never empty."""
        left, right = self.forms.truth(node.left, site), self.forms.truth(node.right, site)
        if left is None or right is None:
            return None
        return py.compared(left.code, py.Comparison.IS_NOT if wanted else py.Comparison.IS, right.code)

    def _among(self, node: n.FPBinary, site: EvaluationSite) -> py.Expr | None:
        """`side = 'D' or side = 'G' or …` as one look into a tuple."""
        tested: n.FPExpr | None = None
        texts: list[str] = []
        for part in chain(node, "or"):
            if not (isinstance(part, n.FPBinary) and part.operator == "=" and isinstance(part.right, n.FPLiteral)):
                return None
            text = part.right.value
            if not isinstance(text, str) or part.right.kind != "string" or tested not in (None, part.left):
                return None
            tested = part.left
            texts.append(text)
        left = self.comparisons.comparable(tested, site, "text") if tested is not None else None
        if left is None or not left.is_scalar:
            return None
        return py.compared(left.code, py.Comparison.IN, py.Literal(tuple(texts)))

    # --- truth --------------------------------------------------------------------------------------------------------

    def truth(self, node: n.FPExpr, site: EvaluationSite) -> TypedValue | None:
        """A boolean expression that is never empty, as True or False."""
        if not self._is_two_valued(node, site):
            return None
        code = self.condition(node, site, wanted=True)
        if code is None:
            return None
        return TypedValue(code if isinstance(code, py.Compare | py.Not) else py.builtin("bool", code), BOOLEAN)

    def _is_two_valued(self, node: n.FPExpr, site: EvaluationSite) -> bool:
        if isinstance(node, n.FPLiteral):
            return node.kind == "boolean"
        if isinstance(node, n.FPCall):
            return self._is_two_valued_call(node, site)
        if isinstance(node, n.FPBinary):
            return self._is_two_valued_operator(node, site)
        found = self.forms.value(node, site)
        return found is not None and found.is_one and families(found.static) == {"boolean"}

    def _is_two_valued_call(self, node: n.FPCall, site: EvaluationSite) -> bool:
        if node.name in ("exists", "empty", "all", "isDistinct"):
            return True
        if node.name == "not" and node.focus is not None:
            return self._is_two_valued(node.focus, site)
        if node.name in ("matches", "matchesFull", *TEXT_TESTS):
            return _is_one(self.forms.input_of(node, site))
        return False

    def _is_two_valued_operator(self, node: n.FPBinary, site: EvaluationSite) -> bool:
        if node.operator in LOGIC:
            return all(self._is_two_valued(part, site) for part in operands(node))
        if node.operator in ("=", "!=", *COMPARISONS):
            # Both sides are asked for: what one of them has computed, the other lowering finds again.
            left, right = self.forms.value(node.left, site), self.forms.value(node.right, site)
            return _is_one(left) and _is_one(right)
        if node.operator in ("in", "contains"):
            return _is_one(self.forms.value(node.left if node.operator == "in" else node.right, site))
        return False


def _is_one(value: TypedValue | None) -> bool:
    return value is not None and value.is_one
