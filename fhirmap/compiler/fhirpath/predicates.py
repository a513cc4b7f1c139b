"""Conditions that are calls: `exists()`, `all(…)`, `matches('…')`, `startsWith(…)`, `is`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fhirmap.analysis.expression_types import families, is_fhir, type_argument, type_named
from fhirmap.compiler import python as py
from fhirmap.compiler.fhirpath.forms import Forms
from fhirmap.compiler.fhirpath.keysets import looked_up
from fhirmap.compiler.fhirpath.operands import first_argument, uses_index
from fhirmap.compiler.fhirpath.patterns import pattern_constant
from fhirmap.compiler.fhirpath.streams import TRUE, as_stream, flushed, generated, whole
from fhirmap.compiler.fhirpath.typed_values import EvaluationSite, TypedValue, ValueKind
from fhirmap.compiler.runtime_functions import fp_call
from fhirmap.fhir_types import family
from fhirmap.language import nodes as n

TEXT_TESTS = frozenset(("startsWith", "endsWith", "contains"))
VALUED = frozenset(("iif", "where", "select", "first", "single", "as", "ofType"))
"""Calls whose value a condition looks at."""
_MOST_TYPES = 3
"""More alternatives of a choice than these are not tested one by one."""


class Predicates:
    """Writes the calls that one expression only asks to be true or false."""

    def __init__(self, forms: Forms) -> None:
        self.forms = forms
        self.scope = forms.context.scope
        self.fresh = forms.context.fresh
        self.definitions = forms.context.definitions

    def condition(self, node: n.FPCall, site: EvaluationSite, *, wanted: bool) -> py.Expr | None:
        """As `ConditionLowering.condition`, of a call."""
        write = _WRITERS.get(node.name)
        return write(self, node, site, wanted) if write is not None else None

    # --- existence ----------------------------------------------------------------------------------------------------

    def _not(self, node: n.FPCall, site: EvaluationSite, wanted: bool) -> py.Expr | None:
        if node.arguments or node.focus is None:
            return None
        return self.forms.condition(node.focus, site, wanted=not wanted)

    def _exists(self, node: n.FPCall, site: EvaluationSite, wanted: bool) -> py.Expr | None:
        return self._existence(node, site, wanted=wanted)

    def _empty(self, node: n.FPCall, site: EvaluationSite, wanted: bool) -> py.Expr | None:
        return self._existence(node, site, wanted=not wanted)

    def _existence(self, node: n.FPCall, site: EvaluationSite, *, wanted: bool) -> py.Expr | None:
        sought = looked_up(node) if site.is_root and self.scope.key_sets else None
        if sought is not None and sought.key_set in self.scope.key_sets:
            operator = py.Comparison.IN if wanted else py.Comparison.NOT_IN
            return py.compared(py.Literal(sought.texts), operator, self.scope.key_sets[sought.key_set])
        base = self.forms.input_of(node, site)
        if base is not None and node.arguments:
            # `poses.exists(used)` is `poses.where(used).exists()`.
            base = None if base.choice is not None else self.forms.filtered(node, base, site)
        return None if base is None else self._existing(base, wanted=wanted)

    def _existing(self, base: TypedValue, *, wanted: bool) -> py.Expr | None:
        if base.choice is not None:
            return self._choice_existing(base, wanted=wanted)
        if base.kind is ValueKind.SCALAR:
            return py.Literal(wanted) if base.is_one else self.is_there(base, wanted=wanted)
        if base.sibling is not None:
            return None
        # `poses.exists()`: an empty list is as good as none.
        test = base.source or py.builtin("any", generated(TRUE, flushed(base, self.fresh)))
        return test if wanted else py.Not(test)

    def _choice_existing(self, base: TypedValue, *, wanted: bool) -> py.Expr | None:
        """`value.exists()`: is the dict without any of the keys that `value` may have?"""
        choice = base.choice
        if choice is None or base.kind is not ValueKind.SCALAR:
            return None
        keys = [choice.element.json_name(ref.name) for ref in choice.types]
        if is_fhir(choice.owner_type, self.definitions):
            keys += [f"_{key}" for key in keys]
        constant = self.scope.constants.add("KEYS", py.SetOf(tuple(map(py.Literal, keys))))
        test = py.method(constant, "isdisjoint", choice.owner)
        return py.Not(test) if wanted else test

    def is_there(self, base: TypedValue, *, wanted: bool = True) -> py.Expr:
        """Is there a value, or an extension in its place: `"_birthDate": {"extension": …}`?"""
        test = py.is_not_none(base.code) if wanted else py.is_none(base.code)
        if base.sibling is None:
            return test
        operator = py.Comparison.IN if wanted else py.Comparison.NOT_IN
        sibling: py.Expr = py.compared(py.Literal(f"_{base.sibling.key}"), operator, base.sibling.owner)
        if base.raw is not None:
            # A record may have null there, or what is no object.
            found = py.builtin("bool", fp_call("items_at", base.raw.owner, base.raw.element), raises=True)
            sibling = py.all_of(sibling, found) if wanted else py.any_of(sibling, py.Not(found))
        return py.any_of(test, sibling) if wanted else py.all_of(test, sibling)

    def _has_value(self, node: n.FPCall, site: EvaluationSite, wanted: bool) -> py.Expr | None:
        """`birthDate.hasValue()`: an extension alone is no value."""
        base = self.forms.input_of(node, site)
        if base is None or not base.is_scalar or not self.forms.elements.is_primitive(base.static):
            return None
        return self._existing(TypedValue(base.code, base.static), wanted=wanted)

    def _all(self, node: n.FPCall, site: EvaluationSite, wanted: bool) -> py.Expr | None:
        base = self.forms.input_of(node, site)
        if base is None or base.choice is not None or base.sibling is not None or uses_index(node):
            return None
        stream = as_stream(base, self.fresh)
        test = self.forms.condition(first_argument(node), site.each(stream))
        code = py.builtin("all", generated(test, stream))
        return code if wanted else py.Not(code)

    def _is_distinct(self, node: n.FPCall, site: EvaluationSite, wanted: bool) -> py.Expr | None:
        base = None if node.arguments else self.forms.input_of(node, site)
        if base is None or not base.is_stream or base.sibling is not None or families(base.static) != {"text"}:
            return None
        test = fp_call("all_different", whole(base, self.fresh))
        return test if wanted else py.Not(test)

    # --- texts --------------------------------------------------------------------------------------------------------

    def _matches(self, node: n.FPCall, site: EvaluationSite, wanted: bool) -> py.Expr | None:
        """`ident.matches('^[12][0-9]{14}$')`, by a pattern that the module compiles once."""
        base = self._text_input(node, site)
        pattern = node.arguments[0] if len(node.arguments) == 1 else None
        if base is None or not isinstance(pattern, n.FPLiteral) or not isinstance(pattern.value, str):
            return None
        method = pattern_constant(pattern.value, self.scope.constants, full=node.name == "matchesFull")
        if method is None:
            return None
        if not base.may_repeat:
            return fp_call("matches_plain" if wanted else "matches_not", method, base.code)
        found = py.Call(method, (base.code,), raises=False)
        test = py.is_not_none(found) if wanted else py.is_none(found)
        return test if base.is_one else py.all_of(py.is_not_none(base.code), test)

    def _text_input(self, node: n.FPCall, site: EvaluationSite) -> TypedValue | None:
        base = self.forms.input_of(node, site)
        if base is not None and base.choice is not None:
            is_text = all(family(ref.name) == "text" for ref in base.choice.types)
            base = self.forms.elements.narrowed(base, lambda ref: family(ref.name) == "text") if is_text else None
        return base if base is not None and base.is_scalar and families(base.static) == {"text"} else None

    def _text_test(self, node: n.FPCall, site: EvaluationSite, wanted: bool) -> py.Expr | None:
        """`id.startsWith('7')`, by Python's own methods."""
        argument = node.arguments[0]
        base = self.forms.input_of(node, site)
        part = None if isinstance(argument, n.SortKey) else self.forms.value(argument, site)
        if base is None or part is None or not base.is_scalar or not part.is_one:
            return None
        if families(base.static) != {"text"} or families(part.static) != {"text"} or not base.may_repeat:
            return None
        test = _text_test(node.name, base.code, part.code, wanted=wanted)
        return test if base.is_one else py.all_of(py.is_not_none(base.code), test)

    # --- types --------------------------------------------------------------------------------------------------------

    def _is(self, node: n.FPCall, site: EvaluationSite, wanted: bool) -> py.Expr | None:
        if not node.arguments:
            return None
        return self.is_type(self.forms.input_of(node, site), type_argument(node.arguments[0]), wanted=wanted)

    def is_type(self, base: TypedValue | None, name: str, *, wanted: bool) -> py.Expr | None:
        """`value is Quantity`: a choice shows its type by the key that is there."""
        ref = type_named(name, self.definitions)
        if base is None or base.choice is None or ref is None or base.kind is not ValueKind.SCALAR or not wanted:
            return None
        choice = base.choice
        kept = [entry for entry in choice.types if self.definitions.is_subtype(entry.name, ref.name)]
        if not 0 < len(kept) <= _MOST_TYPES or ref.name.startswith("System."):
            return None
        keys = [choice.element.json_name(entry.name) for entry in kept]
        return py.any_of(*(py.compared(py.Literal(key), py.Comparison.IN, choice.owner) for key in keys))


def _text_test(name: str, text: py.Expr, part: py.Expr, *, wanted: bool) -> py.Expr:
    if name == "contains":
        return py.compared(part, py.Comparison.IN if wanted else py.Comparison.NOT_IN, text)
    test = py.method(text, "startswith" if name == "startsWith" else "endswith", part)
    return test if wanted else py.Not(test)


_Writer = Callable[[Predicates, n.FPCall, EvaluationSite, bool], "py.Expr | None"]
_WRITERS: Mapping[str, _Writer] = {
    "not": Predicates._not,
    "exists": Predicates._exists,
    "empty": Predicates._empty,
    "hasValue": Predicates._has_value,
    "all": Predicates._all,
    "isDistinct": Predicates._is_distinct,
    "matches": Predicates._matches,
    "matchesFull": Predicates._matches,
    "is": Predicates._is,
    **dict.fromkeys(TEXT_TESTS, Predicates._text_test),
}
