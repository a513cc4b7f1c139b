"""What is known of a value before the map runs: its types, how often it occurs, and how it is held in Python."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from fhirmap.model.definition import FHIR_URL, TypeRef
from fhirmap.texts import Listing, Text

Cardinality = Literal["one", "optional", "many"]


@dataclass(frozen=True, slots=True)
class StaticType:
    """The static view of a value.

    ``types``: the types it may have; empty where nothing is known. ``cardinality``: one item, at most one (``None``
    when absent), or a list. ``plain``: held as a bare Python value or dict of a known type, never wrapped.
    ``may_be_empty``: it is computed, and may be a text without characters, which no element can hold. ``is_raw``: an
    object of FHIR JSON as the record has it: its shape was not looked at, and its primitives may have siblings `_x`.
    """

    types: frozenset[TypeRef] = frozenset()
    cardinality: Cardinality = "many"
    plain: bool = False
    may_be_empty: bool = False
    is_raw: bool = False

    @property
    def type(self) -> TypeRef | None:
        """The one type it has; None where there are several or none is known."""
        return next(iter(self.types)) if len(self.types) == 1 else None

    @property
    def type_name(self) -> str:
        """Name of the one type, or an empty string."""
        ref = self.type
        return ref.name if ref else ""

    @property
    def is_known(self) -> bool:
        """Is there at least one type to go by?"""
        return bool(self.types)

    @property
    def is_clean(self) -> bool:
        """Is it held as a bare value whose shape is known to be right?"""
        return self.plain and not self.is_raw

    def as_copy(self) -> StaticType:
        """The same types, of a copy that is the result's own."""
        return replace(self, is_raw=False) if self.is_raw else self

    def as_item(self) -> StaticType:
        """The same types, held as an item that knows its type."""
        return replace(self, plain=False, is_raw=False)

    def as_one(self) -> StaticType:
        """The same types, exactly one item."""
        return self.with_cardinality("one")

    def with_cardinality(self, cardinality: Cardinality) -> StaticType:
        """The same types, another cardinality."""
        if self.cardinality == cardinality:
            return self
        return StaticType(self.types, cardinality, self.plain, self.may_be_empty, self.is_raw)

    def with_types(self, types: Iterable[TypeRef]) -> StaticType:
        """Other types, all else the same."""
        types = frozenset(types)
        if types == self.types:
            return self
        return StaticType(types, self.cardinality, self.plain, self.may_be_empty, self.is_raw)

    def show(self) -> str:
        """As a comment of the generated code names it: `string`, `Quantity or string`."""
        return " or ".join(self.type_names())

    def text(self) -> Text | Listing:
        """As a message names it: `string`, `Quantity or string`, `unknown type`."""
        return Listing(self.type_names(), joint="lists.or") if self.types else Text("words.unknown_type")

    def type_names(self) -> tuple[str, ...]:
        """Names of the types it may have, in order."""
        return tuple(sorted(ref.name for ref in self.types))


UNKNOWN = StaticType()


def primitive(name: str, cardinality: Cardinality = "one", *, plain: bool = True) -> StaticType:
    """A value of the FHIR primitive type ``name``."""
    return StaticType(frozenset((TypeRef(name, FHIR_URL + name),)), cardinality, plain)


def fhir_type(name: str, cardinality: Cardinality = "one", *, plain: bool = True) -> StaticType:
    """A value of the FHIR complex type ``name``, held as a dict."""
    return StaticType(frozenset((TypeRef(name, FHIR_URL + name),)), cardinality, plain)
