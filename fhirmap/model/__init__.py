"""Structures and terminologies: what an element is called, what it may hold, how often, and which codes it takes.

One kind of view serves FHIR's base types, profiles, operation definitions and the `model` blocks of a map, so that
whoever checks, lowers or validates asks one registry, `Definitions`. Everything here is a frozen value
once loaded; files are read in `packages` alone, and an unreadable one is a diagnostic, not an exception.

A profile is an overlay: its elements are found by the id that the StructureDefinition gives them
(`Parameters.parameter:implants.part:lot`), and a `TypeRef` that carries such an id leads on to the constrained
children. Absent on purpose: a terminology server. What cannot be expanded offline is unknown, never false.
"""

from fhirmap.model.definition import Definitions, Element, Structure, TypeRef

__all__ = ["Definitions", "Element", "Structure", "TypeRef"]
