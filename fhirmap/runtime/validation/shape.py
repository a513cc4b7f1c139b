"""Shapes: what an object of one FHIR type may hold, with what a contract adds, and the faults of one that does not.

A generated validator has a fast path through what it expects and asks a `TypeShape` for the full check only where
something is not plainly so; both find the same faults, all of a record at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from fhirmap.fhir_types import ABSTRACT_RESOURCES, MOST_CHARACTERS
from fhirmap.records import Fault
from fhirmap.runtime.validation.base_types import BaseTypeTable, Row, table_of
from fhirmap.runtime.validation.element_rules import NO_RULES, Checks, ElementRules, SliceFinder
from fhirmap.runtime.validation.primitives import JSON_TYPES, PREDICATES, has_control_characters
from fhirmap.runtime.validation.reference_targets import check_reference
from fhirmap.runtime.validation.reporting import Invariants, Visit, is_sound, report_count
from fhirmap.texts import Listing, Text

_ONE_OF: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Parameters.parameter": ("inv-1", ("value", "resource", "part")),
    "Extension": ("ext-1", ("value", "extension")),
}
"""Base invariants: exactly one of these elements is there."""
_REFERENCES = frozenset(("Reference", "CodeableReference"))


@dataclass(frozen=True, slots=True)
class FieldSlot:
    """One element of a shape: its stem, the types it takes and how often, and what the contract adds."""

    name: str
    written: str
    """As element paths write it: `value[x]`."""
    types: tuple[str, ...]
    minimum: int
    maximum: int | None
    repeats: bool
    codes: frozenset[str]
    """Codes of a base type's required binding; empty where it lists none."""
    targets: tuple[str, ...]
    """Types that its references may point to; empty where it does not say."""
    rules: ElementRules
    slicing: SliceFinder

    def json_names(self) -> Iterator[tuple[str, str]]:
        """(JSON name, type) for each form it takes."""
        if self.written == self.name:
            yield self.name, self.types[0] if self.types else ""
            return
        for kind in self.types:
            yield self.name + kind[:1].upper() + kind[1:], kind

    def allows(self, kind: str) -> bool:
        """May it be there, and hold a value of type ``kind``?"""
        return self.maximum != 0 and (self.rules.types is None or kind in self.rules.types)

    def report_forbidden(self, visit: Visit) -> None:
        """Report that the element is there although it may not be, or not as this type."""
        if self.maximum == 0:
            visit.report("FM505", "cardinality", "forbidden", name=self.name)
        else:
            visit.report("FM508", "type", expected=Listing(tuple(self.rules.types or ()), joint="lists.or"))

    def report_absent(self, visit: Visit) -> None:
        """Report what the element, or slices of it, should hold."""
        if self.minimum and not self.rules.slices:
            visit.report("FM504", "required", name=self.name)
        for entry in self.rules.slices:
            if entry.rules.minimum:
                visit.slice(entry.name).report("FM504", "required", name=entry.name)

    def report_counts(self, count: int, counts: Mapping[str, int], visit: Visit) -> None:
        """Report slices, or else the list as a whole, that come too seldom or too often."""
        before = len(visit.faults)
        for entry in self.rules.slices:
            allowed = (entry.rules.minimum or 0, entry.rules.maximum)
            report_count(entry.name, counts[entry.name], allowed, visit.slice(entry.name))
        if count and len(visit.faults) == before:
            report_count(self.name, count, (self.minimum, self.maximum), visit)


class BaseTypes:
    """The shapes of one FHIR release's types, each made when it is first needed."""

    def __init__(self, table: BaseTypeTable) -> None:
        self.table = table
        self._shapes: dict[str, TypeShape] = {}

    def shape(self, name: str) -> TypeShape | None:
        """The shape of a type or of a backbone (`Patient.contact`); None for a name that FHIR does not know."""
        known = self._shapes.get(name)
        if known is None:
            if self.table.rows(name) is None:
                return None
            known = self._shapes[name] = TypeShape(self, name, {})
        return known

    def resource_shape(self, name: object) -> TypeShape | None:
        """The shape of a resource type of which there are instances."""
        shape = self.shape(name) if isinstance(name, str) and "." not in name else None
        return shape if shape is not None and shape.is_resource and name not in ABSTRACT_RESOURCES else None

    def constrained(
        self, name: str, rules: Mapping[str, ElementRules], invariants: Invariants | None = None
    ) -> TypeShape:
        """The shape of a type with what a contract adds to its elements.

        Raises:
            KeyError: FHIR knows no such type.
        """
        return TypeShape(self, name, rules, invariants)


@cache
def types_of(version: str) -> BaseTypes:
    """The base types of a release, once for a process."""
    return BaseTypes(table_of(version))


