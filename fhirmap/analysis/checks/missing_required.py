"""FM240: a required element that no rule can produce."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.production import Produced
from fhirmap.diagnostics import Diagnostic, Subject, SubjectKind
from fhirmap.model.definition import Element


def missing_required(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each required element or slice that no rule assigns to a node that rules make (FM240).

    Spec: FHIR R4, conformance-rules.html#cardinality, and profiling.html#slicing.
    """
    for stage in checked.stages:
        for node in checked.produced(stage).walk():
            if not node.is_opaque:
                for variant, about, owner in _missing(node, checked):
                    args = {"name": about.name, "owner": owner, "group": stage.entry.name}
                    yield Diagnostic("FM240", node.span, args, variant=variant, about=about)


def _missing(node: Produced, checked: Checked) -> Iterator[tuple[str, Subject, str]]:
    """(page's variant, element or slice, name of its owner) of each that is required and that ``node`` never gets."""
    found = node.slice()
    ref = found.element.types[0] if found and len(found.element.types) == 1 else node.type
    if ref is None:
        return
    owner = found.name if found else _slice_name(node) or ref.name
    for element in checked.definitions.children(ref).values():
        made = node.children.get(element.name, [])
        if element.minimum and not made and not any(entry.element.minimum for entry in element.slices):
            yield "", Subject(SubjectKind.ELEMENT, element.name, frozenset((ref.structure,))), owner
        for entry in element.slices:
            if entry.element.minimum and not any(other.may_be(entry) for other in made):
                about = Subject(SubjectKind.SLICE, entry.name, frozenset((element.path,)))
                yield _slice_variant(element), about, owner


def _slice_name(node: Produced) -> str:
    """Name of the slice that typing found for a node, or an empty string."""
    path = node.element.path if node.element else ""
    return path.rpartition(".")[2].removesuffix("[x]").partition(":")[2]


def _slice_variant(element: Element) -> str:
    return {"parameter": "parameter", "part": "part"}.get(element.name, "slice")
