"""Elements that the map's release of FHIR lacks and another one has: what the hint says then."""

from __future__ import annotations

from collections.abc import Iterable

from fhirmap.model.definition import FHIR_URL, Definitions, TypeRef
from fhirmap.model.fhir import VERSIONS, base_types
from fhirmap.texts import Listing, Text

__all__ = ["element_of_other_release"]


def element_of_other_release(definitions: Definitions, types: Iterable[TypeRef], name: str) -> Text | None:
    """The hint for an element that one of ``types`` has in other releases; None where it has it in none.

    A structure whose URL names its release means that one.
    """
    own = definitions.fhir_version
    for ref in types:
        if not ref.structure.startswith(FHIR_URL):
            continue
        having = tuple(release for release in VERSIONS if release != own and _has(release, ref, name))
        if having:
            root = ref.name.partition(".")[0]
            args = {
                "release": own,
                "element": f"{ref.name}.{name}",
                "others": Listing(having, joint="lists.and"),
                "newest": having[-1],
                "url": f"http://hl7.org/fhir/{VERSIONS[having[-1]]}/StructureDefinition/{root}",
            }
            return Text("hints.element_of_other_release", args)
    return None


def _has(release: str, ref: TypeRef, name: str) -> bool:
    found = base_types(release)(ref.name)
    return found is not None and name in found.children(TypeRef(ref.name))
