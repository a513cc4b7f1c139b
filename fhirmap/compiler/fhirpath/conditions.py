"""Conditions of the plain form: code that is truthy exactly where an expression is true, or exactly where it is false.

With the two senses FHIRPath's third value costs nothing: an absent operand makes both of them false.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fhirmap.analysis.expression import families, is_fhir, type_argument, type_named
from fhirmap.analysis.static import Static
from fhirmap.compiler.fhirpath.generic import _first, operands
from fhirmap.compiler.fhirpath.keysets import looked_up
from fhirmap.compiler.fhirpath.patterns import pattern_constant
from fhirmap.compiler.fhirpath.values import Place, Val, is_cheap
from fhirmap.fhir_types import family
from fhirmap.language import nodes as n
from fhirmap.model.definition import SYSTEM_URL, TypeRef

if TYPE_CHECKING:
    from fhirmap.compiler.fhirpath.plain import PlainForm

COMPARISONS = frozenset(("<", "<=", ">", ">="))
LOGIC = frozenset(("and", "or", "implies", "xor"))
_TEXT_TESTS = {"startsWith": "{0}.startswith({1})", "endsWith": "{0}.endswith({1})", "contains": "{1} in {0}"}


class ConditionForm:
    """Writes the conditions of one expression; `PlainForm` gives it values."""

    def __init__(self, plain: PlainForm) -> None:
        self.plain = plain
        self.generic = plain.generic
        self.scope = plain.scope
        self.inferred = plain.inferred
        self.definitions = plain.definitions
        self._without: set[object] = set()

    def condition(self, node: n.FPExpr, place: Place, *, wanted: bool) -> str | None:
        """Code that is truthy exactly where the expression is true (false where not ``wanted``).

        None where that has no plain form.
        """
        if (id(node), wanted) in self._without:
            return None
        code = self._condition(node, place, wanted=wanted)
        if code is None:
            self._without.add((id(node), wanted))
        return code

    def _condition(self, node: n.FPExpr, place: Place, *, wanted: bool) -> str | None:
        if isinstance(node, n.FPBinary):
            if node.operator in LOGIC:
                return self._logic(node, place, wanted=wanted)
            return self._comparison(node, place, wanted=wanted)
        if isinstance(node, n.FPCall):
            return self._test(node, place, wanted=wanted)
        if isinstance(node, n.FPType) and node.operator == "is":
            return self._is(self.plain.value(node.operand, place), node.type_name, wanted=wanted)
        return self._as_condition(self.plain.value(node, place), wanted=wanted)

    def _as_condition(self, found: Val | None, *, wanted: bool) -> str | None:
        """A boolean is itself; any other single value stands for true."""
        if found is None or found.kind != "scalar":
            return None
        if found.choice is not None:
            return None
        if families(found.static) == {"boolean"}:
            if found.is_one:
                return found.code if wanted else f"(not {found.code})"
            return f"({found.code} is {wanted})"
        if not wanted:
            return "False"
        return "True" if found.is_one else self._is_there(found)

    def _logic(self, node: n.FPBinary, place: Place, *, wanted: bool) -> str | None:
        if node.operator == "or" and wanted:
            among = self._among(node, place)
            if among is not None:
                return among
        senses = {
            ("and", True): (True, "and", True), ("and", False): (False, "or", False),
            ("or", True): (True, "or", True), ("or", False): (False, "and", False),
            ("implies", True): (False, "or", True), ("implies", False): (True, "and", False),
        }  # fmt: skip
        if node.operator == "xor":
            left, right = self.truth(node.left, place), self.truth(node.right, place)
            if left is None or right is None:
                return None
            return f"({left.code} {'is not' if wanted else 'is'} {right.code})"
        first, word, second = senses[node.operator, wanted]
        head, *tail = operands(node) if node.operator != "implies" else [node.left, node.right]
        parts = [self.generic.condition(head, place, wanted=first)]
        parts += [self.generic.condition(part, place, wanted=second) for part in tail]
        return f"({f' {word} '.join(parts)})"

    def _among(self, node: n.FPBinary, place: Place) -> str | None:
        """`x = 'a' or x = 'b' or …` as one look into a tuple."""
        parts: list[n.FPExpr] = []
        waiting: list[n.FPExpr] = [node]
        while waiting:
            part = waiting.pop()
            if isinstance(part, n.FPBinary) and part.operator == "or":
                waiting += [part.right, part.left]
            else:
                parts.append(part)
        tested: n.FPExpr | None = None
        literals = []
        for part in parts:
            if not (isinstance(part, n.FPBinary) and part.operator == "=" and isinstance(part.right, n.FPLiteral)):
                return None
            if part.right.kind != "string" or (tested is not None and part.left != tested):
                return None
            tested = part.left
            literals.append(part.right.value)
        left = self._comparable(tested, place, "text") if tested is not None else None
        if left is None or not left.is_scalar:
            return None
        return f"({left.code} in {tuple(literals)!r})"

    def _comparison(self, node: n.FPBinary, place: Place, *, wanted: bool) -> str | None:
        operator = node.operator
        if operator == "!=":
            operator, wanted = "=", not wanted
        if operator in ("in", "contains"):
            item, collection = (node.left, node.right) if operator == "in" else (node.right, node.left)
            return self._membership(item, collection, place, wanted=wanted)
        if operator == "=":
            return self._equality(node, place, wanted=wanted)
        if operator in COMPARISONS:
            return self._date_order(node, place, wanted=wanted) or self._order(node, place, wanted=wanted)
        if operator in ("~", "!~"):
            return self._likeness(node, place, wanted=wanted == (operator == "~"))
        return self._as_condition(self.plain.value(node, place), wanted=wanted)

    def _comparable(self, node: n.FPExpr, place: Place, wanted: str) -> Val | None:
        """A value of the family, a choice read under the keys of that family alone."""
        found = self.plain.value(node, place)
        if found is None or found.kind not in ("scalar", "stream"):
            return None
        if found.choice is not None:
            found = self.plain.narrowed(found, lambda ref: family(ref.name) == wanted)
        return found if found is not None and families(found.static) == {wanted} else None

    def _operands(self, node: n.FPBinary, place: Place) -> tuple[Val, Val, str] | None:
        common = families(self.inferred.of(node.left)) & families(self.inferred.of(node.right))
        if len(common) != 1:
            return None
        kind = next(iter(common))
        if kind not in ("text", "number", "boolean"):
            return None
        left, right = self._comparable(node.left, place, kind), self._comparable(node.right, place, kind)
        return (left, right, kind) if left is not None and right is not None else None

    def _equality(self, node: n.FPBinary, place: Place, *, wanted: bool) -> str | None:
        operands = self._operands(node, place)
        if operands is None:
            return None
        left, right, kind = operands
        if left.kind == "stream" or right.kind == "stream":
            return self._list_equality(left, right, wanted=wanted)
        if right.kind == "scalar" and left.is_one and not right.is_one:
            left, right = right, left
        same, other = ("is", "is not") if kind == "boolean" and right.code in ("True", "False") else ("==", "!=")
        if left.is_one:
            return f"({left.code} {same if wanted else other} {right.code})"
        narrowed = node.left if operands[0] is left else node.right
        if not wanted and len(families(self.inferred.of(narrowed))) > 1:
            # A choice that holds another type is not equal either: only the generic form sees it.
            return None
        if wanted:
            return (
                f"({left.code} {same} {right.code})"
                if right.is_one
                else f"({left.code} {same} {right.code} is not None)"
            )
        ending = "" if right.is_one else " is not None"
        return f"(None is not {left.code} {other} {right.code}{ending})"

    def _list_equality(self, left: Val, right: Val, *, wanted: bool) -> str | None:
        if not wanted or left.owner is not None or right.owner is not None:
            return None
        if left.kind == "stream" and right.is_one:
            return f"({self.plain.whole(left)} == [{right.code}])"
        if right.kind == "stream" and left.is_one:
            return f"({self.plain.whole(right)} == [{left.code}])"
        return None

    def _date_order(self, node: n.FPBinary, place: Place, *, wanted: bool) -> str | None:
        """Dates by their text, where both are nothing but dates."""
        sides = (self.plain.value(node.left, place), self.plain.value(node.right, place))
        if not all(side is not None and side.is_scalar and side.owner is None for side in sides):
            return None
        left, right = (side for side in sides if side is not None)
        if {ref.name for side in (left, right) for ref in side.static.types} != {"date"}:
            return None
        # `a <= b` is that b is not before a, and nothing where that cannot be told.
        first, second = (left, right) if node.operator in ("<", ">=") else (right, left)
        is_strict = node.operator in ("<", ">")
        test = f"fp.before({first.code}, {second.code})"
        return test if is_strict == wanted else f"({test} is False)"

    def _likeness(self, node: n.FPBinary, place: Place, *, wanted: bool) -> str | None:
        """`~` of two texts."""
        left, right = self.plain.value(node.left, place), self.plain.value(node.right, place)
        if left is None or right is None or not (left.is_scalar and right.is_scalar):
            return None
        if (
            left.owner is not None
            or right.owner is not None
            or not families(left.static) == families(right.static) == {"text"}
        ):
            return None
        return f"{'' if wanted else 'not '}fp.alike_texts({left.code}, {right.code})"

    def _order(self, node: n.FPBinary, place: Place, *, wanted: bool) -> str | None:
        operands = self._operands(node, place)
        if operands is None or operands[2] == "boolean":
            return None
        left, right, _ = operands
        if not (left.is_scalar and right.is_scalar and is_or_one(left) and is_or_one(right)):
            return None
        if len(families(self.inferred.of(node.left)) | families(self.inferred.of(node.right))) > 1:
            return None
        operator = node.operator if wanted else {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}[node.operator]
        tests = [f"{side.code} is not None" for side in (left, right) if not side.is_one]
        return f"({' and '.join([*tests, f'{left.code} {operator} {right.code}'])})"

    def _membership(self, item: n.FPExpr, collection: n.FPExpr, place: Place, *, wanted: bool) -> str | None:
        literals = _literals(collection)
        if literals:
            kind = family(f"System.{literals[0].kind.capitalize()}")
            left = self._comparable(item, place, kind) if len({entry.kind for entry in literals}) == 1 else None
            if left is None or not left.is_scalar or len(families(self.inferred.of(item))) > 1:
                return None
            if kind != "text" and kind != "number":
                return None
            codes = [self.plain.value(entry, place) for entry in literals]
            among = ", ".join(entry.code for entry in codes if entry is not None)
            among = f"({among},)" if len(codes) == 1 else f"({among})"
            if wanted:
                return f"({left.code} in {among})"
            return f"({left.code} not in {among})" if left.is_one else f"(None is not {left.code} not in {among})"
        left, right = self.plain.value(item, place), self.plain.value(collection, place)
        if left is None or right is None or not left.is_one or right.kind != "stream" or right.owner is not None:
            return None
        if families(left.static) != families(right.static) or families(left.static) not in ({"text"}, {"number"}):
            return None
        return f"({left.code} {'in' if wanted else 'not in'} {self.plain.whole(right)})"

    def _test(self, node: n.FPCall, place: Place, *, wanted: bool) -> str | None:
        if node.name == "not" and not node.arguments and node.focus is not None:
            return self.generic.condition(node.focus, place, wanted=not wanted)
        if node.name == "isDistinct" and not node.arguments:
            return self._distinct(node, place, wanted=wanted)
        if node.name in ("exists", "empty"):
            return self._existence(node, place, wanted=wanted == (node.name == "exists"))
        if node.name == "hasValue":
            base = self.plain.input_of(node, place)
            if base is None or not base.is_scalar or not self.plain.is_primitive(base.static):
                return None
            return self._existing(replace(base, owner=None), wanted=wanted)
        if node.name == "all":
            return self._all(node, place, wanted=wanted)
        if node.name in ("matches", "matchesFull") and len(node.arguments) == 1:
            return self._matches(node, place, wanted=wanted)
        if node.name in _TEXT_TESTS:
            return self._text_test(node, place, wanted=wanted)
        if node.name == "is" and node.arguments:
            return self._is(self.plain.input_of(node, place), type_argument(node.arguments[0]), wanted=wanted)
        if node.name in self.scope.functions or node.name in (
            "iif",
            "where",
            "select",
            "first",
            "single",
            "as",
            "ofType",
        ):
            return self._as_condition(self.plain.value(node, place), wanted=wanted)
        return None

    def _distinct(self, node: n.FPCall, place: Place, *, wanted: bool) -> str | None:
        base = self.plain.input_of(node, place)
        if base is None or base.kind != "stream" or base.choice is not None or base.owner is not None:
            return None
        if families(base.static) != {"text"}:
            return None
        return f"{'' if wanted else 'not '}fp.all_different({self.plain.whole(base)})"

    def _existence(self, node: n.FPCall, place: Place, *, wanted: bool) -> str | None:
        sought = looked_up(node) if place.is_root and self.scope.key_sets else None
        if sought is not None and sought[0] in self.scope.key_sets:
            return f"({sought[1]!r} {'in' if wanted else 'not in'} {self.scope.key_sets[sought[0]]})"
        base = self.plain.input_of(node, place)
        if base is None:
            return None
        if node.arguments:
            if base.choice is not None:
                return None
            filtered = self.plain.where(node, base, place)
            return None if filtered is None else self._existing(filtered, wanted=wanted)
        return self._existing(base, wanted=wanted)

    def _existing(self, base: Val, *, wanted: bool) -> str | None:
        word = "" if wanted else "not "
        if base.choice is not None:
            if base.kind != "scalar":
                return None
            keys = [base.choice.element.json_name(ref.name) for ref in base.choice.types]
            if is_fhir(base.choice.owner_type, self.definitions):
                keys += [f"_{key}" for key in keys]
            constant = self.scope.constants.add("KEYS", f"frozenset({tuple(keys)!r})")
            return f"({'not ' if wanted else ''}{constant}.isdisjoint({base.choice.owner}))"
        if base.kind == "scalar":
            return "True" if base.is_one and wanted else "False" if base.is_one else self._is_there(base, wanted=wanted)
        if base.owner is not None:
            return None
        if base.source:
            return f"({word}{base.source})"
        flat = self.plain.flushed(base)
        return f"({word}any(True {' '.join(flat.clauses)}))" if word else f"any(True {' '.join(flat.clauses)})"

    def _is_there(self, base: Val, *, wanted: bool = True) -> str:
        test = f"{base.code} is {'not ' if wanted else ''}None"
        if base.owner is None:
            return f"({test})"
        owner, key = base.owner
        if wanted:
            return f"({test} or {f'_{key}'!r} in {owner})"
        return f"({test} and {f'_{key}'!r} not in {owner})"

    def _all(self, node: n.FPCall, place: Place, *, wanted: bool) -> str | None:
        base = self.plain.input_of(node, place)
        if base is None or base.choice is not None or base.owner is not None or self.plain.uses_index(node):
            return None
        stream = self.plain.stream(base)
        test = self.generic.condition(_first(node), self.plain.inside(stream, place))
        code = f"all({test} {' '.join(stream.clauses)})"
        return code if wanted else f"(not {code})"

    def _matches(self, node: n.FPCall, place: Place, *, wanted: bool) -> str | None:
        base, pattern = self.plain.input_of(node, place), node.arguments[0]
        if base is not None and base.choice is not None:
            base = (
                self.plain.narrowed(base, lambda ref: family(ref.name) == "text")
                if self._holds_text_only(base)
                else None
            )
        if base is None or not base.is_scalar or families(base.static) != {"text"}:
            return None
        if not (isinstance(pattern, n.FPLiteral) and isinstance(pattern.value, str)):
            return None
        found = pattern_constant(pattern.value, self.scope.constants, full=node.name == "matchesFull")
        if found is None:
            return None
        constant, method = found
        test = f"{constant}.{method}({base.code}) is {'not ' if wanted else ''}None"
        if base.is_one:
            return f"({test})"
        if is_cheap(base.code):
            return f"({base.code} is not None and {test})"
        return f"fp.{'matches_plain' if wanted else 'matches_not'}({constant}.{method}, {base.code})"

    def _holds_text_only(self, base: Val) -> bool:
        return base.choice is not None and all(family(ref.name) == "text" for ref in base.choice.types)

    def _text_test(self, node: n.FPCall, place: Place, *, wanted: bool) -> str | None:
        base = self.plain.input_of(node, place)
        part = self.plain.value(node.arguments[0], place) if not isinstance(node.arguments[0], n.SortKey) else None
        if base is None or part is None or not base.is_scalar or not part.is_one:
            return None
        if families(base.static) != {"text"} or families(part.static) != {"text"}:
            return None
        test = _TEXT_TESTS[node.name].format(base.code, part.code)
        test = test if wanted else f"not {test}" if node.name != "contains" else f"{part.code} not in {base.code}"
        if base.is_one:
            return f"({test})"
        return f"({base.code} is not None and {test})" if is_cheap(base.code) else None

    def _is(self, base: Val | None, name: str, *, wanted: bool) -> str | None:
        ref = type_named(name, self.definitions)
        if base is None or base.choice is None or ref is None or base.kind != "scalar" or not wanted:
            return None
        kept = [entry for entry in base.choice.types if self.definitions.is_subtype(entry.name, ref.name)]
        if not kept or ref.name.startswith("System."):
            return None
        tests = [f"{base.choice.element.json_name(entry.name)!r} in {base.choice.owner}" for entry in kept[:3]]
        return f"({' or '.join(tests)})" if len(kept) <= 3 else None

    def truth(self, node: n.FPExpr, place: Place) -> Val | None:
        """A boolean expression that is never empty, as True or False."""
        if not self._is_two_valued(node, place):
            return None
        code = self.condition(node, place, wanted=True)
        if code is None:
            return None
        return Val(
            f"bool({code})", Static(frozenset((TypeRef("System.Boolean", SYSTEM_URL + "Boolean"),)), "one", True)
        )

    def _is_two_valued(self, node: n.FPExpr, place: Place) -> bool:
        if isinstance(node, n.FPLiteral):
            return node.kind == "boolean"
        if isinstance(node, n.FPCall):
            if node.name in ("exists", "empty", "all"):
                return True
            if node.name == "not" and node.focus is not None:
                return self._is_two_valued(node.focus, place)
            if node.name in ("matches", "matchesFull", *_TEXT_TESTS):
                base = self.plain.input_of(node, place)
                return base is not None and base.is_one
            return False
        if isinstance(node, n.FPBinary):
            if node.operator in LOGIC:
                return all(self._is_two_valued(part, place) for part in operands(node))
            if node.operator in ("=", "!=", *COMPARISONS):
                left, right = self.plain.value(node.left, place), self.plain.value(node.right, place)
                return left is not None and right is not None and left.is_one and right.is_one
            if node.operator in ("in", "contains"):
                left = self.plain.value(node.left if node.operator == "in" else node.right, place)
                return left is not None and left.is_one
            return False
        found = self.plain.value(node, place)
        return found is not None and found.is_one and families(found.static) == {"boolean"}


def is_or_one(val: Val) -> bool:
    """May the value stand twice in a condition?"""
    return val.is_one or is_cheap(val.code)


def _literals(node: n.FPExpr) -> list[n.FPLiteral]:
    """The literals of `('a' | 'b' | …)`; empty where it is anything else."""
    if isinstance(node, n.FPLiteral) and node.kind in ("string", "integer"):
        return [node]
    if isinstance(node, n.FPBinary) and node.operator == "|":
        left, right = _literals(node.left), _literals(node.right)
        return left + right if left and right else []
    return []