class TypeShape:
    """What an object of one type may hold. `check` reports everything that is wrong with one."""

    __slots__ = (
        "_by_json",
        "_forbidden",
        "_one_of",
        "_plain",
        "_required",
        "invariants",
        "is_resource",
        "name",
        "types",
    )

    def __init__(
        self,
        types: BaseTypes,
        name: str,
        rules: Mapping[str, ElementRules],
        invariants: Invariants | None = None,
    ) -> None:
        rows = types.table.rows(name)
        if rows is None:
            raise KeyError(name)
        self.types = types
        self.name = name
        self.is_resource = types.table.is_resource(name)
        self.invariants = invariants
        self._one_of = _ONE_OF.get(name)
        slots = [_field_slot(row, rules.get(row[0].removesuffix("[x]"), NO_RULES)) for row in rows]
        self._by_json = {written: (slot, kind) for slot in slots for written, kind in slot.json_names()}
        self._forbidden = {written for written, (slot, kind) in self._by_json.items() if not slot.allows(kind)}
        self._required = [
            slot for slot in slots if slot.minimum or any(entry.rules.minimum for entry in slot.rules.slices)
        ]
        # A value for which its predicate is all there is to ask: most of them, so it is asked first.
        self._plain = {
            written: PREDICATES[kind]
            for written, (slot, kind) in self._by_json.items()
            if kind in PREDICATES
            and not slot.repeats
            and not slot.codes
            and slot.rules is NO_RULES
            and slot.maximum != 0
        }

    def report(self, node: object, faults: list[Fault]) -> None:
        """Report everything that is wrong with ``node``, a whole result. One of an abstract type is none."""
        visit = Visit(faults, self.name, self.name)
        if self.name in ABSTRACT_RESOURCES:
            visit.report("FM512", "type", expected=Text("values.a_resource_type"))
        else:
            self.check(node, visit)

    def check(self, node: object, visit: Visit) -> None:
        """Report everything that is wrong with ``node``."""
        if type(node) is not dict:
            visit.report("FM501", "type", expected=Text("values.an_object"))
            return
        if not node:
            visit.report("FM503", "empty", what=Text("values.object"))
            return
        if self.is_resource:
            visit = visit.within(node)
        faults = visit.faults
        before = len(faults)
        self.check_elements(node, visit)
        if self.invariants is not None and is_sound(faults, before):
            self.invariants(node, visit.resource, faults, visit.path, visit.element)

    def check_elements(self, node: dict[str, object], visit: Visit, but: str = "") -> None:
        """Report what is wrong with the elements of ``node``, the one called ``but`` left to the caller."""
        seen: dict[str, str] = {}
        for name, value in node.items():
            if name == but:
                seen[name] = name
                continue
            found = self._by_json.get(name)
            if found is None:
                self._check_other(name, value, visit, seen)
                continue
            slot, kind = found
            if slot.name in seen and seen[slot.name] != name:
                visit.child(slot.name, slot.written).report("FM507", "choice", name=slot.written)
            seen[slot.name] = name
            plain = self._plain.get(name)
            if plain is not None and plain(value):
                continue
            here = visit.child(slot.name, slot.written)
            if name in self._forbidden:
                slot.report_forbidden(here)
            elif slot.repeats:
                self._check_list(slot, kind, value, node.get("_" + name), here)
            else:
                self._check_single(slot, kind, value, here)
        self._check_absent(seen, visit)

    def _check_absent(self, seen: Mapping[str, str], visit: Visit) -> None:
        absent = [slot for slot in self._required if slot.name not in seen]
        for slot in absent:
            slot.report_absent(visit.child(slot.name, slot.written))
        if self._one_of:
            key, names = self._one_of
            # An element that the contract requires and that is missing has been reported already.
            if sum(name in seen for name in names) != 1 and not any(slot.name in names for slot in absent):
                visit.report("FM509", key, names=", ".join(names))

    def _check_other(self, name: str, value: object, visit: Visit, seen: dict[str, str]) -> None:
        """A key that is no element: `resourceType`, the `_x` beside a primitive, or a fault.

        What is beside a primitive that is an object itself (`{"value": …, "id": …}`) is among its elements.
        """
        if name == "resourceType" and self.is_resource:
            if value != self.name:
                visit.report("FM512", "type", expected=self.name)
            return
        found = self._by_json.get(name[1:]) if name[:1] == "_" else None
        if found is None or found[1] not in PREDICATES or self.name in PREDICATES:
            visit.child(name, name).report("FM500", "unknown", name=name)
            return
        slot = found[0]
        here = visit.child(slot.name, slot.written)
        if seen.setdefault(slot.name, name[1:]) != name[1:]:
            here.report("FM507", "choice", name=slot.written)
        self._check_beside(slot, value, here)

    def _check_beside(self, slot: FieldSlot, value: object, here: Visit) -> None:
        """The ids and extensions of primitives: an object, or a list with None where a value has neither."""
        beside = self.types.shape("Element")
        if beside is None:
            raise KeyError("Element")
        if not slot.repeats:
            beside.check(value, here)
        elif type(value) is not list or not value:
            here.report("FM501", "type", expected=Text("values.a_list"))
        else:
            for index, item in enumerate(value):
                if item is not None:
                    beside.check(item, here.item(index))

    def _check_single(self, slot: FieldSlot, kind: str, value: object, here: Visit) -> None:
        if type(value) is list:
            here.report("FM501", "type", expected=Text("values.one_value"))
            return
        chosen = slot.slicing.slice_of(value, kind) if slot.rules.slices else None
        if chosen is None:
            self._check_value(slot, kind, value, slot.rules, here)
        else:
            self._check_value(slot, kind, value, chosen.rules, here.slice(chosen.name))

    def _check_list(self, slot: FieldSlot, kind: str, value: object, beside: object, here: Visit) -> None:
        if type(value) is not list:
            here.report("FM501", "type", expected=Text("values.a_list"))
            return
        if not value:
            here.report("FM503", "empty", what=Text("values.list"))
        rules = slot.rules
        counts = dict.fromkeys((entry.name for entry in rules.slices), 0)
        for index, item in enumerate(value):
            if item is None and type(beside) is list and index < len(beside) and beside[index]:
                continue
            at = here.item(index)
            chosen = slot.slicing.slice_of(item, kind)
            if chosen is not None:
                counts[chosen.name] += 1
                self._check_value(slot, kind, item, chosen.rules, at.slice(chosen.name))
                continue
            if rules.is_closed:
                at.report("FM513", "slicing", name=slot.name)
            self._check_value(slot, kind, item, rules, at)
        slot.report_counts(len(value), counts, here)

    def _check_value(self, slot: FieldSlot, kind: str, value: object, rules: ElementRules, here: Visit) -> None:
        """One value of a slot: its type's form, then what the contract says of it."""
        faults = here.faults
        before = len(faults)
        if kind in PREDICATES:
            _check_primitive(kind, value, slot, here)
            if len(faults) > before:
                return
        else:
            shape = rules.shapes.get(kind) or self._shape_for(kind, value, here)
            if shape is not None:
                shape.check(value, here)
        if kind in _REFERENCES:
            self._check_reference(slot, kind, value, rules, here)
        if rules is NO_RULES:
            return
        rules.check(value, here)
        if rules.rules is not None and is_sound(faults, before):
            rules.rules(value, here.resource, faults, here.path, here.element)

    def _check_reference(self, slot: FieldSlot, kind: str, value: object, rules: ElementRules, here: Visit) -> None:
        held, at = value, here
        if kind == "CodeableReference":
            held, at = (
                (value.get("reference") if isinstance(value, dict) else None),
                here.child("reference", "reference"),
            )
        targets = slot.targets if rules.targets is None else rules.targets
        check_reference(held, slot.name, targets, self.types.table.is_resource, at)

    def _shape_for(self, kind: str, value: object, here: Visit) -> Checks | None:
        if kind not in ABSTRACT_RESOURCES:
            return self.types.shape(kind)
        name = value.get("resourceType") if type(value) is dict else None
        shape = self.types.resource_shape(name)
        if shape is None:
            here.report("FM512", "type", expected=Text("values.a_resource_type"))
        return shape


