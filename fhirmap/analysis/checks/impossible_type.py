"""FM239: a source filtered by a type that its element never has."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic
from fhirmap.fhir_types import OPEN_TYPES
from fhirmap.model.definition import Definitions, TypeRef


def impossible_type(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each `src.value : Type` that can never fire (FM239).

    A filter takes items of exactly that type: no instance has an abstract type, and a `code` is no `string` there.

    Spec: FML, rules, source: type of a source.
    """
    for _, rule in checked.rules():
        for source in rule.sources:
            known = source.steps[-1].static.types if source.steps else frozenset()
            wanted = source.filter_types
            if not known or not wanted or any(_may_be(ref, known, checked.definitions) for ref in wanted):
                continue
            args = {
                "element": source.steps[-1].name,
                "type": source.node.type,
                "types": ", ".join(sorted(f"`{ref.name}`" for ref in known)),
            }
            is_abstract = all(_is_abstract(ref, checked.definitions) for ref in wanted)
            variant = "abstract" if is_abstract else ""
            yield Diagnostic("FM239", source.node.type_span or source.node.span, args, variant=variant)


def _may_be(wanted: TypeRef, known: frozenset[TypeRef], definitions: Definitions) -> bool:
    """May an item of an element with the types ``known`` be of the very type ``wanted``?"""
    if _is_abstract(wanted, definitions):
        return False
    return any(
        ref.name == wanted.name or (_is_abstract(ref, definitions) and definitions.is_subtype(wanted.name, ref.name))
        for ref in known
    )


def _is_abstract(ref: TypeRef, definitions: Definitions) -> bool:
    """Is it a type of which there are no instances?"""
    structure = definitions.structure(ref.structure or ref.name)
    is_root = structure is not None and structure.root.name == ref.name
    return ref.name in OPEN_TYPES or (structure is not None and is_root and structure.abstract)
