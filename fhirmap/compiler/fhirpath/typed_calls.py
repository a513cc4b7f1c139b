"""Typed lowering of functions: `poses.where(used)`, `notes.count()`, `side.upper()`, and those of plug-ins."""

from __future__ import annotations

from dataclasses import replace

from fhirmap.analysis.expression_types import families, type_argument, type_named, value_ref
from fhirmap.analysis.static import StaticType
from fhirmap.compiler import python as py
from fhirmap.compiler.fhirpath.forms import Forms
from fhirmap.compiler.fhirpath.operands import expression_of, first_argument, uses_index, value_arguments
from fhirmap.compiler.fhirpath.searches import narrowed
from fhirmap.compiler.fhirpath.streams import (
    NONE,
    as_list,
    as_stream,
    first_entry,
    first_found,
    flushed,
    generated,
    listed,
    or_no_entries,
    through,
    whole,
)
from fhirmap.compiler.fhirpath.typed_values import (
    BOOLEAN,
    EvaluationSite,
    TypedValue,
    ValueKind,
    is_integer,
    is_texts,
)
from fhirmap.compiler.runtime_functions import fp_call
from fhirmap.fhir_types import QUANTITIES
from fhirmap.language import nodes as n
from fhirmap.language.visit import operands
from fhirmap.signatures import FunctionParameter

_TEXT_METHODS = {"upper": "upper", "lower": "lower", "trim": "strip"}
_SUBSETS = frozenset(("first", "single", "last"))


