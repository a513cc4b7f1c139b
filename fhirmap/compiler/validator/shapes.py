"""Shapes: for each node that the contract constrains, what the full check must know beyond the base type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fhirmap.compiler.names import snake_case
from fhirmap.compiler.plan import ModuleConstant
from fhirmap.compiler.python import Call, DictOf, Expr, Literal, Name, TupleOf
from fhirmap.compiler.runtime_functions import call
from fhirmap.compiler.validator.code_sets import CodeSets
from fhirmap.compiler.validator.contract import Contract
from fhirmap.compiler.validator.invariants import InvariantWriter
from fhirmap.compiler.validator.merged import MergedElement, merged_constraints, merged_elements
from fhirmap.compiler.validator.section import SectionBuilder, constrained_shape, data
from fhirmap.model.definition import FHIR_URL, Constraint, TypeRef


@dataclass(frozen=True, slots=True)
class ShapePlan:
    """A shape that is written, and what it was made from.

    ``constrained``: elements of which the contract says more than their type; ``rules``: the function that reports the
    invariants of the node itself.
    """

    name: Name
    type: str
    path: str
    elements: Mapping[str, MergedElement]
    rules: Name | None = None
    constrained: frozenset[str] = frozenset()


class ShapeWriter:
    """Writes the shapes of one contract, innermost first."""

    def __init__(self, contract: Contract, section: SectionBuilder, invariants: InvariantWriter) -> None:
        self.section = section
        self.codes = CodeSets(section)
        self.value_rules: dict[str, Name] = {}
        """Element path → the function that reports the element's own invariants."""
        self.unplaced = dict(contract.rules)
        """Rules of the contract whose element has not come yet."""
        self._invariants = invariants
        self._shapes: dict[tuple[str, str], ShapePlan | None] = {}

    def root(self, base: TypeRef, refs: list[TypeRef]) -> ShapePlan:
        """Write the shape of the resource itself and of everything below it."""
        found = self._shape(base, refs, base.name)
        if found is not None:
            return found
        name = self.section.name(snake_case(base.name).upper())
        self.section.tables.append(ModuleConstant(name, constrained_shape(base.name, DictOf())))
        return ShapePlan(name, base.name, base.name, {})

    def at(self, type_name: str, path: str) -> ShapePlan | None:
        """The shape that was written for the node at ``path``."""
        return self._shapes.get((type_name, path))

    def _shape(self, base: TypeRef, refs: list[TypeRef], path: str) -> ShapePlan | None:
        """The shape of a node that profiles constrain; None where nothing is said of it or below it."""
        if (base.name, path) not in self._shapes:
            self._shapes[base.name, path] = self._written(base, refs, path)
        return self._shapes[base.name, path]

    def _written(self, base: TypeRef, refs: list[TypeRef], path: str) -> ShapePlan | None:
        elements = merged_elements(self.section.definitions, base, refs)
        rows: dict[str, Call] = {}
        for key, merged in elements.items():
            rules = self._element_rules(merged, f"{path}.{key}[x]" if merged.base.is_choice else f"{path}.{key}")
            if rules is not None:
                rows[key] = rules
        constraints = (*merged_constraints(self.section.definitions, refs), *self.unplaced.pop(path, ()))
        invariants = self._rules(constraints, base, path)
        if not rows and invariants is None:
            return None
        name = self.section.name(_constant_name(path))
        entries = DictOf(tuple((Literal(key), value) for key, value in rows.items()), is_tall=True)
        self.section.parts.append(ModuleConstant(name, constrained_shape(base.name, entries, invariants), path))
        return ShapePlan(name, base.name, path, elements, invariants, frozenset(rows))

    def _element_rules(self, merged: MergedElement, path: str, *, is_slice: bool = False) -> Call | None:
        """`ElementRules(...)` of one element or slice; None where it is as the base type has it."""
        base = merged.base
        given: dict[str, Expr | None] = {
            "minimum": Literal(merged.minimum) if is_slice or merged.minimum > base.minimum else None,
            "maximum": _maximum(merged, is_slice=is_slice),
            "types": Literal(merged.types) if len(merged.types) < len(base.types) else None,
            "shapes": self._below(merged, path),
            "fixed": data(merged.fixed) if merged.fixed is not None else None,
            "pattern": data(merged.pattern) if merged.pattern is not None else None,
            "codes": self.codes.constant(merged),
            "rules": self._value_rules(merged, path),
            "targets": self._targets(merged),
            "is_closed": Literal(True) if merged.is_closed else None,
            "slices": None if is_slice else self._slices(merged, path),
        }
        known = {key: value for key, value in given.items() if value is not None}
        return call("ElementRules", **known) if known else None

    def _targets(self, merged: MergedElement) -> Expr | None:
        """The types that references may point to, where the contract leaves fewer than the base type."""
        found: set[str] | None = None
        for targets in merged.targets():
            names = {self._type_at(url) for url in targets}
            if "" not in names:
                found = names if found is None else found & names
        return Literal(tuple(sorted(found))) if found is not None else None

    def _type_at(self, url: str) -> str:
        """The type of a profile; empty where it is not known."""
        structure = self.section.definitions.structure(url)
        return structure.type if structure is not None else ""

    def _slices(self, merged: MergedElement, path: str) -> Expr | None:
        for name in merged.slices_without_discriminator():
            self.section.report("FM354", name=name, element=path)
        found = []
        for name, values, held in merged.slices():
            rules = self._element_rules(held, f"{path}:{name}", is_slice=True) or call("ElementRules")
            found.append(call("SliceRules", Literal(name), data(values), rules))
        return TupleOf(tuple(found), is_tall=True) if found else None

    def _below(self, merged: MergedElement, path: str) -> Expr | None:
        """`{type: shape}` for the types whose inside is constrained."""
        rows: list[tuple[Expr, Expr]] = []
        for base in merged.base.types:
            refs = merged.refs(base.name)
            shape = self._shape(base, refs, path) if refs and base.name in merged.types else None
            if shape is not None:
                rows.append((Literal(base.name), shape.name))
        return DictOf(tuple(rows)) if rows else None

    def _value_rules(self, merged: MergedElement, path: str) -> Name | None:
        """The function of an element's own invariants, its value as focus."""
        constraints = (*merged.constraints, *self.unplaced.pop(path, ()))
        types = merged.types
        focus = next((ref for ref in merged.base.types if types and ref.name == types[0]), merged.base.types[0])
        found = self._rules(constraints, focus, path)
        if found is not None:
            self.value_rules[path] = found
        return found

    def _rules(self, constraints: tuple[Constraint, ...], focus: TypeRef, path: str) -> Name | None:
        if not constraints:
            return None
        base = TypeRef(focus.name, FHIR_URL + focus.name.partition(".")[0])
        name = self.section.name(f"check_rules_of_{_constant_name(path).lower()}")
        return name if self._invariants.write(constraints, base, path, name) else None


def _maximum(merged: MergedElement, *, is_slice: bool) -> Expr | None:
    if merged.maximum is None or (merged.maximum == merged.base.maximum and not is_slice):
        return None
    return Literal(merged.maximum)


def _constant_name(path: str) -> str:
    """`Parameters.parameter:implants.part:udi.value[x]` as `IMPLANTS_UDI_VALUE`: slice names, and what is below."""
    steps = path.removesuffix("[x]").split(".")
    last_slice = max((rank for rank, step in enumerate(steps) if ":" in step), default=-1)
    words = [step.partition(":")[2] or ("" if rank < last_slice else step) for rank, step in enumerate(steps)]
    return snake_case("_".join(word for word in words if word)).upper()
