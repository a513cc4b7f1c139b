"""Elements of typed values: which key of a dict a name reads, `code.get('x')`.

Records read through a model and typed FHIR JSON are dicts in which an absent element is an absent key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fhirmap.analysis.expression_types import FUNCTION_URL, children_of, families, is_fhir, is_object, system
from fhirmap.analysis.static import UNKNOWN, StaticType
from fhirmap.compiler import python as py
from fhirmap.compiler.fhirpath.lowering_context import LoweringContext
from fhirmap.compiler.fhirpath.streams import or_no_entries
from fhirmap.compiler.fhirpath.typed_values import Choice, RawRead, Sibling, TypedValue, ValueKind
from fhirmap.compiler.runtime_functions import fp_call
from fhirmap.fhir_types import ANY_RESOURCE, DATES, OPEN_TYPES, TEXTS
from fhirmap.language import nodes as n
from fhirmap.model.definition import Element, TypeRef


class ElementReader:
    """Reads elements for one expression."""

    def __init__(self, context: LoweringContext) -> None:
        self.context = context
        self.scope = context.scope
        self.definitions = context.definitions

    def child(self, base: TypedValue, name: str) -> TypedValue | None:
        """The element ``name`` of a value; None where the types do not say which that is."""
        if base.choice is not None:
            # `value.coding`: of all types that `value` may have, only a CodeableConcept has a coding.
            narrowed = self.narrowed(base, lambda ref: name in children_of(ref, self.definitions, self.scope.functions))
            if narrowed is None:
                return None
            base = narrowed
        if base.raw is not None:
            return self._value_of(base) if name == "value" else None
        found = self._element(base, name)
        if found is None:
            return None
        element, suffix, owner_type = found
        owner = self._owner(base)
        if base.static.is_raw:
            read = RawRead(owner, name, self.context.raw_element(owner_type, name))
            is_named = suffix is not None or not element.is_choice
            types = (suffix,) if suffix is not None else element.types
            static = StaticType(frozenset(types), "optional", True)
            return self._raw_child(base, read, static, repeats=element.is_repeating) if is_named else None
        if element.is_choice and suffix is None:
            return self._choice(base, Choice(owner, owner_type, element, tuple(element.types)))
        types = (suffix,) if suffix is not None else element.types
        if any(ref.name in OPEN_TYPES for ref in types):
            # What `contained.name` reads, only the run knows.
            return None
        key = name if suffix is not None else element.name
        static = StaticType(frozenset(types), "optional", True)
        has_sibling = is_fhir(owner_type, self.definitions) and self.is_primitive(static)
        sibling = Sibling(owner, key) if has_sibling else None
        code = py.Get(owner, key)
        if element.is_repeating:
            return self._repeating(base, name, code, static, sibling)
        return TypedValue(code, static, base.kind, base.clauses, sibling=sibling)

    def resources(self, base: TypedValue, name: str, ref: TypeRef) -> TypedValue | None:
        """`entry.resource.ofType(Patient)`: an element that may be any resource, where it is a ``ref``: each says its
        own type. None where the element is anything else."""
        structure = self.definitions.structure(ref.structure or ref.name)
        if structure is None or structure.kind != "resource" or ref.name in ANY_RESOURCE:
            return None
        if base.choice is not None or base.raw is not None or base.static.is_raw:
            return None
        found = self._element(base, name)
        if found is None or not all(entry.name in ANY_RESOURCE for entry in found[0].types):
            return None
        code, item = py.Get(self._owner(base), name), self.context.fresh(name)
        each = or_no_entries(code) if found[0].is_repeating else py.TupleOf((code,))
        tests = (
            py.is_not_none(item),
            py.compared(py.Get(item, "resourceType"), py.Comparison.EQUAL, py.Literal(ref.name)),
        )
        clauses = (*base.clauses, py.ForClause((item,), each), py.IfClause(py.all_of(*tests)))
        return TypedValue(item, StaticType(frozenset((ref,)), "many", True), ValueKind.STREAM, clauses)

    def _owner(self, base: TypedValue) -> py.Expr:
        """The dict of a value: `first.lot` asks an empty one where there is no `first`."""
        if base.is_one or (base.kind is ValueKind.STREAM and base.static.cardinality != "optional"):
            return base.code
        return py.or_default(base.code, py.DictOf())

    def _value_of(self, base: TypedValue) -> TypedValue | None:
        """`linkId.value`: the value of a text or a boolean, which has no extensions."""
        (kind,) = families(base.static)
        name = {"text": "String", "boolean": "Boolean"}.get(kind)
        if name is None:
            return None
        static = system(name, base.static.cardinality)
        return TypedValue(base.code, static, base.kind, base.clauses)

    def _raw_child(self, base: TypedValue, read: RawRead, static: StaticType, *, repeats: bool) -> TypedValue | None:
        """An element of an object as the record has it, each value looked at; None where only items say it: a number
        may be a text there."""
        ref = static.type
        if ref is None:
            return None
        if is_object(ref, self.definitions):
            static = replace(static, is_raw=True)
            if repeats:
                return self._repeating(base, read.name, fp_call("objects_at", read.owner, read.element), static, None)
            return TypedValue(fp_call("object_at", read.owner, read.element), static, base.kind, base.clauses)
        is_text = ref.name in TEXTS or ref.name in DATES
        sibling = Sibling(read.owner, read.name)
        if is_text and repeats:
            found = self._repeating(base, read.name, fp_call("texts_at", read.owner, read.element), static, sibling)
            return replace(found, raw=read)
        if repeats or not (is_text or ref.name == "boolean"):
            return None
        code = fp_call("text_at" if is_text else "boolean_at", read.owner, read.element)
        return TypedValue(code, static, base.kind, base.clauses, sibling=sibling, raw=read)

    def _choice(self, base: TypedValue, choice: Choice) -> TypedValue:
        static = StaticType(frozenset(choice.types), "optional", True)
        if len(choice.types) == 1:
            key = choice.element.json_name(choice.types[0].name)
            return TypedValue(py.Get(choice.owner, key), static, base.kind, base.clauses)
        return TypedValue(choice.owner, static, base.kind, base.clauses, choice=choice)

    def _repeating(
        self, base: TypedValue, name: str, code: py.Expr, static: StaticType, sibling: Sibling | None
    ) -> TypedValue:
        item = self.context.fresh(name)
        clauses: tuple[py.Clause, ...] = (*base.clauses, py.ForClause((item,), or_no_entries(code)))
        if sibling is not None:
            # FHIR JSON writes null for an entry that has extensions only: `"given": ["Anne", null]`.
            clauses = (*clauses, py.IfClause(py.is_not_none(item)))
        source = code if not base.clauses and sibling is None else None
        return TypedValue(item, static.with_cardinality("many"), ValueKind.STREAM, clauses, source, sibling)

    def _element(self, base: TypedValue, name: str) -> tuple[Element, TypeRef | None, TypeRef] | None:
        """The element that ``name`` means for every type the value may have, if it is one and the same.

        With it the type that a choice's JSON name says (`valueQuantity`), and the type that has the element.
        """
        found: list[tuple[Element, TypeRef | None, TypeRef]] = []
        for ref in base.static.types:
            if ref.name in OPEN_TYPES or ref.name.startswith("System."):
                return None
            children = children_of(ref, self.definitions, self.scope.functions)
            if name in children:
                found.append((children[name], None, ref))
            elif not ref.structure.startswith(FUNCTION_URL):
                suffixed = self.definitions.element(ref, name)
                found += [(suffixed[0], suffixed[1], ref)] if suffixed is not None else []
        if not found or self.is_primitive(base.static):
            return None
        first = found[0][0]
        same = all(entry[0].types == first.types and entry[0].maximum == first.maximum for entry in found)
        return found[0] if same else None

    def mark_of(self, ref: TypeRef) -> str:
        """The element by which objects of a type mostly differ: a text that each of them has; empty where there is
        none."""
        held = children_of(ref, self.definitions, self.scope.functions)
        single = (element for element in held.values() if not (element.is_repeating or element.is_choice))
        needed = (element for element in single if element.minimum and all(ref.name in TEXTS for ref in element.types))
        return next((element.name for element in needed), "")

    def narrowed(self, value: TypedValue, keep: Callable[[TypeRef], bool]) -> TypedValue | None:
        """A choice, read under the keys of the types that ``keep`` accepts."""
        choice = value.choice
        assert choice is not None
        kept = [ref for ref in choice.types if keep(ref)]
        if not kept or any(ref.name in OPEN_TYPES for ref in kept):
            return None
        keys = tuple(choice.element.json_name(ref.name) for ref in kept)
        static = StaticType(frozenset(kept), "optional", True)
        if len(keys) == 1:
            return TypedValue(py.Get(choice.owner, keys[0]), static, value.kind, value.clauses)
        constant = self.scope.constants.add("KEYS", py.Literal(keys))
        return TypedValue(fp_call("choice", choice.owner, constant), static, value.kind, value.clauses)

    def is_primitive(self, static: StaticType) -> bool:
        """Is the value without elements of its own, whatever type it has?"""
        return bool(static.types) and all(
            self.definitions.is_primitive(ref.name) or ref.name.startswith("System.") for ref in static.types
        )

    def is_focus_type(self, name: str, static: StaticType) -> bool:
        """Is ``name`` the type that the focus has: `Patient` in `Patient.name`?"""
        return name[:1].isupper() and any(
            ref.name == name or self.definitions.is_subtype(ref.name, name) for ref in static.types
        )

    def may_have_sibling(self, node: n.FPMember) -> bool:
        """Is it a primitive of FHIR JSON?"""
        inferred = self.context.inferred
        static = inferred.of(node)
        if not static.types or not all(self.definitions.is_primitive(ref.name) for ref in static.types):
            return False
        base = inferred.of(node.focus) if node.focus is not None else self.scope.focus or UNKNOWN
        return not base.types or any(is_fhir(ref, self.definitions) for ref in base.types)
