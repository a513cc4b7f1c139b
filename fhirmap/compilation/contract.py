"""What a map's own target demands of its results."""

from __future__ import annotations

from fhirmap.analysis.typed import Checked
from fhirmap.compiler.validator.contract import Contract

__all__ = ["target_contract"]


def target_contract(checked: Checked) -> Contract | None:
    """What the map's own target structure demands of results; None where the map names none, or a logical model."""
    last = checked.stages[-1].target if checked.stages else None
    structure = checked.definitions.structure(last.structure or last.name) if last else None
    if structure is None or structure.kind == "logical":
        return None
    return Contract(checked.definitions, (structure.url,))
