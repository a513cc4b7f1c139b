"""The shipped definitions, loaded."""

from __future__ import annotations

from pathlib import Path

from fhirmap.interchange.packages import load_definitions
from fhirmap.model.definition import Definitions, Element

ROOT = Path(__file__).resolve().parents[2]
RENACOT = ROOT / "maps" / "renacot" / "definitions"
MARCH = ROOT / "maps" / "renacot-2025-03" / "definitions"
GUIDE = "https://fhir.orthense.com/"
PROFILE = GUIDE + "StructureDefinition/InterventionInputParametersBaseProfile"
RULES = "https://fhirmap.dev/StructureDefinition/renacot-rules"


def load(*paths: Path) -> Definitions:
    definitions, diagnostics = load_definitions(paths)
    assert not diagnostics
    return definitions


def children(definitions: Definitions, url: str, *path: str) -> dict[str, Element]:
    """Elements below slices: `children(d, url, "parameter:implants", "part:lot")`."""
    structure = definitions.structure(url)
    assert structure is not None
    ref = structure.root
    for step in path:
        name, _, slice_name = step.partition(":")
        element = definitions.children(ref)[name]
        found = element.slice(slice_name) if slice_name else None
        ref = (found.element if found else element).types[0]
    return dict(definitions.children(ref))
