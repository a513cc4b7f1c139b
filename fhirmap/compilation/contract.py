"""What a map's own target demands of its results."""

from __future__ import annotations

from fhirmap.analysis.checked import Checked
from fhirmap.compiler.validator.contract import Contract, base_type

__all__ = ["target_contract"]


def target_contract(checked: Checked) -> Contract | None:
    """What the map's own target structure demands of results; None where that is no type of FHIR."""
    last = checked.stages[-1].target if checked.stages else None
    structure = checked.definitions.structure(last.structure or last.name) if last else None
    contract = Contract(checked.definitions, (structure.url,)) if structure is not None else None
    return contract if contract is not None and base_type(contract) is not None else None