class TypedCalls:
    """Writes the calls of one expression over bare values."""

    def __init__(self, forms: Forms) -> None:
        self.forms = forms
        self.context = forms.context
        self.scope = forms.context.scope
        self.inferred = forms.context.inferred
        self.fresh = forms.context.fresh

    def call(self, node: n.FPCall, site: EvaluationSite) -> TypedValue | None:
        """The typed value of a call."""
        if node.name in self.scope.functions:
            return self.plug_in(node, site)
        if node.name == "iif":
            return self._iif(node, site)
        if self.inferred.of(node).types == BOOLEAN.types:
            truth = self.forms.truth(node, site)
            if truth is not None:
                return truth
        if node.name == "first" and isinstance(node.focus, n.FPBinary) and node.focus.operator == "|":
            return self._first_of(node, node.focus, site)
        if node.name == "ofType" and isinstance(node.focus, n.FPMember) and node.focus.focus is not None:
            resources = self._resources(node.focus, node.focus.focus, type_argument(node.arguments[0]), site)
            if resources is not None:
                return resources
        base = self.input_of(node, site)
        if base is None:
            return None
        if node.name in ("as", "ofType"):
            return self.of_type(node.name, base, type_argument(node.arguments[0]))
        return self._on_value(node, base, site) if base.choice is None else None

    def input_of(self, node: n.FPCall, site: EvaluationSite) -> TypedValue | None:
        """What a call works on: the value before its dot, or `$this`."""
        if node.focus is not None:
            return self.forms.value(node.focus, site)
        return site.focus if site.focus is not None and site.focus.is_typed else None

    def _on_value(self, node: n.FPCall, base: TypedValue, site: EvaluationSite) -> TypedValue | None:
        if node.name == "where":
            return self.filtered(node, base, site)
        if node.name == "select":
            return self._selected(node, base, site)
        if node.name == "distinct":
            return self._distinct(base)
        if node.name == "repeat":
            return self._repeated(node, base, site)
        if node.name == "count":
            return self._count(node, base)
        if node.name in _SUBSETS:
            return self._subset(node, base)
        if base.is_scalar and families(base.static) == {"text"}:
            return self._on_text(node, base, site)
        if node.name == "toString" and base.is_scalar and base.sibling is None and is_integer(base.static):
            return self._number_text(node, base)
        return None

    # --- collections --------------------------------------------------------------------------------------------------

    def filtered(self, node: n.FPCall, base: TypedValue, site: EvaluationSite) -> TypedValue | None:
        """`poses.where(used)`; with `$index`, or with extensions to keep, only items will do."""
        if uses_index(node) or base.sibling is not None:
            return None
        stream = as_stream(base, self.fresh)
        inner = site.each(stream)
        test = self.forms.condition(first_argument(node), inner)
        clauses = (*narrowed(node, stream, inner, self.forms).clauses, py.IfClause(test))
        return TypedValue(stream.code, stream.static, ValueKind.STREAM, clauses)

    def _selected(self, node: n.FPCall, base: TypedValue, site: EvaluationSite) -> TypedValue | None:
        """`poses.select(lot & 'x')`: the clauses of the argument come after those of the input."""
        if uses_index(node) or base.sibling is not None:
            return None
        stream = as_stream(base, self.fresh)
        found = self.forms.value(first_argument(node), site.each(stream))
        if found is None or not found.is_typed or found.choice is not None:
            return None
        cardinality = "many" if found.is_one else found.static.cardinality
        static = found.static.with_cardinality(cardinality)
        return replace(
            found, kind=ValueKind.STREAM, clauses=(*stream.clauses, *found.clauses), source=None, static=static
        )

    def _distinct(self, base: TypedValue) -> TypedValue | None:
        """`coding.code.distinct()`: texts are equal whatever their types are."""
        if not is_texts(base):
            return None
        if base.is_scalar:
            return base
        found = listed(fp_call("different_texts", whole(base, self.fresh)), base.static, self.fresh)
        return replace(found, sibling=base.sibling)

    def _repeated(self, node: n.FPCall, base: TypedValue, site: EvaluationSite) -> TypedValue | None:
        """`repeat(item)`: objects of one type, which hold such objects in turn."""
        step = first_argument(node)
        if not isinstance(step, n.FPMember) or step.focus is not None or id(step) in self.inferred.variables:
            return None
        stream = as_stream(base, self.fresh)
        first = self.forms.value(step, site.each(stream)) if base.sibling is None else None
        ref = first.static.type if first is not None and first.is_stream and first.sibling is None else None
        if first is None or ref is None or ref.name in QUANTITIES:
            return None
        again = self.forms.elements.child(TypedValue(stream.code, first.static.as_one()), step.name)
        if again is None or not again.is_stream or again.static.types != first.static.types:
            return None
        start = as_list(replace(first, clauses=(*stream.clauses, *first.clauses)))
        mark = py.Literal(self.forms.elements.mark_of(ref))
        if first.static.is_raw:
            code = fp_call("repeated_at", start, self.context.raw_element(ref, step.name), mark)
        else:
            code = fp_call("repeated", start, py.Literal(step.name), mark)
        return listed(code, first.static, self.fresh)

    def first_text(self, node: n.FPExpr, site: EvaluationSite) -> TypedValue | None:
        """`given.first()` of FHIR JSON as the text that it is, whatever extensions it has; None for all else."""
        if not isinstance(node, n.FPCall) or node.name != "first" or node.name in self.scope.functions:
            return None
        base = self.input_of(node, site)
        if base is None or not base.is_stream or not is_texts(base) or base.sibling is None or len(base.clauses) != 2:
            return None
        each = base.clauses[0]
        if not isinstance(each, py.ForClause) or each.targets != (base.code,):
            return None
        code = fp_call("first_text", base.sibling.owner, py.Literal(base.sibling.key))
        return TypedValue(code, base.static.with_cardinality("optional"), is_bare=True)

    def _count(self, node: n.FPCall, base: TypedValue) -> TypedValue | None:
        if base.sibling is not None:
            return None
        static = self.inferred.of(node)
        if base.kind is ValueKind.SCALAR:
            return TypedValue(py.Literal(1), static) if base.is_one else None
        if base.source is not None:
            return TypedValue(py.builtin("len", or_no_entries(base.source)), static)
        return TypedValue(py.builtin("sum", generated(py.Literal(1), flushed(base, self.fresh))), static)

    def _first_of(self, node: n.FPCall, union: n.FPBinary, site: EvaluationSite) -> TypedValue | None:
        """`(a | b | c).first()` of texts that occur at most once: the first that is there."""
        found = []
        for side in operands(union):
            value = self.forms.value(side, site)
            if value is None or not value.is_scalar or value.sibling is not None or families(value.static) != {"text"}:
                return None
            found.append(value.code)
        return TypedValue(fp_call("first_of", *found), self.inferred.of(node).with_cardinality("optional"))

    def _subset(self, node: n.FPCall, base: TypedValue) -> TypedValue | None:
        if base.kind is ValueKind.SCALAR:
            return base
        if base.sibling is not None or node.name == "last":
            return None
        sought = first_found(base) if node.name == "first" else None
        if sought is not None:
            return sought
        flat = flushed(base, self.fresh)
        if node.name == "first":
            return first_entry(flat)
        code = fp_call("only", as_list(flat), py.Literal("single()"))
        return TypedValue(code, flat.static.with_cardinality("optional"))

    def _resources(self, member: n.FPMember, of: n.FPExpr, name: str, site: EvaluationSite) -> TypedValue | None:
        """`entry.resource.ofType(Patient)`: the type of a resource is in it."""
        base, ref = self.forms.value(of, site), type_named(name, self.context.definitions)
        if base is None or ref is None:
            return None
        return self.forms.elements.resources(base, member.name, ref)

    def of_type(self, operator: str, base: TypedValue | None, name: str) -> TypedValue | None:
        """`as` and `ofType` on a choice: `value as Quantity` is what `valueQuantity` holds, an Age being one too."""
        known = self.context.definitions
        ref = type_named(name, known)
        if base is None or base.choice is None or ref is None or operator == "is":
            return None
        if operator == "as" and base.kind is ValueKind.STREAM:
            # Several items are a fault, which only the runtime finds.
            return None
        if sum(entry.name == ref.name for entry in base.choice.types) != 1:
            return None
        is_exact = known.is_primitive(ref.name)
        return self.forms.elements.narrowed(
            base, lambda entry: entry.name == ref.name if is_exact else known.is_subtype(entry.name, ref.name)
        )

    # --- scalars ------------------------------------------------------------------------------------------------------

    def _on_text(self, node: n.FPCall, base: TypedValue, site: EvaluationSite) -> TypedValue | None:
        static = self.inferred.of(node)
        arguments = [self.forms.value(argument, site) for argument in value_arguments(node)]
        if node.name == "substring":
            return self._part(base, arguments, static)
        if node.name == "toString":
            return base.with_static(static.with_cardinality(base.static.cardinality))
        if not base.may_repeat:
            return None
        if node.name in _TEXT_METHODS:
            code: py.Expr = py.method(base.code, _TEXT_METHODS[node.name])
        elif node.name == "length":
            code = py.builtin("len", base.code)
        else:
            return None
        if base.is_one:
            return TypedValue(code, static.as_one())
        chosen = py.Conditional(code, py.is_not_none(base.code), NONE)
        return TypedValue(chosen, static.with_cardinality("optional"))

    def _part(self, base: TypedValue, arguments: list[TypedValue | None], static: StaticType) -> TypedValue | None:
        given = [entry.code for entry in arguments if entry is not None and entry.is_one and is_integer(entry.static)]
        if len(given) < len(arguments):
            return None
        return TypedValue(fp_call("part", base.code, *given), static.with_cardinality("optional"))

    def _number_text(self, node: n.FPCall, base: TypedValue) -> TypedValue:
        # Python refuses to write a number of more than 4300 digits.
        text = py.builtin("str", base.code, raises=True) if base.is_one else fp_call("number_text", base.code)
        return TypedValue(text, self.inferred.of(node).with_cardinality(base.static.cardinality))

    def _iif(self, node: n.FPCall, site: EvaluationSite) -> TypedValue | None:
        """`iif(urgent, 'a', side)`, both of one family: a text beside a number has no type to go by."""
        if node.focus is not None or len(node.arguments) != 3:
            return None
        if families(self.inferred.of(first_argument(node))) != {"boolean"}:
            return None
        with self.context.own_variables():
            test = self.forms.typed_condition(first_argument(node), site, wanted=True)
            yes, no = (self.forms.value(expression_of(argument), site) for argument in node.arguments[1:])
        if test is None or yes is None or no is None or not (yes.is_scalar and no.is_scalar):
            return None
        if families(yes.static) != families(no.static) or len(families(yes.static)) != 1:
            return None
        static = StaticType(yes.static.types | no.static.types, "one" if yes.is_one and no.is_one else "optional", True)
        bare = any(entry.sibling is not None or entry.is_bare for entry in (yes, no))
        code = py.Conditional(yes.code, test, no.code)
        return TypedValue(code, static, is_bare=bare, raw=yes.raw or no.raw)

    # --- plug-in functions --------------------------------------------------------------------------------------------

    def plug_in(self, node: n.FPCall, site: EvaluationSite) -> TypedValue:
        """A plug-in's function, called unless its first argument or one that it requires is absent."""
        signature, needed = self.scope.functions[node.name], self.scope.functions[node.name].needed
        given = [*([node.focus] if node.focus is not None else []), *value_arguments(node)]
        pairs = list(zip(given, signature.parameters, strict=False))
        codes = [self._argument(part, parameter, site, node.name) for part, parameter in pairs]
        function = self.scope.constants.function(signature.module, signature.python_name)
        is_certain = all(self._is_there(part, parameter, site) for part, parameter in pairs[:needed])
        call = py.Call(function, tuple(codes)) if is_certain else fp_call("apply", function, py.Literal(needed), *codes)
        ref = value_ref(signature.result, node.name)
        static = StaticType(frozenset((ref,)), "many" if signature.result.repeats else "optional", True)
        if not signature.result.repeats:
            return TypedValue(call, static)
        return through(fp_call("as_list", call), static, self.fresh)

    def _argument(self, node: n.FPExpr, parameter: FunctionParameter, site: EvaluationSite, what: str) -> py.Expr:
        """What a plug-in's function is called with: a list where it takes one, its own default for what is absent."""
        if parameter.type.repeats:
            with self.context.own_variables():
                found = self.forms.value(node, site)
                if found is not None and found.is_stream:
                    return whole(found, self.fresh)
                return fp_call("values", self.forms.items(node, site))
        code = self.single(node, site, what)
        return code if parameter.default is None else fp_call("first_of", code, py.Literal(parameter.default))

    def _is_there(self, node: n.FPExpr, parameter: FunctionParameter, site: EvaluationSite) -> bool:
        found = self.forms.value(node, site)
        return parameter.type.repeats or (found is not None and found.is_one)

    def single(self, node: n.FPExpr, site: EvaluationSite, what: str) -> py.Expr:
        """Code of a value that must be at most one: bare, None where it is absent."""
        with self.context.own_variables():
            found = self.forms.value(node, site)
            if found is None or found.choice is not None:
                return fp_call("value", self.forms.items(node, site), py.Literal(what))
            if found.kind is ValueKind.SCALAR:
                return found.code
            return fp_call("only", whole(found, self.fresh), py.Literal(what))
