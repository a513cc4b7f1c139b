"""Conditions that compare: `=`, `!=`, `<`, `~`, `in` and `contains`, decided by the types of both sides."""

from __future__ import annotations

from fhirmap.analysis.expression_types import families
from fhirmap.compiler import python as py
from fhirmap.compiler.fhirpath.forms import Forms
from fhirmap.compiler.fhirpath.operands import COMPARISONS, literals
from fhirmap.compiler.fhirpath.streams import NONE, whole
from fhirmap.compiler.fhirpath.typed_values import EvaluationSite, TypedValue, ValueKind
from fhirmap.compiler.runtime_functions import fp_call
from fhirmap.fhir_types import family
from fhirmap.language import nodes as n

_KNOWN = COMPARISONS | {"=", "!=", "~", "!~", "in", "contains"}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


class Comparisons:
    """Writes the comparisons of one expression."""

    def __init__(self, forms: Forms) -> None:
        self.forms = forms
        self.inferred = forms.context.inferred

    def knows(self, node: n.FPBinary) -> bool:
        """Does the operator compare?"""
        return node.operator in _KNOWN

    def condition(self, node: n.FPBinary, site: EvaluationSite, *, wanted: bool) -> py.Expr | None:
        """As `ConditionLowering.condition`, of an operator that compares."""
        operator = node.operator
        if operator in ("in", "contains"):
            item, collection = (node.left, node.right) if operator == "in" else (node.right, node.left)
            return self._membership(item, collection, site, wanted=wanted)
        if operator in ("=", "!="):
            return self._equality(node, site, wanted=wanted == (operator == "="))
        if operator in COMPARISONS:
            return self._date_order(node, site, wanted=wanted) or self._order(node, site, wanted=wanted)
        if operator in ("~", "!~"):
            return self._likeness(node, site, wanted=wanted == (operator == "~"))
        return None

    def comparable(self, node: n.FPExpr, site: EvaluationSite, kind: str) -> TypedValue | None:
        """A value of the family, a choice read under the keys of that family alone: `value = 'x'` asks no Quantity."""
        found = self.forms.value(node, site)
        if found is None or not found.is_typed:
            return None
        if found.choice is not None:
            found = self.forms.elements.narrowed(found, lambda ref: family(ref.name) == kind)
        return found if found is not None and families(found.static) == {kind} else None

    def _operands(self, node: n.FPBinary, site: EvaluationSite) -> tuple[TypedValue, TypedValue, str] | None:
        """Both sides, and the one family of values that they may share."""
        common = families(self.inferred.of(node.left)) & families(self.inferred.of(node.right))
        if len(common) != 1:
            return None
        (kind,) = common
        if kind not in ("text", "number", "boolean"):
            # Dates have a precision and quantities a unit: Python's `==` knows neither.
            return None
        left, right = self.comparable(node.left, site, kind), self.comparable(node.right, site, kind)
        return (left, right, kind) if left is not None and right is not None else None

    # --- equality -----------------------------------------------------------------------------------------------------

    def _equality(self, node: n.FPBinary, site: EvaluationSite, *, wanted: bool) -> py.Expr | None:
        sides = self._operands(node, site)
        if sides is None:
            return None
        left, right, kind = sides
        if wanted and site.is_root:
            plain = self._raw_equality(left, right) or self._raw_equality(right, left)
            if plain is not None:
                return plain
        if left.kind is ValueKind.STREAM or right.kind is ValueKind.STREAM:
            return self._list_equality(left, right, wanted=wanted)
        # The side that may be absent comes first: `'D' = side` is `focus.get('side') == 'D'`.
        tested = node.left
        if left.is_one and not right.is_one:
            left, right, tested = right, left, node.right
        # `urgent = true`: Python's `==` would take a 1 for it.
        is_identity = kind == "boolean" and right.code in (py.Literal(True), py.Literal(False))
        same = py.Comparison.IS if is_identity else py.Comparison.EQUAL
        other = py.Comparison.IS_NOT if is_identity else py.Comparison.UNEQUAL
        if left.is_one:
            return py.compared(left.code, same if wanted else other, right.code)
        # `side = id`: two absent values are not equal, `a == b is not None`.
        present = () if right.is_one else ((py.Comparison.IS_NOT, NONE),)
        if wanted:
            return py.Compare(left.code, ((same, right.code), *present))
        if len(families(self.inferred.of(tested))) > 1:
            # A choice that holds another type is not equal either: only untyped lowering sees it.
            return None
        return py.Compare(NONE, ((py.Comparison.IS_NOT, left.code), (other, right.code), *present))

    def _raw_equality(self, left: TypedValue, right: TypedValue) -> py.Expr | None:
        """`linkId = 'x'` of an object as the record has it: a closer look at what is no text, and only there."""
        read = left.raw
        is_text = isinstance(right.code, py.Literal) and isinstance(right.code.value, str)
        if read is None or not is_text or left.kind is not ValueKind.SCALAR or left.is_bare:
            return None
        if not isinstance(read.owner, py.Name):
            return None
        name = self.forms.context.assigned(read.name, py.Get(read.owner, read.name))
        is_other = py.compared(py.builtin("type", name), py.Comparison.IS_NOT, py.Name("str"))
        same = py.compared(name, py.Comparison.EQUAL, right.code)
        return py.any_of(same, py.all_of(is_other, py.is_not_none(name), fp_call("unlike", read.owner, read.element)))

    def _list_equality(self, left: TypedValue, right: TypedValue, *, wanted: bool) -> py.Expr | None:
        """`poses.lot = 'L1'`: a list is equal to one value where it holds that value alone."""
        if not wanted or left.sibling is not None or right.sibling is not None:
            return None
        for stream, one in ((left, right), (right, left)):
            if stream.kind is ValueKind.STREAM and one.is_one:
                listed = whole(stream, self.forms.context.fresh)
                return py.compared(listed, py.Comparison.EQUAL, py.ListOf((one.code,)))
        return None

    def _likeness(self, node: n.FPBinary, site: EvaluationSite, *, wanted: bool) -> py.Expr | None:
        """`~` of two texts."""
        left, right = self._scalars(node, site)
        if left is None or right is None or not families(left.static) == families(right.static) == {"text"}:
            return None
        test = fp_call("alike_texts", left.code, right.code)
        return test if wanted else py.Not(test)

    def _scalars(self, node: n.FPBinary, site: EvaluationSite) -> tuple[TypedValue | None, TypedValue | None]:
        """Each side that is a bare value without a sibling."""
        left, right = self.forms.value(node.left, site), self.forms.value(node.right, site)
        return _if_bare(left), _if_bare(right)

    # --- order --------------------------------------------------------------------------------------------------------

    def _date_order(self, node: n.FPBinary, site: EvaluationSite, *, wanted: bool) -> py.Expr | None:
        """`day < start`: by their text, where both are nothing but dates."""
        left, right = self._scalars(node, site)
        if left is None or right is None:
            return None
        if {ref.name for side in (left, right) for ref in side.static.types} != {"date"}:
            return None
        # `a <= b` is that b is not before a, and empty where that cannot be known: `@2025 < @2025-03`.
        first, second = (left, right) if node.operator in ("<", ">=") else (right, left)
        is_strict = node.operator in ("<", ">")
        test = fp_call("before", first.code, second.code)
        return test if is_strict == wanted else py.compared(test, py.Comparison.IS, py.Literal(False))

    def _order(self, node: n.FPBinary, site: EvaluationSite, *, wanted: bool) -> py.Expr | None:
        """`count > 1`: an absent count is neither more nor less."""
        sides = self._operands(node, site)
        if sides is None or sides[2] == "boolean":
            return None
        left, right, _ = sides
        if not (left.is_scalar and right.is_scalar and left.may_repeat and right.may_repeat):
            return None
        if len(families(self.inferred.of(node.left)) | families(self.inferred.of(node.right))) > 1:
            return None
        operator = py.Comparison(node.operator if wanted else _OPPOSITE[node.operator])
        present = [py.is_not_none(side.code) for side in (left, right) if not side.is_one]
        return py.all_of(*present, py.compared(left.code, operator, right.code))

    # --- membership ---------------------------------------------------------------------------------------------------

    def _membership(
        self, item: n.FPExpr, collection: n.FPExpr, site: EvaluationSite, *, wanted: bool
    ) -> py.Expr | None:
        found = literals(collection)
        if found:
            return self._among_literals(item, found, site, wanted=wanted)
        left, right = self.forms.value(item, site), self.forms.value(collection, site)
        if left is None or right is None or not left.is_one or right.kind is not ValueKind.STREAM:
            return None
        if right.sibling is not None or families(left.static) != families(right.static):
            return None
        if families(left.static) not in ({"text"}, {"number"}):
            return None
        operator = py.Comparison.IN if wanted else py.Comparison.NOT_IN
        return py.compared(left.code, operator, whole(right, self.forms.context.fresh))

    def _among_literals(
        self, item: n.FPExpr, found: list[n.FPLiteral], site: EvaluationSite, *, wanted: bool
    ) -> py.Expr | None:
        """`side in ('D' | 'G')`; an absent side is neither in nor out."""
        kind = family(f"System.{found[0].kind.capitalize()}")
        left = self.comparable(item, site, kind) if len({entry.kind for entry in found}) == 1 else None
        if left is None or not left.is_scalar or len(families(self.inferred.of(item))) > 1:
            return None
        if kind not in ("text", "number"):
            return None
        among = py.Literal(tuple(entry.value for entry in found))
        if wanted:
            return py.compared(left.code, py.Comparison.IN, among)
        if left.is_one:
            return py.compared(left.code, py.Comparison.NOT_IN, among)
        return py.Compare(NONE, ((py.Comparison.IS_NOT, left.code), (py.Comparison.NOT_IN, among)))


def _if_bare(value: TypedValue | None) -> TypedValue | None:
    return value if value is not None and value.is_scalar and value.sibling is None else None