def _field_slot(row: Row, rules: ElementRules) -> FieldSlot:
    written, minimum, maximum, types, codes, targets = row
    most = maximum or None
    if rules.maximum is not None:
        most = rules.maximum if most is None else min(most, rules.maximum)
    return FieldSlot(
        name=written.removesuffix("[x]"),
        written=written,
        types=tuple(types),
        minimum=max(minimum, rules.minimum or 0),
        maximum=most,
        repeats=maximum == 0,
        codes=frozenset(codes or ()),
        targets=tuple(targets),
        rules=rules,
        slicing=SliceFinder(rules.slices),
    )


def _check_primitive(kind: str, value: object, slot: FieldSlot, here: Visit) -> None:
    if PREDICATES[kind](value):
        if slot.codes and value not in slot.codes:
            here.report("FM506", "binding", name=slot.name, known=", ".join(sorted(slot.codes)))
    elif value is None or value == "":
        here.report("FM503", "empty", what=Text("values.value" if value is None else "values.text"))
    elif type(value) not in JSON_TYPES.get(kind, (str,)):
        here.report("FM501", "type", expected=kind)
    else:
        here.report("FM502", "format", _unfit(value), expected=kind)


def _unfit(value: object) -> str:
    """What no type allows of a text: too long, or a control character. Empty where it is the form of the type alone."""
    if not isinstance(value, str):
        return ""
    if len(value) > MOST_CHARACTERS:
        return "long"
    return "control" if has_control_characters(value) else ""
