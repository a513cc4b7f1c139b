"""Several structures at once: one element as all of them together see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fhirmap.model.definition import Constraint, Definitions, Element, TypeRef

_REFERENCES = ("Reference", "CodeableReference")
SliceValues = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class MergedElement:
    """One element under several profiles: the strictest of what they say."""

    base: Element
    views: tuple[Element, ...]

    @property
    def minimum(self) -> int:
        """The highest minimum."""
        return max(view.minimum for view in self.views)

    @property
    def maximum(self) -> int | None:
        """The lowest maximum; None is no limit."""
        known = [view.maximum for view in self.views if view.maximum is not None]
        return min(known) if known else None

    @property
    def types(self) -> tuple[str, ...]:
        """Names of the types that every view leaves."""
        kept = {ref.name for ref in self.views[0].types}
        for view in self.views[1:]:
            kept &= {ref.name for ref in view.types}
        return tuple(ref.name for ref in self.base.types if ref.name in kept)

    @property
    def fixed(self) -> object:
        """The value it must have."""
        return next((view.fixed for view in self.views if view.fixed is not None), None)

    @property
    def pattern(self) -> object:
        """What its value must hold at least."""
        return next((view.pattern for view in self.views if view.pattern is not None), None)

    @property
    def is_closed(self) -> bool:
        """Must each item belong to a slice?"""
        return any(view.slicing is not None and view.slicing.rules == "closed" for view in self.views)

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """Invariants of all views, one a key."""
        return tuple({entry.key: entry for view in self.views for entry in view.constraints}.values())

    @property
    def value_sets(self) -> tuple[str, ...]:
        """Value sets of required bindings."""
        found = [
            view.binding.value_set
            for view in self.views
            if view.binding is not None and view.binding.strength == "required" and view.binding.value_set
        ]
        return tuple(dict.fromkeys(found))

    def refs(self, type_name: str) -> list[TypeRef]:
        """How the profiles lead on below it when it holds a ``type_name``."""
        found = (ref for view in self.views for ref in view.types if ref.name == type_name and ref.profile)
        return list(dict.fromkeys(found))

    def targets(self) -> list[tuple[str, ...]]:
        """What references may point to, where views say it otherwise than the base type."""
        base = {ref.targets for ref in self.base.types}
        views = (ref.targets for view in self.views for ref in view.types if ref.name in _REFERENCES)
        return [targets for targets in dict.fromkeys(views) if targets and targets not in base]

    def slices(self) -> list[tuple[str, SliceValues, MergedElement]]:
        """Slices whose items are known by values: name, values, and the slice as all views see it."""
        found: dict[str, tuple[str, SliceValues, list[Element]]] = {}
        for view in self.views:
            for entry in view.slices:
                if entry.values:
                    found.setdefault(repr(entry.values), (entry.name, entry.values, []))[2].append(entry.element)
        return [(name, values, MergedElement(self.base, tuple(views))) for name, values, views in found.values()]

    def slices_without_discriminator(self) -> list[str]:
        """Names of slices whose items no value identifies, so that they cannot be checked."""
        return [entry.name for view in self.views for entry in view.slices if not entry.values]


def merged_elements(definitions: Definitions, base: TypeRef, refs: list[TypeRef]) -> dict[str, MergedElement]:
    """The elements of ``base`` as the profiles at ``refs`` see them."""
    levels = [definitions.children(ref) for ref in refs]
    return {
        name: MergedElement(element, tuple(level[name] for level in levels if name in level) or (element,))
        for name, element in definitions.children(base).items()
    }


def merged_constraints(definitions: Definitions, refs: list[TypeRef]) -> tuple[Constraint, ...]:
    """Invariants on the node itself, one a key."""
    return tuple({entry.key: entry for ref in refs for entry in definitions.constraints(ref)}.values())


def constraints_below(definitions: Definitions, refs: list[TypeRef], seen: set[TypeRef]) -> Iterator[Constraint]:
    """Every invariant of the profiles at ``refs`` and of what they lead to."""
    for ref in refs:
        if ref in seen or not ref.profile:
            continue
        seen.add(ref)
        yield from definitions.constraints(ref)
        for element in definitions.children(ref).values():
            for view in (element, *(entry.element for entry in element.slices)):
                yield from view.constraints
                yield from constraints_below(definitions, list(view.types), seen)
