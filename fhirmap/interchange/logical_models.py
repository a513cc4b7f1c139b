"""A `model` of a map as the logical StructureDefinition that says it to other engines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fhirmap.fhir_types import PRIMITIVES
from fhirmap.language.nodes import Model, ModelElement
from fhirmap.model.definition import FHIR_URL

__all__ = ["model_to_structure_definition"]

_RELEASES = {"R4": "4.0.1", "R4B": "4.3.0", "R5": "5.0.0"}
_FOREIGN = re.compile(r"[^A-Za-z0-9.-]")


def model_to_structure_definition(model: Model, base: str, fhir_version: str = "R4") -> dict[str, Any]:
    """The StructureDefinition resource of a model, the same in all releases but for their number.

    ``base``: what its URL begins with, the map's own `…/StructureDefinition/`.
    """
    elements: list[Mapping[str, Any]] = [
        {"id": model.name, "path": model.name, "short": model.name, "min": 0, "max": "*"}
    ]
    elements += [_element(model.name, element, base) for element in model.elements]
    url = base + model.name
    return {
        "resourceType": "StructureDefinition",
        "id": _FOREIGN.sub("-", model.name)[:64],
        "url": url,
        "name": model.name,
        "status": "draft",
        "fhirVersion": _RELEASES[fhir_version],
        "kind": "logical",
        "abstract": False,
        "type": url,
        "baseDefinition": FHIR_URL + "Element",
        "derivation": "specialization",
        "differential": {"element": elements},
    }


def _element(owner: str, element: ModelElement, base: str) -> dict[str, Any]:
    path = f"{owner}.{element.name}"
    return {
        "id": path,
        "path": path,
        "min": element.minimum,
        "max": "*" if element.maximum is None else str(element.maximum),
        "type": [{"code": element.type if element.type in PRIMITIVES else base + element.type}],
    }
